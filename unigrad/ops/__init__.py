"""The ops, declared once each, by family. Importing this package declares them all."""

from unigrad.ops import (
    activations,
    arithmetic,
    comparison,
    creation,
    elementary,
    indexing,
    linear,
    reductions,
    shaping,
    sorting,
)

__all__ = [
    "activations",
    "arithmetic",
    "comparison",
    "creation",
    "elementary",
    "indexing",
    "linear",
    "reductions",
    "shaping",
    "sorting",
]
