"""Special functions: TensorFlow's, in unigrad's domains, with the textbook's derivatives."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.kernels.values import seen
from unigrad_tensorflow.raw import binary, unary
from unigrad_tensorflow.whole import as_graph


def _nan(bad: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    return tf.where(bad, tf.cast(float("nan"), x.dtype), x)


def digamma(x: tf.Tensor) -> tf.Tensor:
    """TensorFlow's, but NaN at the poles."""
    return _nan((x <= 0) & (x == tf.floor(x)), tf.math.digamma(x))


def zeta(s: tf.Tensor, q: tf.Tensor) -> tf.Tensor:
    """TensorFlow's, but NaN for negative q, where it has values for some s."""
    found = tf.where(q == 0, tf.cast(float("inf"), q.dtype), tf.math.zeta(s, q))
    found = tf.where(tf.equal(q, float("inf")) & (s > 1), tf.zeros((), q.dtype), found)
    return _nan((q < 0) | (s < 1), found)


def _incomplete(kernel: Callable[..., tf.Tensor], upper: bool) -> Callable[..., tf.Tensor]:
    """TensorFlow's; Γ(0) has all its mass at 0, Γ(∞) has it at ∞."""

    def run(a: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
        finite, below = tf.math.is_finite(a), tf.math.is_finite(x)
        one = (x > 0) & (a >= 0) & finite & (tf.equal(a, 0) | tf.math.is_inf(x))
        none = tf.equal(a, float("inf")) & (x >= 0) & below
        inside = (a > 0) & (x >= 0) & finite & below
        unit, nothing = tf.ones((), a.dtype), tf.zeros((), a.dtype)
        first, second = (nothing, unit) if upper else (unit, nothing)
        found = kernel(tf.where(inside, a, unit), tf.where(inside, x, unit))
        return tf.where(
            inside, found, tf.where(one, first, tf.where(none, second, float("nan") * unit))
        )

    return run


#: Of many ops.
_MANY: dict[str, Callable[..., tf.Tensor]] = {
    "digamma": digamma,
    "gammainc": _incomplete(tf.math.igamma, False),
    "gammaincc": _incomplete(tf.math.igammac, True),
    "zeta": zeta,
}
for _name in ("j0", "j1", "log_ndtr", "ndtri", "owens_t", "xlog1py", "xlogy", "y0", "y1"):
    # Made of unigrad's ops, and differentiated by rules.
    _MANY[_name] = body_of("tensorflow", _name)


def _are_positive(x: Any) -> bool:
    """Tell whether numbers are positive and finite."""
    return bool(x.size and x.min() > 0.0 and x.max() < math.inf)


def _are_in_domain(a: Any, x: Any) -> bool:
    """Tell whether neither argument of an incomplete gamma function is at an end of its domain."""
    return _are_positive(a) and bool(x.size and x.min() >= 0.0 and x.max() < math.inf)


def _have_sums(s: Any, q: Any) -> bool:
    """Tell whether zeta's series are those of TensorFlow."""
    return _are_positive(q) and bool(s.size and s.min() >= 1.0)


def _second_has_no_nan(x: Any, y: Any) -> bool:
    total = np.vdot(y, y)
    return bool(total == total)


_KERNELS = {name: as_graph(kernel) for name, kernel in _MANY.items()}
for _name, _inside, _plain in (
    ("digamma", _are_positive, unary("Digamma")),
    ("gammainc", _are_in_domain, binary("Igamma", "a", "x")),
    ("gammaincc", _are_in_domain, binary("Igammac", "a", "x")),
    ("zeta", _have_sums, binary("Zeta", "x", "q")),
    # Beside 0 TensorFlow's pass over a NaN.
    ("xlogy", _second_has_no_nan, binary("Xlogy")),
    ("xlog1py", _second_has_no_nan, binary("Xlog1py")),
):
    _KERNELS[_name] = seen(_inside, _plain, _KERNELS[_name])

TABLE = {
    "i0e": by_rule("i0e", unary("BesselI0e")),
    "i1e": by_rule("i1e", unary("BesselI1e")),
    "lgamma": by_rule("lgamma", unary("Lgamma")),
} | {name: by_rule(name, kernel) for name, kernel in _KERNELS.items()}
