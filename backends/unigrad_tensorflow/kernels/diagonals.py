"""Diagonals of matrices by the raw ops, which copy elements, and matrices of a diagonal."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from unigrad_tensorflow.kernels.values import may_be_read, own_memory
from unigrad_tensorflow.raw import raw
from unigrad_tensorflow.settings import kept, kept_number
from unigrad_tensorflow.short import short

_NUMBERS = frozenset((tf.float32, tf.float64, tf.int32, tf.int64, tf.complex64, tf.complex128))
_part = raw("MatrixDiagPartV3", "input", "k", "padding_value", align="RIGHT_LEFT")
_whole = raw(
    "MatrixDiagV3", "diagonal", "k", "num_rows", "num_cols", "padding_value", align="RIGHT_LEFT"
)


def _diagonal(x: Any, offset: int) -> Any:
    shape = x.shape.as_list()
    # A diagonal of no elements is none to TensorFlow.
    if 0 in shape or not -shape[-2] < offset < shape[-1] or x.dtype not in _NUMBERS:
        return None
    return _part(x, kept(offset), kept_number(0, x.dtype))


def _diag(x: Any, k: int) -> Any:
    if x.shape.rank == 2:
        return _diagonal(x, k)
    if not x.shape[0] or x.dtype not in _NUMBERS or not may_be_read(x):
        return None
    found = _whole(x, kept(k), kept(-1), kept(-1), kept_number(0, x.dtype))
    matrix = own_memory(found)
    # The composite adds to zeros: none is -0.0.
    matrix += 0
    return found


TABLE = {"diag": short("diag", _diag), "diagonal": short("diagonal", _diagonal)}
