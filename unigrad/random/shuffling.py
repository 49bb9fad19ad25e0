"""Permutations and samples of given elements."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log, prod

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.indexing import getitem, take, take_along_axis
from unigrad.ops.reductions import all, sum
from unigrad.ops.shaping import reshape
from unigrad.ops.sorting import argsort, searchsorted, top_k
from unigrad.random.discrete import randint
from unigrad.random.exact import gumbel_scores, running_sums, scores_of_chances
from unigrad.random.keys import as_key, bits, checked_key, draw_shape, float_dtype, halves
from unigrad.random.parameters import known, wide
from unigrad.random.uniforms import unit

__all__ = ["choice", "permutation"]


def permutation(key: TensorLike, x: TensorLike, axis: int = 0, independent: bool = False) -> Tensor:
    """Return ``x`` shuffled along an axis, or the integers below ``x`` shuffled.

    With ``independent`` every line along the axis is shuffled on its own. The elements are sorted
    by random 32-bit words, more than once where two words may be equal, as `jax.random` does.

    Raises:
        ShapeError: when ``axis`` is out of range, or ``key`` is no key.
        DTypeError: when ``x`` is a scalar but no integer, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> permutation(key(0), 5).tolist()
        [0, 1, 4, 3, 2]
    """
    key = as_key("permutation", key)
    size = _as_size("permutation", x)
    if size is not None:
        normalize_axis("random.permutation", axis, 1)
        return _shuffled(key, size)
    values = as_tensor(x, key)
    axis = normalize_axis("random.permutation", axis, values.ndim)
    if not independent or values.ndim == 1:
        return take(values, _shuffled(key, values.shape[axis]), axis=axis)
    for _ in range(_rounds(values.size)):
        key, subkey = halves(key)
        values = take_along_axis(values, _ranks(subkey, values.shape, axis), axis=axis)
    return values


def _as_size(name: str, x: TensorLike) -> int | None:
    """Return the number that a scalar stands for, ``None`` for an array.

    Raises:
        DTypeError: when the scalar is no integer.
        ShapeError: when it is negative.
    """
    if isinstance(x, bool) or not isinstance(x, (int, np.integer)):
        if isinstance(x, (bool, float, complex)) or getattr(x, "shape", None) == ():
            raise DTypeError(f"random.{name}: expected an int or an array with axes, not {x!r}")
        return None
    if x < 0:
        raise ShapeError(f"random.{name}: {x} is no number of elements")
    return int(x)


def _rounds(size: int) -> int:
    """Return how many sorts it takes until equal words cannot matter.

    Source: the stop criterion of TensorFlow's tf2xla/random_ops.cc, with the same exponent 3.
    """
    return ceil(3 * log(max(1, size)) / log(2**32 - 1))


def _ranks(key: Tensor, shape: tuple[int, ...], axis: int) -> Tensor:
    """Return the stable order of random words along an axis."""
    # Not every backend sorts uint32.
    return argsort(cast(bits(key, shape), dtypes.int64), axis=axis)


def _shuffled(key: Tensor, size: int) -> Tensor:
    """Return the integers below ``size`` in random order."""
    out: Tensor = _order(key, size=size, rounds=_rounds(size))
    return out


def _random_order(key: Tensor, *, size: int, rounds: int) -> Tensor:
    order = None
    for _ in range(rounds):
        key, subkey = halves(key)
        ranks = _ranks(subkey, (size,), 0)
        order = ranks if order is None else take(order, ranks, axis=0)
    return constant(key, np.arange(size), dtypes.int64) if order is None else order


_order = composite(_random_order)


def choice(
    key: TensorLike,
    a: TensorLike,
    shape: int | Sequence[int] = (),
    replace: bool = True,
    p: TensorLike | None = None,
    axis: int = 0,
) -> Tensor:
    """Return elements of ``a`` along an axis (or integers below ``a``), drawn at random.

    ``p`` are their probabilities, up to a factor; all alike by default. ``replace=False`` draws
    none twice. The axis is replaced by the axes of ``shape``.

    With ``p`` a uniform number is looked up in running sums, which are added in the order of
    `jax.random` on CPUs (in float32 for half precision); without replacement, the largest of
    log p plus Gumbel noise are taken, both in integers. So every backend draws the same indices.

    In a compiled program, a ``p`` that is no distribution gives the index -1.

    Raises:
        SettingError: when ``p`` has a negative number, one that is not finite, zeros only, or,
            without replacement, fewer positive numbers than are drawn.
        ShapeError: when there are too few elements, ``p`` has another length, or ``key`` is no key.
        DTypeError: when ``a`` is a scalar but no integer, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> choice(key(0), 5, (3,), replace=False).tolist()
        [0, 1, 4]
    """
    # A draw of equal chances is that of `randint`, which uses the key up.
    key = (checked_key if p is None and replace else as_key)("choice", key)
    wanted = draw_shape("choice", shape)
    size = _as_size("choice", a)
    if size is None:
        a = as_tensor(a, key)
        axis = normalize_axis("random.choice", axis, a.ndim)
        size = a.shape[axis]
        return take(a, _chosen(key, size, wanted, replace, p), axis=axis)
    return _chosen(key, size, wanted, replace, p)


def _chosen(
    key: Tensor, size: int, shape: tuple[int, ...], replace: bool, p: TensorLike | None
) -> Tensor:
    """Return indices of this shape among ``size`` ones."""
    count = prod(shape)
    if count == 0:
        return constant(key, np.zeros(shape, np.int64), dtypes.int64)
    if size == 0 or (not replace and count > size):
        raise ShapeError(f"random.choice: {count} draws from {size} elements")
    if p is None:
        if replace:
            return randint(key, shape, 0, size)
        return reshape(getitem(_shuffled(key, size), slice(count)), shape)
    chances = as_tensor(p, key)
    chances = cast(chances, float_dtype("choice", chances.dtype))
    if chances.shape != (size,):
        raise ShapeError(f"random.choice: p has shape {chances.shape}, expected ({size},)")
    right = _possible(chances, p, 1 if replace else count)
    if replace:
        bounds = running_sums(cast(chances, wide(chances.dtype)))
        rest = 1.0 - unit(key, shape, bounds.dtype)
        found = searchsorted(bounds, getitem(bounds, -1) * rest)
    else:
        scores = gumbel_scores(key, (size,), chances.dtype) + scores_of_chances(chances)
        found = reshape(top_k(scores, count)[1], shape)
    return found if right is None else where(right, found, -1)


def _possible(chances: Tensor, p: TensorLike, count: int) -> Tensor | None:
    """Return whether so many may be drawn by probabilities, ``None`` if it is seen that they may.

    Raises:
        SettingError: when it is seen that they may not.
    """
    values = known(chances, p)
    if values is None:
        some = sum(cast(chances > 0.0, dtypes.int64)) >= count
        return some & all((chances >= 0.0) & (chances < np.inf))
    exact = values.astype(np.float64)
    if not (np.isfinite(exact) & (exact >= 0)).all():
        raise SettingError("random.choice: p is finite and not negative")
    if not exact.any() and (exact.size or exact.ndim == 1):
        raise SettingError("random.choice: p has nothing positive")
    if ((exact > 0).sum(-1) < count).any():
        raise SettingError(
            f"random.choice: {count} numbers of p must be positive for as many draws without "
            f"replacement, not {int((exact > 0).sum(-1).min())}"
        )
    return None
