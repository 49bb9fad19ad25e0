"""Special functions of real numbers.

Integers and bools are computed in the default float, half precision in float32. Outside of a
function's domain it is NaN. Where a library has the function, its kernel runs; the derivatives are
the textbook's, made of each other, so that they nest. Errors, the same for all: `DTypeError` for
complex numbers, `ShapeError` when shapes do not broadcast.

Formulas: NIST Digital Library of Mathematical Functions (dlmf.nist.gov), chapters 5, 7, 8, 10, 25.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    alike,
    as_tensor,
    cast,
    common_tensors,
    constant,
    to_floating,
)
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.op import Op, composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import equal, isnan, logical_and, where
from unigrad.ops.elementary import cos, erfc, exp, log, log1p, sin
from unigrad.ops.reductions import widened
from unigrad.ops.rounding import round as nearest
from unigrad.ops.shaping import as_integer

__all__ = [
    "beta",
    "betaln",
    "digamma",
    "gammainc",
    "gammaincc",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "lgamma",
    "log_ndtr",
    "logit",
    "ndtr",
    "polygamma",
    "xlog1py",
    "xlogy",
    "zeta",
]


def _declared(name: str) -> Op:
    """Declare an elementwise primitive."""
    op = primitive(name)
    op.broadcasts = True
    return op


_lgamma, _digamma, _zeta = _declared("lgamma"), _declared("digamma"), _declared("zeta")
_gammainc, _gammaincc = _declared("gammainc"), _declared("gammaincc")
_i0e, _i1e = _declared("i0e"), _declared("i1e")


def _real(name: str, *given: TensorLike) -> tuple[list[Tensor], dtypes.DType]:
    """Return real numbers in one dtype to compute in, and the dtype of results."""
    found = [as_tensor(given[0])] if len(given) == 1 else common_tensors(name, given)
    tensors: list[Tensor] = [to_floating(one) for one in found]
    dtype = tensors[0].dtype
    if dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers ({dtype.name}) are not taken")
    return [widened(one) for one in tensors], dtype


def _run(op: Op, *given: TensorLike) -> Tensor:
    natives = alike(given)
    if natives is not None:
        backend = given[0].backend
        if natives[0].dtype is backend.native_single or given[0].dtype in _PRECISE:
            out: Tensor = dispatch(op, backend, given, natives)
            return out
    tensors, dtype = _real(op.name, *given)
    return cast(op(*tensors), dtype)


#: Dtypes that results are computed in as they are.
_PRECISE = frozenset((dtypes.float32, dtypes.float64))


# -- the gamma family


def lgamma(x: TensorLike, /) -> Tensor:
    """Return log |Γ(x)|; ∞ at 0 and the negative integers.

    Example:
        >>> lgamma(1.0).item()
        0.0
    """
    return _run(_lgamma, x)


def digamma(x: TensorLike, /) -> Tensor:
    """Return ψ(x), the derivative of log Γ(x); NaN at 0 and the negative integers.

    Example:
        >>> round(digamma(1.0).item(), 5)
        -0.57722
    """
    return _run(_digamma, x)


def polygamma(n: int, x: TensorLike, /) -> Tensor:
    """Return the n-th derivative of ψ(x), and for n = 0 `digamma`.

    At 0 and the negative integers it is ∞ for an odd n, and NaN for an even one.

    Raises:
        SettingError: for a negative ``n``.

    Example:
        >>> round(polygamma(1, 1.0).item(), 5)
        1.64493
    """
    n = as_integer("polygamma", n)
    if n < 0:
        raise SettingError(f"polygamma: n is 0 or more, not {n}")
    (wide,), dtype = _real("polygamma", x)
    return cast(_digamma(wide) if n == 0 else derivative_of_digamma(wide, n), dtype)


def derivative_of_digamma(x: Tensor, n: int) -> Tensor:
    """Return ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x) for n > 0.

    On the left it is that of 1 - x and the n-th derivative of ψ(1 - x) - ψ(x) = π cot πx
    (DLMF 5.15.6), a polynomial in the cotangent.
    """
    left = x <= 0.0
    mirrored = where(left, 1.0 - x, x)
    right: Tensor = _zeta(constant(x, n + 1.0), mirrored)
    right = right * float((-1) ** (n + 1) * math.factorial(n))
    # What is left of x beside an integer keeps its digits.
    angle = where(left, x - nearest(x), 0.5) * math.pi
    cotangent = cos(angle) / sin(angle)
    if n % 2 == 0:
        cotangent = where(equal(angle, 0.0), math.nan, cotangent)
    powers = [0.0, 1.0]
    for _ in range(n):
        # Of P(cot): -(1 + cot²) P′(cot).
        inner = [-k * one for k, one in enumerate(powers)][1:]
        powers = [a + b for a, b in zip([*inner, 0.0, 0.0], [0.0, 0.0, *inner], strict=True)]
    beside: Tensor | float = powers.pop()
    for one in reversed(powers):
        beside = cotangent * beside + one
    return where(left, right * (-1.0) ** n - beside * math.pi ** (n + 1), right)


def zeta(x: TensorLike, q: TensorLike, /) -> Tensor:
    """Return Hurwitz's ζ(x, q) = Σ (q + k)⁻ˣ for x > 1 and q > 0; Riemann's with q = 1.

    ∞ for x = 1, and for q = 0.

    Example:
        >>> round(zeta(2.0, 1.0).item(), 5)
        1.64493
    """
    return _run(_zeta, x, q)


def beta(a: TensorLike, b: TensorLike, /) -> Tensor:
    """Return Γ(a) Γ(b) / Γ(a + b) for positive a and b.

    Example:
        >>> round(beta(2.0, 3.0).item(), 5)
        0.08333
    """
    tensors, dtype = _real("beta", a, b)
    return cast(exp(_betaln(*tensors)), dtype)


def betaln(a: TensorLike, b: TensorLike, /) -> Tensor:
    """Return the logarithm of `beta`.

    Example:
        >>> round(betaln(2.0, 3.0).item(), 5)
        -2.48491
    """
    tensors, dtype = _real("betaln", a, b)
    return cast(_betaln(*tensors), dtype)


def _betaln(a: Tensor, b: Tensor) -> Tensor:
    out: Tensor = _lgamma(a) + _lgamma(b) - _lgamma(a + b)
    return where(logical_and(a > 0.0, b > 0.0), out, math.nan)


def gammainc(a: TensorLike, x: TensorLike, /) -> Tensor:
    """Return P(a, x) = ∫₀ˣ tᵃ⁻¹ e⁻ᵗ dt / Γ(a), the distribution function of Gamma(a).

    For a > 0 and x ≥ 0. Differentiated by both (see `random.gamma`).

    Example:
        >>> round(gammainc(1.0, 1.0).item(), 5)
        0.63212
    """
    return _run(_gammainc, a, x)


def gammaincc(a: TensorLike, x: TensorLike, /) -> Tensor:
    """Return Q(a, x) = 1 - P(a, x), with the digits of its tail. See `gammainc`.

    Example:
        >>> round(gammaincc(1.0, 1.0).item(), 5)
        0.36788
    """
    return _run(_gammaincc, a, x)


# -- Bessel functions


def i0e(x: TensorLike, /) -> Tensor:
    """Return I₀(x) e^(-|x|), of the modified Bessel function of the first kind.

    Example:
        >>> i0e(0.0).item()
        1.0
    """
    return _run(_i0e, x)


def i1e(x: TensorLike, /) -> Tensor:
    """Return I₁(x) e^(-|x|), of the modified Bessel function of the first kind.

    Example:
        >>> i1e(0.0).item()
        0.0
    """
    return _run(_i1e, x)


def i0(x: TensorLike, /) -> Tensor:
    """Return I₀(x), the modified Bessel function of the first kind of order 0.

    Example:
        >>> i0(0.0).item()
        1.0
    """
    (wide,), dtype = _real("i0", x)
    return cast(_i0e(wide) * exp(absolute(wide)), dtype)


def i1(x: TensorLike, /) -> Tensor:
    """Return I₁(x), the modified Bessel function of the first kind of order 1.

    Example:
        >>> i1(0.0).item()
        0.0
    """
    (wide,), dtype = _real("i1", x)
    return cast(_i1e(wide) * exp(absolute(wide)), dtype)


# -- the normal distribution


def ndtr(x: TensorLike, /) -> Tensor:
    """Return Φ(x), the distribution function of the standard normal distribution.

    Example:
        >>> ndtr(0.0).item()
        0.5
    """
    (wide,), dtype = _real("ndtr", x)
    return cast(erfc(wide * -math.sqrt(0.5)) * 0.5, dtype)


#: Below it the asymptotic series of Φ(x), whose terms are (2k - 1)!! / x²ᵏ, has all digits.
_FAR = -10.0
_TERMS = 20


@composite
def _log_ndtr(x: Tensor) -> Tensor:
    far = x < _FAR
    near, beyond = where(far, -1.0, x), where(far, x, _FAR)
    # On the right it is the complement that has the digits.
    small = erfc(absolute(near) * math.sqrt(0.5)) * 0.5
    middle = where(near > 0.0, log1p(-small), log(where(near > 0.0, 1.0, small)))
    tail = beyond * beyond * -0.5 - 0.5 * math.log(2.0 * math.pi) - log(_mills(beyond))
    return where(far, tail, middle)


def _mills(x: Tensor) -> Tensor:
    """Return φ(x) / Φ(x) by its asymptotic series."""
    r = 1.0 / (x * x)
    series = r * 0.0 + 1.0
    for k in range(_TERMS, 0, -1):
        series = 1.0 - series * r * float(2 * k - 1)
    return -x / series


def slope_of_log_ndtr(x: Tensor) -> Tensor:
    """Return φ(x) / Φ(x), the derivative of log Φ."""
    far = x < _FAR
    near = where(far, 0.0, x)
    density = exp(near * near * -0.5) * math.sqrt(2.0 / math.pi)
    return where(far, _mills(where(far, x, _FAR)), density / erfc(near * -math.sqrt(0.5)))


def log_ndtr(x: TensorLike, /) -> Tensor:
    """Return log Φ(x), with all digits far out on both sides.

    Example:
        >>> round(log_ndtr(0.0).item(), 5)
        -0.69315
    """
    return _run(_log_ndtr, x)


# -- logarithms


def logit(x: TensorLike, /) -> Tensor:
    """Return log(x / (1 - x)), the inverse of `ug.sigmoid`; NaN outside of [0, 1].

    Example:
        >>> logit(0.5).item()
        0.0
    """
    (wide,), dtype = _real("logit", x)
    return cast(log(wide) - log1p(-wide), dtype)


def _times(x: Tensor, y: Tensor, logarithm: Callable[[Tensor], Tensor], one: float) -> Tensor:
    """Return x times a logarithm of y, and 0 where x is 0 and y a number."""
    nothing = logical_and(equal(x, 0.0), equal(isnan(y), False))
    # A logarithm that does not count is not taken: it may be of 0.
    return where(nothing, 0.0, x * logarithm(where(nothing, one, y)))


@composite
def _xlogy(x: Tensor, y: Tensor) -> Tensor:
    return _times(x, y, log, 1.0)


@composite
def _xlog1py(x: Tensor, y: Tensor) -> Tensor:
    return _times(x, y, log1p, 0.0)


for _op in (_xlogy, _xlog1py, _log_ndtr):
    _op.broadcasts = True


def xlogy(x: TensorLike, y: TensorLike, /) -> Tensor:
    """Return x log(y), and 0 where x is 0 whatever y is, but NaN.

    The derivative by y is x / y, 0 where x is 0; that by x is log(y).

    Example:
        >>> xlogy(0.0, 0.0).item()
        0.0
    """
    return _run(_xlogy, x, y)


def xlog1py(x: TensorLike, y: TensorLike, /) -> Tensor:
    """Return x log(1 + y), and 0 where x is 0 whatever y is, but NaN. See `xlogy`.

    Example:
        >>> xlog1py(0.0, -1.0).item()
        0.0
    """
    return _run(_xlog1py, x, y)
