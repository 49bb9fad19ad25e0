"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes; an empty one comes only
for a 0-d tensor (torch reads it as all of them)."""

import math
from collections.abc import Callable

import torch

from unigrad_torch.bridge import by_rule
from unigrad_torch.kernels.values import has_values

Axis = tuple[int, ...] | None
_HALVES = {torch.float16: True, torch.bfloat16: True}
#: Dtypes without running sums and products.
_UNSUPPORTED = {torch.uint16: True, torch.uint32: True, torch.uint64: True}


def _extremum(
    name: str,
    function: Callable[..., torch.Tensor],
    of_all: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[..., torch.Tensor]:
    """Return a greatest or least element, over all axes by torch's shorter function.

    torch's own derivative of a NaN is NaN everywhere.
    """

    def run(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
        if axis is None and not keepdims:
            return of_all(x)
        return function(x, axis or (), keepdims)

    return by_rule(name, run)


def _prod(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    axes = range(x.ndim) if axis is None else [i % x.ndim for i in axis]
    out = x.to(torch.float32) if x.dtype in _HALVES else x
    for i in sorted(axes, reverse=True):
        out = torch.prod(out, i, keepdims)
    return out.to(x.dtype) if x.dtype in _HALVES else out


def _size(x: torch.Tensor, axis: Axis) -> int:
    return x.numel() if axis is None else math.prod([x.shape[i] for i in axis])


def _var(x: torch.Tensor, axis: Axis, correction: float, keepdims: bool) -> torch.Tensor:
    size = _size(x, axis)
    # Divisions by zero, which torch warns of.
    if not x.numel():
        return torch.sum(x, axis, keepdims) * math.nan
    if size <= correction:
        return torch.var(x, axis, correction=0, keepdim=keepdims) * math.inf
    return torch.var(x, axis, correction=correction, keepdim=keepdims)


def _std(x: torch.Tensor, axis: Axis, correction: float, keepdims: bool) -> torch.Tensor:
    if x.dtype in _HALVES:
        return _std(x.to(torch.float32), axis, correction, keepdims).to(x.dtype)
    if not x.numel() or _size(x, axis) <= max(correction, 0):
        return torch.sqrt(_var(x, axis, correction, keepdims))
    if has_values(x):
        variance, mean = torch.var_mean(x, axis, correction=correction, keepdim=keepdims)
        if _is_ordinary(variance, mean):
            return torch.sqrt(variance)
    # torch's variance of equal elements may be rounded to more than 0.
    equal = _are_equal(x, axis, keepdims)
    x, back = _in_range(x - torch.mean(x, axis, True), axis, keepdims)
    return (torch.sqrt(_var(x, axis, correction, keepdims)) * back).masked_fill(equal, 0.0)


#: Between these a sum of squares has lost nothing that counts, by dtype.
_SAFE = {torch.float32: (2.0**-80, 2.0**120), torch.float64: (2.0**-800, 2.0**1000)}


def _is_ordinary(variance: torch.Tensor, mean: torch.Tensor) -> bool:
    """Tell whether variances are in range, and beyond what the rounding of means can make."""
    low, high = _SAFE[variance.dtype]
    rounding = (64.0 * torch.finfo(variance.dtype).eps) ** 2
    if variance.numel() == 1:
        found = variance.item()
        return low < found < high and found > rounding * mean.item() ** 2
    fine = (variance > low) & (variance < high) & (variance > rounding * mean * mean)
    return bool(fine.all())


def _are_equal(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    """Tell where all elements along axes are equal."""
    if axis is None and not keepdims:
        least, most = torch.aminmax(x)
    elif axis is not None and len(axis) == 1:
        least, most = torch.aminmax(x, dim=axis[0], keepdim=keepdims)
    else:
        least, most = torch.amin(x, axis or (), keepdims), torch.amax(x, axis or (), keepdims)
    return least == most


#: As in `unigrad.ops.statistics.in_range`.
_REACH = {torch.float32: (2.0**40, 2.0**85), torch.float64: (2.0**400, 2.0**600)}


def _in_range(x: torch.Tensor, axis: Axis, keepdims: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x times a power of two after which squares stay in range, and the inverse of it."""
    edge, shift = _REACH[x.dtype]
    peak = torch.amax(torch.abs(x), axis or (), True)
    small = torch.where(peak < 1 / edge, shift, torch.ones_like(peak))
    scale = torch.where(peak > edge, 1 / shift, small)
    back = torch.reciprocal(scale)
    if not keepdims:
        back = back.sum(axis or ())
    return x * scale, back


def _length(x: torch.Tensor, ord: float, axis: Axis, keepdims: bool) -> torch.Tensor:
    """√Σ x², also where a square leaves the range."""
    if x.dtype is torch.bfloat16:
        return _length(x.to(torch.float32), ord, axis, keepdims).to(x.dtype)
    if x.dtype is torch.float16 or not x.numel():
        # torch adds half precision up in float32, which holds all squares of float16.
        return torch.linalg.vector_norm(x, ord, axis, keepdims)
    if has_values(x):
        found = torch.linalg.vector_norm(x, ord, axis, keepdims)
        low, high = _SAFE[x.dtype]
        # The square roots of these: the library adds squares up.
        if bool(((found > low**0.5) & (found < high**0.5)).all()):
            return found
    scaled, back = _in_range(x, axis, keepdims)
    return torch.linalg.vector_norm(scaled, ord, axis, keepdims) * back


#: torch's own second derivative at 0 is NaN.
_euclidean = by_rule("norm", _length)


def _norm(x: torch.Tensor, ord: float, axis: Axis, keepdims: bool) -> torch.Tensor:
    if ord != 2:
        return torch.linalg.vector_norm(x, ord, axis, keepdims)
    return _euclidean(x, ord=ord, axis=axis, keepdims=keepdims)


def _mean(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    """Average; over all axes torch's shorter op has a shorter derivative too."""
    if not keepdims and (axis is None or len(axis) == x.dim()):
        return torch.mean(x)
    return torch.mean(x, axis, keepdims)


def _accumulate(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return a running sum or product in the elements' own dtype."""

    def run(x: torch.Tensor, axis: int) -> torch.Tensor:
        if x.dtype in _UNSUPPORTED:
            # The low bits do not depend on how the highest one is read.
            return function(x.to(torch.int64), axis).to(x.dtype)
        return function(x, axis, dtype=x.dtype)

    return run


_cumulative_sum = _accumulate(torch.cumsum)


TABLE = {
    "sum": lambda x, axis, keepdims: torch.sum(x, axis, keepdims),
    "mean": _mean,
    "prod": _prod,
    "max": _extremum("max", torch.amax, torch.max),
    "min": _extremum("min", torch.amin, torch.min),
    "any": lambda x, axis, keepdims: torch.any(x, axis, keepdims),
    "all": lambda x, axis, keepdims: torch.all(x, axis, keepdims),
    "argmax": lambda x, axis: torch.argmax(x, axis),
    "argmin": lambda x, axis: torch.argmin(x, axis),
    "var": _var,
    "std": by_rule("std", _std),
    "norm": _norm,
    "cumulative_sum": lambda x, axis, reverse: (
        _cumulative_sum(x.flip(axis), axis).flip(axis) if reverse else _cumulative_sum(x, axis)
    ),
    "cumulative_prod": _accumulate(torch.cumprod),
}
