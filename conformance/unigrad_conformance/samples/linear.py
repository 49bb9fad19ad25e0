"""Samples of products of matrices and tensors."""

from typing import Any

import numpy as np

from unigrad_conformance.sample import case, integers, real, samples

samples(
    "matmul",
    case(real(2, 3), real(3, 4)),
    case(real(3), real(3)),
    case(real(3), real(3, 4)),
    case(real(2, 3), real(3)),
    case(real(3), real(5, 3, 2)),
    case(real(5, 2, 3), real(3)),
    case(real(5, 2, 3), real(5, 3, 4)),
    case(real(5, 2, 3), real(3, 4)),
    case(real(2, 1, 2, 3), real(4, 3, 1)),
    case(real(4, 1, 2, 3), real(3, 1)),
    case(real(4, 1, 2, 3), real(1, 1, 3, 1)),
    case(real(2, 0), real(0, 3)),
    oracle=np.matmul,
    ulps=8.0,
)
samples(
    "matmul",
    case(integers(2, 3), integers(3, 4)),
    oracle=np.matmul,
    dtype="int64",
    differentiable=False,
)
samples(
    "vecdot",
    case(real(4), real(4)),
    case(real(3, 4), real(4)),
    case(real(2, 1, 4), real(3, 4)),
    case(real(2, 4, 3), real(4, 3), axis=-2),
    oracle=lambda x1, x2, axis=-1: np.sum(x1 * x2, axis=axis),
    ulps=8.0,
)
for _dtype in ("int8", "int32", "int64", "uint8", "uint16", "uint64"):
    samples(
        "vecdot",
        case(integers(3, 9, low=8, high=16), integers(9, low=8, high=16)),
        oracle=lambda x1, x2, d=_dtype: np.vecdot(x1.astype(d), x2.astype(d)),
        call=lambda ug, x1, x2, d=_dtype: ug.vecdot(ug.astype(x1, d), ug.astype(x2, d)),
        dtype=_dtype,
        differentiable=False,
    )
samples(
    "dot",
    case(real(3), real(3)),
    case(real(2, 3), real(3, 4)),
    case(real(2, 3), real(3)),
    case(real(), real(3)),
    case(real(2, 3, 4), real(4)),
    case(real(2, 3), real(5, 3, 4)),
    oracle=np.dot,
    ulps=8.0,
)
samples(
    "tensordot",
    case(real(2, 3, 4), real(3, 4, 5)),
    case(real(2, 3), real(3, 4), axes=1),
    case(real(2, 3), real(4), axes=0),
    case(real(2, 3, 4), real(4, 5, 2), axes=((2, 0), (0, 2))),
    case(real(2, 3, 4), real(5, 3), axes=(1, -1)),
    oracle=np.tensordot,
    ulps=8.0,
)


def _einsum(equation: str, *operands: Any) -> Any:
    return np.einsum(equation, *operands)


samples(
    "einsum",
    case("ij,jk->ik", real(2, 3), real(3, 4)),
    case("ij,jk", real(2, 3), real(3, 4)),
    case("ba", real(2, 3)),
    case("ij->j", real(2, 3)),
    case("ij->", real(2, 3)),
    case("i,j->ij", real(2), real(3)),
    case("i,i->i", real(3), real(3)),
    case("i,i", real(3), real(3)),
    case("bij,bjk->bik", real(5, 2, 3), real(5, 3, 4)),
    case("bqhd,bkhd->bhqk", real(2, 3, 2, 4), real(2, 5, 2, 4)),
    case("ij,k->jk", real(2, 3), real(4)),
    case("ijl,jkm->ki", real(2, 3, 2), real(3, 4, 2)),
    case("ij,jk,kl->il", real(2, 3), real(3, 4), real(4, 2)),
    case("...ij,...jk->...ik", real(5, 1, 2, 3), real(4, 3, 2)),
    case("...i,...i", real(2, 3), real(3)),
    case("i...->...", real(3, 2, 4)),
    case("...,...", real(1, 3), real(2, 1)),
    case("ii", real(3, 3)),
    case("ii->i", real(3, 3)),
    case("iij->ji", real(3, 3, 2)),
    case("iii->i", real(3, 3, 3)),
    case("ii,ij->j", real(3, 3), real(3, 2)),
    case("i,->i", real(3), real()),
    oracle=_einsum,
    ulps=16.0,
)
for _op, _oracle in (("inner", np.inner), ("outer", np.outer), ("kron", np.kron)):
    samples(
        _op,
        case(real(3), real(3)),
        case(real(2, 3), real(4, 3)),
        case(real(2, 3), real(3)),
        oracle=_oracle,
        ulps=8.0,
    )
samples("inner", case(real(), real(3)), oracle=np.inner)
samples("kron", case(real(2, 2, 3), real(2, 1)), oracle=np.kron)
samples(
    "matrix_transpose",
    case(real(2, 3)),
    case(real(4, 2, 3)),
    oracle=np.matrix_transpose,
    ulps=0.0,
)


def _diagonal(x: Any, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


_MATRICES = (
    case(real(3, 3)),
    case(real(2, 3, 4), offset=1),
    case(real(3, 4), offset=-2),
    case(real(3, 4), offset=-3),
    case(real(4, 2), offset=1),
    case(real(2, 3), offset=5),
    case(real(2, 0, 3)),
)
samples("diagonal", *_MATRICES, oracle=_diagonal, ulps=0.0)
for _dtype in ("int8", "uint8"):
    samples(
        "trace",
        case(integers(3, 3, low=0), dtype=_dtype),
        oracle=lambda x, dtype: np.trace(x.astype(dtype), dtype=dtype),
        call=lambda ug, x, dtype: ug.trace(ug.astype(x, dtype), dtype=dtype),
        dtype=_dtype,
        differentiable=False,
    )
samples("trace", *_MATRICES, oracle=lambda x, offset=0: np.sum(_diagonal(x, offset), -1), ulps=8.0)

samples(
    "linear",
    case(real(4, 3), real(3, 2), real(2)),
    case(real(3), real(3, 2), real(2)),
    case(real(2, 4, 3), real(3, 2), real(2)),
    case(real(0, 3), real(3, 2), real(2)),
    oracle=lambda x, kernel, bias: x @ kernel + bias,
    ulps=16,
)
