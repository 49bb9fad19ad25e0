"""The textbook of derivatives, by family. Importing a module writes its rules into the ops.

Composites that no family has a rule for get the derivative of their body.
"""

from unigrad.autodiff.rules import (
    activations,
    affine,
    composites,
    convolution,
    elementwise,
    factors,
    fourier,
    gamma,
    identity,
    indexing,
    inverses,
    linear,
    losses,
    normalization,
    random,
    reductions,
    shaping,
    sorting,
    special,
    spectra,
    statistics,
)

__all__ = [
    "activations",
    "affine",
    "composites",
    "convolution",
    "elementwise",
    "factors",
    "fourier",
    "gamma",
    "identity",
    "indexing",
    "inverses",
    "linear",
    "losses",
    "normalization",
    "random",
    "reductions",
    "shaping",
    "sorting",
    "special",
    "spectra",
    "statistics",
]
