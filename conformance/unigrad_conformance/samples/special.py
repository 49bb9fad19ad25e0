"""Samples of special functions. The oracle is mpmath."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np

from unigrad_conformance.sample import case, integers, real, samples, values


def _exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of arrays from one of mpmath's numbers."""

    @cache  # Each backend asks for the same ones, of each dtype.
    def at(*numbers: float) -> float:
        with mpmath.workdps(30):
            try:
                return float(mpmath.re(function(*[mpmath.mpf(x) for x in numbers])))
            except (ValueError, ZeroDivisionError):
                return float("nan")

    return np.vectorize(lambda *numbers: at(*map(float, numbers)), otypes=[np.float64])


def _scaled(order: int) -> Callable[..., Any]:
    return _exactly(lambda x: mpmath.besseli(order, x) * mpmath.exp(-abs(x)))


_log_gamma = _exactly(lambda x: mpmath.log(abs(mpmath.gamma(x))))
_POSITIVE = real(6, low=0.2, high=8.0)
samples("special.lgamma", case(_POSITIVE), case(values([-0.5, -2.3, 25.0, 1.0, 2.0])),
        case(integers(4, low=1)), oracle=_log_gamma, ulps=16, brief=True,
        # (x - ½) log x - x, which cancels near 1 and 2.
        terms=lambda x: 1 + np.abs(x))  # fmt: skip
samples("special.lgamma", case(values([0.0, -1.0, np.inf])),
        oracle=lambda x: np.full(3, np.inf), differentiable=False)  # fmt: skip
samples("special.digamma", case(_POSITIVE), case(values([-0.4, -2.3, 25.0])),
        oracle=_exactly(mpmath.digamma), ulps=32, brief=True)  # fmt: skip
samples("special.digamma", case(values([0.0, -1.0, -3.0])), oracle=lambda x: np.full(3, np.nan),
        differentiable=False)  # fmt: skip
for _n in (0, 1, 3, 2):
    samples(
        "special.polygamma",
        case(_n, _POSITIVE),
        case(_n, values([-0.4, -2.3, 25.0])),
        oracle=lambda n, x: _exactly(lambda y: mpmath.psi(n, y))(x),
        ulps=32,
        brief=True,
    )
samples(
    "special.polygamma",
    case(1, values([0.0, -1.0, -np.inf, np.inf])),
    case(3, values([0.0, -1.0, -np.inf, np.inf])),
    oracle=lambda n, x: np.array([np.inf, np.inf, np.nan, 0.0]),
    differentiable=False,
)
samples("special.polygamma", case(2, values([0.0, -1.0, -np.inf, np.inf])), differentiable=False,
        oracle=lambda n, x: np.array([np.nan, np.nan, np.nan, 0.0]))  # fmt: skip
samples(
    "special.zeta",
    case(real(4, low=1.5, high=6.0), real(4, low=0.3, high=5.0)),
    case(values([2.0, 3.0]), values([1.0])),
    oracle=_exactly(mpmath.zeta),
    ulps=32,
    brief=True,
)
_ABOVE = case(real(4, low=0.3, high=5.0), real(4, low=0.3, high=5.0))
samples("special.beta", _ABOVE, oracle=_exactly(mpmath.beta), ulps=64, brief=True)
samples("special.betaln", _ABOVE, oracle=_exactly(lambda a, b: mpmath.log(mpmath.beta(a, b))),
        ulps=32, brief=True, terms=lambda a, b: _log_gamma(a + b) + 1)  # fmt: skip


def _lower(a: Any, x: Any) -> Any:
    return mpmath.gammainc(a, 0, x, regularized=True)


def _upper(a: Any, x: Any) -> Any:
    return mpmath.gammainc(a, x, mpmath.inf, regularized=True)


for _name, _function in (("gammainc", _lower), ("gammaincc", _upper)):
    samples(
        f"special.{_name}",
        case(real(4, low=0.4, high=4.0), real(4, low=0.4, high=4.0)),
        case(values([0.5, 3.0, 20.0]), values([4.0, 0.5, 22.0])),
        oracle=_exactly(_function),
        ulps=64,
        brief=True,
        further=_name == "gammaincc",
    )
_AROUND = values([-40.0, -3.0, -0.2, 0.1, 1.5, 12.0])
for _order in (0, 1):
    samples(f"special.i{_order}e", case(_AROUND), oracle=_scaled(_order), ulps=16, brief=True)
    samples(f"special.i{_order}", case(real(5, low=0.1, high=4.0)),
            oracle=_exactly(lambda x, n=_order: mpmath.besseli(n, x)), ulps=32,
            brief=True)  # fmt: skip
samples("special.ndtr", case(values([-6.0, -1.0, 0.5, 3.0])), oracle=_exactly(mpmath.ncdf), ulps=32,
        brief=True)  # fmt: skip
samples("special.log_ndtr", case(values([-30.0, -15.0, -3.0, 0.4, 2.0])), ulps=32, brief=True,
        oracle=_exactly(lambda x: mpmath.log(mpmath.ncdf(x))))  # fmt: skip
samples("special.logit", case(real(4, low=0.1, high=0.9)), ulps=32, brief=True,
        oracle=_exactly(lambda x: mpmath.log(x / (1 - x))))  # fmt: skip
samples("special.xlogy", case(real(4), real(4, low=0.3, high=3.0)), brief=True,
        oracle=lambda x, y: x * np.log(y), ulps=8)  # fmt: skip
samples("special.xlog1py", case(real(4), real(4, low=-0.5, high=3.0)), brief=True,
        oracle=lambda x, y: x * np.log1p(y), ulps=8)  # fmt: skip
for _name in ("xlogy", "xlog1py"):
    samples(f"special.{_name}", case(values([0.0, 0.0]), values([-1.0, np.nan])),
            oracle=lambda x, y: np.array([0.0, np.nan]), differentiable=False)  # fmt: skip


# -- Bessel functions: errors are those of a wave of their height, near their zeros too
def _height(x: Any) -> Any:
    return np.sqrt(2 / (np.pi * np.maximum(np.abs(x), 0.6)))


_WIDE = [0.05, 1.3, 4.0, 12.0, 24.5, 25.5, 60.0, 300.0]
for _order in (0, 1):
    samples(f"special.j{_order}", case(values([*_WIDE, -3.0, -30.0, 0.0])),
            oracle=_exactly(lambda x, n=_order: mpmath.besselj(n, x)), ulps=64, brief=True,
            terms=lambda x: (1 + np.abs(x)) * _height(x))  # fmt: skip
    samples(f"special.y{_order}", case(values(_WIDE)), ulps=64, brief=True,
            oracle=_exactly(lambda x, n=_order: mpmath.bessely(n, x)),
            terms=lambda x: (1 + np.abs(x)) * _height(x) + 1 / x)  # fmt: skip
    samples(f"special.j{_order}", case(values([np.inf, -np.inf, np.nan])), differentiable=False,
            oracle=lambda x: np.array([0.0, 0.0, np.nan]))  # fmt: skip
    samples(f"special.y{_order}", case(values([0.0, -1.0, np.inf])), differentiable=False,
            oracle=lambda x: np.array([-np.inf, np.nan, 0.0]))  # fmt: skip


def _normal_quantile(p: Any) -> Any:
    with mpmath.workdps(60):
        return mpmath.sqrt(2) * mpmath.erfinv(2 * p - 1)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(80)


def _owens_t(h: Any, a: Any) -> Any:
    """By Gauss and Legendre's rule in long doubles: mpmath's integrals take seconds."""
    x = np.asarray(a, np.longdouble)[..., None] * (_NODES + 1) / 2
    slope = np.exp(-(np.asarray(h, np.longdouble)[..., None] ** 2) * (1 + x**2) / 2) / (1 + x**2)
    return np.asarray(np.sum(_WEIGHTS * slope, -1) * a / (4 * np.pi), np.float64)


samples("special.ndtri", case(values([0.02, 0.2, 0.45, 0.7, 0.95])), ulps=32, brief=True,
        oracle=_exactly(_normal_quantile), step=1e-4)  # fmt: skip
samples("special.ndtri", case(values([1e-20, 1e-5])), ulps=32, differentiable=False,
        oracle=_exactly(_normal_quantile))  # fmt: skip
samples("special.ndtri", case(values([0.0, 1.0, -0.1, 1.1])), differentiable=False,
        oracle=lambda p: np.array([-np.inf, np.inf, np.nan, np.nan]))  # fmt: skip
samples("special.owens_t", case(values([0.3, -1.2, 2.0, 5.0]), values([0.5, 0.9, 3.0, -0.2])),
        case(values([0.0, 1.0, 12.0]), values([1.0])), ulps=64, brief=True,
        oracle=_owens_t)  # fmt: skip
