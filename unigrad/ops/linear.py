"""Products of matrices and tensors.

Two tensors are computed in their promoted dtype. Errors, the same for all: `ShapeError` when shapes
do not fit, `DTypeError` for dtypes that do not promote or bools.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, alike, as_tensor, common_tensors, promoted, readable
from unigrad.core.axes import axis_number, normalize_axis
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import OPS, composite, primitive
from unigrad.core.plans import Planned, Plans, planned
from unigrad.core.tensor import Tensor
from unigrad.ops import reductions
from unigrad.ops.arithmetic import conj
from unigrad.ops.shaping import as_integer, as_shape, permute_dims, ravel, reshape

__all__ = [
    "diagonal",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matrix_transpose",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]

_matmul = primitive("matmul")


def matmul(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the matrix product over the last two axes; the others broadcast.

    A one-dimensional factor is a row on the left and a column on the right, and the axis that
    this adds is not in the result.

    Raises:
        ShapeError: when a factor has no axis or the inner lengths differ.

    Example:
        >>> matmul([[1, 2]], [[3], [4]]).tolist()
        [[11]]
    """
    if type(x1) is not Tensor or type(x2) is not Tensor:
        if type(x1) in readable:
            x1 = x1.__unigrad_tensor__()
        if type(x2) in readable:
            x2 = x2.__unigrad_tensor__()
    if type(x1) is Tensor and type(x2) is Tensor:
        backend = x1.backend
        first, second = x1._native, x2._native
        dtype = first.dtype
        if x2.backend is backend and second.dtype is dtype and dtype in backend.native_floats:
            try:
                made: Tensor = dispatch(_matmul, backend, (x1, x2), (first, second))
            except ShapeError:
                _check_factors(x1.shape, x2.shape)
                raise
            return made
    x1, x2 = promoted(_matmul, x1, x2)
    x1, x2 = _numbers("matmul", as_tensor(x1, x2), as_tensor(x2, x1))
    _check_factors(x1.shape, x2.shape)
    out: Tensor = _matmul(x1, x2)
    return out


def _check_factors(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """Refuse shapes of which there is no matrix product."""
    if not left or not right or left[-1] != right[-2 if len(right) > 1 else 0]:
        raise ShapeError(f"matmul: shapes {left} and {right} do not fit")
    if len(left) > 2 or len(right) > 2:
        try:
            np.broadcast_shapes(left[:-2], right[:-2])
        except ValueError:
            raise ShapeError(f"matmul: shapes {left} and {right} do not broadcast") from None


def _numbers(name: str, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    """Refuse bools."""
    if x1._native.dtype in x1.backend.native_bools:
        raise DTypeError(f"{name}: bools are not multiplied and added; cast them with ug.astype")
    return x1, x2


def _two(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    if type(x1) is Tensor and type(x2) is Tensor and x1.backend is x2.backend:
        dtype = x1._native.dtype
        if dtype is x2._native.dtype and (
            dtype is x1.backend.native_single or dtype in x1.backend.native_floats
        ):
            return x1, x2
    if alike((x1, x2)) is None:
        x1, x2 = common_tensors(name, (x1, x2))
    return _numbers(name, x1, x2)


@composite
def _tensordot(x1: Tensor, x2: Tensor, *, axes: tuple[tuple[int, ...], tuple[int, ...]]) -> Tensor:
    first, second = axes
    rows = [i for i in range(x1.ndim) if i not in first]
    columns = [i for i in range(x2.ndim) if i not in second]
    inner = math.prod([x1.shape[i] for i in first])
    shape = [x1.shape[i] for i in rows], [x2.shape[i] for i in columns]
    left = _matrix_of(x1, (*rows, *first), (math.prod(shape[0]), inner))
    right = _matrix_of(x2, (*second, *columns), (inner, math.prod(shape[1])))
    product: Tensor = _matmul(left, right)
    wanted = (*shape[0], *shape[1])
    return product if product.shape == wanted else reshape(product, wanted)


def _matrix_of(x: Tensor, order: tuple[int, ...], shape: tuple[int, int]) -> Tensor:
    """Return a tensor with its axes in another order as a matrix; as it is if it is that."""
    moved = x if order == tuple(range(len(order))) else permute_dims(x, order)
    return moved if moved.shape == shape else reshape(moved, shape)


def tensordot(
    x1: TensorLike,
    x2: TensorLike,
    /,
    *,
    axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2,
) -> Tensor:
    """Return the sum of products over pairs of axes.

    ``axes`` is how many of the last of ``x1`` meet as many of the first of ``x2``, or the axes of
    each, in order. The result has the other axes of ``x1``, then those of ``x2``.

    Example:
        >>> tensordot([[1, 2], [3, 4]], [[1, 0], [0, 1]]).tolist()
        5
    """
    return _contracted(*_two("tensordot", x1, x2), axes)


def _contracted(x1: Tensor, x2: Tensor, axes: Any) -> Tensor:
    """Contract two tensors of one dtype."""
    backend = x1.backend
    left, right = x1._native, x2._native
    found = None
    plain = type(axes) is int
    if plain:
        key = (backend.shape_key(left), backend.shape_key(right), axes)
        found = _contractions.get(key)
    if found is None:
        found = Planned(_tensordot, _plan_tensordot(x1.shape, x2.shape, axes))
        if plain:
            _contractions.keep(key, found)
    out: Tensor = dispatch(found, backend, (x1, x2), (left, right))
    return out


_contractions, _inner_products = Plans(), Plans()


def _plan_tensordot(left: tuple[int, ...], right: tuple[int, ...], axes: Any) -> Mapping[str, Any]:
    first: Any
    second: Any
    if not isinstance(axes, Sequence):
        (axes,) = as_shape("tensordot", axes)
        if not 0 <= axes <= min(len(left), len(right)):
            raise ShapeError(f"tensordot: {left} and {right} do not share {axes} axes")
        first, second = range(len(left) - axes, len(left)), range(axes)
    else:
        first, second = (one if isinstance(one, Sequence) else [one] for one in axes)
    first = tuple([normalize_axis("tensordot", axis, len(left)) for axis in first])
    second = tuple([normalize_axis("tensordot", axis, len(right)) for axis in second])
    lengths = [left[i] for i in first], [right[i] for i in second]
    if lengths[0] != lengths[1] or len({*first}) != len(first) or len({*second}) != len(second):
        raise ShapeError(f"tensordot: axes {axes} of {left} and {right} do not fit")
    return {"axes": (first, second)}


@composite
def _vecdot(x1: Tensor, x2: Tensor, *, axis: int) -> Tensor:
    left = conj(x1) if x1.dtype in dtypes.COMPLEX else x1
    return reductions.sum(left * x2, axis=axis, dtype=x1.dtype)


def vecdot(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return Σ conj(x₁) x₂ over an axis, counted from the end; the other axes broadcast.

    Integers stay in their dtype.

    Example:
        >>> vecdot([[1, 2], [3, 4]], [1, 10]).tolist()
        [21, 43]
    """
    x1, x2 = _two("vecdot", x1, x2)
    if type(axis) is not int:
        axis = axis_number("vecdot", axis)
    backend = x1.backend
    left, right = x1._native, x2._native
    key = (backend.shape_key(left), backend.shape_key(right), axis)
    found = _vector_products.get(key)
    if found is None:
        settings = _plan_vecdot(x1.shape, x2.shape, axis)
        found = _vector_products.keep(key, Planned(_vecdot, settings))
    out: Tensor = dispatch(found, backend, (x1, x2), (left, right))
    return out


_vector_products = Plans()


def _plan_vecdot(left: tuple[int, ...], right: tuple[int, ...], axis: int) -> Mapping[str, Any]:
    ranks = len(left), len(right)
    axis = axis - max(ranks) if axis >= 0 else axis
    if not -min(ranks) <= axis < 0 or left[axis] != right[axis]:
        raise ShapeError(f"vecdot: shapes {left} and {right} do not fit along {axis}")
    try:
        np.broadcast_shapes(left, right)
    except ValueError:
        raise ShapeError(f"vecdot: shapes {left} and {right} do not broadcast") from None
    return {"axis": axis}


def dot(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return NumPy's ``dot``: the last axis of ``x1`` with the last but one of ``x2``.

    The product of matrices, the inner product of vectors, the multiple for a 0-d factor.

    Example:
        >>> dot([1, 2], [3, 4]).tolist()
        11
    """
    if type(x1) is Tensor and type(x2) is Tensor and x1.backend is x2.backend:
        backend, first, second = x1.backend, x1._native, x2._native
        dtype, shape_of = first.dtype, backend.shape_key
        if (
            dtype is second.dtype
            and (dtype is backend.native_single or dtype in backend.native_floats)
            and 0 < len(shape_of(first)) <= 2
            and 0 < len(shape_of(second)) <= 2
        ):
            try:
                made: Tensor = dispatch(_matmul, backend, (x1, x2), (first, second))
            except ShapeError:
                # It says what does not fit.
                return matmul(x1, x2)
            return made
    left, right = _two("dot", x1, x2)
    ranks = left._native.ndim, right._native.ndim
    if 0 in ranks:
        return left * right
    if ranks[0] <= 2 and ranks[1] <= 2:
        return matmul(left, right)
    return tensordot(left, right, axes=(-1, -2 if right.ndim > 1 else -1))


def inner(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the sum of products over the last axes of both.

    Example:
        >>> inner([[1, 2], [3, 4]], [1, 10]).tolist()
        [21, 43]
    """
    left, right = _two("inner", x1, x2)
    backend, natives = left.backend, (left._native, right._native)
    key = backend.shape_key(natives[0]), backend.shape_key(natives[1])
    found = _inner_products.get(key)
    if found is None:
        if () in (left.shape, right.shape):
            return left * right
        settings = _plan_tensordot(left.shape, right.shape, (-1, -1))
        found = _inner_products.keep(key, Planned(_tensordot, settings))
    out: Tensor = dispatch(found, backend, (left, right), natives)
    return out


def outer(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the matrix x₁[i] x₂[j] of all products; the factors are flattened.

    Example:
        >>> outer([1, 2], [3, 4]).tolist()
        [[3, 4], [6, 8]]
    """
    left, right = _two("outer", x1, x2)
    out: Tensor = dispatch(_outer, left.backend, (left, right), (left._native, right._native))
    return out


@composite
def _outer(x1: Tensor, x2: Tensor) -> Tensor:
    return _column(x1) * ravel(x2)


_column = planned(OPS["reshape"], lambda shape: {"shape": (math.prod(shape), 1)})


def kron(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return Kronecker's product: ``x2`` times each element of ``x1``, block by block.

    Example:
        >>> kron([[1, 2]], [[1], [10]]).tolist()
        [[1, 2], [10, 20]]
    """
    left, right = _two("kron", x1, x2)
    out: Tensor = dispatch(_kron, left.backend, (left, right), (left._native, right._native))
    return out


@composite
def _kron(x1: Tensor, x2: Tensor) -> Tensor:
    ndim = max(x1.ndim, x2.ndim)
    first = (1,) * (ndim - x1.ndim) + x1.shape
    second = (1,) * (ndim - x2.ndim) + x2.shape
    product = reshape(x1, [n for i in first for n in (i, 1)]) * reshape(
        x2, [n for i in second for n in (1, i)]
    )
    return reshape(product, [i * j for i, j in zip(first, second, strict=True)])


def matrix_transpose(x: TensorLike, /) -> Tensor:
    """Return ``x`` with its last two axes exchanged.

    Example:
        >>> matrix_transpose([[1, 2, 3]]).shape
        (3, 1)
    """
    x = _matrix("matrix_transpose", x)
    return permute_dims(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _matrix(name: str, x: TensorLike) -> Tensor:
    matrix = as_tensor(x)
    if matrix.ndim < 2:
        raise ShapeError(f"{name}: a matrix has two axes or more, not shape {matrix.shape}")
    return matrix


def diagonal(x: TensorLike, /, *, offset: int = 0) -> Tensor:
    """Return the elements x[…, i, i + offset] of the last two axes.

    Example:
        >>> diagonal([[1, 2], [3, 4]]).tolist()
        [1, 4]
    """
    if type(x) is not Tensor or type(offset) is not int:
        x, offset = as_tensor(x), as_integer("diagonal", offset)
    return _diagonals(x, offset)


@composite
def _diagonal(x: Tensor, *, offset: int) -> Tensor:
    top, left = max(-offset, 0), max(offset, 0)
    *stack, rows, columns = x.shape
    length = max(min(rows - top, columns - left), 0)
    # In the flattened matrix the elements of a diagonal are a row and one element apart.
    start = top * columns + left
    out: Tensor = reshape(x, (*stack, rows * columns))[
        ..., start : start + length * (columns + 1) : columns + 1
    ]
    return out


def _plan_diagonal(name: str, shape: tuple[int, ...], offset: int) -> Mapping[str, Any]:
    if len(shape) < 2:
        raise ShapeError(f"{name}: a matrix has two axes or more, not shape {shape}")
    return {"offset": offset}


_diagonals = planned(_diagonal, partial(_plan_diagonal, "diagonal"))


def trace(x: TensorLike, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Return the sum of a diagonal of the last two axes. Integers as in `sum`.

    Example:
        >>> trace([[1, 2], [3, 4]]).tolist()
        5
    """
    if dtype is not None:
        return reductions.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)
    if type(x) is not Tensor or type(offset) is not int:
        x, offset = as_tensor(x), as_integer("trace", offset)
    return _traces(x, offset)


@composite
def _trace(x: Tensor, *, offset: int) -> Tensor:
    return reductions.sum(_diagonal(x, offset=offset), axis=-1)


_traces = planned(_trace, partial(_plan_diagonal, "trace"))
