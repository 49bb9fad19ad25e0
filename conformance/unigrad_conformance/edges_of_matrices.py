"""Edges of linear algebra: singular matrices, and spectra with values that are equal or zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unigrad_conformance.edge import edge

INF = math.inf
_ZEROS = [[0.0, 0.0], [0.0, 0.0]]
_ONE = [[1.0, 0.0], [0.0, 1.0]]
_TWICE = [[2.0, 0.0], [0.0, 2.0]]

# -- the derivative of a determinant is the cofactors
for _name, _matrix, _cofactors in (
    ("of rank 1", [[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
    ("with a first column of zeros", [[0.0, 1.0], [0.0, 3.0]], [[3.0, 0.0], [-1.0, 0.0]]),
):
    edge(f"det of a matrix {_name}", lambda ug, x: ug.linalg.det(x), _matrix, value=0.0,
         gradients=(_cofactors,))  # fmt: skip
edge(
    "det of a stack, one of which is singular",
    lambda ug, x: ug.linalg.det(x), [_ONE, [[1.0, 1.0], [1.0, 1.0]]], value=[1.0, 0.0],
    gradients=([_ONE, [[1.0, -1.0], [-1.0, 1.0]]],),
)  # fmt: skip
edge("slogdet of a singular matrix", lambda ug, x: ug.linalg.slogdet(x)[1], _ZEROS, value=-INF)

# -- equal singular and eigenvalues: the gradient of the spectrum is exact, vectors do not turn
edge("sum of equal singular values", lambda ug, x: ug.sum(ug.linalg.svdvals(x)), _ONE, value=2.0,
     gradients=(_ONE,))  # fmt: skip
edge("2-norm of a matrix at a tie", lambda ug, x: ug.linalg.matrix_norm(x, ord=2), _ONE, value=1.0,
     gradients=([[0.5, 0.0], [0.0, 0.5]],))  # fmt: skip
edge("eigenvectors of equal eigenvalues", lambda ug, x: ug.linalg.eigh(x)[1], _ONE, value=_ONE,
     gradients=(_ZEROS,))  # fmt: skip
# -- zero
edge("singular values of zeros", lambda ug, x: ug.linalg.svdvals(x), _ZEROS, value=[0.0, 0.0],
     gradients=(_ZEROS,), tangent=[0.0, 0.0])  # fmt: skip
edge("nuclear norm at rank 1", lambda ug, x: ug.linalg.matrix_norm(x, ord="nuc"),
     [[2.0, 0.0], [0.0, 0.0]], value=2.0, gradients=([[1.0, 0.0], [0.0, 0.0]],))  # fmt: skip
edge("pinv of zeros", lambda ug, x: ug.linalg.pinv(x), _ZEROS, value=_ZEROS,
     gradients=(_ZEROS,))  # fmt: skip
edge("condition of a singular matrix", lambda ug, x: ug.linalg.cond_number(x, p=1),
     [[1.0, 0.0], [0.0, 0.0]], value=INF)  # fmt: skip

# -- what is read, and how the gradient lies in the matrix
edge("cholesky reads the lower triangle", lambda ug, x: ug.linalg.cholesky(x)[1, 0],
     [[4.0, 9.0], [2.0, 5.0]], value=1.0,
     gradients=([[-0.125, 0.25], [0.25, 0.0]],))  # fmt: skip
edge("eigvalsh reads the lower triangle", lambda ug, x: ug.linalg.eigvalsh(x)[1],
     [[0.0, 9.0], [2.0, 0.0]], value=2.0, gradients=([[0.5, 0.5], [0.5, 0.5]],))  # fmt: skip
edge("the triangle that is not read", lambda ug, x: ug.linalg.solve_triangular(x, [2.0, 4.0]),
     [[2.0, 9.0], [0.0, 4.0]], value=[1.0, 1.0],
     gradients=([[-0.5, 0.0], [-0.25, -0.25]],))  # fmt: skip

# -- no numbers: libraries give them to LAPACK, or refuse them
for _name in ("eigvals", "eigvalsh", "svdvals"):
    for _odd in (math.nan, INF):
        edge(f"{_name} of a matrix with {_odd}, beside another",
             lambda ug, x, name=_name: ug.abs(getattr(ug.linalg, name)(x)),
             [[[1.0, 0.0], [0.0, _odd]], [[2.0, 0.0], [0.0, 2.0]]],
             value=[[math.nan, math.nan], [2.0, 2.0]])  # fmt: skip

_NO_NUMBERS = [
    [[1.0, 0.0], [odd, odd]] for odd in (complex(math.nan), complex(0.0, math.nan), complex(INF))
]
_OF_COMPLEX: dict[str, tuple[Callable[[Any, Any], Any], float]] = {
    "singular values": (lambda ug, x: ug.sum(ug.linalg.svdvals(x), axis=-1), 4.0),
    "svd": (lambda ug, x: ug.sum(ug.abs(ug.linalg.svd(x)[0]), axis=(-2, -1)), 2.0),
    "pinv": (lambda ug, x: ug.sum(ug.real(ug.linalg.pinv(x)), axis=(-2, -1)), 1.0),
    "lstsq": (lambda ug, x: ug.sum(ug.real(ug.linalg.lstsq(x, x)[0]), axis=(-2, -1)), 2.0),
    "nuclear norm": (lambda ug, x: ug.linalg.matrix_norm(x, ord="nuc"), 4.0),
    "2-norm": (lambda ug, x: ug.linalg.matrix_norm(x, ord=2), 2.0),
    "norm of order -2": (lambda ug, x: ug.linalg.matrix_norm(x, ord=-2), 2.0),
    "condition": (lambda ug, x: ug.linalg.cond_number(x), 1.0),
    "eigenvalues": (lambda ug, x: ug.sum(ug.real(ug.linalg.eigvals(x)), axis=-1), 4.0),
    "eigh": (lambda ug, x: ug.sum(ug.linalg.eigvalsh(x), axis=-1), 4.0),
    "cholesky": (lambda ug, x: ug.real(ug.linalg.cholesky(x))[..., 0, 0], math.sqrt(2.0)),
    "inv": (lambda ug, x: ug.real(ug.linalg.inv(x))[..., 1, 1], 0.5),
    "solve": (lambda ug, x: ug.real(ug.linalg.solve(x, [[2.0], [2.0]]))[..., 1, 0], 1.0),
    "expm": (lambda ug, x: ug.real(ug.linalg.expm(x))[..., 0, 0], math.exp(2.0)),
}
for _name, (_function, _value) in _OF_COMPLEX.items():
    for _dtype in ("complex64", "complex128"):
        edge(
            f"{_name} of {_dtype} with NaN or ∞, beside another",
            lambda ug, function=_function, dtype=_dtype: function(
                ug, ug.asarray([*_NO_NUMBERS, _TWICE], dtype=dtype)
            ),
            value=[math.nan, math.nan, math.nan, _value],
        )
edge("cholesky of complex numbers, infinite below the diagonal",
     lambda ug, x: ug.real(ug.linalg.cholesky(ug.astype(x, "complex64"))),
     [[1.0, INF], [INF, 3.0]], value=[[math.nan, math.nan], [math.nan, math.nan]])  # fmt: skip
edge("expm of a matrix with NaN, beside another",
     lambda ug, x: ug.linalg.expm(x)[:, 0, 0], [[[math.nan, 0.0], [0.0, 0.0]], _ZEROS],
     value=[math.nan, 1.0])  # fmt: skip
edge("eigvalsh does not read NaN above the diagonal", lambda ug, x: ug.linalg.eigvalsh(x),
     [[0.0, math.nan], [2.0, 0.0]], value=[-2.0, 2.0])  # fmt: skip

# -- signs: the largest component is positive
edge("sign of eigenvectors", lambda ug, x: ug.linalg.eigh(x)[1], [[1.0, -2.0], [-2.0, 1.0]],
     value=[[math.sqrt(0.5), math.sqrt(0.5)], [math.sqrt(0.5), -math.sqrt(0.5)]])  # fmt: skip
edge("sign of Q", lambda ug, x: ug.linalg.qr(x)[0], [[-2.0, 0.0], [0.0, 3.0]],
     value=[[-1.0, 0.0], [0.0, 1.0]])  # fmt: skip
