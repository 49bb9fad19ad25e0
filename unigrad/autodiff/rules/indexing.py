"""Derivatives of unigrad.ops.indexing."""
