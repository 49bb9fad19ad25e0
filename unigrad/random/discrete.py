"""Discrete distributions: integers, coin flips, categories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, normalize_axis
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.comparison import greater, less
from unigrad.ops.reductions import argmax
from unigrad.random.continuous import gumbel
from unigrad.random.keys import as_key, draw_shape, fitting, parameter
from unigrad.random.uniforms import between

__all__ = ["bernoulli", "categorical", "randint"]

_randint = primitive("random_randint")


def randint(
    key: TensorLike,
    shape: int | Sequence[int],
    minval: TensorLike,
    maxval: TensorLike,
    dtype: DTypeLike = "int64",
) -> Tensor:
    """Return uniform integers in [minval, maxval); ``minval`` where the range is empty.

    Random bits are taken modulo the range, twice as many as the dtype has (at least 64) while the
    range is below the square root of its size, so the bias is at most 2⁻³² (2⁻⁶⁴ for 64 bits); a
    wider range has that of half as many bits. ``maxval`` may be one more than the dtype holds.

    Raises:
        ShapeError: when a bound does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` or a bound is no integer, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> randint(key(0), (4,), 0, 10).tolist()
        [5, 1, 5, 7]
    """
    key = as_key("randint", key)
    chosen = dtypes.as_dtype(dtype)
    if chosen not in dtypes.INTEGER:
        raise DTypeError(f"random.randint: the dtype must be an integer, not {chosen.name}")
    # Narrow integers are drawn in 32 bits, where one more than their largest can be said.
    drawn = dtypes.int32 if chosen.itemsize < 4 else chosen
    limits = np.iinfo(chosen)
    most = int(limits.max) + (chosen.itemsize < 4)
    low, _ = _bound(key, minval, int(limits.min), int(limits.max), drawn)
    high, over = _bound(key, maxval, int(limits.min), most, drawn)
    wanted = fitting("randint", draw_shape("randint", shape), low, high)
    if chosen.itemsize < 4:
        over = constant(key, False, dtypes.bool_)
    return cast(_randint(key, low, high, over, shape=wanted), chosen)


def _bound(
    key: Tensor, value: TensorLike, least: int, most: int, dtype: DType
) -> tuple[Tensor, Tensor]:
    """Return a bound within limits and whether it was above them."""
    if isinstance(value, (int, np.integer)):
        number = int(value)
        clipped = constant(key, min(max(number, least), most), dtype)
        return clipped, constant(key, number > most, dtypes.bool_)
    tensor = as_tensor(value, key)
    if tensor.dtype not in dtypes.INTEGER:
        raise DTypeError(f"random.randint: bounds are integers, not {tensor.dtype.name}")
    limits = np.iinfo(tensor.dtype)
    over = constant(key, False, dtypes.bool_)
    if limits.max > most:
        over, tensor = greater(tensor, most), minimum(tensor, most)
    if limits.min < least:
        tensor = maximum(tensor, least)
    return cast(tensor, dtype), over


def bernoulli(
    key: TensorLike, p: TensorLike = 0.5, shape: int | Sequence[int] | None = None
) -> Tensor:
    """Return bools that are true with probability ``p``: uniform draws in its dtype, less than it.

    A Python number takes the default dtype. ``shape`` is by default that of ``p``.

    Raises:
        ShapeError: when ``p`` does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``p`` is a tensor that is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> bernoulli(key(0), 0.5, (4,)).tolist()
        [False, False, True, True]
    """
    key = as_key("bernoulli", key)
    if isinstance(p, (int, float)):
        chance = parameter("bernoulli", key, p, dtypes.default_dtype())
    else:
        chance = as_tensor(p, key)
        if chance.dtype not in dtypes.FLOATING:
            raise DTypeError(f"random.bernoulli: p must be floating, not {chance.dtype.name}")
    wanted = chance.shape if shape is None else draw_shape("bernoulli", shape)
    fitting("bernoulli", wanted, chance)
    return less(between(key, wanted, chance.dtype, 0.0, 1.0), chance)


def categorical(
    key: TensorLike,
    logits: TensorLike,
    axis: int = -1,
    shape: int | Sequence[int] | None = None,
) -> Tensor:
    """Return indices along ``axis``, drawn with probabilities softmax(logits).

    The largest of logits plus Gumbel noise wins (the Gumbel-max trick). ``shape`` is by default
    that of the logits without the axis; the latter must broadcast to its last axes.

    Raises:
        ShapeError: when ``axis`` is out of range or ``shape`` does not fit, or ``key`` is no key.
        DTypeError: when the logits are complex, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> categorical(key(0), [0.0, float("-inf")], shape=(3,)).tolist()
        [0, 0, 0]
    """
    name = "categorical"
    key = as_key(name, key)
    logits = as_tensor(logits, key)
    dtype = logits.dtype if logits.dtype in dtypes.FLOATING else dtypes.default_dtype()
    logits = parameter(name, key, logits, dtype)
    place = normalize_axis(f"random.{name}", axis, logits.ndim) - logits.ndim
    batch = tuple(n for i, n in enumerate(logits.shape, -logits.ndim) if i != place)
    wanted = batch if shape is None else draw_shape(name, shape)
    try:
        fits = np.broadcast_shapes(batch, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"random.{name}: logits for {batch} do not broadcast to {wanted}")
    noisy = list(wanted)
    noisy.insert(len(wanted) + place + 1, logits.shape[place])
    return argmax(gumbel(key, noisy, dtype) + logits, axis=place)
