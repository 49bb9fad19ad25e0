"""Functions of gradients to put before an optimizer: pure, over pytrees."""

from __future__ import annotations

from typing import Any

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.dtypes import INEXACT, DType, default_dtype, float32, result_dtype
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import safe_where
from unigrad.ops.elementary import sqrt

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
    total: Any = None
    for leaf in leaves:
        wide = cast(leaf, within)
        square = (wide * wide).sum()
        total = square if total is None else total + square
    return safe_where(total != 0.0, sqrt, total, 0.0), dtype


def clip_by_global_norm(gradients: Any, maximum_norm: float) -> Any:
    """Scale all gradients by one factor so that their global norm is at most ``maximum_norm``.

    The factor is c / max(‖g‖, c): 1 while the norm is within the bound.

    Example:
        >>> [round(g.item(), 6) for g in clip_by_global_norm([3.0, 4.0], 1.0)]
        [0.6, 0.8]
    """
    factor = maximum_norm / maximum(_norm(gradients)[0], maximum_norm)
    return tree.map(
        lambda gradient: as_tensor(gradient) * cast(factor, as_tensor(gradient).dtype), gradients
    )


def add_weight_decay(gradients: Any, parameters: Any, decay: float) -> Any:
    """Return g + λ w: the gradient of the loss with λ/2 ‖w‖² added.

    Example:
        >>> add_weight_decay([1.0], [2.0], 0.5)[0].item()
        2.0
    """
    return tree.map(lambda g, w: as_tensor(g) + decay * as_tensor(w), gradients, parameters)
