"""Settings as tensors, made once.

In eager mode TensorFlow turns a Python shape, axis or key into a tensor at every call, which costs
more than the op. Shapes and axes come again and again, so their tensors are kept. While a
function is traced there is nothing to keep: the graph takes Python values as constants.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import eager_context


@lru_cache(maxsize=4096)
def kept(values: int | tuple[int, ...]) -> Any:
    """Return an int or a tuple of ints as a tensor outside of graphs."""
    return _made(values, width((values,) if isinstance(values, int) else values))


@lru_cache(maxsize=4096)
def _kept_together(*values: tuple[int, ...]) -> tuple[Any, ...]:
    dtype = width(chain(*values))
    return tuple([_made(one, dtype) for one in values])


def _made(values: int | tuple[int, ...], dtype: Any) -> Any:
    with tf.init_scope(), tf.device("/CPU:0"):
        return tf.constant(values, dtype, () if isinstance(values, int) else (len(values),))


def width(values: Iterable[int]) -> Any:
    """Return the dtype of settings: 64 bits for those of which 32 would make others."""
    return tf.int32 if all(-_BEYOND <= one < _BEYOND for one in values) else tf.int64


_BEYOND = 2**31


@lru_cache(maxsize=4096)
def _kept_long(value: int) -> Any:
    with tf.init_scope(), tf.device("/CPU:0"):
        return tf.constant(value, tf.int64)


def kept_number(value: int | float, dtype: Any) -> Any:
    """Return a Python number as a tensor of a dtype outside of graphs."""
    if not value and type(value) is float:
        # 0.0 and -0.0 would be one.
        return tf.constant(value, dtype)
    return _kept_number(value, dtype)


@lru_cache(maxsize=1024, typed=True)
def _kept_number(value: int | float, dtype: Any) -> Any:
    with tf.init_scope():
        return tf.constant(value, dtype)


def number(value: int | float, dtype: Any) -> Any:
    """Return a Python number as a tensor of a dtype."""
    return (tf.constant if eager_context() is None else kept_number)(value, dtype)


def long_setting(value: int) -> Any:
    """Return an int as a setting of an op that asks for 64 bits."""
    return _kept_long(value) if eager_context() is not None else tf.constant(value, tf.int64)


def setting(values: int | tuple[int, ...]) -> Any:
    """Return an int or a tuple of ints as an op's setting."""
    return kept(values) if eager_context() is not None else values


def together(*values: tuple[int, ...]) -> tuple[Any, ...]:
    """Return tuples of ints as settings of one dtype."""
    if eager_context() is not None:
        return _kept_together(*values)
    dtype = width(chain(*values)).as_numpy_dtype
    return tuple([np.array(one, dtype) for one in values])
