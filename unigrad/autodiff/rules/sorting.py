"""Derivatives of unigrad.ops.sorting: elements are followed to their places."""

from unigrad.autodiff.rules.registry import rule, zero
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.sorting import _argsort

zero("argsort", "beginnings", "one_hot", "searchsorted", "top_k_indices")


def _back(g: Tensor, out: Tensor, x: Tensor, axis: int, descending: bool) -> Tensor:
    """Put each cotangent where its element came from."""
    order = _argsort(x, axis=axis, descending=descending)
    moved: Tensor = OPS["add_along_axis"](g, order, axis=axis, length=x.shape[axis])
    return moved


rule(
    "sort",
    _back,
    jvp=lambda t, out, x, axis, descending: OPS["take_along_axis"](
        t[0], _argsort(x, axis=axis, descending=descending), axis=axis
    ),
)
