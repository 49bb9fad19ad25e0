"""Derivatives of the reductions."""

from unigrad.autodiff.rules.registry import linear
from unigrad.core.tensor import Tensor
from unigrad.ops.shaping import broadcast_to, reshape


def expand_reduced(g: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """Put the reduced axes back with length one."""
    if keepdims:
        return g
    return reshape(g, tuple(1 if i in axis else n for i, n in enumerate(x.shape)))


linear(
    "sum",
    lambda g, out, x, axis, keepdims: broadcast_to(expand_reduced(g, x, axis, keepdims), x.shape),
)
