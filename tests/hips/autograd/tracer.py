"""What of autograd's tracer its tests ask for."""

import unigrad as ug
from autograd.extend import primitive

__all__ = ["getval", "isbox", "primitive"]


def isbox(value):
    """Tell whether a value is one that a trace has; unigrad's Tensors are none to their users."""
    return False


def getval(value):
    """Return the value without derivatives."""
    return ug.stop_gradient(value) if isinstance(value, ug.Tensor) else value
