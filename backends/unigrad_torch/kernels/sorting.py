"""Sorting and searching. Always stable; NaN counts as greatest."""

import torch


def _sort(x: torch.Tensor, axis: int, descending: bool) -> torch.Tensor:
    return torch.sort(x, dim=axis, descending=descending, stable=True).values


def _argsort(x: torch.Tensor, axis: int, descending: bool) -> torch.Tensor:
    return torch.argsort(x, dim=axis, descending=descending, stable=True)


TABLE = {
    "sort": _sort,
    "argsort": _argsort,
    "searchsorted": lambda x1, x2, right: torch.searchsorted(
        x1.contiguous(), x2.contiguous(), right=right
    ),
}
