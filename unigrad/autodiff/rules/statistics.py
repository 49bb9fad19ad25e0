"""Derivatives of unigrad.ops.statistics: composites, whose own rules are shorter than their bodies.

Each is a weight per element: the cotangent times it, or the sum of the tangent times it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from unigrad.autodiff.rules.reductions import expand_reduced, shares
from unigrad.autodiff.rules.registry import rule
from unigrad.core.arguments import cast
from unigrad.core.operands import in_dtype
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import maximum, sign
from unigrad.ops.comparison import equal, where
from unigrad.ops.reductions import _mean, _sum, reduced_size, widened

Axis = tuple[int, ...] | None
#: ``weight(out, x, axis, **settings)`` with the reduced axes kept in ``out``.
_Weight: TypeAlias = Callable[..., Tensor]


def _weighted(name: str, weight: _Weight) -> None:
    """Write down a reduction by the derivative of its result by each element."""

    def weights(out: Tensor, x: Tensor, axis: Axis, keepdims: bool, settings: Any) -> Tensor:
        wide = widened(x)
        kept = expand_reduced(out, x, axis, keepdims)
        return weight(cast(kept, wide.dtype), wide, axis, **settings)

    def vjp(
        g: Tensor, out: Tensor, x: Tensor, axis: Axis, keepdims: bool, **settings: Any
    ) -> Tensor:
        slope = weights(out, x, axis, keepdims, settings)
        return cast(cast(expand_reduced(g, x, axis, keepdims), slope.dtype) * slope, x.dtype)

    def jvp(
        tangents: Any, out: Tensor, x: Tensor, axis: Axis, keepdims: bool, **settings: Any
    ) -> Tensor:
        slope = weights(out, x, axis, keepdims, settings)
        moved = _sum(cast(tangents[0], slope.dtype) * slope, axis=axis, keepdims=keepdims)
        return cast(moved, x.dtype)

    rule(name, vjp, jvp=jvp)


def _over(numerator: Tensor, root: Tensor) -> Tensor:
    """Return numerator / root, and 0 with all its derivatives where the root is 0."""
    origin = equal(root, 0.0)
    return where(origin, 0.0, numerator / where(origin, 1.0, root))


def _deviation(x: Tensor, axis: Axis) -> Tensor:
    mean: Tensor = _mean(x, axis=axis, keepdims=True)
    return x - mean


def _freedom(x: Tensor, axis: Axis, correction: float | Tensor) -> float | Tensor:
    """Return what the squares are divided by; a compiler may have the correction as a tensor."""
    count = reduced_size(x.shape, axis)
    if isinstance(correction, Tensor):
        return maximum(count - in_dtype(correction, x.dtype), 0.0)
    return max(count - correction, 0.0)


def _of_var(out: Tensor, x: Tensor, axis: Axis, correction: float | Tensor) -> Tensor:
    return _deviation(x, axis) * 2.0 / _freedom(x, axis, correction)


def _of_std(out: Tensor, x: Tensor, axis: Axis, correction: float | Tensor) -> Tensor:
    return _over(_deviation(x, axis), out) / _freedom(x, axis, correction)


def _of_norm(out: Tensor, x: Tensor, axis: Axis, ord: float) -> Tensor:
    if ord == 2:
        return _over(x, out)
    if ord == math.inf:
        return sign(x) * shares(out, absolute(x), axis, True)
    return sign(x)


_weighted("var", _of_var)
_weighted("std", _of_std)
_weighted("norm", _of_norm)
