"""Matrices made of parts that stand in a pattern."""

from __future__ import annotations

import numpy as np

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, common_tensors, constant
from unigrad.core.dtypes import bool_
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import conj
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.linalg.matrices import of_one_stack
from unigrad.ops.linalg.solving import solve
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import as_integer, broadcast_to, flip, reshape

__all__ = ["banded_solve", "block_diag", "toeplitz"]


@whole.as_one_op()
def block_diag(*arrays: TensorLike) -> Tensor:
    """Return a matrix with the given ones on its diagonal, and zeros elsewhere.

    A vector is a row, a number a block of one. Axes before the last two broadcast.

    Raises:
        ShapeError: without arrays, or when the stacks do not broadcast.

    Example:
        >>> block_diag([[1, 2]], 3).tolist()
        [[1, 2, 0], [0, 0, 3]]
    """
    if not arrays:
        raise ShapeError("block_diag: no blocks")
    blocks = [
        one if one.ndim > 1 else reshape(one, (1, -1))
        for one in common_tensors("block_diag", arrays)
    ]
    blocks = of_one_stack("block_diag", *blocks)
    width = sum(one.shape[-1] for one in blocks)
    rows, before = [], 0
    for one in blocks:
        columns = (before, width - before - one.shape[-1])
        rows.append(pad(one, [(0, 0)] * (one.ndim - 1) + [columns]))
        before += one.shape[-1]
    return concat(rows, axis=-2)


def toeplitz(c: TensorLike, r: TensorLike | None = None, /) -> Tensor:
    """Return the matrix that is constant along its diagonals, of its first column and first row.

    Element (i, j) is c[i - j] where i ≥ j, else r[j - i]; ``r[0]`` is not read. Without ``r`` the
    row is the column (conjugate, for complex numbers, as SciPy's). Axes before the last broadcast.

    Raises:
        ShapeError: when a vector has no axis, or the stacks do not broadcast.

    Example:
        >>> toeplitz([1, 2], [1, 3, 4]).tolist()
        [[1, 3, 4], [2, 1, 3]]
    """
    columns, rows = common_tensors("toeplitz", (c, conj(c) if r is None else r))
    if not columns.ndim or not rows.ndim:
        raise ShapeError(f"toeplitz: vectors, not shapes {columns.shape} and {rows.shape}")
    m, n = columns.shape[-1], rows.shape[-1]
    try:
        stack = np.broadcast_shapes(columns.shape[:-1], rows.shape[:-1])
    except ValueError:
        shapes = f"{columns.shape} and {rows.shape}"
        raise ShapeError(f"toeplitz: stacks of shapes {shapes} do not broadcast") from None
    columns, rows = broadcast_to(columns, (*stack, m)), broadcast_to(rows, (*stack, n))
    # The values from the lower left corner round to the upper right one.
    values = concat([flip(columns, axis=-1), rows[..., 1:]], axis=-1)
    places = np.arange(m)[::-1, None] + np.arange(n)
    found = take(values, places.reshape(-1), axis=-1)
    return reshape(found, (*stack, m, n))


def banded_solve(widths: tuple[int, int], bands: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the solution X of A X = x₂ for square matrices A given by their diagonals.

    A full matrix is made of them and solved, so that rows may be exchanged.

    Args:
        widths: how many diagonals there are below the main one and above it, (l, u).
        bands: (…, l + u + 1, n), the uppermost diagonal first: ``bands[u + i - j, j]`` is A[i, j].
            What lies outside of A is not read.
        x2: as for `solve`.

    Raises:
        LinAlgError: when a matrix is singular (NaN under `ug.jit`).
        ShapeError: when the shapes do not fit.

    Example:
        >>> banded_solve((0, 1), [[0.0, 1.0], [2.0, 4.0]], [3.0, 4.0]).tolist()
        [1.0, 1.0]
    """
    lower, upper = [as_integer("banded_solve", one) for one in widths]
    diagonals, right = common_tensors("banded_solve", (bands, x2))
    count = lower + upper + 1
    if min(lower, upper) < 0 or diagonals.ndim < 2 or diagonals.shape[-2] != count:
        raise ShapeError(
            f"banded_solve: bands {diagonals.shape} are not (…, {count}, n) for the widths "
            f"{lower} and {upper}"
        )
    n = diagonals.shape[-1]
    rows, columns = np.arange(n)[:, None], np.arange(n)
    places = upper + rows - columns
    inside = (places >= 0) & (places < count)
    flat = reshape(diagonals, (*diagonals.shape[:-2], count * n))
    index = np.where(inside, places, 0) * n + columns
    found = reshape(take(flat, index.reshape(-1), axis=-1), (*flat.shape[:-1], n, n))
    return solve(where(constant(found, inside, bool_), found, 0), right)
