"""The textbook of derivatives, by family. Importing a module writes its rules into the ops."""

from unigrad.autodiff.rules import (
    activations,
    elementwise,
    indexing,
    linear,
    reductions,
    shaping,
    sorting,
)

__all__ = [
    "activations",
    "elementwise",
    "indexing",
    "linear",
    "reductions",
    "shaping",
    "sorting",
]
