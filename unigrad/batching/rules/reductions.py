"""Reductions over some axes, and ops along one: the axes of an example come one later."""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching
from unigrad.core.op import OPS


def later(axis: Any, rank: int) -> Any:
    """Return an example's axis, or several (``None``: all), as axes of the batch."""
    if axis is None:
        return tuple(range(1, rank + 1))
    if type(axis) is tuple:
        return tuple([i % rank + 1 for i in axis])
    return axis % rank + 1


def _reduction(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Reduce the axes of each example; of one without axes, one of length 1."""
    [x] = inputs
    axes = later(settings["axis"], x.ndim - 1)
    if axes:
        return batch.op(x, **{**settings, "axis": axes})
    # To some libraries no axes are all axes.
    column = OPS["reshape"](x, shape=(*x.shape, 1))
    return batch.op(column, **{**settings, "axis": (x.ndim,), "keepdims": False})


batching(
    _reduction,
    "all", "any", "count_nonzero", "logsumexp", "max", "mean", "min", "norm", "power_norm", "prod",
    "std", "sum", "var",
)  # fmt: skip


def along(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Run an op of one tensor along an axis, or along several."""
    [x] = inputs
    return batch.op(x, **{**settings, "axis": later(settings["axis"], x.ndim - 1)})


batching(
    along,
    "argmax", "argmin", "argsort", "cumulative_max", "cumulative_min", "cumulative_prod",
    "cumulative_sum", "flip", "log_softmax", "repeat", "roll", "softmax", "sort", "split",
    "top_k_indices", "unstack",
)  # fmt: skip
