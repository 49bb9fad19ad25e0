"""Pooling by the raw ops, of single and double precision in two dimensions without padding.

They add up in the order of the composites. Of zeros of both signs TensorFlow's greatest may be the
other one, NaN does not always win, and nothing is less than the least finite number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.kernels.values import are_finite, may_be_read
from unigrad_tensorflow.private import numpy_of, shape_tuple
from unigrad_tensorflow.raw import raw
from unigrad_tensorflow.short import short

_Lengths: TypeAlias = int | Sequence[int]
#: The bits of -0.0, read as an integer, by dtype.
_NEGATIVE_ZERO: dict[Any, Any] = {tf.float32: np.int32(-(2**31)), tf.float64: np.int64(-(2**63))}


def _pooled(name: str, input: str, fits: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """Return a raw pooling op, for what is seen to fit its result."""

    @cache
    def op(window: tuple[int, ...], steps: tuple[int, ...]) -> Any:
        return raw(name, input, ksize=[1, *window, 1], strides=[1, *steps, 1], padding="VALID")

    def run(
        x: Any, window: _Lengths, strides: _Lengths | None = None, padding: Any = "valid"
    ) -> Any:
        real = x.dtype is tf.float32 or x.dtype is tf.float64
        if padding != "valid" or not real or not may_be_read(x):
            return None
        shape, lengths = shape_tuple(x), _pair(window)
        steps = lengths if strides is None else _pair(strides)
        # What is wrong with them the body says.
        if len(shape) != 4 or 0 in shape or lengths is None or steps is None:
            return None
        if min(*lengths, *steps) < 1 or shape[1] < lengths[0] or shape[2] < lengths[1]:
            return None
        found = op(lengths, steps)(x)
        return found if fits(x, found) else None

    return run


def _pair(lengths: _Lengths) -> tuple[int, ...] | None:
    found = (lengths, lengths) if type(lengths) is int else lengths
    return found if type(found) is tuple and len(found) == 2 else None


def _zeros_agree(x: Any, found: Any) -> bool:
    """Tell whether there is no -0.0 where the result has a zero, whose sign hangs on the order."""
    if np.asarray(numpy_of(found)).all():
        return True
    negative = _NEGATIVE_ZERO[x.dtype]
    return not (np.asarray(numpy_of(x)).view(negative.dtype) == negative).any()


def _is_greatest(x: Any, found: Any) -> bool:
    return are_finite(x) and _zeros_agree(x, found)


_average = _pooled("AvgPool", "value", _zeros_agree)


def _average_pool(x: Any, window: _Lengths, count_padding: bool = False, **settings: Any) -> Any:
    # There is no padding to count.
    return _average(x, window, **settings)


TABLE = {
    "pooling.average_pool": short("pooling.average_pool", _average_pool),
    "pooling.max_pool": short("pooling.max_pool", _pooled("MaxPool", "input", _is_greatest)),
}
