"""Linear algebra: stacks of matrices over the last two axes.

Modules by what is asked of a matrix, one of what is common to them (`matrices`). The axes
before the last two are stacks, and run together. Integers are computed in the default float, half
precision in float32. Matrices of no rows or columns are taken.

The primitives are cholesky, solve, inv, det, slogdet, triangular_solve, lu_packed, qr, svd_raw,
eigh_raw, eig_raw and expm; everything else is composed of them.
"""

from unigrad.ops.linalg import (
    factorizing,
    norms,
    powers,
    roots,
    schur,
    solving,
    spectra,
    structured,
)

__all__ = [
    "factorizing",
    "norms",
    "powers",
    "roots",
    "schur",
    "solving",
    "spectra",
    "structured",
]
