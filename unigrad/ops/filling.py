"""Making tensors filled with one number, alone (`full`) or like another (`full_like`).

Where a tensor goes is said in `unigrad.ops.creation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, placed, untracked, visible
from unigrad.core.dispatch import dispatch, wrap
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.ndarrays import as_ndarray
from unigrad.core.op import OPS, primitive, together
from unigrad.core.operands import in_dtype, operands, single
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor
from unigrad.ops.creation import to_device
from unigrad.ops.placing import place_of
from unigrad.ops.shaping import as_shape, broadcast_to

__all__ = [
    "empty", "empty_like", "full", "full_like", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip

_full = primitive("full")
_full_like = primitive("full_like")
_full_like.cut = (0,)

#: A length, or one per axis.
Shape = int | Sequence[int]


@operands("fill_value")
def full_like(
    x: TensorLike,
    /,
    fill_value: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return a tensor of the shape, dtype, backend and device of another, filled with a scalar.

    Raises:
        DTypeError: when the value is no number, or an integer that does not fit.
        ShapeError: when it is more than one.

    Example:
        >>> full_like([1, 2], 7).tolist()
        [7, 7]
    """
    if type(x) is Tensor and type(fill_value) is int and dtype is device is None:
        key = (x.backend.root, x._native.dtype, fill_value)
        found = _likes.get(key)
        if found is None:
            value = scalar_of("full_like", fill_value, x.dtype)
            found = _likes.keep(key, Planned(_full_like, {"value": value}))
        made: Tensor = dispatch(found, x.backend, (untracked(x),), (x._native,))
        return made
    given = as_tensor(x)
    value = single("full_like", fill_value, real=False)
    if isinstance(value, Tensor):
        chosen = given.dtype if dtype is None else dtypes.as_dtype(dtype)
        return _spread("full_like", value, given.shape, chosen, given, device)
    like = untracked(given)
    if dtype is not None:
        like = cast(like, dtypes.as_dtype(dtype))
    out: Tensor = _full_like(like, value=scalar_of("full_like", value, like.dtype))
    return out if device is None else to_device(out, device)


def _spread(
    name: str,
    value: Tensor,
    shape: tuple[int, ...],
    dtype: DType,
    beside: Tensor | None,
    device: str | None,
) -> Tensor:
    """Return a tensor filled with an operand, which goes beside another one if there is one.

    Raises:
        DTypeError: when a value that is known is an integer that does not fit.
        BackendMismatchError: when the operand lives on another backend.
    """
    if beside is not None:
        value, _ = together(OPS[name], value, beside)
    if dtype in dtypes.INTEGER and value.dtype in dtypes.INTEGER:
        found = visible(value)
        for one in () if found is None else (found.min(), found.max()):
            scalar_of(name, int(one), dtype)
    out = broadcast_to(in_dtype(value, dtype), shape)
    return out if device is None else to_device(out, device)


#: `full_like` by native dtype and integer.
_likes = Plans()


def zeros_like(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return zeros of the shape, dtype, backend and device of another tensor.

    Example:
        >>> zeros_like([1, 2]).tolist()
        [0, 0]
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return ones of the shape, dtype, backend and device of another tensor.

    Example:
        >>> ones_like([1, 2]).tolist()
        [1, 1]
    """
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return a tensor like another with values that nobody should rely on (zeros).

    Example:
        >>> empty_like([1, 2]).shape
        (2,)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def scalar_of(name: str, value: Any, dtype: DType) -> Any:
    """Return a fill value as a Python scalar of the dtype's own kind, which every library takes."""
    if type(value) is float:
        value = dtypes.in_range(value, dtype)
    array = as_ndarray(value)
    if type(value) is int and dtype in dtypes.INTEGER:
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:
            raise DTypeError(f"{name}: {value} does not fit {dtype.name}")
        return value
    return array.astype(dtype).item()


@operands("fill_value")
def full(
    shape: Shape,
    fill_value: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return a tensor filled with a scalar, in the default dtype of the scalar's kind.

    A tensor fills it with its value, in its dtype and on its backend.

    Raises:
        DTypeError: when the value is no number, or an integer that does not fit.
        ShapeError: when it is more than one, or the shape has a negative length.

    Example:
        >>> full((2,), 7).tolist()
        [7, 7]
    """
    if type(fill_value) in PLAIN:
        return _filled("full", shape, fill_value, dtype, device, like, backend)
    value = single("full", fill_value, real=False)
    if isinstance(value, Tensor):
        lengths = _checked("full", as_shape("full", shape))
        chosen = value.dtype if dtype is None else dtypes.as_dtype(dtype)
        beside = None if like is backend is None else zeros((), like=like, backend=backend)
        return _spread("full", value, lengths, chosen, beside, device)
    return _filled("full", shape, value, dtype, device, like, backend)


#: The classes of the commonest numbers.
PLAIN = frozenset((int, float))


def _checked(name: str, lengths: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape. Raises `ShapeError` for a negative length."""
    if lengths and min(lengths) < 0:
        raise ShapeError(f"{name}: a shape has no negative lengths, as {lengths} has")
    return lengths


def _filled(
    name: str,
    shape: Shape,
    fill_value: Any,
    dtype: DTypeLike | None,
    device: str | None,
    like: TensorLike | None,
    on: str | None,
) -> Tensor:
    """Do what `full` does; errors are those of the function ``name``."""
    lengths = as_shape(name, shape)
    filling = key = None
    kind = type(fill_value)
    # Not the floats ±0.0, which are one key to a dictionary.
    if type(dtype) in NAMES and (kind is int or (kind is float and fill_value)):
        key = (lengths, kind, fill_value, dtype, dtypes.default_dtype())
        filling = _fillings.get(key)
    if filling is None:
        filling = Planned(_full, _plan_filling(name, lengths, fill_value, dtype))
        if key is not None:
            _fillings.keep(key, filling)
    backend, place = placed(device) if like is on is None else place_of(device, like, on)
    kernel: Any = filling.kernels[backend]
    if place is None:
        return wrap(backend, kernel())
    with backend.on(place):
        made = wrap(backend, kernel())
    return to_device(made, place)


#: `full` with its settings by shape, number, dtype and default dtype.
_fillings = Plans()
#: The classes of names of dtypes that hash as they compare.
NAMES = frozenset((type(None), str, *map(type, dtypes.ALL)))


def _plan_filling(
    name: str, lengths: tuple[int, ...], fill_value: Any, dtype: DTypeLike | None
) -> Mapping[str, Any]:
    """Return the settings of `full`."""
    lengths = _checked(name, lengths)
    kind = dtypes.default_dtype_of_kind(type(fill_value))
    chosen = kind if dtype is None else dtypes.as_dtype(dtype)
    return {"shape": lengths, "value": scalar_of(name, fill_value, chosen), "dtype": chosen}


def zeros(
    shape: Shape,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return zeros, in the default floating dtype.

    Args:
        shape: its shape.
        dtype: its dtype, if not the default one.
        device: where to put it.
        like: a tensor, a variable or a native array, on whose backend and device it is made.
        backend: the name of the backend on which it is made.

    Example:
        >>> zeros((2,)).tolist()
        [0.0, 0.0]
        >>> x = ones((2,))
        >>> zeros((), like=x).backend is x.backend
        True
    """
    return _filled("zeros", shape, 0, dtype or dtypes.default_dtype(), device, like, backend)


def ones(
    shape: Shape,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return ones, in the default floating dtype.

    Example:
        >>> ones((2,)).tolist()
        [1.0, 1.0]
    """
    return _filled("ones", shape, 1, dtype or dtypes.default_dtype(), device, like, backend)


def empty(
    shape: Shape,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return a tensor with values that nobody should rely on (zeros: no op writes in place).

    Example:
        >>> empty((2,)).shape
        (2,)
    """
    return _filled("empty", shape, 0, dtype or dtypes.default_dtype(), device, like, backend)
