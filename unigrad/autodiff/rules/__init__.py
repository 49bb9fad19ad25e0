"""The textbook of derivatives, by family. Importing a module writes its rules into the ops.

Composites that no family has a rule for get the derivative of their body.
"""

from unigrad.autodiff.rules import (
    activations,
    affine,
    composites,
    control,
    elementwise,
    indexing,
    linear,
    losses,
    random,
    reductions,
    shaping,
    sorting,
    statistics,
)

composites.derive_rules()

__all__ = [
    "activations",
    "affine",
    "composites",
    "control",
    "elementwise",
    "indexing",
    "linear",
    "losses",
    "random",
    "reductions",
    "shaping",
    "sorting",
    "statistics",
]
