"""Special functions: TensorFlow's, in unigrad's domains, with the textbook's derivatives."""

import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.bridge import by_rule


def _nan(bad: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return tf.where(bad, tf.cast(float("nan"), x.dtype), x)


def digamma(x: tf.Tensor) -> tf.Tensor:
    """TensorFlow's, but NaN at the poles."""
    return _nan((x <= 0) & (x == tf.floor(x)), tf.math.digamma(x))


def zeta(s: tf.Tensor, q: tf.Tensor) -> tf.Tensor:
    """TensorFlow's, but NaN for negative q, where it has values for some s."""
    found = tf.where(q == 0, tf.cast(float("inf"), q.dtype), tf.math.zeta(s, q))
    return _nan((q < 0) | (s < 1), found)


TABLE = {
    name: by_rule(name, kernel)
    for name, kernel in {
        "digamma": digamma,
        "gammainc": tf.math.igamma,
        "gammaincc": tf.math.igammac,
        "i0e": tf.math.bessel_i0e,
        "i1e": tf.math.bessel_i1e,
        "lgamma": tf.math.lgamma,
        "zeta": zeta,
    }.items()
} | {
    # Made of ops, and differentiated by rules.
    name: by_rule(name, body_of("tensorflow", name))
    for name in ("j0", "j1", "ndtri", "owens_t", "y0", "y1")
}
