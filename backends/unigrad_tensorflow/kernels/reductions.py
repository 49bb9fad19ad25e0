"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.kernels.values import has_no_nan, has_values
from unigrad_tensorflow.private import eager_context
from unigrad_tensorflow.raw import BINDERS, raw, settled, unary
from unigrad_tensorflow.whole import as_graph

Axis = tuple[int, ...] | None
Reduction = Callable[[Any, Axis, bool], Any]

_constants: dict[tuple[int, ...], Any] = {}


def axes_of(x: Any, axis: Axis) -> Any:
    """Return axes as TensorFlow takes them soonest: a tensor that is kept, outside of graphs."""
    if axis is None:
        axis = tuple(range(x.shape.rank))
    if eager_context() is None:
        return np.array(axis, np.int32)
    try:
        return _constants[axis]
    except KeyError:
        kept = _constants[axis] = tf.constant(axis, tf.int32, (len(axis),))
        return kept


def _reduction(name: str) -> Reduction:
    """Return a raw reduction."""
    op, kept = (raw(name, "input", "axis", keeps=1, keep_dims=one) for one in (False, True))

    def run(x: Any, axis: Axis, keepdims: bool) -> Any:
        axes = tuple(range(x.shape.rank)) if axis is None else axis
        return (kept if keepdims else op)(x, axes)

    def bind(axis: Axis, keepdims: bool) -> Callable[[Any], Any]:
        chosen = kept if keepdims else op
        if axis is not None:
            return settled(chosen, axis)
        return lambda x: chosen(x, tuple(range(x.shape.rank)))

    BINDERS[run] = bind
    return run


def _half(x: Any) -> bool:
    """Tell whether a dtype is too coarse to add or multiply many numbers in."""
    dtype = x.dtype
    return dtype is tf.float16 or dtype is tf.bfloat16


def _widely(name: str) -> Reduction:
    """Return a raw reduction that computes half precision in float32 and rounds once."""
    plain = _reduction(name)

    def run(x: Any, axis: Axis, keepdims: bool) -> Any:
        if _half(x):
            return tf.cast(plain(tf.cast(x, tf.float32), axis, keepdims), x.dtype)
        return plain(x, axis, keepdims)

    def bind(axis: Axis, keepdims: bool) -> Callable[[Any], Any]:
        quick = BINDERS[plain](axis, keepdims)
        return lambda x: run(x, axis, keepdims) if _half(x) else quick(x)

    BINDERS[run] = bind
    return run


_sum = _widely("Sum")


def _extremum(op: str, name: str) -> Reduction:
    """Return a raw Max or Min, whose own derivative of a NaN is not at the NaNs alone."""
    plain = by_rule(op, _reduction(name))
    of_bools = _reduction("Any" if name == "Max" else "All")

    def run(x: Any, axis: Axis, keepdims: bool) -> Any:
        shape = x.shape.as_list()
        if 0 in shape and (axis is None or 0 in [shape[i] for i in axis]):
            raise ValueError("no elements to choose from")
        if x.dtype == tf.bool:
            return of_bools(x, axis, keepdims)
        return plain(x, axis=axis, keepdims=keepdims)

    def bind(axis: Axis, keepdims: bool) -> Callable[[Any], Any]:
        quick = BINDERS[plain](axis=axis, keepdims=keepdims)

        def run_bound(x: Any) -> Any:
            if x.dtype is tf.bool or 0 in x.shape.as_list():
                return run(x, axis, keepdims)
            return quick(x)

        return run_bound

    BINDERS[run] = bind
    return run


def _cumulative_sum(x: Any, axis: int, reverse: bool) -> Any:
    if _half(x):
        return tf.cast(_cumulative_sum(tf.cast(x, tf.float32), axis, reverse), x.dtype)
    return (_backward_sum if reverse else _forward_sum)(x, axis)


_forward_sum = raw("Cumsum", "x", "axis", keeps=1, exclusive=False, reverse=False)
_backward_sum = raw("Cumsum", "x", "axis", keeps=1, exclusive=False, reverse=True)


def _cumulative_prod(x: Any, axis: int) -> Any:
    if _half(x):
        return tf.cast(_cumulative_prod(tf.cast(x, tf.float32), axis), x.dtype)
    return tf.raw_ops.Cumprod(x=x, axis=axis, exclusive=False, reverse=False)


def _extremes(greatest: bool) -> Callable[[Any, int], Any]:
    """Return running extremes over windows that double; TensorFlow has none."""
    choose = (tf.maximum, tf.logical_or) if greatest else (tf.minimum, tf.logical_and)

    def run(x: Any, axis: int) -> Any:
        length, window = x.shape[axis], 1
        before = [slice(None)] * axis
        pick = choose[x.dtype == tf.bool]
        while window < length:
            first, behind = x[(*before, slice(window))], x[(*before, slice(window, None))]
            joined = pick(x[(*before, slice(length - window))], behind)
            x, window = tf.concat([first, joined], axis), 2 * window
        return tf.identity(x)

    return run


def _index(name: str) -> Callable[[Any, int], Any]:
    """Return a raw ArgMax or ArgMin that finds the first NaN, which TensorFlow passes over."""
    op = raw(name, "input", "dimension", keeps=1, output_type=tf.int64)

    def run(x: Any, axis: int) -> Any:
        return checked(op(x, axis), x, axis)

    def checked(found: Any, x: Any, axis: int) -> Any:
        # On the host a look at the values is cheaper than three ops.
        dtype = x.dtype
        if (dtype is not tf.float32 and not dtype.is_floating) or has_no_nan(x):
            return found
        nan = tf.raw_ops.NotEqual(x=x, y=x)
        first = tf.raw_ops.ArgMax(input=nan, dimension=axis, output_type=tf.int64)
        any_nan = tf.raw_ops.Any(input=nan, axis=axes_of(x, (axis,)), keep_dims=False)
        return tf.raw_ops.SelectV2(condition=any_nan, t=first, e=found)

    def bind(axis: int) -> Callable[[Any], Any]:
        along = settled(op, axis)
        return lambda x: checked(along(x), x, axis)

    BINDERS[run] = bind
    return run


_square, _sqrt, _mean = unary("Square"), unary("Sqrt"), _widely("Mean")


def _std(x: Any, axis: Axis, correction: float, keepdims: bool) -> Any:
    """√(Σ (x - mean)² / (n - c)): equal elements give 0, and no square leaves the range."""
    if _half(x):
        return tf.cast(_std(tf.cast(x, tf.float32), axis, correction, keepdims), x.dtype)
    shape = x.shape.as_list()
    size = math.prod(shape if axis is None else [shape[i] for i in axis])
    count = max(size - correction, 0.0)
    mean = _mean(x, axis, True)
    deviation = x - mean
    if not size or not count:
        return _sqrt(_sum(_square(deviation), axis, keepdims) / tf.constant(count, x.dtype))
    variance = _sum(_square(deviation), axis, keepdims) / tf.constant(count, x.dtype)
    if has_values(x) and _is_ordinary(variance.numpy(), mean.numpy()):
        return _sqrt(variance)
    peak = _peak(tf.abs(deviation), axis, True)
    edge, shift = _REACH[x.dtype]
    one = tf.ones((), x.dtype)
    scale = tf.where(peak > edge, one / shift, tf.where(peak < 1 / edge, one * shift, one))
    squares = _sum(_square(deviation * scale), axis, True) / tf.constant(count, x.dtype)
    # The mean of equal elements may be rounded.
    equal = _peak(x, axis, True) == _trough(x, axis, True)
    found = tf.where(equal, tf.zeros((), x.dtype), _sqrt(squares) / scale)
    return found if keepdims else tf.squeeze(found, axis)


_peak, _trough = _reduction("Max"), _reduction("Min")
#: As in `unigrad.ops.statistics.in_range`.
_REACH = {tf.float32: (2.0**40, 2.0**85), tf.float64: (2.0**400, 2.0**600)}
#: Between these a sum of squares has lost nothing that counts, by dtype.
_SAFE = {"float32": (2.0**-80, 2.0**120), "float64": (2.0**-800, 2.0**1000)}


def _is_ordinary(variance: Any, mean: Any) -> bool:
    """Tell whether variances are in range, and beyond what the rounding of means can make."""
    low, high = _SAFE[variance.dtype.name]
    rounding = (64.0 * float(np.finfo(variance.dtype).eps)) ** 2
    if variance.size == 1:
        found = variance.item()
        return bool(low < found < high and found > rounding * mean.item() ** 2)
    mean = mean.reshape(variance.shape)
    with np.errstate(over="ignore"):
        beyond = variance > rounding * mean * mean
    return bool(((variance > low) & (variance < high) & beyond).all())


TABLE = {
    "std": by_rule("std", _std),
    "sum": _sum,
    "mean": _mean,
    # TensorFlow's derivatives of these are NaN beside a zero, and not those of complex numbers.
    "prod": by_rule("prod", _widely("Prod")),
    "max": _extremum("max", "Max"),
    "min": _extremum("min", "Min"),
    "any": _reduction("Any"),
    "all": _reduction("All"),
    "argmax": _index("ArgMax"),
    "argmin": _index("ArgMin"),
    # In forward mode, and where elements are infinite, a body's derivative is not the rule's.
    "var": by_rule("var", body_of("tensorflow", "var")),
    "norm": by_rule("norm", as_graph(body_of("tensorflow", "norm"))),
    "cumulative_max": by_rule("cumulative_max", as_graph(_extremes(greatest=True))),
    "cumulative_min": by_rule("cumulative_min", as_graph(_extremes(greatest=False))),
    "cumulative_sum": _cumulative_sum,
    "cumulative_prod": by_rule("cumulative_prod", _cumulative_prod),
}
