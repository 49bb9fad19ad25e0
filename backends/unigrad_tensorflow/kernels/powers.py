"""Powers and logarithms, of unsigned and of complex numbers too."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.raw import binary, of_floats, unary

_plain_log = unary("Log")


def _other_log(x: Any) -> Any:
    """log x. Of complex numbers TensorFlow's is NaN where |x|² leaves the dtype's range."""
    if not x.dtype.is_complex:
        return _plain_log(x)
    return tf.complex(_plain_log(tf.abs(x)), tf.atan2(tf.math.imag(x), tf.math.real(x)))


log = of_floats("Log", _other_log)


def log_of_base(base: float) -> Callable[[Any], Any]:
    """Return a logarithm; parts of complex numbers are scaled one by one, since ∞ · 0 is NaN."""
    scale = 1.0 / math.log(base)

    def run(x: Any) -> Any:
        found = log(x)
        if not x.dtype.is_complex:
            return found * scale
        return tf.complex(tf.math.real(found) * scale, tf.math.imag(found) * scale)

    return run


def exp2(x: Any) -> Any:
    """2ˣ: with 2 as the base, since exp(x log 2) loses digits as x grows."""
    if not x.dtype.is_complex:
        return _raw_pow(2.0, x)
    size = _raw_pow(2.0, tf.math.real(x))
    angle = tf.math.imag(x) * math.log(2.0)
    turned = tf.exp(tf.complex(tf.zeros_like(angle), angle))
    real, imaginary = size * tf.math.real(turned), size * tf.math.imag(turned)
    vanishes, whole = tf.equal(size, 0), tf.equal(tf.math.imag(x), 0)
    endless = tf.math.is_inf(size) & ~tf.math.is_finite(angle)
    real = tf.where(vanishes, size, tf.where(endless, size, real))
    imaginary = tf.where(vanishes, size, tf.where(whole, tf.math.imag(x), imaginary))
    return tf.complex(real, imaginary)


_signed_pow, _square = binary("Pow"), unary("Square")


def _raw_pow(x: Any, y: Any) -> Any:
    """x**y. TensorFlow has no unsigned one: the low bits are those of int64."""
    dtype = (y if isinstance(x, (int, float)) else x).dtype
    if dtype.is_complex:
        if isinstance(y, (int, float)):
            y = tf.constant(y, dtype)
        # TensorFlow's own of 0 ** 0 is NaN.
        none = tf.equal(y, tf.zeros((), dtype))
        return tf.where(none, tf.ones((), dtype), _signed_pow(x, y))
    if not dtype.is_unsigned:
        return _signed_pow(x, y)
    base, exponent = [
        tf.bitcast(tf.constant(v, tf.uint64), tf.int64)
        if isinstance(v, int)
        else tf.cast(v, tf.int64)
        for v in (x, y)
    ]
    if dtype == tf.uint64:
        exponent = _within_int64(exponent)
    return tf.cast(_signed_pow(base, exponent), dtype)


#: By so much exponents may be reduced: odd numbers to this power are 1 modulo 2^64, even ones 0.
_PERIOD = 2**62


def _within_int64(exponent: Any) -> Any:
    """Return an exponent of uint64, given by its bits, below 2^63: the same power modulo 2^64."""
    low = tf.bitwise.bitwise_and(exponent, _PERIOD - 1)
    large = (exponent < 0) | (exponent >= _PERIOD)
    return low + tf.where(large, tf.constant(_PERIOD, tf.int64), tf.constant(0, tf.int64))


_power = by_rule("pow", _raw_pow)


def power(x: Any, y: Any) -> Any:
    """x**y. A scalar exponent is the common case; TensorFlow's derivative is right but for 0."""
    if isinstance(y, (int, float)):
        if y == 2:
            return _square(x)
        if y == 1:
            return tf.identity(x)
        return tf.ones_like(x) if y == 0 else _raw_pow(x, y)
    if isinstance(x, (int, float)) and x > 0:
        return _raw_pow(x, y)
    return _power(x, y)
