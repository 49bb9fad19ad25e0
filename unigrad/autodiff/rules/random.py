"""Draws are constants: their derivative by the key is zero. Their parameters come in afterwards."""

from unigrad.autodiff.rules.registry import zero

zero(
    "random_bits",
    "random_fold_in",
    "random_hash",
    "random_orthonormal",
    "random_randint",
    "random_split",
    "random_uniform",
)
