"""The ops, declared once each, by family. Importing this package declares them all."""

from unigrad.ops import creation, elementwise, linear, reductions, shaping

__all__ = ["creation", "elementwise", "linear", "reductions", "shaping"]
