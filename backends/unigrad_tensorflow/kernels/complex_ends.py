"""``expm1`` and ``log1p`` of complex numbers, which TensorFlow makes NaN at infinities.

Source: Python array API standard 2025.12, the special cases of both.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.raw import of_floats, unary

_plain_expm1, _plain_log1p = unary("Expm1"), unary("Log1p")


def _expm1(x: Any) -> Any:
    found = _plain_expm1(x)
    a, b = tf.math.real(x), tf.math.imag(x)
    zero = tf.zeros_like(a)
    there = tf.math.is_finite(b)
    grows, falls = tf.equal(a, math.inf), tf.equal(a, -math.inf)
    # Multiplied by an angle of 1 where there is none.
    turned = a * tf.cos(tf.where(there, b, zero))
    # Where eˣ leaves the range, TensorFlow's own real part is NaN.
    lost = there & tf.math.is_finite(a) & tf.math.is_nan(tf.math.real(found))
    turned = tf.where(lost, turned * math.inf, turned)
    real = tf.where(falls, zero - 1, tf.where(grows | lost, turned, tf.math.real(found)))
    imaginary = tf.where(falls & ~there, zero, tf.math.imag(found))
    return tf.complex(real, tf.where(tf.equal(b, 0), b, imaginary))


def _log1p(x: Any) -> Any:
    found = _plain_log1p(x)
    a, b = tf.math.real(x), tf.math.imag(x)
    endless = tf.math.is_inf(a) | tf.math.is_inf(b)
    real = tf.where(endless, tf.fill(tf.shape(a), tf.cast(math.inf, a.dtype)), tf.math.real(found))
    return tf.complex(real, tf.atan2(b, 1 + a))


# What is chosen by parts has the textbook's derivative: TensorFlow's multiplies ∞ by 0.
_complex_expm1, _complex_log1p = by_rule("expm1", _expm1), by_rule("log1p", _log1p)


#: Of a complex number TensorFlow's ``expm1`` is NaN at infinities, its ``log1p`` at -1 too.
expm1 = of_floats("Expm1", _complex_expm1)
log1p = of_floats("Log1p", _complex_log1p)
