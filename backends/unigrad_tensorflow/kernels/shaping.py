"""Moving elements."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import eager_context, executing_eagerly, shape_tuple
from unigrad_tensorflow.raw import BINDERS, raw, settled
from unigrad_tensorflow.settings import setting

_raw = tf.raw_ops


def reshape(x: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    if 0 in shape and not executing_eagerly():
        # TensorFlow's optimiser of graphs divides by the length of such a reshaped array: SIGFPE.
        return tf.zeros(shape, x.dtype)
    return _to_shape(x, shape)


_to_shape, _transpose = (
    raw("Reshape", "tensor", "shape", keeps=1),
    raw("Transpose", "x", "perm", keeps=1),
)
_repeat = raw("Tile", "input", "multiples", keeps=1)
_spread = raw("BroadcastTo", "input", "shape", keeps=1)
_band = raw("MatrixBandPart", "input", "num_lower", "num_upper", keeps=2)
_turn = raw("Roll", "input", "shift", "axis", keeps=2)
_reverse = raw("ReverseV2", "tensor", "axis", keeps=1)


def _tril(x: tf.Tensor, k: int) -> tf.Tensor:
    """Zeros above the k-th diagonal; the library has no such triangle below the main one."""
    if k >= 0:
        return _band(x, -1, min(k, x.shape[-1]))
    return _triangle(x, k, True)


def _bind_tril(k: int) -> Any:
    # No upper diagonals is what 0 asks for; others depend on the shape.
    return settled(_band, -1, 0) if k == 0 else partial(_tril, k=k)


def _triu(x: tf.Tensor, k: int) -> tf.Tensor:
    """Zeros below the k-th diagonal."""
    if k <= 0:
        return _band(x, min(-k, x.shape[-2]), -1)
    return _triangle(x, k - 1, False)


def _bind_triu(k: int) -> Any:
    return settled(_band, 0, -1) if k == 0 else partial(_triu, k=k)


def _triangle(x: tf.Tensor, k: int, lower: bool) -> tf.Tensor:
    """Zeros outside of a triangle that does not reach the main diagonal."""
    rows, columns = x.shape[-2:]
    below = np.tri(rows, columns, k, dtype=np.bool_)
    return tf.where(tf.constant(below if lower else ~below), x, tf.zeros((), x.dtype))


def _roll(x: tf.Tensor, shift: tuple[int, ...], axis: tuple[int, ...]) -> tf.Tensor:
    return _turn(x, shift, axis) if shift else x


def _split(x: tf.Tensor, axis: int, sizes: tuple[int, ...]) -> list[tf.Tensor]:
    if len({*sizes}) == 1:
        return list(_equal_pieces(len(sizes))(setting(axis), x))
    return list(_pieces(len(sizes))(x, sizes, axis))


def _bind_split(axis: int, sizes: tuple[int, ...]) -> Any:
    if len({*sizes}) == 1:
        op = _equal_pieces(len(sizes))
        return lambda x: op(setting(axis), x)
    return settled(_pieces(len(sizes)), sizes, axis)


@cache
def _equal_pieces(count: int) -> Any:
    return raw("Split", "axis", "value", num_split=count)


@cache
def _pieces(count: int) -> Any:
    return raw("SplitV", "value", "size_splits", "axis", keeps=2, num_split=count)


def _unstack(x: Any, axis: int) -> list[Any]:
    if eager_context() is None:
        return tf.unstack(x, axis=axis)
    return _unpack(shape_tuple(x)[axis], axis)(x)


@lru_cache(256)
def _unpack(count: int, axis: int) -> Any:
    return raw("Unpack", "value", num=count, axis=axis)


TABLE = {
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
    "reshape": reshape,
    "broadcast_to": lambda x, shape: _spread(x, shape),
    "permute_dims": lambda x, axes: _transpose(x, axes) if axes else x,
    "stack": lambda *xs, axis: _raw.Pack(values=xs, axis=axis),
    "flip": lambda x, axis: _reverse(x, axis) if axis else x,
    "roll": _roll,
    "concat": lambda *xs, axis: (
        _raw.ConcatV2(values=xs, axis=setting(axis)) if len(xs) > 1 else xs[0]
    ),
    "split": _split,
    "pad": lambda x, widths, value: tf.pad(x, widths, constant_values=value),
    "tril": _tril,
    "triu": _triu,
    "tile": lambda x, repetitions: _repeat(x, repetitions) if repetitions else x,
    "unstack": _unstack,
}


def _binder(name: str, op: Callable[..., Any]) -> Callable[..., Any]:
    """Return the binder of a kernel with one setting, by which the raw op has nothing to do."""

    def bind(**settings: tuple[int, ...]) -> Any:
        (value,) = settings.values()
        # The kernel knows what to do in graphs about axes of no elements.
        return settled(op, value) if value and 0 not in value else partial(TABLE[name], **settings)

    return bind


BINDERS |= {_tril: _bind_tril, _triu: _bind_triu, _split: _bind_split}
BINDERS |= {
    TABLE[name]: _binder(name, op)
    for name, op in {
        "reshape": _to_shape,
        "broadcast_to": _spread,
        "tile": _repeat,
    }.items()
} | {
    TABLE["permute_dims"]: lambda axes: settled(_transpose, axes) if axes else lambda x: x,
    TABLE["flip"]: lambda axis: settled(_reverse, axis) if axis else lambda x: x,
}
