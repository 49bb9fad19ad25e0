"""Grids: what is made of the indices of a shape, and indices of parts of matrices.

Where new tensors go is said in `unigrad.ops.creation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, whole
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    checked,
    common_tensors,
)
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, OutOfBoundsError, SettingError, ShapeError
from unigrad.core.ndarrays import ends
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import logical_and, where
from unigrad.ops.creation import from_host
from unigrad.ops.cumulative import cumulative_prod
from unigrad.ops.filling import ones_like
from unigrad.ops.joining import concat
from unigrad.ops.limits import clip
from unigrad.ops.reductions import accumulated
from unigrad.ops.repeating import diag
from unigrad.ops.rounding import floor_divide, remainder
from unigrad.ops.shaping import (
    as_integer,
    as_shape,
    broadcast_arrays,
    broadcast_to,
    expand_dims,
    flip,
    ravel,
)

__all__ = [
    "diag_indices", "diagflat", "fromfunction", "indices", "ravel_multi_index", "tril_indices",
    "triu_indices", "unravel_index", "vander",
]  # fmt: skip


def diagflat(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return a matrix with all elements, in row-major order, on its k-th diagonal.

    Example:
        >>> diagflat([[1, 2]]).tolist()
        [[1, 0], [0, 2]]
    """
    return diag(ravel(as_tensor(x)), k=as_integer("diagflat", k))


@whole.as_one_op()
def vander(x: TensorLike, /, N: int | None = None, *, increasing: bool = False) -> Tensor:
    """Return the Vandermonde matrix: in row i the powers of x[i], falling from N - 1 to 0.

    ``N`` is how many there are, by default the length of ``x``; ``increasing`` puts the power 0
    first. Powers are products, exactly differentiable at 0; integers and bools become 64 bits wide.

    Raises:
        ShapeError: when ``x`` is no vector, or ``N`` is negative.

    Example:
        >>> vander([2, 3]).tolist(), vander([2, 3], 3, increasing=True).tolist()
        ([[2, 1], [3, 1]], [[1, 2, 4], [1, 3, 9]])
    """
    x = as_tensor(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: shape {x.shape} is no vector")
    x = accumulated("vander", x, None)
    count = x.shape[0] if N is None else as_integer("vander", N)
    if count < 0:
        raise ShapeError(f"vander: {count} powers")
    column = expand_dims(x, axis=1)
    factors = broadcast_to(column, (x.shape[0], max(count - 1, 0)))
    first = ones_like(column)[:, : min(count, 1)]
    powers = cumulative_prod(concat([first, factors], axis=1), axis=1)
    return powers if increasing else flip(powers, axis=1)


def indices(
    dimensions: int | Sequence[int],
    /,
    *,
    dtype: DTypeLike = "int64",
    sparse: bool = False,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Any:
    """Return the indices of a grid: along its first axis, one grid of them per dimension.

    ``sparse`` returns a tuple of tensors instead that broadcast to the grid.

    Raises:
        ShapeError: when a length is negative.

    Example:
        >>> indices((2, 2)).tolist()
        [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
    """
    shape = _lengths("indices", dimensions)
    chosen = dtypes.as_dtype(dtype)
    place = (device, like, backend)
    if sparse:
        open_grid: Any = np.indices(shape, sparse=True)
        return tuple(from_host(one, chosen, *place) for one in open_grid)
    return from_host(np.indices(shape), chosen, *place)


def _lengths(name: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    found = as_shape(name, shape)
    if any(n < 0 for n in found):
        raise ShapeError(f"{name}: a shape has no negative lengths, as {found} has")
    return found


def fromfunction(
    function: Callable[..., Any],
    shape: int | Sequence[int],
    /,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Any:
    """Return what a function makes of the indices of a shape: one tensor of them per axis.

    They are of the default floating dtype, or of ``dtype``. What the function follows stays
    differentiable.

    Raises:
        ShapeError: when a length is negative.

    Example:
        >>> fromfunction(lambda i, j: i * 10 + j, (2, 3), dtype="int64").tolist()
        [[0, 1, 2], [10, 11, 12]]
    """
    lengths = _lengths("fromfunction", shape)
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    grids = np.indices(lengths)
    return function(*[from_host(one, chosen, device, like, backend) for one in grids])


def _pair(found: Any, device: str | None, like: Any, backend: str | None) -> tuple[Tensor, ...]:
    return tuple(from_host(np.asarray(one), dtypes.int64, device, like, backend) for one in found)


def _matrix(name: str, n: int, m: int | None) -> tuple[int, int]:
    rows, columns = _lengths(name, (n, n if m is None else m))
    return rows, columns


def _triangle(lower: bool, rows: int, k: int, columns: int) -> Any:
    """Return NumPy's indices of a triangle; those of a small matrix are remembered."""
    make = _small_triangle if rows * columns <= _SMALL else _small_triangle.__wrapped__
    return make(lower, rows, k, columns)


@lru_cache(256)
def _small_triangle(lower: bool, rows: int, k: int, columns: int) -> Any:
    """Return the indices of one triangle of a small matrix, remembered.

    Example:
        >>> [one.tolist() for one in _small_triangle(True, 2, 0, 2)]
        [[0, 1, 1], [0, 0, 1]]
    """
    return (np.tril_indices if lower else np.triu_indices)(rows, k, columns)


_SMALL = 1024


def tril_indices(
    n: int,
    /,
    k: int = 0,
    m: int | None = None,
    *,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> tuple[Tensor, ...]:
    """Return the rows and columns (int64) of the elements on and below the k-th diagonal.

    The matrix has ``n`` rows and ``m`` columns, by default as many.

    Raises:
        ShapeError: when a length is negative.

    Example:
        >>> [one.tolist() for one in tril_indices(2)]
        [[0, 1, 1], [0, 0, 1]]
    """
    rows, columns = _matrix("tril_indices", n, m)
    found = _triangle(True, rows, as_integer("tril_indices", k), columns)
    return _pair(found, device, like, backend)


def triu_indices(
    n: int,
    /,
    k: int = 0,
    m: int | None = None,
    *,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> tuple[Tensor, ...]:
    """Return the rows and columns (int64) of the elements on and above the k-th diagonal.

    Arguments and errors as of `tril_indices`.

    Example:
        >>> [one.tolist() for one in triu_indices(2)]
        [[0, 0, 1], [0, 1, 1]]
    """
    rows, columns = _matrix("triu_indices", n, m)
    found = _triangle(False, rows, as_integer("triu_indices", k), columns)
    return _pair(found, device, like, backend)


def diag_indices(
    n: int,
    /,
    ndim: int = 2,
    *,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> tuple[Tensor, ...]:
    """Return the indices (int64) of the main diagonal of ``ndim`` axes of length ``n``.

    Raises:
        ShapeError: when a number is negative.

    Example:
        >>> [one.tolist() for one in diag_indices(2)]
        [[0, 1], [0, 1]]
    """
    length, count = _lengths("diag_indices", (n, ndim))
    return _pair([np.arange(length)] * count, device, like, backend)


@whole.as_one_op("native_dtypes", looks=True)
def unravel_index(flat: TensorLike, shape: int | Sequence[int], /) -> tuple[Tensor, ...]:
    """Return the index along each axis of a shape of indices into its row-major order (int64).

    Negative ones count from the end. Derivative zero.

    Raises:
        OutOfBoundsError: when an index is seen to be outside; where nobody can look, it gives 0.
        DTypeError: when the indices are no integers.

    Example:
        >>> [one.tolist() for one in unravel_index([5, 0], (2, 3))]
        [[1, 0], [2, 0]]
    """
    name = "unravel_index"
    lengths = _lengths(name, shape)
    size = int(np.prod(lengths, dtype=np.int64))
    rest = _integers(name, as_tensor(flat))
    if not checked(_within(name, size, f"the shape {lengths}"), rest):
        rest = where(logical_and(rest >= -size, rest < size), rest, 0)
    found: list[Tensor] = []
    before = 1
    for length in reversed(lengths):
        if found:
            rest = floor_divide(rest, before)
        # No index is left to be taken apart where a length is 0. Remainders are not negative.
        before = max(length, 1)
        found.append(remainder(rest, before))
    return tuple(reversed(found))


def _within(name: str, length: int, what: str) -> Callable[[npt.NDArray[Any]], None]:
    """Return a check of indices into so many places, of which negative ones count from the end."""

    def check(known: npt.NDArray[Any]) -> None:
        least, greatest = ends(known) if known.size else (0, -1)
        if least < -length or greatest >= length:
            wrong = known[(known < -length) | (known >= length)].flat[0]
            raise OutOfBoundsError(f"{name}: index {wrong} is outside of {what}")

    return check


def _integers(name: str, x: Tensor) -> Tensor:
    if x.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: indices are integers, not {x.dtype.name}")
    return cast(x, dtypes.int64)


Mode = Literal["raise", "wrap", "clip"]


@whole.as_one_op("native_dtypes", looks=True)
def ravel_multi_index(
    multi_index: Sequence[TensorLike], dims: int | Sequence[int], /, *, mode: Mode = "raise"
) -> Tensor:
    """Return indices into the row-major order of a shape (int64) of one index per axis.

    They broadcast against each other. ``mode`` says what becomes of an index outside of its axis:
    "raise" counts negative ones from the end and raises for others (where nobody can look, the
    result is one that is out of bounds, too), "wrap" takes it modulo the length, "clip" the index
    next to it. Derivative zero.

    Raises:
        OutOfBoundsError: when an index is seen to be outside.
        ShapeError: when there are not as many indices as axes, or they do not broadcast.
        DTypeError: when the indices are no integers.
        SettingError: for another ``mode``.

    Example:
        >>> ravel_multi_index(([1, 0], [2, 1]), (2, 3)).tolist()
        [5, 1]
    """
    name = "ravel_multi_index"
    if mode not in get_args(Mode):
        raise SettingError(f"{name}: mode is one of {get_args(Mode)}, not {mode!r}")
    lengths = _lengths(name, dims)
    if len(multi_index) != len(lengths) or not lengths:
        raise ShapeError(f"{name}: {len(multi_index)} indices for the shape {lengths}")
    given = [_integers(name, one) for one in common_tensors(name, tuple(multi_index))]
    if mode == "wrap":
        given = [remainder(one, n) for one, n in zip(given, lengths, strict=True)]
    elif mode == "clip":
        given = [clip(one, 0, n - 1) for one, n in zip(given, lengths, strict=True)]
    for axis, (one, length) in enumerate(zip(given, lengths, strict=True)):
        checked(_within(name, length, f"axis {axis} of {lengths}"), one)
    if len(lengths) == 1:
        one = given[0]
        return where(one < 0, one + lengths[0], one)
    found: Tensor = OPS["ravel_index"](*broadcast_arrays(*given), dims=lengths)
    return found
