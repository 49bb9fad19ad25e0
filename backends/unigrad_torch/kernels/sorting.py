"""Sorting and searching. Always stable; NaN counts as greatest."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.kernels.values import are_finite


def _sort(x: torch.Tensor, axis: int, descending: bool) -> torch.Tensor:
    return torch.sort(x, dim=axis, descending=descending, stable=True).values


def _argsort(x: torch.Tensor, axis: int, descending: bool) -> torch.Tensor:
    return torch.argsort(x, dim=axis, descending=descending, stable=True)


def _searchsorted(x1: torch.Tensor, x2: torch.Tensor, right: bool) -> torch.Tensor:
    x1, x2 = x1.contiguous(), x2.contiguous()
    if not x1.is_floating_point():
        return torch.searchsorted(x1, x2, right=right)
    if len(x1) and are_finite(x1[-1]) and are_finite(x2):
        # NaNs are the last of what is sorted.
        return torch.searchsorted(x1, x2, right=right)
    # torch's search goes astray at a NaN: NaNs are sought as infinities, and told apart.
    missing = torch.isnan(x1)
    numbers = (~missing).sum()
    found = torch.searchsorted(torch.where(missing, torch.inf, x1), x2, right=right)
    beyond = len(x1) if right else numbers
    return torch.where(torch.isnan(x2), beyond, torch.minimum(found, numbers))


def _top_k(x: torch.Tensor, k: int, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The greatest elements and their places; torch's own does not keep the order of equal ones."""
    values, places = torch.sort(x, dim=axis, descending=True, stable=True)
    return values.narrow(axis, 0, k).contiguous(), places.narrow(axis, 0, k).contiguous()


_SEARCHED = (torch.float32, torch.float64, torch.int32, torch.int64)


def _isin(x1: torch.Tensor, x2: torch.Tensor, invert: bool = False) -> Any:
    if x1.dtype is not x2.dtype or x1.dtype not in _SEARCHED:
        return _composed_isin(x1, x2, invert=invert)
    return torch.isin(x1.contiguous(), x2.contiguous(), invert=invert)


_composed_isin = body_of("torch", "isin")

TABLE: dict[str, Callable[..., Any]] = {
    "isin": _isin,
    "top_k": _top_k,
    "sort": _sort,
    "argsort": _argsort,
    "searchsorted": _searchsorted,
}


def _bind_argsort(axis: int, descending: bool) -> Any:
    return partial(torch.argsort, dim=axis, descending=descending, stable=True)


def _bind_sort(axis: int, descending: bool) -> Any:
    return lambda x: _sort(x, axis, descending)


BINDERS: dict[Any, Any] = {_sort: _bind_sort, _argsort: _bind_argsort}
