"""Ops that keep the values and only concern recording: `stop_gradient` and, inside, `identity`."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor, untracked
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor

__all__ = ["stop_gradient"]

_stop_gradient = primitive("stop_gradient")
_stop_gradient.cut = (0,)
_identity = primitive("identity")


def identity(x: TensorLike, /) -> Tensor:
    """Return the same value as a new one: a tape that watches ``x`` later does not see it.

    Example:
        >>> identity([1, 2]).tolist()
        [1, 2]
    """
    out: Tensor = _identity(as_tensor(x))
    return out


def stop_gradient(x: TensorLike, /) -> Tensor:
    """Return the same value, constant for every derivative.

    Example:
        >>> import unigrad as ug
        >>> float(ug.grad(lambda x: x * stop_gradient(x))(3.0))
        3.0
    """
    out: Tensor = _stop_gradient(untracked(as_tensor(x)))
    return out
