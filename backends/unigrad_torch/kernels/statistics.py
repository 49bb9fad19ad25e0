"""Reductions that leave NaNs out, and medians: short where a glance finds no NaN.

``axis`` is a tuple of ints, or ``None`` for all axes.
"""

from collections.abc import Callable
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad.ops.quantiles import place_of
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


def _quantile(
    x: torch.Tensor, q: float, axis: Axis, method: str, keepdims: bool, skips: bool
) -> Any:
    size = _size(x, axis)
    if not x.numel() or not are_finite(x):
        return _composed_quantile(x, q=q, axis=axis, method=method, keepdims=keepdims, skips=skips)
    axes = range(x.ndim) if axis is None else axis
    rest = [i for i in range(x.ndim) if i not in axes]
    wide = x.to(torch.float32) if x.dtype in _HALVES else x
    rows = wide.permute((*rest, *axes)).reshape(*[x.shape[i] for i in rest], size)
    ordered = torch.sort(rows).values
    low, part = place_of(q * (size - 1), method)
    found = ordered.select(-1, low + (part == 1.0))
    if 0.0 < part < 1.0:
        found = found * (1.0 - part) + ordered.select(-1, low + 1) * part
    if keepdims:
        found = found.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
    return found.to(x.dtype)


_composed_quantile = body_of("torch", "quantile_at")


def _median_of(skips: bool) -> Callable[..., Any]:
    def run(x: torch.Tensor, axis: Axis, keepdims: bool) -> Any:
        return _quantile(x, 0.5, axis, "linear", keepdims, skips)

    return run


TABLE: dict[str, Callable[..., Any]] = {
    "nansum": _without("nansum", "sum"),
    "nanprod": _without("nanprod", "prod"),
    "nanmean": _without("nanmean", "mean"),
    "nanmax": _without("nanmax", "max"),
    "nanmin": _without("nanmin", "min"),
    "nanvar": _without("nanvar", "var", correction=0.0),
    "nanstd": _without("nanstd", "std", correction=0.0),
    "median": by_rule("median", _median_of(skips=False)),
    "nanmedian": by_rule("nanmedian", _median_of(skips=True)),
    "quantile_at": by_rule("quantile_at", _quantile),
}
