"""Functions of complex numbers where a part is infinite, NaN or a zero with a sign.

XLA's formulas make NaN of more, and on branch cuts they know no side: a function is computed where
no part has a sign, and its symmetries give the rest. A line is a function and what its real and
imaginary parts are at the ends, given the argument's parts and what JAX found. Real numbers pass
by.

Sources: C99, annex G.6; Python array API standard 2025.12 (for ``expm1`` and ``log1p``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from unigrad_jax.bridge import by_rule

_Unary = Callable[[Any], Any]
_Part = Callable[[Any, Any, Any], Any]


def _endless(a: Any, b: Any) -> Any:
    return jnp.isinf(a) | jnp.isinf(b)


def _as_found(a: Any, b: Any, found: Any) -> Any:
    return found


def _infinite(a: Any, b: Any, found: Any) -> Any:
    """An infinity wherever a part of the argument is one."""
    return jnp.where(_endless(a, b), jnp.inf, found)


def _lost(a: Any, b: Any) -> Any:
    """Where a NaN stands beside a finite part."""
    return (jnp.isnan(a) & jnp.isfinite(b)) | (jnp.isnan(b) & jnp.isfinite(a))


def _vanished(a: Any, b: Any, turn: _Unary, found: Any) -> Any:
    """A zero with the sign of its angle where the real part is -∞."""
    falls = jnp.isneginf(a) & jnp.isfinite(b)
    return jnp.where(falls, 0 * turn(jnp.where(falls, b, 0)), found)


def _kept(a: Any, b: Any, found: Any) -> Any:
    """The real part, where it is 0 or infinite beside an angle that is no number."""
    return jnp.where(~jnp.isfinite(b) & ((a == 0) | jnp.isinf(a)), a, found)


#: The real and the imaginary part.
_ENDS: dict[str, tuple[_Part, _Part]] = {
    "acos": (
        lambda a, b, found: jnp.where((a == 0) & jnp.isnan(b), math.pi / 2, found),
        lambda a, b, found: jnp.where(_lost(a, b), jnp.nan, found),
    ),
    "acosh": (
        lambda a, b, found: jnp.where(_lost(a, b), jnp.nan, found),
        lambda a, b, found: jnp.where((a == 0) & jnp.isnan(b), math.pi / 2, found),
    ),
    "asinh": (
        lambda a, b, found: jnp.where(_lost(a, b) & (b != 0), jnp.nan, found),
        lambda a, b, found: jnp.where(jnp.isnan(a) & (b == 0), b, found),
    ),
    "atanh": (
        lambda a, b, found: jnp.where(
            jnp.isnan(b) & ((a == 0) | jnp.isinf(a)),
            jnp.copysign(0.0, a),
            jnp.where(jnp.isnan(a) & jnp.isfinite(b), jnp.nan, found),
        ),
        lambda a, b, found: jnp.where(
            jnp.isnan(b) | (jnp.isnan(a) & jnp.isfinite(b)), jnp.nan, found
        ),
    ),
    "cosh": (
        lambda a, b, found: jnp.where(jnp.isinf(a) & ~jnp.isfinite(b), jnp.inf, found),
        lambda a, b, found: jnp.where((a == 0) & ~jnp.isfinite(b), 0, found),
    ),
    "exp": (
        lambda a, b, found: jnp.where(
            jnp.isposinf(a) & ~jnp.isfinite(b), jnp.inf, _vanished(a, b, jnp.cos, found)
        ),
        lambda a, b, found: _vanished(a, b, jnp.sin, found),
    ),
    "expm1": (
        lambda a, b, found: jnp.where(
            jnp.isneginf(a), -1, jnp.where(jnp.isposinf(a) & ~jnp.isfinite(b), jnp.inf, found)
        ),
        lambda a, b, found: jnp.where(
            b == 0, b, jnp.where(jnp.isneginf(a) & ~jnp.isfinite(b), 0, found)
        ),
    ),
    "log": (_infinite, _as_found),
    "log1p": (_infinite, _as_found),
    "sinh": (_kept, _as_found),
    "sqrt": (
        lambda a, b, found: jnp.where(jnp.isposinf(a) | jnp.isinf(b), jnp.inf, found),
        lambda a, b, found: jnp.where(
            jnp.isinf(b), b, jnp.where(jnp.isneginf(a) & jnp.isnan(b), jnp.inf, found)
        ),
    ),
    "tanh": (
        lambda a, b, found: jnp.where((a == 0) & ~jnp.isfinite(b), a, found),
        _as_found,
    ),
}


#: Functions with f(-z) = -f(z), and with f(-z) = f(z).
_ODD, _EVEN = ("asinh", "atanh", "sinh", "tanh"), ("cosh",)


def _mended(name: str, function: _Unary) -> _Unary:
    """Return a function of complex numbers that is right at the ends too."""
    real, imaginary = _ENDS[name]

    def run(x: Any) -> Any:
        a, b = x.real, x.imag
        left, below = jnp.signbit(a) & (name in _ODD + _EVEN), jnp.signbit(b)
        a, b = jnp.where(left, -a, a), jnp.where(below, -b, b)
        found = function(jax.lax.complex(a, b))
        re, im = real(a, b, found.real), imaginary(a, b, found.imag)
        # f(z̄) is the conjugate of f(z).
        return jax.lax.complex(
            jnp.where(left & (name in _ODD), -re, re),
            jnp.where(below ^ (left & (name in _EVEN)), -im, im),
        )

    return run


def at_the_ends(name: str, function: _Unary) -> _Unary:
    """Return a function that is right at the ends of complex numbers, by the textbook's rule."""
    return _of_kinds(name, function, _mended(name, function))


def _of_kinds(name: str, of_real: _Unary, of_complex: _Unary) -> _Unary:
    ruled = by_rule(name, of_complex)
    return lambda x: ruled(x) if jnp.iscomplexobj(x) else of_real(x)


def _across(x: Any) -> Any:
    """Exchange the parts: i times the conjugate."""
    return jax.lax.complex(x.imag, x.real)


def by_hyperbolic(name: str, function: _Unary, other: str, of_other: _Unary) -> _Unary:
    """Return a circular function as that of an exchanged argument: sin z = -i sinh(iz)."""
    hyperbolic = _mended(other, of_other)
    return _of_kinds(name, function, lambda x: _across(hyperbolic(_across(x))))


def cosine(x: Any) -> Any:
    """cos z = cosh(iz)."""
    return jnp.conj(_mended("cosh", cosh)(_across(x)))


def sinh(x: Any) -> Any:
    """By real functions, since XLA's formula loses the digits of small numbers."""
    if not jnp.iscomplexobj(x):
        return jnp.sinh(x)
    a, b = x.real, x.imag
    return jax.lax.complex(jnp.sinh(a) * jnp.cos(b), jnp.where(b == 0, b, jnp.cosh(a) * jnp.sin(b)))


def cosh(x: Any) -> Any:
    """By real functions."""
    if not jnp.iscomplexobj(x):
        return jnp.cosh(x)
    a, b = x.real, x.imag
    flat = (a == 0) | (b == 0)
    return jax.lax.complex(jnp.cosh(a) * jnp.cos(b), jnp.where(flat, 0, jnp.sinh(a) * jnp.sin(b)))


def scaled(name: str, of_real: _Unary, inner: str, function: _Unary, by: float) -> _Unary:
    """Return a logarithm of another base, part by part, since ∞ · 0 is NaN."""
    mended = _mended(inner, function)

    def run(x: Any) -> Any:
        found = mended(x)
        return jax.lax.complex(found.real * by, found.imag * by)

    return _of_kinds(name, of_real, run)


def power_of_two(of_real: _Unary, exp: _Unary) -> _Unary:
    """Return 2ᶻ."""
    mended, scale = _mended("exp", exp), math.log(2.0)
    return _of_kinds(
        "exp2", of_real, lambda x: mended(jax.lax.complex(x.real * scale, x.imag * scale))
    )


#: Of all numbers.
cos = _of_kinds("cos", jnp.cos, cosine)


def size(x: Any) -> Any:
    """|x|: an infinity if a part is one, whatever the other is."""
    found = jnp.abs(x)
    if not jnp.iscomplexobj(x):
        return found
    return jnp.where(_endless(x.real, x.imag), jnp.inf, found)


def sign(x: Any) -> Any:
    """The sign of x; JAX's own of -0.0 is -0.0."""
    found = jnp.sign(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return found
    return jnp.where(x == 0, jnp.zeros_like(x), found)
