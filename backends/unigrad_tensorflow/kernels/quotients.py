"""Quotients rounded down, what is left of them, and common divisors.

TensorFlow rounds x / y before it rounds down; integers by 0 give 0 here (the front end raises).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.kernels.neighbours import signed
from unigrad_tensorflow.kernels.values import may_be_read, own_memory, values_of
from unigrad_tensorflow.private import could_possibly_record
from unigrad_tensorflow.raw import binary, unary

Binary = Callable[[Any, Any], Any]

_abs, _floor = unary("Abs"), unary("Floor")
_real_divide, _floor_mod = binary("RealDiv"), binary("FloorMod")


def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y."""
    return _abs(x) * signed(y)


def floor_divide(x: Any, y: Any) -> Any:
    """⌊x / y⌋ from the exact remainder: TensorFlow's own rounds x / y first."""
    tensor = y if isinstance(x, (int, float)) else x
    if tensor is y:
        x = tf.convert_to_tensor(x, tensor.dtype)
    elif isinstance(y, (int, float)):
        y = tf.convert_to_tensor(y, tensor.dtype)
    if not tensor.dtype.is_floating:
        return _integer_quotient(x, y)
    if tensor.dtype.size == 2:
        # TensorFlow has no remainder of half precision that is exact.
        wide = floor_divide(tf.cast(x, tf.float32), tf.cast(y, tf.float32))
        return tf.cast(wide, tensor.dtype)
    ratio = _real_divide(x, y)
    if not could_possibly_record() and may_be_read(ratio) and ratio.shape.rank:
        values = own_memory(ratio)
        floors = np.floor(values)
        if np.count_nonzero(floors < values) == values.size:
            values[...] = floors
            return ratio
    below = _floor(ratio)
    values, floors = values_of(ratio), values_of(below)
    # Rounding up made an integer of a ratio, or nothing is wrong. (NaN is not less.)
    if (
        values is not None
        and floors is not None
        and np.count_nonzero(floors < values) == values.size
    ):
        return below
    rest = tf.raw_ops.TruncateMod(x=x, y=y)
    quotient = (x - rest) / y - tf.cast((rest != 0) & ((rest < 0) != (y < 0)), x.dtype)
    found = tf.where(y == 0, ratio, tf.raw_ops.Rint(x=quotient))
    return tf.stop_gradient(copysign(found, ratio))


def _of_integers(divide: Binary) -> Binary:
    """Return a division whose integer zero divisors give 0 (the front end raises)."""

    def run(x: Any, y: Any) -> Any:
        if may_be_read(y):
            # On the host the library finds zeros itself.
            with suppress(tf.errors.InvalidArgumentError):
                return divide(x, y)
        zero = tf.equal(y, tf.zeros((), y.dtype))
        safe = tf.where(zero, tf.ones((), y.dtype), y)
        return tf.where(zero, tf.zeros((), y.dtype), divide(x, safe))

    return run


_integer_quotient = _of_integers(binary("FloorDiv"))
_integer_remainder = _of_integers(binary("FloorMod"))


def remainder(x: Any, y: Any) -> Any:
    tensor = y if isinstance(x, (int, float)) else x
    if tensor.dtype.is_floating:
        # It has the sign of y; TensorFlow's own zeros have that of x.
        found = _floor_mod(x, y)
        values = values_of(found)
        if values is not None and np.count_nonzero(values) == values.size:
            return found
        return copysign(found, tf.convert_to_tensor(y, tensor.dtype))
    return _integer_remainder(
        tf.convert_to_tensor(x, tensor.dtype), tf.convert_to_tensor(y, tensor.dtype)
    )


def gcd(x: Any, y: Any) -> Any:
    """Euclid's algorithm; TensorFlow has none."""
    shape = tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))
    first, second = (tf.broadcast_to(one, shape) for one in (x, y))
    zero = tf.zeros((), first.dtype)
    found, _ = tf.while_loop(
        lambda _, rest: tf.reduce_any(rest != zero),
        lambda a, b: [tf.where(b == zero, a, b), _integer_remainder(a, b)],
        [first, second],
    )
    return tf.where(found < zero, -found, found) if first.dtype.min < 0 else found
