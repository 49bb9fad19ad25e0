"""Reductions that leave NaNs out, and medians: short where a glance finds no NaN.

``axis`` is a tuple of ints, or ``None`` for all axes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule
from unigrad_torch.kernels.reductions import _HALVES, Axis, _size
from unigrad_torch.kernels.reductions import TABLE as _PLAIN
from unigrad_torch.kernels.values import are_finite


def _without(name: str, plain: str, **settings: float) -> Callable[..., torch.Tensor]:
    """Return a reduction that leaves NaNs out: the plain one where there are none."""
    kernel, formula = _PLAIN[plain], body_of("torch", name)

    def run(x: torch.Tensor, axis: Axis, keepdims: bool) -> Any:
        if are_finite(x):
            return kernel(x, axis=axis, keepdims=keepdims, **settings)
        return formula(x, axis=axis, keepdims=keepdims)

    return by_rule(name, run)


def _sorted_quantile(
    x: torch.Tensor, low: int, weight: float, axis: Axis, keepdims: bool, formula: Any
) -> Any:
    """Return (1 - w) a + w b of the elements at two places in order; ``formula`` if one is NaN."""
    if not x.numel() or not are_finite(x):
        return formula(x, axis=axis, keepdims=keepdims)
    axes = range(x.ndim) if axis is None else axis
    rest = [i for i in range(x.ndim) if i not in axes]
    wide = x.to(torch.float32) if x.dtype in _HALVES else x
    rows = wide.permute((*rest, *axes)).reshape(*[x.shape[i] for i in rest], _size(x, axis))
    ordered = torch.sort(rows).values
    found = ordered.select(-1, low + (weight == 1.0))
    if 0.0 < weight < 1.0:
        found = found * (1.0 - weight) + ordered.select(-1, low + 1) * weight
    if keepdims:
        found = found.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
    return found.to(x.dtype)


def _quantile(
    x: torch.Tensor, low: int, weight: float, axis: Axis, keepdims: bool, **settings: Any
) -> Any:
    formula = partial(_composed_quantile, low=low, weight=weight, **settings)
    return _sorted_quantile(x, low, weight, axis, keepdims, formula)


_composed_quantile = body_of("torch", "quantile_at")


def _median_of(name: str) -> Callable[..., Any]:
    """Return the median, of all elements or of those that are no NaN."""
    formula = body_of("torch", name)

    def run(x: torch.Tensor, axis: Axis, keepdims: bool) -> Any:
        size = _size(x, axis)
        return _sorted_quantile(
            x, (size - 1) // 2, 0.0 if size % 2 else 0.5, axis, keepdims, formula
        )

    return by_rule(name, run)


TABLE: dict[str, Callable[..., Any]] = {
    "nansum": _without("nansum", "sum"),
    "nanprod": _without("nanprod", "prod"),
    "nanmean": _without("nanmean", "mean"),
    "nanmax": _without("nanmax", "max"),
    "nanmin": _without("nanmin", "min"),
    "nanvar": _without("nanvar", "var", correction=0.0),
    "nanstd": _without("nanstd", "std", correction=0.0),
    "median": _median_of("median"),
    "nanmedian": _median_of("nanmedian"),
    "quantile_at": by_rule("quantile_at", _quantile),
}
