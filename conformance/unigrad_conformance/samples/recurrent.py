"""Samples of unigrad.ops.recurrent."""

from typing import Any

import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance.sample import case, real, samples


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _gru(projected: Any, h: Any, kernel: Any, bias: Any) -> Any:
    a, b = np.split(projected, 3, -1), np.split(h @ kernel + bias, 3, -1)
    r, z = _sigmoid(a[0] + b[0]), _sigmoid(a[1] + b[1])
    return (1 - z) * np.tanh(a[2] + r * b[2]) + z * h


def _gru_reset_before(projected: Any, h: Any, kernel: Any) -> Any:
    a, u = np.split(projected, 3, -1), np.split(kernel, 3, -1)
    r, z = _sigmoid(a[0] + h @ u[0]), _sigmoid(a[1] + h @ u[1])
    return (1 - z) * np.tanh(a[2] + (r * h) @ u[2]) + z * h


samples(
    "gru_step",
    case(real(2, 9), real(2, 3), real(3, 9), real(9)),
    oracle=_gru,
    ulps=16,
    call=lambda ug, *inputs: OPS["gru_step"](*inputs),
)
samples(
    "gru_step_reset_before",
    case(real(2, 9), real(2, 3), real(3, 9)),
    oracle=_gru_reset_before,
    ulps=16,
    call=lambda ug, *inputs: OPS["gru_step_reset_before"](*inputs),
)
