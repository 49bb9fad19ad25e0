"""Functions of gradients to put before an optimizer: pure, over pytrees."""

from __future__ import annotations

from typing import Any

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast, to_floating
from unigrad.core.dtypes import INEXACT, DType, default_dtype, float32, result_dtype
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.joining import stack
from unigrad.ops.reductions import widened
from unigrad.ops.statistics import norm

__all__ = ["add_weight_decay", "clip_by_global_norm", "global_norm"]


def global_norm(gradients: Any) -> Tensor:
    """Return √ΣΣ g² over all leaves of a tree, taken as one vector. Of zeros it has derivative 0.

    Half precision is added up in float32.

    Raises:
        ShapeError: when the tree has no leaves.

    Example:
        >>> global_norm([3.0, [4.0]]).item()
        5.0
    """
    norm, dtype = _norm(gradients)
    return cast(norm, dtype)


def _norm(gradients: Any) -> tuple[Tensor, DType]:
    """Return the norm of all leaves in at least float32, and the dtype that it should have."""
    leaves = [as_tensor(leaf) for leaf in tree.leaves(gradients)]
    if not leaves:
        raise ShapeError("global_norm: the tree has no leaves")
    dtype = result_dtype(*(leaf.dtype for leaf in leaves))
    if dtype not in INEXACT:
        dtype = default_dtype()
    within = float32 if dtype.itemsize == 2 else dtype
    # The norm of the leaves' norms: neither leaves the range of the dtype unless the result does.
    norms = [norm(cast(leaf, within)) for leaf in leaves]
    return norm(stack(norms)) if len(norms) > 1 else norms[0], dtype


def clip_by_global_norm(gradients: Any, maximum_norm: float) -> Any:
    """Scale all gradients by one factor so that their global norm is at most ``maximum_norm``.

    The factor is 1 while the norm is within the bound, and else c / ‖g‖.

    Example:
        >>> [round(g.item(), 6) for g in clip_by_global_norm([3.0, 4.0], 1.0)]
        [0.6, 0.8]
    """
    length = _norm(gradients)[0]
    # NaN is not within. Within, nothing is divided: norm and bound may both be 0.
    within = length <= maximum_norm
    factor = where(within, 1.0, maximum_norm / where(within, 1.0, length))

    def clipped(gradient: Any) -> Tensor:
        g = to_floating(as_tensor(gradient))
        # The factor may be less than half precision holds when the product is not.
        return cast(widened(g) * cast(factor, widened(g).dtype), g.dtype)

    return tree.map(clipped, gradients)


def add_weight_decay(gradients: Any, parameters: Any, decay: float) -> Any:
    """Return g + λ w: the gradient of the loss with λ/2 ‖w‖² added.

    Example:
        >>> add_weight_decay([1.0], [2.0], 0.5)[0].item()
        2.0
    """
    return tree.map(lambda g, w: as_tensor(g) + decay * as_tensor(w), gradients, parameters)
