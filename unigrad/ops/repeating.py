"""Ops that repeat elements or surround them by others, and triangles.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.op import OPS, Op, composite, primitive
from unigrad.core.operands import in_dtype, operands, single
from unigrad.core.plans import Planned, Plans, planned
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.filling import PLAIN, scalar_of
from unigrad.ops.identity import identity
from unigrad.ops.indexing import take
from unigrad.ops.shaping import as_integer, as_shape, broadcast_to, ravel, reshape

__all__ = ["diag", "meshgrid", "pad", "repeat", "tile", "tril", "triu"]

_pad = primitive("pad")
_tril = primitive("tril")
_triu = primitive("triu")

PadMode = Literal["constant", "edge", "reflect", "symmetric", "wrap"]
_MODES: tuple[str, ...] = get_args(PadMode)


@composite
def _tile(x: Tensor, *, repetitions: tuple[int, ...]) -> Tensor:
    """Repeat every axis (as many repetitions as axes)."""
    shape = x.shape
    apart = tuple(part for length in shape for part in (1, length))
    wide = tuple(
        part for times, length in zip(repetitions, shape, strict=True) for part in (times, length)
    )
    whole = tuple(times * length for times, length in zip(repetitions, shape, strict=True))
    return reshape(broadcast_to(reshape(x, apart), wide), whole)


@composite
def _repeat(x: Tensor, *, times: int, axis: int) -> Tensor:
    """Repeat every element along an axis."""
    shape = x.shape
    before, after = shape[: axis + 1], shape[axis + 1 :]
    wide = broadcast_to(reshape(x, (*before, 1, *after)), (*before, times, *after))
    return reshape(wide, (*shape[:axis], shape[axis] * times, *after))


def tile(x: TensorLike, repetitions: int | Sequence[int], /) -> Tensor:
    """Return ``x`` laid side by side, so many times along each axis.

    Fewer repetitions than axes stand for the last ones; more add axes in front.

    Example:
        >>> tile([1, 2], (2, 2)).tolist()
        [[1, 2, 1, 2], [1, 2, 1, 2]]
    """
    x = as_tensor(x)
    times = as_shape("tile", repetitions)
    if x.ndim < len(times):
        x = reshape(x, (1,) * (len(times) - x.ndim) + x.shape)
    return _tiled(x, times)


def _plan_tile(shape: tuple[int, ...], times: tuple[int, ...]) -> Mapping[str, Any]:
    if times and min(times) < 0:
        raise ShapeError(f"tile: the repetitions {times} are not negative")
    return {"repetitions": (1,) * (len(shape) - len(times)) + times}


_tiled = planned(_tile, _plan_tile)


def repeat(x: TensorLike, repeats: int | TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return ``x`` with each element along an axis repeated; ``None`` flattens it first.

    ``repeats`` is one number, or one per element (then its values must be known).

    Raises:
        ShapeError: when there are not as many numbers as elements, or one is negative.

    Example:
        >>> repeat([1, 2], 2).tolist()
        [1, 1, 2, 2]
        >>> repeat([1, 2], [2, 1]).tolist()
        [1, 1, 2]
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = ravel(x), 0
    place = normalize_axis("repeat", axis, x.ndim)
    if isinstance(repeats, bool):
        repeats = as_integer("repeat", repeats)
    if not isinstance(repeats, (int, np.integer)):
        refuse_mask(repeats)
        counts = repeats.numpy() if isinstance(repeats, Tensor) else np.asarray(repeats)
        if counts.dtype.kind not in "iu":
            raise DTypeError(f"repeat: repeats are integers, not {counts.dtype.name}")
        if counts.ndim == 1 and counts.size != 1:
            length = x.shape[place]
            if counts.size != length or (counts < 0).any():
                raise ShapeError(f"repeat: {counts.tolist()} does not fit length {length}")
            return take(x, np.repeat(np.arange(length), counts), axis=place)
        if counts.size != 1:
            raise ShapeError(f"repeat: repeats of shape {counts.shape} are not one per element")
        repeats = counts.item()
    if repeats < 0:
        raise ShapeError(f"repeat: {repeats} is negative")
    out: Tensor = _repeat(x, times=int(repeats), axis=place)
    return out


@operands("constant_values")
def pad(
    x: TensorLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    /,
    mode: PadMode = "constant",
    *,
    constant_values: TensorLike = 0,
) -> Tensor:
    """Return ``x`` with elements put before and after along each axis.

    ``pad_width`` is one number for all, a pair (before, after) for all axes, or a pair per axis.
    ``mode`` is what to put there: a constant, the ``edge``, a mirror image without (``reflect``)
    or with (``symmetric``) the edge itself, or the other end (``wrap``).

    Raises:
        SettingError: for another ``mode``.

    Example:
        >>> pad([1, 2], (1, 2)).tolist()
        [0, 1, 2, 0, 0]
        >>> pad([1, 2, 3], (2, 0), "reflect").tolist()
        [3, 2, 1, 2, 3]
    """
    out: Tensor = as_tensor(x)
    key = None
    if type(constant_values) is int and mode == "constant" and _is_plain(pad_width):
        backend, native = out.backend, out._native
        shape = backend.shape_key(native)
        key = (backend.root, shape, native.dtype, pad_width, constant_values)
        found = _paddings.get(key)
        if found is not None:
            out = dispatch(found, backend, (out,), (native,))
            return out
    if mode not in _MODES:
        raise SettingError(f"pad: mode is one of {', '.join(_MODES)}, not {mode!r}")
    widths = _widths(pad_width, out.ndim)
    if not any(before or after for before, after in widths):
        return identity(out)
    if mode == "constant":
        value = _filler(constant_values, out.dtype)
        if isinstance(value, Tensor):
            return _pad_by(out, widths, value)
        settings = {"widths": widths, "value": value}
        if key is not None:
            _paddings.keep(key, Planned(_pad, settings))
        out = _pad(out, **settings)
        return out
    for axis, (before, after) in enumerate(widths):
        if before or after:
            length = out.shape[axis]
            if length == 0:
                raise ShapeError(f"pad: an empty axis has nothing to repeat in mode {mode!r}")
            places = np.pad(np.arange(length), (before, after), mode=mode)
            out = take(out, places, axis=axis)
    return out


def _filler(value: TensorLike, dtype: dtypes.DType) -> Any:
    """Return what to pad with as a Python number, or as a tensor of the dtype."""
    found = value if type(value) in PLAIN else single("pad", value, real=False)
    if isinstance(found, Tensor):
        return in_dtype(found, dtype)
    found = int(found) if type(found) is float and dtype in dtypes.INTEGER else found
    if type(found) is float:
        return found if -6e4 < found < 6e4 else dtypes.in_range(found, dtype)
    return scalar_of("pad", found, dtype) if type(found) is int else found


def _pad_by(x: Tensor, widths: tuple[tuple[int, int], ...], value: Tensor) -> Tensor:
    """Pad with a tensor of the same dtype."""
    inside = np.pad(np.ones(x.shape, bool), widths)
    return where(constant(x, inside, dtypes.bool_), _pad(x, widths=widths, value=0), value)


def _widths(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """Return a pair (before, after) per axis."""
    refuse_mask(pad_width)
    try:
        array = np.asarray(pad_width)
        if array.size and array.dtype.kind not in "iu":
            raise DTypeError(f"pad: the widths are integers, not {pad_width!r}")
        pairs = np.broadcast_to(array, (ndim, 2)).tolist()
    except ValueError:
        raise ShapeError(f"pad: widths {pad_width} do not fit {ndim} axes") from None
    widths = tuple((int(before), int(after)) for before, after in pairs)
    if any(before < 0 or after < 0 for before, after in widths):
        raise ShapeError(f"pad: the widths {widths} are not negative")
    return widths


#: Paddings by an integer, by shape, native dtype, widths as they were given, and that integer.
_paddings = Plans()


def _is_plain(widths: Any) -> bool:
    """Tell whether widths are made of tuples and Python's ints, which a dictionary may hold."""
    return type(widths) is int or (type(widths) is tuple and all(map(_is_plain, widths)))


def tril(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return ``x`` with zeros above the k-th diagonal of its last two axes.

    Example:
        >>> tril([[1, 2], [3, 4]]).tolist()
        [[1, 0], [3, 4]]
    """
    return _lower(
        x if type(x) is Tensor else as_tensor(x), k if type(k) is int else as_integer("tril", k)
    )


def triu(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return ``x`` with zeros below the k-th diagonal of its last two axes.

    Example:
        >>> triu([[1, 2], [3, 4]]).tolist()
        [[1, 2], [0, 4]]
    """
    return _upper(
        x if type(x) is Tensor else as_tensor(x), k if type(k) is int else as_integer("triu", k)
    )


def _triangle(op: Op) -> Callable[..., Tensor]:
    """Return an op of matrices as a function of a tensor and the number of a diagonal."""

    def plan(shape: tuple[int, ...], k: int) -> Mapping[str, Any]:
        if len(shape) < 2:
            raise ShapeError(f"{op.name}: shape {shape} has no rows and columns")
        return {"k": k}

    return planned(op, plan)


_lower, _upper = _triangle(_tril), _triangle(_triu)


def diag(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return a matrix with a vector on its k-th diagonal, or a matrix's k-th diagonal.

    Example:
        >>> diag([1, 2]).tolist()
        [[1, 0], [0, 2]]
        >>> diag([[1, 2], [3, 4]]).tolist()
        [1, 4]
    """
    if type(x) is not Tensor or type(k) is not int:
        x, k = as_tensor(x), as_integer("diag", k)
    return _diagonals(x, k)


@composite
def _diag(x: Tensor, *, k: int) -> Tensor:
    row, column = max(-k, 0), max(k, 0)
    if x.ndim == 1:
        side = x.shape[0] + abs(k)
        places = (np.arange(x.shape[0]) + row) * side + np.arange(x.shape[0]) + column
        # Bools do not add up everywhere.
        numbers = cast(x, dtypes.uint8) if x.dtype == dtypes.bool_ else x
        flat = OPS["scatter_add"](numbers, as_tensor(places, x), axis=0, length=side * side)
        return reshape(cast(flat, x.dtype), (side, side))
    rows, columns = x.shape
    count = max(min(rows - row, columns - column), 0)
    places = (np.arange(count) + row) * columns + np.arange(count) + column
    return take(x, places)


def _plan_diag(shape: tuple[int, ...], k: int) -> Mapping[str, Any]:
    if len(shape) not in (1, 2):
        raise ShapeError(f"diag: shape {shape} is neither a vector nor a matrix")
    return {"k": k}


_diagonals = planned(_diag, _plan_diag)


def meshgrid(*arrays: TensorLike, indexing: Literal["xy", "ij"] = "xy") -> tuple[Tensor, ...]:
    """Return coordinate tensors of the grid that vectors span; "xy" puts the second axis first.

    Example:
        >>> [x.tolist() for x in meshgrid([1, 2], [3, 4], indexing="ij")]
        [[[1, 1], [2, 2]], [[3, 4], [3, 4]]]
    """
    if indexing not in ("xy", "ij"):
        raise SettingError(f"meshgrid: indexing is 'xy' or 'ij', not {indexing!r}")
    like = next((x for x in arrays if type(x) is Tensor), None)
    vectors = [as_tensor(x, like) for x in arrays]
    if any(x.ndim > 1 for x in vectors):
        raise ShapeError(f"meshgrid: shapes {[x.shape for x in vectors]} are no vectors")
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    shape = [1] * len(order)
    for axis, x in zip(order, vectors, strict=True):
        shape[axis] = x.size
    out = []
    for axis, x in zip(order, vectors, strict=True):
        column = tuple([-1 if i == axis else 1 for i in range(len(order))])
        out.append(broadcast_to(reshape(x, column), shape))
    return tuple(out)
