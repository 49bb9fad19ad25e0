"""Derivatives of the reductions."""

from collections.abc import Sequence
from typing import Any

from unigrad.autodiff.rules.registry import linear, rule, zero
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal, not_equal
from unigrad.ops.creation import astype
from unigrad.ops.cumulative import _cumulative_sum
from unigrad.ops.reductions import _sum, reduced_shape, reduced_size
from unigrad.ops.shaping import broadcast_to, reshape

Axis = tuple[int, ...] | None


def expand_reduced(g: Tensor, x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """Put the reduced axes back with length one."""
    return g if keepdims else reshape(g, reduced_shape(x.shape, axis, True))


def shares(out: Tensor, x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """Return each element's part in an extremum: equal parts of those equal to it, or of the NaNs.

    When the extremum is NaN no element equals it, otherwise none is NaN.
    """
    chosen = equal(x, expand_reduced(out, x, axis, keepdims))
    weights = astype(chosen, x.dtype) + astype(not_equal(x, x), x.dtype)
    total: Tensor = _sum(weights, axis=axis, keepdims=True)
    return weights / total


def _extremum_vjp(g: Tensor, out: Tensor, x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return expand_reduced(g, x, axis, keepdims) * shares(out, x, axis, keepdims)


def _extremum_jvp(
    tangents: Sequence[Tensor], out: Tensor, x: Tensor, axis: Axis, keepdims: bool
) -> Any:
    parts = shares(out, x, axis, keepdims)
    return _sum(tangents[0] * parts, axis=axis, keepdims=keepdims)


linear(
    "sum",
    lambda g, out, x, axis, keepdims: broadcast_to(expand_reduced(g, x, axis, keepdims), x.shape),
)
linear(
    "mean",
    lambda g, out, x, axis, keepdims: broadcast_to(
        expand_reduced(g / reduced_size(x.shape, axis), x, axis, keepdims), x.shape
    ),
)
rule("max", _extremum_vjp, jvp=_extremum_jvp)
rule("min", _extremum_vjp, jvp=_extremum_jvp)
linear(
    "cumulative_sum",
    lambda g, out, x, axis, reverse: _cumulative_sum(g, axis=axis, reverse=not reverse),
)
zero("any", "all", "argmax", "argmin", "count_nonzero")
