"""Keys: making them, splitting them, and the bits behind every draw.

A key is a uint32 tensor of shape (2,). It lives on a backend and a device, and so does what is
drawn from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, visible
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError, SettingError, ShapeError, UnigradError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.creation import from_host
from unigrad.ops.joining import unstack
from unigrad.ops.shaping import as_integer, as_shape
from unigrad.random import reuse

_bits = primitive("random_bits")
_split = primitive("random_split")
_fold_in = primitive("random_fold_in")

_WORD = 0xFFFFFFFF


class SeedError(UnigradError, OverflowError, ValueError):
    """A seed is no 64-bit integer."""


def key(
    seed: int, *, device: str | None = None, like: Any = None, backend: str | None = None
) -> Tensor:
    """Return the key of a seed: the two halves of its 64 bits.

    What is drawn from it lives where it does: on the current backend, or on that of a tensor
    ``like``, or on the one that is named.

    Raises:
        SeedError: when the seed does not fit into int64.
        DTypeError: when it is no integer.

    Example:
        >>> key(42).tolist()
        [0, 42]
    """
    try:
        number = as_integer("random.key", seed)
    except DTypeError:
        raise DTypeError(f"random.key: a seed is an integer, not {seed!r}") from None
    if not -(2**63) <= number < 2**63:
        raise SeedError(f"random.key: the seed {number} does not fit into 64 bits with a sign")
    words = np.array([number >> 32 & _WORD, number & _WORD], dtype=np.uint32)
    return from_host(words, dtypes.uint32, device, like, backend)


def split(key: TensorLike, num: int = 2) -> Tensor:
    """Return ``num`` new keys, shape (num, 2). Iterating over it gives the keys.

    Raises:
        ShapeError: when ``num`` is negative, or ``key`` is no key.
        DTypeError: when ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> split(key(0)).tolist()
        [[1797259609, 2579123966], [928981903, 3453687069]]
    """
    count = draw_shape("split", num)
    if len(count) != 1:
        raise DTypeError(f"random.split: num is an integer, not {num!r}")
    out: Tensor = _split(as_key("split", key), num=count[0])
    return out


def fold_in(key: TensorLike, data: TensorLike) -> Tensor:
    """Return the new key of a key and an integer in [0, 2³²).

    With it a loop draws from ``fold_in(key, step)`` instead of carrying keys along. In a compiled
    program, where nobody can look at it, the integer counts modulo 2³².

    Raises:
        SettingError: when ``data`` is outside of [0, 2³²): another integer has its key.
        ShapeError: when ``data`` is no scalar, or ``key`` is no key.
        DTypeError: when ``data`` is no integer, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> fold_in(key(0), 1).tolist()
        [928981903, 3453687069]
    """
    key = checked_key("fold_in", key)
    if isinstance(data, int) and not isinstance(data, bool):
        _check_words(np.array(data, object))
        # An int beyond 31 bits would overflow where the backend's default integer is int32.
        out: Tensor = _fold_in(key, data if data < 2**31 else constant(key, data, dtypes.uint32))
        return out
    data = as_tensor(data, key)
    if data.dtype not in dtypes.INTEGER:
        raise DTypeError(f"random.fold_in: data is an integer, not {data.dtype.name}")
    if data.shape != ():
        raise ShapeError(f"random.fold_in: data is one integer, not of shape {data.shape}")
    values = visible(data)
    if values is not None:
        _check_words(values)
    out = _fold_in(key, data)
    return out


def _check_words(data: npt.NDArray[Any]) -> None:
    """Raise a SettingError when an integer is none of 32 bits."""
    wrong = (data < 0) | (data > _WORD)
    if np.any(wrong):
        raise SettingError(
            f"random.fold_in: data is in [0, 2³²), not {data[wrong].flat[0]}; another integer has "
            "the key of the same 32 bits"
        )


def bits(key: TensorLike, shape: int | Sequence[int] = (), dtype: DTypeLike = "uint32") -> Tensor:
    """Return uniform random bits as uint8, uint16, uint32 or uint64.

    Raises:
        DTypeError: when ``dtype`` is no unsigned integer, or ``key`` is no key.
        ShapeError: when a length is negative, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> bits(key(0), (2,)).tolist()
        [4070199207, 4202968722]
    """
    chosen = dtypes.as_dtype(dtype)
    if chosen not in dtypes.UNSIGNED:
        raise DTypeError(f"random.bits: bits are unsigned integers, not {chosen.name}")
    out: Tensor = _bits(
        as_key("bits", key), shape=draw_shape("bits", shape), bit_width=8 * chosen.itemsize
    )
    return out


# -- what all draws share


def as_key(name: str, key: TensorLike) -> Tensor:
    """Return a key that is used up by this draw as a Tensor. Raises as `checked_key`."""
    tensor = checked_key(name, key)
    if reuse.watching:
        reuse.note(name, tensor)
    return tensor


def checked_key(name: str, key: TensorLike) -> Tensor:
    """Return a key as a Tensor.

    Raises:
        DTypeError: when its dtype is not uint32.
        ShapeError: when its shape is not (2,).
    """
    tensor = as_tensor(key)
    if tensor.dtype != dtypes.uint32:
        raise DTypeError(
            f"random.{name}: a key is a uint32 tensor of shape (2,), made by ug.random.key(seed); "
            f"this one is {tensor.dtype.name}"
        )
    if tensor.shape != (2,):
        raise ShapeError(
            f"random.{name}: a key has shape (2,), not {tensor.shape}; "
            "ug.random.split gives several, to be taken one by one"
        )
    return tensor


def draw_shape(name: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return the shape of a draw as a tuple.

    Raises:
        ShapeError: when a length is negative.
        DTypeError: when a length is no integer.
    """
    wanted = as_shape(f"random.{name}", shape)
    if any(length < 0 for length in wanted):
        raise ShapeError(f"random.{name}: lengths are not negative: {wanted}")
    return wanted


def float_dtype(name: str, dtype: DTypeLike | None) -> DType:
    """Return the dtype of a draw of floats, ``None`` being the default one.

    Raises:
        DTypeError: when it is no real floating dtype.
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if chosen not in dtypes.FLOATING:
        raise DTypeError(f"random.{name}: the dtype must be floating, not {chosen.name}")
    return chosen


def parameter(name: str, key: Tensor, value: TensorLike, dtype: DType) -> Tensor:
    """Return a distribution's parameter as a Tensor of a dtype, beside the key."""
    if isinstance(value, (int, float)):
        # What is beyond the dtype's range is infinite, and told of by those who look at domains.
        with np.errstate(over="ignore"):
            return constant(key, value, dtype)
    tensor = as_tensor(value, key)
    if tensor.dtype in dtypes.COMPLEX:
        raise DTypeError(f"random.{name}: parameters are real, not {tensor.dtype.name}")
    return cast(tensor, dtype)


def fitting(name: str, shape: tuple[int, ...], *parameters: Any) -> tuple[int, ...]:
    """Return the shape of a draw after checking that parameters broadcast to it.

    Raises:
        ShapeError: when one does not.
    """
    for one in parameters:
        try:
            fits = np.broadcast_shapes(one.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise ShapeError(
                f"random.{name}: a parameter of shape {one.shape} does not broadcast to {shape}"
            )
    return shape


def common_shape(name: str, *parameters: Any) -> tuple[int, ...]:
    """Return the shape that parameters broadcast to.

    Raises:
        ShapeError: when they do not.
    """
    shapes = [one.shape for one in parameters]
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ShapeError(f"random.{name}: the shapes do not broadcast: {shapes}") from None


def parts(key: Tensor, num: int) -> tuple[Tensor, ...]:
    """Return new keys of one that a draw has used up."""
    return tuple(unstack(_split(key, num=num)))


def halves(key: Tensor) -> tuple[Tensor, Tensor]:
    """Return two new keys of one."""
    first, second = parts(key, 2)
    return first, second
