"""Linear algebra as a namespace: the Array API's ``linalg`` extension, and more.

The functions that take no matrix apart are those of ``ug`` itself.
"""

from unigrad.ops.linalg.factorizing import (
    LUFactors,
    LUResult,
    QRResult,
    cholesky,
    cholesky_solve,
    lu,
    lu_factor,
    lu_solve,
    qr,
)
from unigrad.ops.linalg.norms import (
    cond_number,
    matrix_norm,
    matrix_rank,
    norm,
    vector_norm,
)
from unigrad.ops.linalg.powers import (
    cross,
    expm,
    matrix_power,
    multi_dot,
)
from unigrad.ops.linalg.roots import logm, sqrtm
from unigrad.ops.linalg.schur import SchurResult, schur
from unigrad.ops.linalg.solving import (
    LeastSquares,
    SignAndLog,
    det,
    inv,
    lstsq,
    pinv,
    slogdet,
    solve,
    solve_triangular,
)
from unigrad.ops.linalg.spectra import (
    EighResult,
    EigResult,
    SVDResult,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    svd,
    svdvals,
)
from unigrad.ops.linalg.structured import (
    banded_solve,
    block_diag,
    toeplitz,
)
from unigrad.ops.linear import (
    diagonal,
    matmul,
    matrix_transpose,
    outer,
    tensordot,
    trace,
    vecdot,
)

__all__ = [
    "EigResult",
    "EighResult",
    "LUFactors",
    "LUResult",
    "LeastSquares",
    "QRResult",
    "SVDResult",
    "SchurResult",
    "SignAndLog",
    "banded_solve",
    "block_diag",
    "cholesky",
    "cholesky_solve",
    "cond_number",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "logm",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_solve",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "schur",
    "slogdet",
    "solve",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "tensordot",
    "toeplitz",
    "trace",
    "vecdot",
    "vector_norm",
]
