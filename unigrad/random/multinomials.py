"""How often each category comes in several draws. The same on every backend, exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, constant, visible
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import minimum
from unigrad.ops.comparison import isnan, where
from unigrad.ops.joining import concat, stack
from unigrad.ops.shaping import broadcast_to, expand_dims, reshape
from unigrad.random.counts import binomial
from unigrad.random.keys import as_key, draw_shape, fitting, parts
from unigrad.random.parameters import COUNT, Domain, parameters

__all__ = ["multinomial"]

_WEIGHT = Domain("not negative, and finite", lambda x: (x >= 0) & (x < np.inf))


def multinomial(
    key: TensorLike,
    n: TensorLike,
    p: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike = "int64",
) -> Tensor:
    """Return how often each category comes in ``n`` draws, along the last axis.

    The chances of the categories are ``p`` (…, k) divided by their sum. The draws are shared out
    between two halves of the categories by a binomial draw, those of each half between its halves,
    and so on: log₂ k draws of `binomial`. ``shape`` is that of the result without the last axis, by
    default what ``n`` and the axes before the last one of ``p`` broadcast to. In a compiled
    program, parameters of no distribution give -1 (NaN among floats).

    Raises:
        SettingError: when ``n`` is no whole number in [0, 2⁴²], one of ``p`` is negative, infinite
            or NaN, or all are 0.
        ShapeError: when ``p`` has no categories, a parameter does not broadcast to ``shape``, or
            ``key`` is no key.
        DTypeError: when ``dtype`` is complex or bool, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> multinomial(key(0), 5, [0.0, 1.0]).tolist()
        [0, 5]

    Source: Davis, "The computer generation of multinomial random variates" (1993): conditional
    binomial draws.
    """
    name = "multinomial"
    key = as_key(name, key)
    chosen = dtypes.as_dtype(dtype)
    if chosen not in dtypes.INTEGER and chosen not in dtypes.FLOATING:
        raise DTypeError(f"random.{name}: counts are integers or floats, not {chosen.name}")
    given = (("n", n, COUNT), ("p", p, _WEIGHT))
    trials, weights = parameters(name, key, dtypes.float64, given)
    if not weights.ndim or not weights.shape[-1]:
        raise ShapeError(f"random.{name}: p of shape {weights.shape} has no categories")
    size = weights.shape[-1]
    batch = (trials.shape, weights.shape[:-1])
    try:
        wanted = np.broadcast_shapes(*batch) if shape is None else draw_shape(name, shape)
    except ValueError:
        raise ShapeError(f"random.{name}: the shapes do not broadcast: {batch}") from None
    fitting(name, wanted, trials, weights[..., 0])
    levels = _sums_of_halves(broadcast_to(weights, (*wanted, size)))
    whole = levels[-1][..., 0]
    _check_sum(name, whole)
    wrong = isnan(trials) | isnan(whole) | (~(whole > 0.0))
    count = expand_dims(broadcast_to(where(wrong, 0.0, trials), wanted), axis=-1)
    keys = parts(key, max(len(levels) - 1, 1))
    for subkey, level in zip(keys, reversed(levels[:-1]), strict=False):
        left, right = level[..., 0::2], level[..., 1::2]
        both = left + right
        some = both > 0.0
        part = where(some, left / where(some, both, 1.0), 0.0)
        first = binomial(subkey, count, part, dtype="float64")
        count = reshape(stack([first, count - first], axis=-1), level.shape)
    found = count[..., :size]
    if visible(wrong) is None:
        missing = -1 if chosen in dtypes.INTEGER else np.nan
        found = where(expand_dims(wrong, axis=-1), missing, found)
    if chosen in dtypes.INTEGER:
        found = minimum(found, float(min(np.iinfo(chosen).max, 2**62)))
    return cast(found, chosen)


def _sums_of_halves(weights: Tensor) -> list[Tensor]:
    """Return weights, as many as a power of two, and the sums of pairs, and of pairs of those."""
    size = weights.shape[-1]
    full = 1 << (size - 1).bit_length()
    if full > size:
        nothing = broadcast_to(constant(weights, 0.0), (*weights.shape[:-1], full - size))
        weights = concat([weights, nothing], axis=-1)
    levels = [weights]
    while levels[-1].shape[-1] > 1:
        levels.append(levels[-1][..., 0::2] + levels[-1][..., 1::2])
    return levels


def _check_sum(name: str, whole: Tensor) -> None:
    """Raise a SettingError when it is seen that no category has a chance, or one no number."""
    values = visible(whole)
    if values is not None and not ((values > 0) & (values < np.inf)).all():
        raise SettingError(f"random.{name}: the sum of p is positive and finite")
