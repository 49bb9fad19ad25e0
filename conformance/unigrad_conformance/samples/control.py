"""Samples of the ops that only concern recording."""

import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance.sample import case, integers, real, samples

# Its result is constant for a tape, whose answer is None then: the scenarios say so.
samples(
    "stop_gradient",
    case(real(2, 3)),
    case(real()),
    case(integers(3)),
    oracle=np.copy,
    ulps=0,
    differentiable=False,
)
# In the public namespace this name is that of the identity matrix.
samples(
    "identity",
    case(real(2, 3)),
    case(real()),
    case(integers(3)),
    oracle=np.copy,
    ulps=0,
    call=lambda ug, x: OPS["identity"](x),
)
