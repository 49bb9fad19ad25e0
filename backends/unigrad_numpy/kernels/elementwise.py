"""Elementwise kernels: mostly ufuncs."""

import math
import sys
from typing import Any

import numpy as np

from unigrad.core.dtypes import most
from unigrad_numpy.kernels.bfloat16 import BFLOAT16
from unigrad_numpy.kernels.error_function import erf, erfc, erfinv

_BOOL, _INT32, _UINT64, _COMPLEX64, _COMPLEX128 = (
    np.dtype(one) for one in (np.bool_, np.int32, np.uint64, np.complex64, np.complex128)
)


def _of_ordered(ufunc: Any) -> Any:
    """Return a ufunc that refuses complex numbers, which NumPy orders by their real parts."""

    def run(x: Any, y: Any) -> Any:
        try:
            dtype = x.dtype
        except AttributeError:
            dtype = y.dtype
        if dtype is _COMPLEX64 or dtype is _COMPLEX128:
            raise TypeError("complex numbers have no order")
        return ufunc(x, y)

    return run


def _of_numbers(ufunc: Any) -> Any:
    """Return a ufunc that refuses bools, of which NumPy makes small integers."""

    def run(x: Any, y: Any) -> Any:
        if getattr(x, "dtype", None) is _BOOL:
            raise TypeError("bools are no numbers")
        return ufunc(x, y)

    return run


def _square(x: Any) -> Any:
    if x.dtype is _BOOL:
        raise TypeError("bools are no numbers")
    return np.square(x)


def _relu(x: Any) -> Any:
    if x.dtype.kind in "bc":
        raise TypeError("neither bools nor complex numbers are above or below zero")
    return np.maximum(x, 0)


def _nan_to_num(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    """Look first: NumPy's own replaces before it knows whether there is anything to replace."""
    out = x.copy()
    if not np.isfinite(x).all():
        largest = min(most(x.dtype), sys.float_info.max)
        out[np.isnan(x)] = nan
        out[x == math.inf] = largest if posinf is None else posinf
        out[x == -math.inf] = -largest if neginf is None else neginf
    return out


def _of_integers(ufunc: Any) -> Any:
    """Return a division whose integer zero divisors give 0 in silence (the front end raises)."""

    def divide(x: Any, y: Any) -> Any:
        result_kind = (y if isinstance(x, (int, float)) else x).dtype.kind
        if result_kind in "iub" and not (type(y) is int and y):
            with np.errstate(divide="ignore"):
                return ufunc(x, y)
        return ufunc(x, y)

    return divide


#: Dtypes in which what is lost where exp(-x) overflows is less than a normal number, and their 1.
_FINE = {np.dtype(kind): np.ones((), kind) for kind in (np.float32, np.float64)}


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), which is 0 where the exponential overflows."""
    one = _FINE.get(x.dtype)
    if one is None or x.ndim == 0:
        if x.dtype.kind == "c":
            right = x.real >= 0
            z = np.exp(np.where(right, -x, x))
            return np.where(right, 1, z) / (1 + z)
        # Only falling exponentials: right down to the subnormals of half precision.
        z = np.exp(-np.abs(x))
        # An integer 1: beside bfloat16, NumPy takes Python's floats for float64.
        return np.where(x >= 0, np.ones_like(z), z) / (1 + z)
    out = np.negative(x)
    with np.errstate(over="ignore"):
        np.exp(out, out=out)
    # In four fifths of the time that Python's 1 and np.reciprocal take.
    np.add(out, one, out)
    return np.divide(one, out, out)


def _sinc(x: Any) -> Any:
    if x.dtype.itemsize == 2:
        return _sinc(x.astype(np.float32)).astype(x.dtype)
    with np.errstate(over="ignore"):
        angle = x * x.dtype.type(math.pi)
        if x.all() and np.isfinite(angle).all():
            return np.sin(angle) / angle
    # Where πx leaves the range x is an integer: the sine is 0.
    origin, whole = x == 0, np.isinf(angle) & np.isfinite(x)
    ratio = np.sin(np.where(whole, 0, angle)) / np.where(origin | whole, 1, angle)
    return np.where(origin, np.ones_like(x), ratio)


def _cbrt(x: Any) -> Any:
    """The cube root; NumPy's own of single precision is a digit off."""
    return np.cbrt(x) if x.dtype.itemsize == 8 else np.cbrt(x.astype(np.float64)).astype(x.dtype)


def _ldexp(x: Any, exponent: Any) -> Any:
    """x · 2ᵏ. NumPy's own takes no uint64, and beside bfloat16 only int32."""
    if exponent.dtype is _UINT64 or (x.dtype == BFLOAT16 and exponent.dtype is not _INT32):
        least = 0 if exponent.dtype.kind == "u" else -_FAR
        exponent = exponent.astype(np.promote_types(exponent.dtype, np.int32), copy=False)
        exponent = np.clip(exponent, least, _FAR).astype(np.int32)
    return np.ldexp(x, exponent)


#: An exponent that leaves every range.
_FAR = 1 << 16


def _log1p(x: Any) -> Any:
    """log(1 + x). Of complex numbers NumPy's own loses real parts below epsilon."""
    if x.dtype.kind != "c":
        return np.log1p(x)
    real, imaginary = x.real, x.imag
    near = np.maximum(np.abs(real), np.abs(imaginary)) < 0.5
    a, b = np.where(near, real, 0), np.where(near, imaginary, 0)
    # |1 + x|² = 1 + a(2 + a) + b²
    inner = 0.5 * np.log1p(a * (2 + a) + b * b)
    outer = np.log(np.where(near, 1, 1 + x))
    out = np.empty_like(x)
    out.real = np.where(near, inner, outer.real)
    out.real[x == 0] = real[x == 0]
    out.imag = np.arctan2(imaginary, 1 + real)
    return out


def _expm1(x: Any) -> Any:
    """eˣ - 1. Of a complex number NumPy's own is NaN at infinities."""
    found = np.expm1(x)
    if x.dtype.kind != "c":
        return found
    a, b = x.real, x.imag
    aimless = ~np.isfinite(b)
    found = np.array(found)
    found.real = np.where(
        np.isneginf(a), -1, np.where(np.isposinf(a) & aimless, np.inf, found.real)
    )
    found.imag = np.where(b == 0, b, np.where(np.isneginf(a) & aimless, 0, found.imag))
    return found


def _round(x: Any) -> Any:
    """The nearest integer. The ufunc makes floats of integers and takes complex numbers."""
    kind = x.dtype.kind
    if kind == "c":
        raise TypeError("complex numbers are not rounded")
    return x if kind in "iub" else np.rint(x)


def _clip(x: Any, low: float | None, high: float | None) -> Any:
    if low is not None:
        x = np.maximum(x, low if x.dtype != BFLOAT16 else x.dtype.type(low))
    if high is None:
        return x
    return np.minimum(x, high if x.dtype != BFLOAT16 else x.dtype.type(high))


def _astype(x: Any, dtype: Any) -> Any:
    """Cast; of complex numbers the real parts, in silence."""
    if x.dtype.kind == "c" and dtype.kind not in "bc":
        x = x.real
    return x.astype(dtype)


def _bitcast(x: Any, dtype: Any) -> Any:
    """Read the bytes of elements in another dtype."""
    if x.itemsize == dtype.itemsize:
        return x.view(dtype)
    if x.itemsize > dtype.itemsize:
        return np.ascontiguousarray(x[..., None]).view(dtype)
    return np.ascontiguousarray(x).view(dtype)[..., 0]


def _pow(x: Any, y: Any) -> Any:
    """x**y. The operator has short cuts for small exponents that the ufunc has not all of.

    That for ½ is the square root, which -∞ and -0.0 do not share.
    """
    if type(y) is float or (type(y) is np.ndarray and not y.ndim):
        base: Any = x if type(x) is np.ndarray else np.asarray(x, getattr(y, "dtype", None))
        if y == 0.5 and base.dtype.kind == "f":
            # A power whose exponents are all ½ is that short cut in the ufunc as well.
            kind = base.dtype.type
            return np.sqrt(np.where(base == -math.inf, kind(math.inf), base) + kind(0))
    return x**y


def _reciprocal(x: Any) -> Any:
    """1 / x; that of a complex number is 0 at infinities and infinite at 0."""
    found = np.reciprocal(x)
    if x.dtype.kind != "c":
        return found
    found = np.where(np.isinf(x.real) | np.isinf(x.imag), 0, found)
    return np.where(x == 0, x.dtype.type(complex(math.inf, math.nan)), found)


_BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floor_divide": _of_integers(np.floor_divide),
    "remainder": _of_integers(np.remainder),
    "gcd": np.gcd,
    "pow": _pow,
    "maximum": _of_ordered(np.maximum),
    "minimum": _of_ordered(np.minimum),
    "fmax": _of_ordered(np.fmax),
    "fmin": _of_ordered(np.fmin),
    "heaviside": np.heaviside,
    "copysign": np.copysign,
    "nextafter": np.nextafter,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "logaddexp": np.logaddexp,
    "greater": _of_ordered(np.greater),
    "greater_equal": _of_ordered(np.greater_equal),
    "less": _of_ordered(np.less),
    "less_equal": _of_ordered(np.less_equal),
    "equal": np.equal,
    "not_equal": np.not_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "bitwise_and": np.bitwise_and,
    "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor,
    "bitwise_left_shift": _of_numbers(np.left_shift),
    "bitwise_right_shift": _of_numbers(np.right_shift),
}

TABLE = {
    **_BINARY,
    "negative": np.negative,
    "positive": lambda x: np.positive(x) if x.dtype.kind != "b" else x.copy(),
    "conj": lambda x: np.conjugate(x) if x.dtype.kind == "c" else x,
    "imag": np.imag,
    "signbit": np.signbit,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "round": _round,
    "square": _square,
    "reciprocal": _reciprocal,
    "clip": _clip,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": _expm1,
    "log": np.log,
    "log1p": _log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: _reciprocal(np.sqrt(x)),
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
    "cbrt": _cbrt,
    "frexp": np.frexp,
    "ldexp": _ldexp,
    "fmod": np.fmod,
    "lcm": np.lcm,
    "logaddexp2": np.logaddexp2,
    "erf": erf,
    "erfc": erfc,
    "erfinv": erfinv,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "logical_not": np.logical_not,
    "bitwise_invert": np.invert,
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "nan_to_num": _nan_to_num,
    "isnan": np.isnan,
    "where": np.where,
    "astype": _astype,
    "bitcast": _bitcast,
}

#: NumPy's ufuncs take Python scalars as weak (NEP 50), floats beside bfloat16 excepted.
SCALAR_OPS = frozenset(_BINARY) | {"where"}
