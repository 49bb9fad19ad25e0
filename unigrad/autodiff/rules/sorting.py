"""Derivatives of unigrad.ops.sorting. Sorting itself gathers along `argsort`'s order."""

from unigrad.autodiff.rules.registry import zero

zero("argsort", "searchsorted", "top_k_indices")
