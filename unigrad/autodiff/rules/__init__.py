"""The textbook of derivatives, by family. Importing a module writes its rules into the ops."""

from unigrad.autodiff.rules import (
    activations,
    affine,
    elementwise,
    identity,
    indexing,
    linear,
    losses,
    random,
    reductions,
    shaping,
    sorting,
)

__all__ = [
    "activations",
    "affine",
    "elementwise",
    "identity",
    "indexing",
    "linear",
    "losses",
    "random",
    "reductions",
    "shaping",
    "sorting",
]
