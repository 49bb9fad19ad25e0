"""The textbook of derivatives, by family. Importing a module writes its rules into the ops."""

from unigrad.autodiff.rules import elementwise, linear, reductions, shaping

__all__ = ["elementwise", "linear", "reductions", "shaping"]
