"""Derivatives of unigrad.ops.sorting."""
