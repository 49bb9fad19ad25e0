"""Functions of complex numbers where a part is infinite or NaN; XLA's formulas make NaN of more.

A line is a function and what its real and imaginary parts are at the ends, given the argument's
parts and what JAX found. Real numbers pass by.

Sources: C99, annex G.6; Python array API standard 2025.12 (for ``expm1`` and ``log1p``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

_Unary = Callable[[Any], Any]
_Part = Callable[[Any, Any, Any], Any]


def _endless(a: Any, b: Any) -> Any:
    return jnp.isinf(a) | jnp.isinf(b)


def _as_found(a: Any, b: Any, found: Any) -> Any:
    return found


def _infinite(a: Any, b: Any, found: Any) -> Any:
    """An infinity wherever a part of the argument is one."""
    return jnp.where(_endless(a, b), jnp.inf, found)


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
        _as_found,
    ),
    "asinh": (_as_found, lambda a, b, found: jnp.where(jnp.isnan(a) & (b == 0), b, found)),
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


def at_the_ends(name: str, function: _Unary) -> _Unary:
    """Return a function that is right at the ends too."""
    real, imaginary = _ENDS[name]

    def run(x: Any) -> Any:
        found = function(x)
        if not jnp.iscomplexobj(x):
            return found
        a, b = x.real, x.imag
        return jax.lax.complex(real(a, b, found.real), imaginary(a, b, found.imag))

    return run


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
