"""Matrices: the batch is one more axis of the stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching, spread
from unigrad.ops.shaping import moveaxis, reshape


def _of_one(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    return batch.op(*inputs, **settings)


def _of_system(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Where the matrix is the same for all examples, theirs are further right-hand sides."""
    a, b = inputs
    if batch.axes == (False, True) and a.ndim == 2:
        n, k = b.shape[1:]
        columns = reshape(moveaxis(b, 0, 1), (n, batch.size * k))
        found = reshape(batch.op(a, columns, **settings), (n, batch.size, k))
        return moveaxis(found, 1, 0)
    return batch.op(*spread(batch, inputs), **settings)


batching(
    _of_one,
    "cholesky",
    "cofactors",
    "det",
    "eig_raw",
    "eigh_raw",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "logm",
    "lu_packed",
    "phases",
    "pinv",
    "qr",
    "slogdet",
    "sqrtm",
    "svd_raw",
    "svdvals",
)
batching(_of_system, "solve", "triangular_solve")
