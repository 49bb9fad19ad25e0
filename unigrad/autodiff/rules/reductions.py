"""Derivatives of the reductions."""

from collections.abc import Sequence
from typing import Any

from unigrad.autodiff.rules.registry import linear, rule, zero
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal, isnan, logical_or, not_equal, where
from unigrad.ops.creation import astype
from unigrad.ops.cumulative import _cumulative_sum
from unigrad.ops.joining import concat
from unigrad.ops.reductions import _sum, reduced_shape, reduced_size, widened
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


def _mean_vjp(g: Tensor, out: Tensor, x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    part = expand_reduced(g / reduced_size(x.shape, axis), x, axis, keepdims)
    return broadcast_to(part, x.shape)


def _mean_jvp(
    tangents: Sequence[Tensor], out: Tensor, x: Tensor, axis: Axis, keepdims: bool
) -> Tensor:
    """The mean of the tangents; of no elements, on which nothing depends, 0."""
    op = OPS["mean"] if reduced_size(x.shape, axis) else _sum
    moved: Tensor = op(tangents[0], axis=axis, keepdims=keepdims)
    return moved


rule("mean", _mean_vjp, jvp=_mean_jvp)
rule("max", _extremum_vjp, jvp=_extremum_jvp)
rule("min", _extremum_vjp, jvp=_extremum_jvp)
linear(
    "cumulative_sum",
    lambda g, out, x, axis, reverse: _cumulative_sum(g, axis=axis, reverse=not reverse),
)


def _equal_so_far(x: Tensor, axis: int, out: Tensor, reverse: bool) -> Tensor:
    """Return the running sums of x within each run of equal results.

    Over windows that double: the elements of a window are added if the results at its ends are
    equal, since the results ascend or descend. NaNs are a run of their own.
    """
    length, window = x.shape[axis], 1
    before = [slice(None)] * axis
    while window < length:
        head, tail = (*before, slice(length - window)), (*before, slice(window, None))
        same = logical_or(equal(out[head], out[tail]), isnan(out[head]))
        if reverse:
            moved = x[head] + where(same, x[tail], 0)
            x = concat([moved, x[(*before, slice(length - window, None))]], axis=axis)
        else:
            moved = x[tail] + where(same, x[head], 0)
            x = concat([x[(*before, slice(window))], moved], axis=axis)
        window *= 2
    return x


def _equal_to(out: Tensor, x: Tensor) -> Tensor:
    """Tell which elements are an extreme themselves, where they stand."""
    return logical_or(equal(x, out), isnan(x))


def _extremes_vjp(g: Tensor, out: Tensor, x: Tensor, axis: int) -> Tensor:
    """Give each result's cotangent to the elements so far that equal it, in equal parts."""
    chosen = _equal_to(out, x)
    count = _equal_so_far(astype(chosen, widened(x).dtype), axis, out, False)
    found = _equal_so_far(widened(g) / count, axis, out, True)
    return astype(where(chosen, found, 0), x.dtype)


def _extremes_jvp(tangents: Sequence[Tensor], out: Tensor, x: Tensor, axis: int) -> Tensor:
    chosen = _equal_to(out, x)
    count = _equal_so_far(astype(chosen, widened(x).dtype), axis, out, False)
    moved = _equal_so_far(where(chosen, widened(tangents[0]), 0), axis, out, False)
    return astype(moved / count, x.dtype)


rule("cumulative_max", _extremes_vjp, jvp=_extremes_jvp)
rule("cumulative_min", _extremes_vjp, jvp=_extremes_jvp)
zero("any", "all", "argmax", "argmin", "count_nonzero")
