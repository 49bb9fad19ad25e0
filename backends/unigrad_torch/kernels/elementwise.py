"""Elementwise kernels.

Where torch's own derivative is missing or is not unigrad's (a tie with a scalar, the origin of
hypot), the kernel takes the textbook's: `unigrad_torch.bridge`.
"""

import math
import operator
from collections.abc import Callable
from operator import methodcaller
from typing import Any

import torch

from unigrad_torch.bridge import bound, by_rule, conj
from unigrad_torch.kernels import complex_ends
from unigrad_torch.kernels.bits import DTYPES, bitcast, ldexp, shift_by
from unigrad_torch.kernels.values import are_finite

Unary = Callable[[torch.Tensor], torch.Tensor]
Binary = Callable[[Any, Any], torch.Tensor]


def _extremum(name: str, tensors: Binary, scalar: Binary, beyond: Binary, upto: Binary) -> Binary:
    """Return maximum or minimum: a clamp is faster, but its tie goes to the scalar.

    The last two compare: where a tensor's element is the result alone, and where it may share it.
    """

    def clamp(x: Any, y: Any) -> torch.Tensor:
        return scalar(y, x) if isinstance(x, (int, float)) else scalar(x, y)

    # A backward pass of 12 µs, of 50 by the rule.
    def pullback(g: torch.Tensor, out: torch.Tensor, x: Any, y: Any) -> torch.Tensor:
        if isinstance(x, (int, float)):
            x, y = y, x
        return upto(x, y).to(g.dtype).add_(beyond(x, y)).mul_(0.5) * g

    clamp_by_rule = by_rule(name, clamp, pullback)

    def run(x: Any, y: Any) -> torch.Tensor:
        return tensors(x, y) if type(x) is type(y) else clamp_by_rule(x, y)

    return run


def _heaviside(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """0, y or 1 by the sign of x."""
    if x.is_complex():
        raise TypeError("complex numbers have no order")
    if x.is_floating_point() and are_finite(x):
        return torch.heaviside(x, y)
    # torch's own of NaN is 0.
    return torch.where(x == 0, y, (_sign(x) + 1) / 2)


def _rounded(value: float, like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(value, dtype=like.dtype, device=like.device)


def _clip(x: torch.Tensor, low: float | None, high: float | None) -> torch.Tensor:
    try:
        return torch.clamp(x, low, high)
    except RuntimeError:
        # torch refuses a scalar beyond the dtype, which is an infinity.
        return torch.clamp(x, *[None if v is None else _rounded(v, x) for v in (low, high)])


def _clip_pullback(
    g: torch.Tensor, out: torch.Tensor, x: torch.Tensor, low: float | None, high: float | None
) -> torch.Tensor:
    """The gradient where the limits leave x as it is: 6 µs, of 30 by the rule."""
    if low is not None:
        g = g.masked_fill(x < low, 0.0)
    return g if high is None else g.masked_fill(x > high, 0.0)


def _rsqrt_pullback(g: torch.Tensor, out: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """-½ g x^(-3/2): 6 µs, of 25 by the rule."""
    return conj(out / x * -0.5) * g


def _sign(x: torch.Tensor) -> torch.Tensor:
    """The sign; torch's own of NaN is 0."""
    if x.is_floating_point():
        return torch.where(x != x, x, torch.sgn(x))
    if x.dtype is torch.bool:
        raise TypeError("a bool has no sign")
    return torch.sgn(x)


def _square(x: torch.Tensor) -> torch.Tensor:
    """x²; torch makes integers of bools."""
    if x.dtype is torch.bool:
        raise TypeError("bools are no numbers")
    return x.square()


def _of_bools(op: Unary) -> Unary:
    """Return an op that torch has not for bools, which it leaves as they are."""

    def run(x: torch.Tensor) -> torch.Tensor:
        try:
            return op(x)
        except RuntimeError:
            if x.dtype is torch.bool:
                return x.clone()
            raise

    return run


def _of_integers(divide: Binary) -> Binary:
    """Return a division whose integer zero divisors give 0 (the front end raises)."""

    def run(x: Any, y: Any) -> torch.Tensor:
        tensor = y if isinstance(x, (int, float)) else x
        if tensor.is_floating_point():
            return divide(x, y)
        if tensor.is_complex():
            raise TypeError("complex numbers have no floor")
        if isinstance(y, (int, float)):
            return divide(x, y) if y else torch.zeros_like(x)
        zero = y == 0
        return torch.where(zero, 0, divide(x, torch.where(zero, 1, y)))

    return run


def _logaddexp(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if x.is_complex():
        raise TypeError("complex numbers have no order")
    return torch.logaddexp(x, y)


_HALVES = frozenset((torch.float16, torch.bfloat16))


def _operand(x: float | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return an operand as a tensor, a number rounded to the dtype of the tensor beside it."""
    if isinstance(x, (int, float)):
        return torch.full((), x, dtype=like.dtype, device=like.device)
    return x


def _floor_divide(x: Any, y: Any) -> Any:
    """The floor of x / y; of half precision torch's own rounds x / y before, and no number."""
    tensor = y if isinstance(x, (int, float)) else x
    if tensor.dtype in _HALVES:
        found = torch.floor_divide(_operand(x, tensor).float(), _operand(y, tensor).float())
        # Half a microsecond less than `to`.
        return found.type(tensor.dtype)
    # Half a microsecond less than the operator.
    return torch.floor_divide(x, y) if tensor is x else x // y


_integer_remainder = _of_integers(torch.remainder)


def _remainder(x: Any, y: Any) -> torch.Tensor:
    """x mod y, which has the sign of y; torch's own zeros have that of x."""
    tensor = y if isinstance(x, (int, float)) else x
    if not tensor.is_floating_point():
        return _integer_remainder(x, y)
    if tensor.dtype is torch.bfloat16:
        # torch's own is NaN where x / y leaves the range of float32.
        x, y = _operand(x, tensor).double(), _operand(y, tensor).double()
        return torch.copysign(torch.remainder(x, y), y).bfloat16()
    return torch.copysign(torch.remainder(x, y), y)


def _fmod(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """What trunc(x / y) y leaves of x; torch's own of bfloat16 is as of `_remainder`."""
    if x.dtype is torch.bfloat16:
        return torch.fmod(x.double(), y.double()).bfloat16()
    return torch.fmod(x, y)


def _raw_pow(x: Any, y: Any) -> torch.Tensor:
    """x**y; torch's own of complex 0 ** 0 is NaN."""
    found: torch.Tensor = torch.pow(x, y)
    return torch.where(y == 0, 1.0, found) if found.is_complex() else found


_real_pow = by_rule("pow", _raw_pow)


_ROOTS = (0.5, -0.5)


def _pow(x: Any, y: Any) -> torch.Tensor:
    """x**y. By an exponent that is a tensor, torch's second derivative is NaN at x = 0.

    Powers of ±½ are square roots of torch's, which -∞ and -0.0 do not share.
    """
    if not isinstance(y, (int, float)):
        found: torch.Tensor = _real_pow(x, y)
        return found
    if y in _ROOTS and x.is_floating_point():
        y = torch.full((), y, dtype=x.dtype, device=x.device)
    return torch.pow(x, y)


def _astype(x: torch.Tensor, dtype: Any) -> torch.Tensor:
    """Cast; of complex numbers the real parts, in silence."""
    if x.is_complex() and dtype.kind not in "bc":
        x = torch.real(x)
    return x.to(DTYPES[dtype])


def _sinc(x: torch.Tensor) -> torch.Tensor:
    """sin(πx) / (πx); where πx leaves the range x is an integer, and torch's own NaN."""
    found = torch.sinc(x)
    if are_finite(found):
        return found
    whole = torch.isinf(x * math.pi) & torch.isfinite(x)
    return torch.where(whole, 0.0, found)


def _isclose(
    x: torch.Tensor, y: torch.Tensor, rtol: float, atol: float, equal_nan: bool
) -> torch.Tensor:
    near = torch.abs(x - y) <= torch.abs(y) * rtol + atol
    close = (near & torch.isfinite(y)) | (x == y)
    return close | (torch.isnan(x) & torch.isnan(y)) if equal_nan else close


_OPERATORS = {
    # The operators, since they take a Python scalar on either side.
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "floor_divide": by_rule("floor_divide", _of_integers(_floor_divide)),
    "remainder": by_rule("remainder", _remainder),
    # Of the least integer torch's own may be negative.
    "gcd": lambda x, y: torch.gcd(x, y).abs(),
    "pow": _pow,
    "maximum": _extremum("maximum", torch.maximum, torch.clamp_min, operator.gt, operator.ge),
    "minimum": _extremum("minimum", torch.minimum, torch.clamp_max, operator.lt, operator.le),
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "where": torch.where,
}

TABLE = {
    "frexp": by_rule("frexp", lambda x: (*torch.frexp(x),)),
    # Called as methods where there is one tensor: torch takes its arguments apart faster then.
    **_OPERATORS,
    "negative": torch.Tensor.neg,
    "positive": _of_bools(torch.Tensor.positive),
    "conj": lambda x: torch.conj_physical(x) if x.is_complex() else x,
    "abs": _of_bools(torch.Tensor.abs),
    # torch's derivatives of steps are zeros, which an infinite slope before them makes NaN.
    "sign": by_rule("sign", _sign),
    "floor": by_rule("floor", _of_bools(torch.Tensor.floor)),
    "ceil": by_rule("ceil", _of_bools(torch.Tensor.ceil)),
    "trunc": by_rule("trunc", _of_bools(torch.Tensor.trunc)),
    "round": by_rule("round", _of_bools(torch.Tensor.round)),
    "square": _square,
    "reciprocal": complex_ends.reciprocal,
    "clip": by_rule("clip", _clip, _clip_pullback),
    "copysign": by_rule("copysign", torch.copysign),
    "nextafter": by_rule("nextafter", torch.nextafter),
    "imag": by_rule("imag", lambda x: x.imag.clone()),
    "signbit": torch.signbit,
    "fmax": by_rule("fmax", torch.fmax),
    "fmin": by_rule("fmin", torch.fmin),
    "heaviside": by_rule("heaviside", _heaviside),
    "exp": torch.Tensor.exp,
    "exp2": torch.Tensor.exp2,
    # torch's own, 1 + expm1(x), is 0 from -20 on.
    "expm1": by_rule("expm1", complex_ends.expm1),
    "log": torch.Tensor.log,
    "log1p": complex_ends.log1p,
    "log2": torch.Tensor.log2,
    "log10": torch.Tensor.log10,
    "sqrt": torch.Tensor.sqrt,
    # torch's own derivative at -0.0 is that at 0.0.
    "rsqrt": by_rule("rsqrt", complex_ends.rsqrt, _rsqrt_pullback),
    "sin": torch.Tensor.sin,
    "cos": torch.Tensor.cos,
    "tan": torch.Tensor.tan,
    "asin": torch.Tensor.asin,
    "acos": complex_ends.acos,
    "atan": torch.Tensor.atan,
    "sinh": torch.Tensor.sinh,
    "cosh": torch.Tensor.cosh,
    "tanh": torch.Tensor.tanh,
    # torch's own takes the square of x.
    "asinh": by_rule("asinh", torch.Tensor.asinh),
    # torch's own have derivatives where there is no value.
    "acosh": by_rule("acosh", torch.Tensor.acosh),
    "atanh": by_rule("atanh", torch.Tensor.atanh),
    "atan2": by_rule("atan2", torch.atan2),
    "hypot": by_rule("hypot", torch.hypot),
    "logaddexp": by_rule("logaddexp", _logaddexp),
    "erf": torch.Tensor.erf,
    "erfc": torch.Tensor.erfc,
    "erfinv": torch.Tensor.erfinv,
    "sigmoid": torch.Tensor.sigmoid,
    "relu": torch.Tensor.relu,
    "logical_and": torch.logical_and,
    "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor,
    "logical_not": torch.Tensor.logical_not,
    "bitwise_invert": torch.Tensor.bitwise_not,
    "bitwise_left_shift": shift_by(torch.bitwise_left_shift, right=False),
    "bitwise_right_shift": shift_by(torch.bitwise_right_shift, right=True),
    "isfinite": torch.Tensor.isfinite,
    "isinf": torch.Tensor.isinf,
    "isnan": torch.Tensor.isnan,
    "isclose": _isclose,
    "allclose": lambda *xs, **settings: torch.all(_isclose(*xs, **settings)),
    "sinc": by_rule("sinc", _sinc),
    "fmod": by_rule("fmod", _fmod),
    "ldexp": by_rule("ldexp", ldexp),
    "lcm": torch.lcm,
    "logaddexp2": by_rule("logaddexp2", torch.logaddexp2),
    "xlogy": by_rule("xlogy", torch.special.xlogy),
    "xlog1py": by_rule("xlog1py", torch.special.xlog1py),
    "nan_to_num": by_rule("nan_to_num", torch.nan_to_num),
    "astype": _astype,
    "bitcast": bitcast,
}

SCALAR_OPS = frozenset(_OPERATORS)


def _bind_astype(dtype: Any) -> Unary:
    native = DTYPES[dtype]
    # `type` does what `to` does in half the time.
    if dtype.kind in "bc":
        return methodcaller("type", native)
    return lambda x: (torch.real(x) if x.is_complex() else x).type(native)


def _bind_clip(low: float | None, high: float | None) -> Unary:
    return lambda x: _clip(x, low, high)


BINDERS: dict[Any, Any] = {_astype: _bind_astype, TABLE["clip"]: bound(TABLE["clip"], _bind_clip)}
