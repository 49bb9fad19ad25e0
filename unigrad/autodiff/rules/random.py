"""Draws are constants: their derivative by the key is zero. Their parameters come in afterwards."""

from unigrad.autodiff.backward import ones_like
from unigrad.autodiff.rules.registry import elementwise, zero

zero(
    "random_bits",
    "random_fold_in",
    "random_hash",
    "random_orthonormal",
    "random_randint",
    "random_split",
    "random_uniform",
)

# unit · span + low, however it is rounded.
for _name in ("random_fused", "random_in_halves"):
    elementwise(
        _name,
        lambda out, unit, span, low: span,
        lambda out, unit, span, low: unit,
        lambda out, unit, span, low: ones_like(out),
    )
