"""Reductions of segments by the raw op, where all ids are seen to be inside.

TensorFlow passes over negative ids, and its greatest of nothing is the least finite number, not -∞.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.kernels.values import has_no_nan, may_be_read, own_memory
from unigrad_tensorflow.private import numpy_of
from unigrad_tensorflow.raw import raw
from unigrad_tensorflow.settings import kept
from unigrad_tensorflow.short import short

_FLOATS: dict[Any, Any] = {tf.float32: np.float32, tf.float64: np.float64}
_LIMITS = {one: np.finfo(one) for one in _FLOATS.values()}
_NUMBERS = frozenset((*_FLOATS, tf.int32, tf.int64))
#: Negative ids, read as unsigned, are beyond any count.
_UNSIGNED = {tf.int64: np.uint64, tf.int32: np.uint32}


def _segments(name: str, fits: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """Return a raw reduction for ids that are inside, if its result fits the rows."""
    op = raw(name, "data", "segment_ids", "num_segments")

    def run(x: Any, ids: Any, num_segments: int | None = None) -> Any:
        unsigned = np.uint64 if ids.dtype is tf.int64 else _UNSIGNED.get(ids.dtype)
        if num_segments is None or unsigned is None:
            return None
        # To hash a dtype takes longer than to compare the commonest.
        if x.dtype is not tf.float32 and x.dtype not in _NUMBERS:
            return None
        if not (may_be_read(ids) and may_be_read(x)):
            return None
        known = np.asarray(numpy_of(ids)).view(unsigned)
        if not known.size or known.max() >= num_segments:
            return None
        found = op(x, ids, kept(num_segments))
        return found if fits(x, found) else None

    return run


def _always(x: Any, found: Any) -> bool:
    return True


def _with_ends(greatest: bool) -> Callable[[Any, Any], bool]:
    """Return what puts -∞ (∞) for the greatest (least) of nothing, and tells whether it could."""

    def run(x: Any, found: Any) -> bool:
        of = np.float32 if x.dtype is tf.float32 else _FLOATS.get(x.dtype)
        if of is None:
            return True
        if not has_no_nan(x):
            return False
        values, limits = own_memory(found), _LIMITS[of]
        nothing = values == (limits.min if greatest else limits.max)
        if nothing.any():
            given = np.asarray(numpy_of(x))
            # An infinite element, or one that is this number, is told from nothing by the body.
            if given.min() <= limits.min if greatest else given.max() >= limits.max:
                return False
            values[nothing] = -math.inf if greatest else math.inf
        # Which of two zeros is greater nobody says: none is -0.0.
        values += 0
        return True

    return run


TABLE = {
    name: short(name, _segments(op, fits))
    for name, op, fits in (
        ("segment_sum", "UnsortedSegmentSum", _always),
        ("segment_prod", "UnsortedSegmentProd", _always),
        ("segment_max", "UnsortedSegmentMax", _with_ends(True)),
        ("segment_min", "UnsortedSegmentMin", _with_ends(False)),
    )
}
