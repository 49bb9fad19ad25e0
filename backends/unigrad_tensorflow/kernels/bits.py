"""Logic and bits: one op for bools and integers, which TensorFlow tells apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.kernels.values import values_of
from unigrad_tensorflow.private import eager_context
from unigrad_tensorflow.raw import binary, for_bools, of_dtypes, unary

Binary = Callable[[Any, Any], Any]
#: Integers, the commonest first.
_INTEGERS = (
    tf.int64, tf.int32, tf.int16, tf.int8, tf.uint64, tf.uint32, tf.uint16, tf.uint8,
)  # fmt: skip


def _of_bools(name: str, bits: str) -> Binary:
    """Return a bit op, which TensorFlow has for integers only, with the logical op for bools."""
    return binary(bits, of_others=for_bools(binary(name)))


def _as_bool(x: Any) -> Any:
    if x.dtype is tf.bool:
        return x
    if x.dtype.is_complex:
        # TensorFlow's cast looks at the real part alone.
        return tf.not_equal(x, tf.zeros((), x.dtype))
    return x if x.dtype == tf.bool else tf.cast(x, tf.bool)


def _of_truths(name: str) -> Binary:
    """Return a logical op of anything: a number counts as its being other than 0."""

    def of_others(x: Any, y: Any) -> Any:
        bools = _as_bool(x), _as_bool(y)
        return None if bools[0] is x and bools[1] is y else of_bools(*bools)

    of_bools = binary(name, of_others=of_others)
    return of_bools


#: How to read distances, so that negative ones are beyond any width, and the width.
_WIDTHS = {one: (np.dtype(f"u{one.size}"), one.size * 8) for one in _INTEGERS}


def _all_within(distances: Any, dtype: Any) -> bool:
    # What is no integer the op refuses.
    unsigned, width = _WIDTHS.get(dtype, (distances.dtype, 0))
    return bool(distances.view(unsigned).max() < width)


def _shift(name: str, right: bool) -> Binary:
    """Return a shift that is defined for every distance: all bits go."""
    op = binary(name)

    def run(x: Any, y: Any) -> Any:
        distances = values_of(y)
        if distances is not None and distances.size and _all_within(distances, y.dtype):
            return op(x, y)
        zero = tf.zeros((), x.dtype)
        inside = (y >= zero) & (y < tf.constant(x.dtype.size * 8, y.dtype))
        shifted = op(x, tf.where(inside, y, zero))
        signed = right and not x.dtype.is_unsigned
        gone = tf.where(x < zero, tf.constant(-1, x.dtype), zero) if signed else zero
        return tf.where(inside, shifted, gone)

    return run


def _logical_xor(x: Any, y: Any) -> Any:
    return tf.not_equal(_as_bool(x), _as_bool(y))


def _logical_not(x: Any) -> Any:
    """The op; in graphs TensorFlow's optimiser makes x ≤ y of ¬(x > y), which differs for NaN."""
    if eager_context() is None:
        return tf.raw_ops.NotEqual(x=_as_bool(x), y=True)
    return _raw_not(x)


_raw_not = of_dtypes((tf.bool,), "LogicalNot", lambda x: tf.raw_ops.LogicalNot(x=_as_bool(x)))


def _invert(x: Any) -> Any:
    return _logical_not(x) if x.dtype is tf.bool else _raw_invert(x)


_raw_invert = unary("Invert")

TABLE = {
    "logical_and": _of_truths("LogicalAnd"),
    "logical_or": _of_truths("LogicalOr"),
    "logical_xor": _logical_xor,
    "logical_not": _logical_not,
    "bitwise_and": _of_bools("LogicalAnd", "BitwiseAnd"),
    "bitwise_or": _of_bools("LogicalOr", "BitwiseOr"),
    "bitwise_xor": binary("BitwiseXor", of_others=for_bools(tf.not_equal)),
    "bitwise_invert": of_dtypes(_INTEGERS, "Invert", _invert),
    "bitwise_left_shift": _shift("LeftShift", right=False),
    "bitwise_right_shift": _shift("RightShift", right=True),
}
