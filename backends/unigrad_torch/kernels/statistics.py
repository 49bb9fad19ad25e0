"""Reductions that leave NaNs out, and medians: short where a glance finds no NaN.

``axis`` is a tuple of ints, or ``None`` for all axes.
"""

from collections.abc import Callable
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule
from unigrad_torch.kernels.reductions import _HALVES, Axis
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


def _median(x: torch.Tensor, axis: Axis, keepdims: bool) -> torch.Tensor:
    axes = range(x.ndim) if axis is None else axis
    rest = [i for i in range(x.ndim) if i not in axes]
    shape = [x.shape[i] for i in rest]
    wide = x.to(torch.float32) if x.dtype in _HALVES else x
    # NaNs are sorted to the end.
    rows = torch.sort(wide.permute(*rest, *axes).reshape(*shape, -1)).values
    size = rows.shape[-1]
    found = rows.select(-1, size // 2)
    if size % 2 == 0:
        found = found * 0.5 + rows.select(-1, size // 2 - 1) * 0.5
    last = rows.select(-1, size - 1)
    if not are_finite(last):
        found = torch.where(torch.isnan(last), last, found)
    if keepdims:
        found = found.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])
    return found.to(x.dtype)


_composed_nanmedian = body_of("torch", "nanmedian")


def _nanmedian(x: torch.Tensor, axis: Axis, keepdims: bool) -> Any:
    if are_finite(x):
        return _median(x, axis, keepdims)
    return _composed_nanmedian(x, axis=axis, keepdims=keepdims)


TABLE: dict[str, Callable[..., Any]] = {
    "nansum": _without("nansum", "sum"),
    "nanprod": _without("nanprod", "prod"),
    "nanmean": _without("nanmean", "mean"),
    "nanmax": _without("nanmax", "max"),
    "nanmin": _without("nanmin", "min"),
    "nanvar": _without("nanvar", "var", correction=0.0),
    "nanstd": _without("nanstd", "std", correction=0.0),
    "median": by_rule("median", _median),
    "nanmedian": by_rule("nanmedian", _nanmedian),
}
