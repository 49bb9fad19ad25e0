"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes; an empty one comes only
for a 0-d tensor (torch reads it as all of them)."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import bound, by_rule
from unigrad_torch.kernels.values import has_values

Axis = tuple[int, ...] | None
_HALVES = {torch.float16: True, torch.bfloat16: True}
#: Dtypes without running sums and products.
_UNSUPPORTED = {torch.uint16: True, torch.uint32: True, torch.uint64: True}


def _extremum(
    function: Callable[..., torch.Tensor], of_all: Callable[[torch.Tensor], torch.Tensor]
) -> Callable[..., torch.Tensor]:
    """Return a greatest or least element, over all axes by torch's shorter function."""

    def run(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
        if axis is None and not keepdims:
            return of_all(x)
        return function(x, axis or (), keepdims)

    return run


def _extremum_pullback(
    g: torch.Tensor, out: torch.Tensor, x: torch.Tensor, axis: Axis, keepdims: bool
) -> torch.Tensor:
    """Equal parts to those equal to the extremum, or to the NaNs: 15 µs, of 50 by the rule."""
    if axis is not None and not keepdims:
        for i in sorted(axis):
            g, out = g.unsqueeze(i), out.unsqueeze(i)
    chosen = (x == out).logical_or_(x != x).to(x.dtype)
    return chosen / chosen.sum(axis, True) * g


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
    if correction != correction:
        return torch.var(x, axis, correction=0, keepdim=keepdims) * math.nan
    if size <= correction:
        return torch.var(x, axis, correction=0, keepdim=keepdims) * math.inf
    return torch.var(x, axis, correction=correction, keepdim=keepdims)


def _std(x: torch.Tensor, axis: Axis, correction: float, keepdims: bool) -> torch.Tensor:
    if x.dtype in _HALVES:
        return _std(x.to(torch.float32), axis, correction, keepdims).to(x.dtype)
    if not x.numel() or not _size(x, axis) > max(correction, 0):
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
        if found.numel() == 1:
            if low**0.5 < found.item() < high**0.5:
                return found
        elif bool(((found > low**0.5) & (found < high**0.5)).all()):
            return found
    scaled, back = _in_range(x, axis, keepdims)
    return torch.linalg.vector_norm(scaled, ord, axis, keepdims) * back


#: torch's own second derivative at 0 is NaN.
_euclidean = by_rule("norm", _length)


def _norm(x: torch.Tensor, ord: float, axis: Axis, keepdims: bool) -> torch.Tensor:
    if ord != 2:
        return torch.linalg.vector_norm(x, ord, axis, keepdims)
    return _euclidean(x, ord=ord, axis=axis, keepdims=keepdims)


def _count_nonzero(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    if axis is None and not keepdims:
        return torch.count_nonzero(x)
    return torch.sum(x != 0, axis, keepdims)


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


def _trace(x: torch.Tensor, offset: int) -> Any:
    if not x.is_floating_point():
        return _composed_trace(x, offset=offset)
    return x.diagonal(offset, -2, -1).sum(-1)


_composed_trace = body_of("torch", "trace")


def _cumulative_logsumexp(x: torch.Tensor, axis: int) -> torch.Tensor:
    if x.dtype in _HALVES:
        return torch.logcumsumexp(x.to(torch.float32), axis).to(x.dtype)
    return torch.logcumsumexp(x, axis)


_cumulative_sum = _accumulate(torch.cumsum)


def _extremes(function: Callable[..., Any]) -> Callable[..., torch.Tensor]:
    """Return running extremes, of unsigned integers as of signed ones in the same order."""

    def run(x: torch.Tensor, axis: int) -> torch.Tensor:
        if not x.numel():
            return x.clone()
        if x.dtype is torch.uint64:
            lowest = torch.iinfo(torch.int64).min
            return (run(x.view(torch.int64) ^ lowest, axis) ^ lowest).view(torch.uint64)
        if x.dtype in _UNSUPPORTED:
            return run(x.to(torch.int64), axis).to(x.dtype)
        found: torch.Tensor = function(x, axis).values
        return found

    return run


_amax, _amin = _extremum(torch.amax, torch.max), _extremum(torch.amin, torch.min)

TABLE: dict[str, Callable[..., Any]] = {
    "sum": lambda x, axis, keepdims: torch.sum(x, axis, keepdims),
    "mean": _mean,
    "prod": _prod,
    # torch's own derivative of a NaN is NaN everywhere.
    "max": by_rule("max", _amax, _extremum_pullback),
    "min": by_rule("min", _amin, _extremum_pullback),
    "any": lambda x, axis, keepdims: torch.any(x, axis, keepdims),
    "all": lambda x, axis, keepdims: torch.all(x, axis, keepdims),
    "count_nonzero": _count_nonzero,
    "argmax": lambda x, axis: torch.argmax(x, axis),
    "argmin": lambda x, axis: torch.argmin(x, axis),
    "var": _var,
    "std": by_rule("std", _std),
    "norm": _norm,
    # torch gives the whole derivative to one of several equal elements.
    "cumulative_max": by_rule("cumulative_max", _extremes(torch.cummax)),
    "cumulative_min": by_rule("cumulative_min", _extremes(torch.cummin)),
    "cumulative_logsumexp": by_rule("cumulative_logsumexp", _cumulative_logsumexp),
    "diff": lambda x, axis, n: torch.diff(x, n, axis),
    "trace": _trace,
    "cumulative_sum": lambda x, axis, reverse: (
        _cumulative_sum(x.flip(axis), axis).flip(axis) if reverse else _cumulative_sum(x, axis)
    ),
    "cumulative_prod": _accumulate(torch.cumprod),
}


def _bind(
    kernel: Callable[..., torch.Tensor],
    function: Callable[..., torch.Tensor],
    of_all: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[..., Any]:
    """Return a binder of a reduction: torch's own function, called without a step in between."""

    def bind(axis: Axis, keepdims: bool) -> Any:
        if axis is None:
            return partial(kernel, axis=None, keepdims=True) if keepdims else of_all
        # One axis is taken apart faster as an int.
        dim = axis[0] if len(axis) == 1 else axis
        return (
            partial(function, dim=dim, keepdim=keepdims)
            if axis
            else partial(kernel, axis=(), keepdims=keepdims)
        )

    return bind


def _bind_mean(axis: Axis, keepdims: bool) -> Any:
    return (
        torch.Tensor.mean
        if axis is None and not keepdims
        else partial(_mean, axis=axis, keepdims=keepdims)
    )


def _bind_cumulative_sum(axis: int, reverse: bool) -> Any:
    if reverse:
        return partial(TABLE["cumulative_sum"], axis=axis, reverse=True)
    return lambda x: _cumulative_sum(x, axis)


BINDERS: dict[Any, Any] = {
    _mean: _bind_mean,
    TABLE["sum"]: _bind(TABLE["sum"], torch.sum, torch.Tensor.sum),
    TABLE["any"]: _bind(TABLE["any"], torch.any, torch.Tensor.any),
    TABLE["all"]: _bind(TABLE["all"], torch.all, torch.Tensor.all),
    TABLE["max"]: bound(TABLE["max"], _bind(_amax, torch.amax, torch.max)),
    TABLE["min"]: bound(TABLE["min"], _bind(_amin, torch.amin, torch.min)),
    TABLE["argmax"]: lambda axis: partial(torch.argmax, dim=axis),
    TABLE["argmin"]: lambda axis: partial(torch.argmin, dim=axis),
    TABLE["cumulative_sum"]: _bind_cumulative_sum,
    TABLE["std"]: bound(TABLE["std"], lambda **settings: partial(_std, **settings)),
}
