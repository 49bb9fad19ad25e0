"""The textbook of batching rules, by family. Importing a module writes its rules into the ops.

Ops that broadcast, and composites made of ops that have a rule, need none.
"""

from unigrad.batching.rules import (
    convolution,
    elementwise,
    fourier,
    indexing,
    linalg,
    linear,
    losses,
    optimizers,
    random,
    recurrent,
    reductions,
    shaping,
    sorting,
)

__all__ = [
    "convolution",
    "elementwise",
    "fourier",
    "indexing",
    "linalg",
    "linear",
    "losses",
    "optimizers",
    "random",
    "recurrent",
    "reductions",
    "shaping",
    "sorting",
]
