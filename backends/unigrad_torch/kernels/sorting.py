"""Sorting and searching. Always stable; NaN counts as greatest."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.kernels.values import are_finite, has_values


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


_SEARCHED = (torch.float32, torch.float64, torch.int32, torch.int64)

#: Fewer elements are sorted as quickly.
_FEW = 2048


def _top_k(x: torch.Tensor, k: int, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The greatest elements and their places; torch's own does not keep the order of equal ones.

    Where values can be looked at, only rows with equal ones (or NaNs) among the greatest are
    sorted: of (64, 210) elements that takes a tenth of the time, of (5, 32,000) a seventieth.
    """
    if x.numel() < _FEW or x.dtype not in _SEARCHED or not has_values(x):
        values, places = torch.sort(x, dim=axis, descending=True, stable=True)
        return values.narrow(axis, 0, k).contiguous(), places.narrow(axis, 0, k).contiguous()
    if x.ndim == 1:
        # Whether a row has equal ones is asked per row.
        values, places = _top_k(x.unsqueeze(0), k, 1)
        return values[0], places[0]
    rows = x.movedim(axis, -1)
    # One more than is asked for: it may equal the last.
    values, places = torch.topk(rows, min(k + 1, rows.shape[-1]))
    # By NumPy's functions, which take a tenth of the time of torch's for so few elements.
    seen = values.detach().numpy()
    alike = ~(seen[..., :-1] > seen[..., 1:]).all(-1)
    if alike.any():
        # Where the greatest is -∞ all are.
        nothing = seen[..., 0] == -np.inf
        places.numpy()[nothing] = np.arange(seen.shape[-1])
        alike &= ~nothing
    values, places = values.narrow(-1, 0, k), places.narrow(-1, 0, k)
    if alike.any():
        which = torch.from_numpy(alike)
        order = torch.argsort(rows[which], descending=True, stable=True)
        places = places.index_put((which,), order[..., :k])
        values = rows.gather(-1, places)
    return values.movedim(-1, axis).contiguous(), places.movedim(-1, axis).contiguous()


def _isin(x1: torch.Tensor, x2: torch.Tensor, invert: bool = False) -> Any:
    if x1.dtype is not x2.dtype or x1.dtype not in _SEARCHED:
        return _composed_isin(x1, x2, invert=invert)
    return torch.isin(x1.contiguous(), x2.contiguous(), invert=invert)


_composed_isin = body_of("torch", "isin")


def _bincount(x: torch.Tensor, *weights: torch.Tensor, **settings: Any) -> torch.Tensor:
    """Torch's of what it takes; what is wrong the body says."""
    if not weights and not settings and has_values(x):
        try:
            return torch.bincount(x)
        except RuntimeError:
            pass
    found: torch.Tensor = _composed_bincount(x, *weights, **settings)
    return found


_composed_bincount = body_of("torch", "bincount")


def _unique_integers(**wanted: bool) -> Callable[..., Any]:
    """Return torch's, for integers: of floats it may choose another zero than a stable sort."""
    return lambda x: torch.unique(x.contiguous(), **wanted)


TABLE: dict[str, Callable[..., Any]] = {
    "bincount": _bincount,
    "isin": _isin,
    "unique_counts": _unique_integers(return_counts=True),
    "unique_inverse": _unique_integers(return_inverse=True),
    "unique_values": _unique_integers(),
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
