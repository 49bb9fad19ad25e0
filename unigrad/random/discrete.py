"""Discrete distributions: integers, coin flips, categories. The same on every backend, exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, visible
from unigrad.core.axes import normalize_axis
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.comparison import greater, less, where
from unigrad.ops.reductions import all, argmax, sum
from unigrad.ops.shaping import moveaxis, reshape
from unigrad.ops.sorting import top_k
from unigrad.random.exact import gumbel_scores, scores_of_logits
from unigrad.random.keys import as_key, draw_shape, fitting, parameter
from unigrad.random.parameters import CHANCE, known, within
from unigrad.random.uniforms import between

__all__ = ["bernoulli", "categorical", "dropout_mask", "rademacher", "randint"]

_randint = primitive("random_randint")


def randint(
    key: TensorLike,
    shape: int | Sequence[int],
    minval: TensorLike,
    maxval: TensorLike,
    dtype: DTypeLike = "int64",
) -> Tensor:
    """Return uniform integers in [minval, maxval); ``minval`` where the two are equal.

    Random bits are taken modulo the range, twice as many as the dtype has (at least 64) while the
    range is below the square root of its size, so the bias is at most 2⁻³² (2⁻⁶⁴ for 64 bits); a
    wider range has that of half as many bits. ``maxval`` may be one more than the dtype holds. In a
    compiled program, a ``minval`` above ``maxval`` is the result.

    Raises:
        SettingError: when ``minval`` is above ``maxval``.
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
    _check_range(key, (minval, maxval), (low, high))
    wanted = fitting("randint", draw_shape("randint", shape), low, high)
    if chosen.itemsize < 4:
        over = constant(key, False, dtypes.bool_)
    return cast(_randint(key, low, high, over, shape=wanted), chosen)


def _check_range(
    key: Tensor, bounds: tuple[TensorLike, TensorLike], clipped: tuple[Tensor, Tensor]
) -> None:
    """Raise a SettingError when bounds are the wrong way round for all to see."""
    low, high = [
        np.asarray(one) if isinstance(one, (int, np.integer)) else visible(as_tensor(one, key))
        for one in bounds
    ]
    if low is None or high is None:
        return
    # Under vmap only Tensors know which axis of their values is the batch's.
    batched = any(isinstance(one, Tensor) and one.backend.depth for one in bounds)
    wrong = visible(greater(*clipped)) if batched else low > high
    if np.any(wrong):
        raise SettingError(
            f"random.randint: minval is at most maxval, not {low.tolist()} and {high.tolist()}"
        )


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
        SettingError: when ``p`` is not in [0, 1].
        ShapeError: when ``p`` does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``p`` is a tensor that is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> bernoulli(key(0), 0.5, (4,)).tolist()
        [False, False, True, True]
    """
    return _coins("bernoulli", "p", key, p, shape)


def _coins(
    name: str,
    what: str,
    key: TensorLike,
    p: TensorLike,
    shape: int | Sequence[int] | None,
    chance_of: Callable[[Any], Any] = lambda p: p,
) -> Tensor:
    """Return bools, true with a chance that is a function of the parameter ``p``."""
    key = as_key(name, key)
    number = isinstance(p, (int, float))
    given = parameter(name, key, p, dtypes.default_dtype()) if number else as_tensor(p, key)
    if given.dtype not in dtypes.FLOATING:
        raise DTypeError(f"random.{name}: {what} must be floating, not {given.dtype.name}")
    given = within(name, what, given, CHANCE, p)
    # Of a Python number: 1 - p is rounded once.
    chance = parameter(name, key, chance_of(p), given.dtype) if number else chance_of(given)
    wanted = chance.shape if shape is None else draw_shape(name, shape)
    fitting(name, wanted, chance)
    return less(between(key, wanted, chance.dtype, 0.0, 1.0), chance)


def dropout_mask(
    key: TensorLike, rate: TensorLike, shape: int | Sequence[int] | None = None
) -> Tensor:
    """Return bools that are false with probability ``rate``: what dropout keeps.

    Raises: as `bernoulli`.

    Example:
        >>> from unigrad.random import key
        >>> dropout_mask(key(0), 0.5, (4,)).tolist()
        [False, False, True, True]
    """
    return _coins("dropout_mask", "rate", key, rate, shape, lambda rate: 1.0 - rate)


def rademacher(
    key: TensorLike, shape: int | Sequence[int] = (), dtype: DTypeLike = "int64"
) -> Tensor:
    """Return -1 and 1 with equal chances.

    Raises:
        DTypeError: when ``dtype`` holds no -1, or ``key`` is no key.
        ShapeError: when a length is negative, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> rademacher(key(0), (4,)).tolist()
        [-1, -1, 1, 1]
    """
    chosen = dtypes.as_dtype(dtype)
    if chosen in dtypes.UNSIGNED or chosen == dtypes.bool_:
        raise DTypeError(f"random.rademacher: {chosen.name} holds no -1")
    return cast(_coins("rademacher", "p", key, 0.5, shape), chosen) * 2 - 1


def categorical(
    key: TensorLike,
    logits: TensorLike,
    axis: int = -1,
    shape: int | Sequence[int] | None = None,
    replace: bool = True,
) -> Tensor:
    """Return indices along ``axis``, drawn with probabilities softmax(logits).

    The largest of logits plus Gumbel noise wins (the Gumbel-max trick). Both are computed in
    integers, in units of 2⁻³², so that every backend draws the same. ``shape`` is by default
    that of the logits without the axis; the latter must broadcast to its last axes. With
    ``replace=False`` the axes in front of those are filled with indices none of which comes twice:
    the largest ones of the same noise. In a compiled program, logits of no distribution give -1.

    Raises:
        SettingError: when a logit is NaN or +∞, or fewer than are drawn are above -∞.
        ShapeError: when ``axis`` is out of range, ``shape`` does not fit, or there are more draws
            than categories, or ``key`` is no key.
        DTypeError: when the logits are complex, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> categorical(key(0), [0.0, float("-inf")], shape=(3,)).tolist()
        [0, 0, 0]
        >>> sorted(categorical(key(0), [0.0, 1.0, 2.0], shape=(3,), replace=False).tolist())
        [0, 1, 2]
    """
    name = "categorical"
    key = as_key(name, key)
    given, logits = logits, as_tensor(logits, key)
    dtype = logits.dtype if logits.dtype in dtypes.FLOATING else dtypes.default_dtype()
    logits = parameter(name, key, logits, dtype)
    place = normalize_axis(f"random.{name}", axis, logits.ndim) - logits.ndim
    batch = tuple(n for i, n in enumerate(logits.shape, -logits.ndim) if i != place)
    wanted = batch if shape is None else draw_shape(name, shape)
    _check_batch(name, batch, wanted)
    count = 1 if replace else prod(wanted[: len(wanted) - len(batch)])
    right = _possible(name, logits, given, place, count if prod(wanted) else 0)
    scores = scores_of_logits(logits, place)
    if replace:
        noisy = list(wanted)
        noisy.insert(len(wanted) + place + 1, logits.shape[place])
        found = argmax(gumbel_scores(key, tuple(noisy), dtype) + scores, axis=place)
    else:
        found = _without_replacement(name, key, scores, place, batch, wanted, dtype)
    return found if right is None else where(right, found, -1)


def _possible(name: str, logits: Tensor, given: TensorLike, axis: int, count: int) -> Tensor | None:
    """Return where logits have so many categories to be drawn, ``None`` if it is seen that all do.

    Raises:
        SettingError: when it is seen that some have not.
    """
    values = known(logits, given)
    if values is None:
        some = sum(cast(logits > -np.inf, dtypes.int64), axis=axis) >= count
        return some & all(logits < np.inf, axis=axis)
    exact = values.astype(np.float64)
    if not (exact < np.inf).all():
        wrong = exact[~(exact < np.inf)].flat[0]
        raise SettingError(f"random.{name}: logits are finite or -inf, not {wrong}")
    if ((exact > -np.inf).sum(axis) < min(count, exact.shape[axis])).any():
        raise SettingError(
            f"random.{name}: {count} of the logits must be above -inf for as many draws"
        )
    return None


def _check_batch(name: str, batch: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raise a ShapeError unless the shape of the logits' batch broadcasts to that of the draw."""
    try:
        fits = np.broadcast_shapes(batch, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"random.{name}: logits for {batch} do not broadcast to {wanted}")


def _without_replacement(
    name: str,
    key: Tensor,
    scores: Tensor,
    axis: int,
    batch: tuple[int, ...],
    wanted: tuple[int, ...],
    dtype: DType,
) -> Tensor:
    """Return the places of the largest noisy scores; they fill the axes before the batch's."""
    front = wanted[: len(wanted) - len(batch)]
    count, size = prod(front), scores.shape[axis]
    if wanted[len(front) :] != batch:
        raise ShapeError(
            f"random.{name}: without replacement, the last axes of {wanted} are those of the "
            f"logits, {batch}"
        )
    if count > size:
        raise ShapeError(f"random.{name}: {count} draws without replacement from {size} categories")
    noisy = gumbel_scores(key, scores.shape, dtype) + scores
    found = top_k(noisy, count, axis=axis)[1]
    return reshape(moveaxis(found, axis, 0), wanted)
