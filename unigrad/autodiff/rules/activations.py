"""Derivatives of unigrad.ops.activations."""
