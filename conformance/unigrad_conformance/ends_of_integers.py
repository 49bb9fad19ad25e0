"""Integers and bools at their ends: results wrap around as NumPy's do, in every integer dtype."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, quiet

INTEGERS = (
    *(dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64),
    *(dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64),
)

#: By op: NumPy's function, and how many inputs it takes.
TABLE: dict[str, tuple[Callable[..., Any], int]] = {
    "positive": (np.positive, 1),
    "negative": (np.negative, 1),
    "abs": (np.abs, 1),
    "sign": (np.sign, 1),
    "square": (np.square, 1),
    "bitwise_invert": (np.invert, 1),
    "add": (np.add, 2),
    "subtract": (np.subtract, 2),
    "multiply": (np.multiply, 2),
    "floor_divide": (np.floor_divide, 2),
    "remainder": (np.remainder, 2),
    "maximum": (np.maximum, 2),
    "minimum": (np.minimum, 2),
    "bitwise_and": (np.bitwise_and, 2),
    "bitwise_or": (np.bitwise_or, 2),
    "bitwise_xor": (np.bitwise_xor, 2),
    "greater": (np.greater, 2),
    "greater_equal": (np.greater_equal, 2),
    "less": (np.less, 2),
    "less_equal": (np.less_equal, 2),
    "equal": (np.equal, 2),
    "not_equal": (np.not_equal, 2),
    "pow": (np.power, 2),
    "gcd": (np.gcd, 2),
    "logical_and": (np.logical_and, 2),
    "logical_not": (np.logical_not, 1),
    "matmul": (np.matmul, 2),
    "dot": (np.dot, 2),
    "vecdot": (lambda x, y: (x * y).sum(-1, dtype=x.dtype), 2),
    "max": (np.max, 1),
    "min": (np.min, 1),
    "argmax": (np.argmax, 1),
    "argmin": (np.argmin, 1),
    "sort": (np.sort, 1),
    "argsort": (lambda x: np.argsort(x, stable=True), 1),
    "diff": (np.diff, 1),
    "cumulative_max": (np.maximum.accumulate, 1),
    "bitwise_right_shift": (np.right_shift, 2),
    "bitwise_left_shift": (np.left_shift, 2),
}
#: Ops whose second input is no negative number; whose is not 0.
_EXPONENT, _NOT_ZERO = ("pow",), ("floor_divide", "remainder")
_SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")


def numbers(op: str, dtype: dtypes.DType, length: int) -> list[Array]:
    """Return pairs of the ends of an integer dtype, 0, ±1 and mild numbers."""
    info = np.iinfo(dtype)
    few = np.array([info.min, info.max, 0, 1, info.max - 1, info.min + 1, 2, 100, info.max], dtype)
    order = np.arange(length)
    first, second = few[order * 2 % few.size], few[(order // few.size + order) % few.size]
    if op in _EXPONENT:
        # As an exponent the greatest number does for all large ones.
        second = np.where(order % 7 == 3, few[1], (order % 5).astype(dtype))
    if op in _NOT_ZERO:
        # The least number over -1 is beyond the dtype.
        second = np.where((second == 0) | (second == -1 if info.min else False), 3, second)
    if op in _SHIFTS:
        second = order % info.bits
    return [first, second.astype(dtype)]


def check_integers(op: str, dtype: dtypes.DType, length: int) -> None:
    """Compare an op of integers with NumPy's."""
    function, count = TABLE[op]
    inputs = numbers(op, dtype, length)[:count]
    with np.errstate(all="ignore"):
        want = function(*inputs)
    call = operator.matmul if op == "matmul" else getattr(ug, op)
    with quiet():
        result = call(*(ug.asarray(x) for x in inputs))
    found = result.numpy()
    if found.dtype != np.asarray(want).dtype:
        raise Deviation(f"{found.dtype}, not {np.asarray(want).dtype}")
    if not np.array_equal(found, want):
        bad = np.atleast_1d(found != want)
        index = int(np.argmax(bad))
        at = [int(x[index]) for x in inputs] if bad.size == length else ["all"]
        got, wanted = np.atleast_1d(found)[index], np.atleast_1d(want)[index]
        raise Deviation(f"{got!r} of {at}, not {wanted!r} ({int(bad.sum())} of {bad.size} are off)")
