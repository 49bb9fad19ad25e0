"""Floating-point numbers by their bits: sign bits, and neighbours."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from unigrad_tensorflow.raw import binary


def signed(y: Any) -> Any:
    """-1 or 1 by the sign bit."""
    one = tf.ones((), y.dtype)
    return tf.where(signbit(y), -one, one)


def _bits(x: Any) -> Any:
    return tf.bitcast(x, {2: tf.int16, 4: tf.int32, 8: tf.int64}[x.dtype.size])


def signbit(x: Any) -> Any:
    return _bits(x) < 0


_next_after = binary("NextAfter", "x1", "x2")


def nextafter(x: Any, y: Any) -> Any:
    """The number next to x towards y. TensorFlow has none of half precision."""
    if x.dtype.size > 2:
        return _next_after(x, y)
    x, y = x + tf.zeros_like(y), y + tf.zeros_like(x)
    bits, zero = _bits(x), tf.zeros_like(x)
    # Read as integers, numbers of one sign are in order of their magnitudes.
    outwards = tf.equal(y > x, x > zero)
    found = tf.bitcast(bits + tf.where(outwards, tf.ones_like(bits), -tf.ones_like(bits)), x.dtype)
    least = tf.bitcast(tf.ones_like(bits), x.dtype) * tf.sign(y)
    found = tf.where(tf.equal(x, zero), least, found)
    found = tf.where(tf.equal(x, y), y, found)
    return tf.where(tf.math.is_nan(x) | tf.math.is_nan(y), x + y, found)
