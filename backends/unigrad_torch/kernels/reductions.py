"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes; an empty one comes only
for a 0-d tensor (torch reads it as all of them)."""

import math
from collections.abc import Callable
from typing import Any

import torch

Axis = tuple[int, ...] | None
_HALVES = {torch.float16: True, torch.bfloat16: True}
#: Dtypes without running sums and products.
_UNSUPPORTED = {torch.uint16: True, torch.uint32: True, torch.uint64: True}


def _shares(x: torch.Tensor, out: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    """Return each element's part in an extremum: equal parts of those equal to it, or the NaNs."""
    if not keepdims:
        for i in sorted(range(x.ndim) if axis is None else (i % x.ndim for i in axis)):
            out = out.unsqueeze(i)
    chosen = ((x == out) | (x != x)).to(x.dtype)
    return chosen / chosen.sum(axis, True)


class _Extremum(torch.autograd.Function):
    """torch's amax and amin, whose own derivative of a NaN is NaN everywhere."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: torch.Tensor, function: Callable[..., torch.Tensor], axis: Axis, keepdims: bool
    ) -> torch.Tensor:
        return function(x, axis or (), keepdims)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: torch.Tensor) -> None:
        x, _, ctx.axis, ctx.keepdims = inputs
        ctx.save_for_backward(x, output)
        ctx.save_for_forward(x, output)

    @staticmethod
    def backward(ctx: Any, g: torch.Tensor) -> Any:
        x, out = ctx.saved_tensors
        if not ctx.keepdims:
            axes = range(x.ndim) if ctx.axis is None else [i % x.ndim for i in ctx.axis]
            for i in sorted(axes):
                g = g.unsqueeze(i)
        return g * _shares(x, out, ctx.axis, ctx.keepdims), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: Any) -> torch.Tensor:
        x, out = ctx.saved_tensors
        return (tangent * _shares(x, out, ctx.axis, ctx.keepdims)).sum(ctx.axis, ctx.keepdims)


def _extremum(
    function: Callable[..., torch.Tensor], of_all: Callable[[torch.Tensor], torch.Tensor]
) -> Callable[..., torch.Tensor]:
    """Return a greatest or least element, over all axes by torch's shorter function."""

    def run(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
        if x.requires_grad and torch.is_grad_enabled():
            return _Extremum.apply(x, function, axis, keepdims)
        if axis is None and not keepdims:
            return of_all(x)
        return function(x, axis or (), keepdims)

    return run


def _prod(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    axes = range(x.ndim) if axis is None else [i % x.ndim for i in axis]
    out = x.to(torch.float32) if x.dtype in _HALVES else x
    for i in sorted(axes, reverse=True):
        out = torch.prod(out, i, keepdims)
    return out.to(x.dtype) if x.dtype in _HALVES else out


def _var(x: torch.Tensor, axis: Axis, correction: float, keepdims: bool) -> torch.Tensor:
    size = x.numel() if axis is None else math.prod([x.shape[i] for i in axis])
    # Divisions by zero, which torch warns of.
    if not x.numel():
        return torch.sum(x, axis, keepdims) * math.nan
    if size <= correction:
        return torch.var(x, axis, correction=0, keepdim=keepdims) * math.inf
    return torch.var(x, axis, correction=correction, keepdim=keepdims)


def _std(x: torch.Tensor, axis: Axis, correction: float, keepdims: bool) -> torch.Tensor:
    if x.dtype in _HALVES:
        return _std(x.to(torch.float32), axis, correction, keepdims).to(x.dtype)
    size = x.numel() if axis is None else math.prod([x.shape[i] for i in axis])
    if not x.numel() or size <= correction:
        return torch.sqrt(_var(x, axis, correction, keepdims))
    x, back = _in_range(x - torch.mean(x.detach(), axis, True), axis, keepdims)
    variance = _var(x, axis, correction, keepdims)
    if not x.requires_grad:
        return torch.sqrt(variance) * back
    # torch's variance of equal elements may be rounded to more than 0: its root has a derivative.
    plain = x.detach()
    constant = torch.amin(plain, axis or (), keepdims) == torch.amax(plain, axis or (), keepdims)
    root = torch.sqrt(torch.where(constant, 1.0, variance))
    return torch.where(constant, variance.detach() * 0, root) * back


#: As in `unigrad.ops.statistics.in_range`.
_REACH = {torch.float32: (2.0**40, 2.0**85), torch.float64: (2.0**400, 2.0**600)}


def _in_range(x: torch.Tensor, axis: Axis, keepdims: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x times a power of two after which squares stay in range, and the inverse of it."""
    edge, shift = _REACH[x.dtype]
    peak = torch.amax(torch.abs(x.detach()), axis or (), True)
    small = torch.where(peak < 1 / edge, shift, torch.ones_like(peak))
    scale = torch.where(peak > edge, 1 / shift, small)
    back = torch.reciprocal(scale)
    if not keepdims:
        back = back.sum(axis or ())
    return x * scale, back


def _norm(x: torch.Tensor, ord: float, axis: Axis, keepdims: bool) -> torch.Tensor:
    if ord != 2 or not x.numel():
        return torch.linalg.vector_norm(x, ord, axis, keepdims)
    if x.dtype in _HALVES:
        return _norm(x.to(torch.float32), ord, axis, keepdims).to(x.dtype)
    x, back = _in_range(x, axis, keepdims)
    if not x.requires_grad:
        return torch.linalg.vector_norm(x, ord, axis, keepdims) * back
    # torch's own second derivative at 0 is NaN.
    square = torch.sum(x * x, axis, keepdims)
    zero = square == 0
    return torch.where(zero, square, torch.sqrt(torch.where(zero, 1.0, square))) * back


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
    "max": _extremum(torch.amax, torch.max),
    "min": _extremum(torch.amin, torch.min),
    "any": lambda x, axis, keepdims: torch.any(x, axis, keepdims),
    "all": lambda x, axis, keepdims: torch.all(x, axis, keepdims),
    "argmax": lambda x, axis: torch.argmax(x, axis),
    "argmin": lambda x, axis: torch.argmin(x, axis),
    "var": _var,
    "std": _std,
    "norm": _norm,
    "cumulative_sum": lambda x, axis, reverse: (
        _cumulative_sum(x.flip(axis), axis).flip(axis) if reverse else _cumulative_sum(x, axis)
    ),
    "cumulative_prod": _accumulate(torch.cumprod),
}
