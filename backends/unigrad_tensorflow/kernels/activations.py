"""Activation functions and the softmax family.

TensorFlow's derivative of SELU at 0 is that of the other branch, and its slope of a leaky ReLU is
rounded to single precision.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.kernels.values import are_finite
from unigrad_tensorflow.raw import BINDERS, binary, of_floats, raw, unary
from unigrad_tensorflow.settings import number, setting
from unigrad_tensorflow.whole import as_graph

_raw = tf.raw_ops


def _elu(x: Any, alpha: float) -> Any:
    """TensorFlow's own loses the digits near 0: it has exp(x) - 1."""
    below = _expm1(_minimum(x, 0.0))
    return _select(_greater(x, 0.0), x, below if alpha == 1.0 else _multiply(below, alpha))


def _leaky_relu(x: Any, negative_slope: float) -> Any:
    # 0.0 and -0.0 are one key.
    if x.dtype is tf.float32 and negative_slope != 0.0:
        return _single_leaky_relu(negative_slope)(x)
    return _composed_leaky_relu(x, negative_slope=negative_slope)


@lru_cache(256)
def _single_leaky_relu(negative_slope: float) -> Any:
    return raw("LeakyRelu", "features", alpha=negative_slope)


_composed_leaky_relu = body_of("tensorflow", "leaky_relu")
_minimum, _multiply, _greater = map(binary, ("Minimum", "Mul", "Greater"))
_expm1 = unary("Expm1")


def _last(op: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return an op of the last axis of a matrix for any axis: the raw op takes rank 1 or more."""

    def run(x: Any, axis: int) -> Any:
        rank = x.shape.rank
        if axis == rank - 1:
            return op(x)
        order = [*range(axis), *range(axis + 1, rank), axis]
        back = [*range(axis), rank - 1, *range(axis, rank - 1)]
        return tf.transpose(op(tf.transpose(x, order)), back)

    BINDERS[run] = lambda axis: lambda x: op(x) if x.shape.rank == axis + 1 else run(x, axis)
    return run


def _softmax(x: Any) -> Any:
    """exp(x) / Σ exp(x).

    TensorFlow's own of single precision keeps a NaN to its element, and one that an infinity makes;
    that of half precision does on processors with arithmetic of their own for it.
    """
    if x.dtype is tf.float64:
        return _library_softmax(x)
    if x.dtype is not tf.float32:
        return tf.cast(_softmax(tf.cast(x, tf.float32)), x.dtype)
    if are_finite(x):
        return _library_softmax(x)
    if 0 in x.shape:
        return tf.identity(x)
    last = (x.shape.rank - 1,)
    exponential = _exp(_sub(x, _max(x, last)))
    return _divide(exponential, _sum(exponential, last))


_library_softmax = unary("Softmax", "logits")


def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """What ``tf.reduce_logsumexp`` does, in raw ops."""
    if not axis:
        return tf.identity(x)
    peak = _max(x, axis)
    peak = _select(_is_finite(peak), peak, _zeros_like(peak))
    found = _add(_log(_sum(_exp(_sub(x, peak)), axis)), peak)
    return found if keepdims else _squeeze(found, axis)


def _squeeze(x: Any, axis: tuple[int, ...]) -> Any:
    kept = [n for i, n in enumerate(x.shape) if i not in axis]
    return _reshape(x, tuple(kept))


_max = raw("Max", "input", "axis", keeps=1, keep_dims=True)
_sum = raw("Sum", "input", "axis", keeps=1, keep_dims=True)
_reshape = raw("Reshape", "tensor", "shape", keeps=1)
_select = raw("SelectV2", "condition", "t", "e")
_is_finite, _zeros_like, _exp, _log = map(unary, ("IsFinite", "ZerosLike", "Exp", "Log"))
_sub, _add, _divide = map(binary, ("Sub", "AddV2", "RealDiv"))


_softsign = of_floats("Softsign", body_of("tensorflow", "softsign"), "features")


def _one_hot(indices: Any, num_classes: int, axis: int, dtype: Any) -> Any:
    """1 where the class is the index, 0 elsewhere, and for an index that is no class."""
    if indices.dtype not in (tf.int64, tf.int32):
        indices = tf.cast(indices, tf.int64)
    chosen = tf.bool if dtype.kind == "b" else getattr(tf, dtype.name)
    on, off = (True, False) if chosen is tf.bool else (1, 0)
    hot = _raw_one_hot(axis)
    return hot(indices, setting(num_classes), number(on, chosen), number(off, chosen))


@lru_cache(64)
def _raw_one_hot(axis: int) -> Any:
    return raw("OneHot", "indices", "depth", "on_value", "off_value", axis=axis)


TABLE = {
    # TensorFlow's own has no derivative, which is zero.
    "one_hot": by_rule("one_hot", _one_hot),
    # TensorFlow's own has no second derivative.
    "softsign": by_rule("softsign", _softsign),
    "hard_silu": by_rule("hard_silu", as_graph(body_of("tensorflow", "hard_silu"))),
    "relu6": lambda x: _raw.Relu6(features=x),
    "elu": as_graph(_elu),
    "leaky_relu": by_rule("leaky_relu", _leaky_relu),
    "mish": lambda x: x * _raw.Tanh(x=_raw.Softplus(features=x)),
    "softplus": lambda x: _raw.Softplus(features=x),
    "log_sigmoid": lambda x: -_raw.Softplus(features=-x),
    "softmax": by_rule("softmax", _last(_softmax)),
    "log_softmax": _last(unary("LogSoftmax", "logits")),
    # TensorFlow's derivative is NaN where all elements are -∞.
    "logsumexp": by_rule("logsumexp", _logsumexp),
}
