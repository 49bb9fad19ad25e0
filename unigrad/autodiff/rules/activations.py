"""Derivatives of unigrad.ops.activations.

Composites need none; the hot ones have one so that their kernels can be used under the reference.
"""

from typing import Any

from unigrad.autodiff.rules.reductions import expand_reduced
from unigrad.autodiff.rules.registry import elementwise, rule
from unigrad.core.arguments import constant
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.activations import sigmoid
from unigrad.ops.comparison import equal, greater, greater_equal, less, less_equal, where
from unigrad.ops.elementary import exp


def _alive(t: Tensor, out: Tensor) -> Tensor:
    """0 where the unit is dead, even for an infinite cotangent: a mask would make that NaN."""
    return where(greater(out, 0.0), t, 0.0)


rule(
    "relu",
    lambda g, out, x: _alive(g, out),
    # A factor: after an infinite slope it is NaN in this mode as it is in reverse.
    jvp=lambda t, out, x: t[0] * _alive(constant(x, 1.0), out),
)


def _between(t: Tensor, out: Tensor) -> Tensor:
    return where(less(out, 6.0), _alive(t, out), 0.0)


rule(
    "relu6",
    lambda g, out, x: _between(g, out),
    jvp=lambda t, out, x: t[0] * _between(constant(x, 1.0), out),
)
elementwise("hard_silu", lambda out, x: _of_hard_silu(x))
elementwise("sigmoid", lambda out, x: out * (1.0 - out))
# Shorter than the derivatives of the composites.
elementwise("softplus", lambda out, x: sigmoid(x))
elementwise("log_sigmoid", lambda out, x: sigmoid(-x))


def _of_hard_silu(x: Tensor) -> Tensor:
    """x / 3 + ½ between the corners; at them, as beyond, that of the straight sides."""
    inner = where(less_equal(x, -3.0), 0.0, x * (1.0 / 3.0) + 0.5)
    return where(greater_equal(x, 3.0), 1.0, inner)


def _sum(x: Tensor, axis: int) -> Tensor:
    total: Tensor = OPS["sum"](x, axis=(axis,), keepdims=True)
    return total


def _softmax(t: Tensor, out: Tensor, x: Tensor, axis: int) -> Tensor:
    """The Jacobian diag(p) - p pᵀ is symmetric: one product serves both modes."""
    weighted = t * out
    return weighted - out * _sum(weighted, axis)


def _weights(out: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return exp(x - logsumexp(x)); 0 where all elements are -∞."""
    out = expand_reduced(out, x, axis, keepdims)
    return exp(x - where(equal(out, float("-inf")), 0.0, out))


def _logsumexp_jvp(t: Any, out: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    weighted = t[0] * _weights(out, x, axis, keepdims)
    tangent: Tensor = OPS["sum"](weighted, axis=axis, keepdims=keepdims)
    return tangent


rule("softmax", _softmax, jvp=lambda t, out, x, axis: _softmax(t[0], out, x, axis))
rule(
    "log_softmax",
    lambda g, out, x, axis: g - exp(out) * _sum(g, axis),
    jvp=lambda t, out, x, axis: t[0] - _sum(t[0] * exp(out), axis),
)
rule(
    "logsumexp",
    lambda g, out, x, axis, keepdims: (
        expand_reduced(g, x, axis, keepdims) * _weights(out, x, axis, keepdims)
    ),
    jvp=_logsumexp_jvp,
)
