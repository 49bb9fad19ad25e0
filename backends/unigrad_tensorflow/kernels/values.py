"""Looks at values: where they are there, a kernel may choose by them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import numpy_of
from unigrad_tensorflow.whole import looked


def has_values(x: Any) -> bool:
    """Tell whether an array's values are there to be read, and reading them waits for nothing."""
    if not hasattr(x, "numpy"):
        looked()
        return False
    return "CPU" in x.device


def may_be_read(x: Any) -> bool:
    """Do what `has_values` does, for those who go another way to the very same result."""
    return hasattr(x, "numpy") and "CPU" in x.device


def has_no_nan(x: Any) -> bool:
    """Tell whether an array's values can be seen, and none is NaN: for those of `may_be_read`."""
    if not may_be_read(x):
        return False
    squares = _squares(x)
    return not np.isnan(numpy_of(x)).any() if squares is None else bool(squares == squares)


def are_finite(x: Any) -> bool:
    """Tell whether an array's values can be seen, and are seen at a glance to be finite."""
    if not has_values(x):
        return False
    squares = _squares(x)
    return squares is not None and bool(squares < math.inf)


def seen(
    inside: Callable[..., Any], plain: Callable[..., Any], otherwise: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a kernel that is ``plain`` for tensors whose values are seen to lie inside.

    There it gives the very same as ``otherwise``, by fewer ops.
    """

    def run(*xs: Any) -> Any:
        values = [numpy_of(x) for x in xs if may_be_read(x)]
        return (plain if len(values) == len(xs) and inside(*values) else otherwise)(*xs)

    return run


def own_memory(x: Any) -> Any:
    """Return the memory of what a raw op has just made on the CPU, to be written into.

    That is for the kernel that has called the op: nobody else may have seen the tensor yet. It has
    one axis or more: a single value is a copy.
    """
    memory = np.asarray(numpy_of(x))
    # What is written into a copy would be lost.
    assert not memory.flags.owndata
    return memory


def values_of(x: Any) -> Any:
    """Return an array's values if they can be seen: an ndarray that shares its memory."""
    return np.asarray(numpy_of(x)) if has_values(x) else None


def _squares(x: Any) -> Any:
    """Return the sum of squares, which is NaN where one value is, and never else.

    ``None`` for dtypes in which it takes longer than a look at every value.
    """
    dtype = x.dtype
    if dtype is not tf.float32 and dtype is not tf.float64:
        return None
    values = numpy_of(x)
    # Of the products that NumPy has, this one warns of no overflow.
    return np.vdot(values, values)
