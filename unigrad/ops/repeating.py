"""Ops that repeat elements or surround them by others, and triangles.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from unigrad.control import identity
from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, normalize_axis
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import OPS, composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.indexing import take
from unigrad.ops.shaping import as_shape, broadcast_to, ravel, reshape

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
    if times and min(times) < 0:
        raise ShapeError(f"tile: the repetitions {times} are not negative")
    ndim = max(x.ndim, len(times))
    if x.ndim < ndim:
        x = reshape(x, (1,) * (ndim - x.ndim) + x.shape)
    out: Tensor = _tile(x, repetitions=(1,) * (ndim - len(times)) + times)
    return out


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
    if not isinstance(repeats, (int, np.integer)):
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


def pad(
    x: TensorLike,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    /,
    mode: PadMode = "constant",
    *,
    constant_values: float = 0,
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
    if mode not in _MODES:
        raise SettingError(f"pad: mode is one of {', '.join(_MODES)}, not {mode!r}")
    widths = _widths(pad_width, out.ndim)
    if not any(before or after for before, after in widths):
        return identity(out)
    if mode == "constant":
        value = constant_values
        if isinstance(value, float) and out.dtype in dtypes.INTEGER:
            value = int(value)
        out = _pad(out, widths=widths, value=value)
        return out
    for axis, (before, after) in enumerate(widths):
        if before or after:
            length = out.shape[axis]
            if length == 0:
                raise ShapeError(f"pad: an empty axis has nothing to repeat in mode {mode!r}")
            places = np.pad(np.arange(length), (before, after), mode=mode)
            out = take(out, places, axis=axis)
    return out


def _widths(pad_width: Any, ndim: int) -> tuple[tuple[int, int], ...]:
    """Return a pair (before, after) per axis."""
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


def tril(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return ``x`` with zeros above the k-th diagonal of its last two axes.

    Example:
        >>> tril([[1, 2], [3, 4]]).tolist()
        [[1, 0], [3, 4]]
    """
    out: Tensor = _tril(_matrices("tril", x), k=int(k))
    return out


def triu(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return ``x`` with zeros below the k-th diagonal of its last two axes.

    Example:
        >>> triu([[1, 2], [3, 4]]).tolist()
        [[1, 2], [0, 4]]
    """
    out: Tensor = _triu(_matrices("triu", x), k=int(k))
    return out


def _matrices(name: str, x: TensorLike) -> Tensor:
    """Return an input that has rows and columns."""
    tensor: Tensor = as_tensor(x)
    if tensor.ndim < 2:
        raise ShapeError(f"{name}: shape {tensor.shape} has no rows and columns")
    return tensor


def diag(x: TensorLike, /, *, k: int = 0) -> Tensor:
    """Return a matrix with a vector on its k-th diagonal, or a matrix's k-th diagonal.

    Example:
        >>> diag([1, 2]).tolist()
        [[1, 0], [0, 2]]
        >>> diag([[1, 2], [3, 4]]).tolist()
        [1, 4]
    """
    x = as_tensor(x)
    row, column = max(-k, 0), max(k, 0)
    if x.ndim == 1:
        side = x.shape[0] + abs(k)
        places = (np.arange(x.shape[0]) + row) * side + np.arange(x.shape[0]) + column
        # Bools do not add up everywhere.
        numbers = cast(x, dtypes.uint8) if x.dtype == dtypes.bool_ else x
        flat = OPS["scatter_add"](numbers, as_tensor(places, x), axis=0, length=side * side)
        return reshape(cast(flat, x.dtype), (side, side))
    if x.ndim != 2:
        raise ShapeError(f"diag: shape {x.shape} is neither a vector nor a matrix")
    rows, columns = x.shape
    count = max(min(rows - row, columns - column), 0)
    places = (np.arange(count) + row) * columns + np.arange(count) + column
    return take(x, places)


def meshgrid(*arrays: TensorLike, indexing: Literal["xy", "ij"] = "xy") -> list[Tensor]:
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
    return out
