"""Elementwise kernels: mostly ufuncs."""

import math
import operator
from typing import Any

import numpy as np

from unigrad_numpy.kernels.bfloat16 import BFLOAT16
from unigrad_numpy.kernels.error_function import erf, erfinv


def _of_integers(ufunc: Any) -> Any:
    """Return a division whose integer zero divisors give 0 in silence (the front end raises)."""

    def divide(x: Any, y: Any) -> Any:
        result_kind = (y if isinstance(x, (int, float)) else x).dtype.kind
        if result_kind in "iub":
            with np.errstate(divide="ignore"):
                return ufunc(x, y)
        return ufunc(x, y)

    return divide


#: Below these, exp(-x) overflows and the sigmoid is zero but for a subnormal.
_LOWEST: dict[np.dtype[Any], np.floating[Any]] = {
    np.dtype(np.float32): np.float32(-88.0),
    np.dtype(np.float64): np.float64(-709.0),
}


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    lowest = _LOWEST.get(x.dtype)
    if lowest is None or x.ndim == 0:
        # Only falling exponentials: right down to the subnormals of half precision.
        z = np.exp(-np.abs(x))
        # An integer 1: beside bfloat16, NumPy takes Python's floats for float64.
        return np.where(x >= 0, np.ones_like(z), z) / (1 + z)
    out = np.maximum(x, lowest)
    np.negative(out, out=out)
    np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)


def _sinc(x: Any) -> Any:
    angle = x * x.dtype.type(math.pi)
    origin = x == 0
    return np.where(origin, np.ones_like(x), np.sin(angle) / np.where(origin, 1, angle))


def _clip(x: Any, low: float | None, high: float | None) -> Any:
    if low is not None:
        x = np.maximum(x, low if x.dtype != BFLOAT16 else x.dtype.type(low))
    if high is None:
        return x
    return np.minimum(x, high if x.dtype != BFLOAT16 else x.dtype.type(high))


_BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": _of_integers(np.floor_divide),
    "remainder": _of_integers(np.remainder),
    # The operator has short cuts for small exponents that the ufunc has not.
    "pow": operator.pow,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "heaviside": np.heaviside,
    "copysign": np.copysign,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_left_shift": np.left_shift,
    "bitwise_right_shift": np.right_shift,
}

TABLE = {
    **_BINARY,
    "negative": np.negative,
    "positive": np.positive,
    "conj": np.conjugate,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    # The ufunc makes floats of integers.
    "round": lambda x: np.rint(x) if x.dtype.kind not in "iub" else x,
    "square": np.square,
    "reciprocal": np.reciprocal,
    "clip": _clip,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: np.reciprocal(np.sqrt(x)),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sinc": _sinc,
    "erf": erf,
    "erfinv": erfinv,
    "sigmoid": _sigmoid,
    "relu": lambda x: np.maximum(x, 0),
    "logical_not": np.logical_not,
    "bitwise_invert": np.invert,
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "isnan": np.isnan,
    "where": np.where,
    "astype": lambda x, dtype: x.astype(dtype),
}

#: NumPy's ufuncs take Python scalars as weak (NEP 50), floats beside bfloat16 excepted.
SCALAR_OPS = frozenset(_BINARY) | {"where"}
