"""Activation functions and the softmax family.

Left to their composites: SELU (TensorFlow's derivative at 0 is that of the other branch), leaky
ReLU (its slope is rounded to single precision), softsign (no second derivative).
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.kernels.reductions import axes_of

_raw = tf.raw_ops


def _elu(x: Any, alpha: float) -> Any:
    """TensorFlow's own loses the digits near 0: it has exp(x) - 1."""
    zero = tf.zeros((), x.dtype)
    positive = x > zero
    below = _raw.Expm1(x=_raw.SelectV2(condition=positive, t=zero, e=x))
    return _raw.SelectV2(condition=positive, t=x, e=below if alpha == 1.0 else below * alpha)


def _last(op: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return an op of the last axis of a matrix for any axis: the raw op takes rank 1 or more."""

    def run(x: Any, axis: int) -> Any:
        rank = x.shape.rank
        if axis == rank - 1:
            return op(x)
        order = [*range(axis), *range(axis + 1, rank), axis]
        back = [*range(axis), rank - 1, *range(axis, rank - 1)]
        return tf.transpose(op(tf.transpose(x, order)), back)

    return run


def _softmax(x: Any) -> Any:
    """exp(x) / Σ exp(x). TensorFlow's own of single precision keeps a NaN to its element."""
    if x.dtype in (tf.float64, tf.float16):
        return _raw.Softmax(logits=x)
    if x.dtype == tf.bfloat16:
        return tf.cast(_softmax(tf.cast(x, tf.float32)), x.dtype)
    if 0 in x.shape:
        return tf.identity(x)
    last = axes_of(x, (x.shape.rank - 1,))
    peak = _raw.Max(input=x, axis=last, keep_dims=True)
    exponential = _raw.Exp(x=_raw.Sub(x=x, y=peak))
    return _raw.RealDiv(x=exponential, y=_raw.Sum(input=exponential, axis=last, keep_dims=True))


def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return tf.reduce_logsumexp(x, axis, keepdims) if axis else tf.identity(x)


TABLE = {
    "relu6": lambda x: _raw.Relu6(features=x),
    "elu": _elu,
    "mish": lambda x: x * _raw.Tanh(x=_raw.Softplus(features=x)),
    "softplus": lambda x: _raw.Softplus(features=x),
    "log_sigmoid": lambda x: -_raw.Softplus(features=-x),
    "softmax": by_rule("softmax", _last(_softmax)),
    "log_softmax": _last(lambda x: _raw.LogSoftmax(logits=x)),
    # TensorFlow's derivative is NaN where all elements are -∞.
    "logsumexp": by_rule("logsumexp", _logsumexp),
}
