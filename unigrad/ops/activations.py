"""Activation functions of neural networks: elementwise.

Integers and bools are computed in the default floating
dtype. At a corner where a function saturates its derivative is that of the flat side: 0.
"""

from __future__ import annotations

import math
from typing import Literal

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, to_floating
from unigrad.core.dispatch import dispatch
from unigrad.core.elementwise import one_at_once, unary
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.op import OPS, Op, composite
from unigrad.core.operands import operand, operands, with_operands
from unigrad.core.plans import ByNumbers, BySetting, Planned
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, minimum
from unigrad.ops.comparison import where
from unigrad.ops.elementary import erfc, expm1, logaddexp, tanh
from unigrad.ops.reductions import widened

__all__ = [
    "celu",
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "tanh_shrink",
]

# Constants of K. Klambauer et al., "Self-normalizing neural networks", 2017.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


#: A number that every floating dtype holds.
_LARGEST = 6e4


def _call(op: Op | Planned, x: TensorLike) -> Tensor:
    """Run an op on one tensor in a floating dtype.

    Raises:
        DTypeError: for complex numbers, unless the op is analytic.
    """
    if type(x) is not Tensor:
        x = as_tensor(x)
    if x._native.dtype not in x.backend.native_reals:
        x = _floating(op.declared, x)
    out: Tensor = dispatch(op, x.backend, (x,), (x._native,))
    return out


def _call_with_operands(op: Op, x: TensorLike, **numbers: TensorLike) -> Tensor:
    """Run an op that has operands. Raises as `_call`, and for operands that are no real numbers."""
    found = {name: operand(op.name, one) for name, one in numbers.items()}
    for one in found.values():
        if type(one) is float and not -_LARGEST < one < _LARGEST:
            # Of numbers that a dtype does not hold only formulas make the same everywhere.
            out: Tensor = op.body(_floating(op, as_tensor(x)), **found)  # type: ignore[misc]
            return out
    return with_operands(op, _floating(op, as_tensor(x)), **found)


def _floating(op: Op, x: Tensor) -> Tensor:
    if x.dtype in dtypes.COMPLEX and op.name not in _OF_COMPLEX:
        raise DTypeError(f"{op.name}: complex numbers have no order ({x.dtype.name})")
    floating: Tensor = to_floating(x)
    return floating


_OF_COMPLEX = ("silu", "softsign", "tanh_shrink")


@unary()
def relu(x: TensorLike, /) -> Tensor:
    """Return max(x, 0), in the dtype of x. Its derivative at 0 is 0.

    Example:
        >>> relu([-1.0, 2.0]).tolist()
        [0.0, 2.0]
    """
    ...


@unary(floating=True)
def sigmoid(x: TensorLike, /) -> Tensor:
    """Return 1 / (1 + e⁻ˣ).

    Example:
        >>> sigmoid(0.0).item()
        0.5
    """
    ...


@composite
def _relu6(x: Tensor) -> Tensor:
    return where(x >= 6.0, 6.0, relu(x))


@one_at_once(_relu6)
def relu6(x: TensorLike, /) -> Tensor:
    """Return min(max(x, 0), 6). Its derivative at both corners is 0.

    Example:
        >>> relu6([-1.0, 2.0, 9.0]).tolist()
        [0.0, 2.0, 6.0]
    """
    return _call(_relu6, x)


@composite
def _leaky_relu(x: Tensor, *, negative_slope: TensorLike) -> Tensor:
    # One factor: after an infinite slope, two terms of which one is 0 would be NaN.
    return x * where(x > 0.0, constant(x, 1.0), negative_slope)


@operands("negative_slope")
def leaky_relu(x: TensorLike, /, negative_slope: TensorLike = 0.01) -> Tensor:
    """Return x for x > 0 and negative_slope · x for x ≤ 0.

    Example:
        >>> leaky_relu([-2.0, 2.0], negative_slope=0.5).tolist()
        [-1.0, 2.0]
    """
    if type(negative_slope) is float and -_LARGEST < negative_slope < _LARGEST:
        return _call(_slopes.get(negative_slope) or _slopes.of(negative_slope), x)
    return _call_with_operands(OPS["leaky_relu"], x, negative_slope=negative_slope)


@composite
def _elu(x: Tensor, *, alpha: TensorLike) -> Tensor:
    return where(x > 0.0, x, expm1(where(x > 0.0, 0.0, x)) * alpha)


@operands("alpha")
def elu(x: TensorLike, /, alpha: TensorLike = 1.0) -> Tensor:
    """Return x for x > 0 and alpha · (eˣ - 1) for x ≤ 0.

    Example:
        >>> elu([0.0, 2.0]).tolist()
        [0.0, 2.0]
    """
    if type(alpha) is float and -_LARGEST < alpha < _LARGEST:
        return _call(_elus.get(alpha) or _elus.of(alpha), x)
    return _call_with_operands(OPS["elu"], x, alpha=alpha)


@composite
def _selu(x: Tensor) -> Tensor:
    scaled: Tensor = _elu(x, alpha=_SELU_ALPHA) * _SELU_SCALE
    return scaled


@one_at_once(_selu)
def selu(x: TensorLike, /) -> Tensor:
    """Return λ elu(x, α) with the constants that keep mean 0 and variance 1.

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.

    Example:
        >>> selu(0.0).item()
        0.0
    """
    return _call(_selu, x)


@composite
def _celu(x: Tensor, *, alpha: TensorLike) -> Tensor:
    return where(x > 0.0, x, expm1(where(x > 0.0, 0.0, x) / alpha) * alpha)


@operands("alpha")
def celu(x: TensorLike, /, alpha: TensorLike = 1.0) -> Tensor:
    """Return x for x > 0 and alpha · (exp(x / alpha) - 1) for x ≤ 0.

    Example:
        >>> celu([0.0, 2.0], alpha=2.0).tolist()
        [0.0, 2.0]
    """
    if type(alpha) is float and -_LARGEST < alpha < _LARGEST:
        return _call(_celus.get(alpha) or _celus.of(alpha), x)
    return _call_with_operands(OPS["celu"], x, alpha=alpha)


@composite
def _silu(x: Tensor) -> Tensor:
    return x * sigmoid(x)


@one_at_once(_silu)
def silu(x: TensorLike, /) -> Tensor:
    """Return x · sigmoid(x) (also called swish).

    Example:
        >>> silu(0.0).item()
        0.0
    """
    return _call(_silu, x)


@composite
def _mish(x: Tensor) -> Tensor:
    return x * tanh(logaddexp(x, 0.0))


@one_at_once(_mish)
def mish(x: TensorLike, /) -> Tensor:
    """Return x · tanh(softplus(x)).

    Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    Example:
        >>> mish(0.0).item()
        0.0
    """
    return _call(_mish, x)


@composite
def _softplus(x: Tensor) -> Tensor:
    return logaddexp(x, 0.0)


@one_at_once(_softplus)
def softplus(x: TensorLike, /) -> Tensor:
    """Return log(1 + eˣ) without overflow.

    Example:
        >>> softplus([-1e4, 1e4]).tolist()
        [0.0, 10000.0]
    """
    return _call(_softplus, x)


@composite
def _softsign(x: Tensor) -> Tensor:
    return x / (abs(x) + 1.0)


@one_at_once(_softsign)
def softsign(x: TensorLike, /) -> Tensor:
    """Return x / (1 + |x|).

    Example:
        >>> softsign([-1.0, 3.0]).tolist()
        [-0.5, 0.75]
    """
    return _call(_softsign, x)


@composite
def _log_sigmoid(x: Tensor) -> Tensor:
    return -logaddexp(-x, 0.0)


@one_at_once(_log_sigmoid)
def log_sigmoid(x: TensorLike, /) -> Tensor:
    """Return log(sigmoid(x)) = -log(1 + e⁻ˣ) without overflow.

    Example:
        >>> log_sigmoid(100.0).item() > -1e-30
        True
    """
    return _call(_log_sigmoid, x)


@composite
def _hard_sigmoid(x: Tensor) -> Tensor:
    ramp: Tensor = _relu6(x + 3.0) / 6.0
    return ramp


@one_at_once(_hard_sigmoid)
def hard_sigmoid(x: TensorLike, /) -> Tensor:
    """Return min(max(x + 3, 0), 6) / 6. Its derivative at both corners is 0.

    Example:
        >>> hard_sigmoid([-4.0, 0.0, 4.0]).tolist()
        [0.0, 0.5, 1.0]
    """
    return _call(_hard_sigmoid, x)


@composite
def _hard_silu(x: Tensor) -> Tensor:
    gate: Tensor = _hard_sigmoid(x)
    return x * gate


@one_at_once(_hard_silu)
def hard_silu(x: TensorLike, /) -> Tensor:
    """Return x · hard_sigmoid(x).

    Example:
        >>> hard_silu([0.0, 4.0]).tolist()
        [0.0, 4.0]
    """
    return _call(_hard_silu, x)


@composite
def _hard_tanh(x: Tensor) -> Tensor:
    return where(x >= 1.0, 1.0, where(x <= -1.0, -1.0, x))


@one_at_once(_hard_tanh)
def hard_tanh(x: TensorLike, /) -> Tensor:
    """Return min(max(x, -1), 1). Its derivative at both corners is 0.

    Example:
        >>> hard_tanh([-4.0, 0.5, 4.0]).tolist()
        [-1.0, 0.5, 1.0]
    """
    return _call(_hard_tanh, x)


@composite
def _tanh_shrink(x: Tensor) -> Tensor:
    return x - tanh(x)


@one_at_once(_tanh_shrink)
def tanh_shrink(x: TensorLike, /) -> Tensor:
    """Return x - tanh(x).

    Example:
        >>> tanh_shrink(0.0).item()
        0.0
    """
    return _call(_tanh_shrink, x)


@composite
def _gelu(x: Tensor, *, approximate: str) -> Tensor:
    wide = widened(x)
    if wide is not x:
        # In half precision the argument of the tails keeps too few digits.
        found: Tensor = OPS["gelu"](wide, approximate=approximate)
        return cast(found, x.dtype)
    if approximate == "tanh":
        # From 40 on the sigmoid is 0 or 1; without the bounds x³ would leave the range.
        near = minimum(maximum(x, -40.0), 40.0)
        inner = (near + near * near * near * 0.044715) * math.sqrt(8.0 / math.pi)
        return x * sigmoid(inner)
    # Neither ½ (1 + tanh) nor ½ (1 + erf) would keep the digits of its lower tail.
    return x * 0.5 * erfc(x * -math.sqrt(0.5))


def gelu(x: TensorLike, /, *, approximate: Literal["none", "tanh"] = "none") -> Tensor:
    """Return x Φ(x), where Φ is the standard normal distribution function.

    ``approximate="tanh"`` gives ½x (1 + tanh(√(2/π) (x + 0.044715 x³))) instead.
    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    Raises:
        SettingError: when ``approximate`` is neither word.

    Example:
        >>> gelu(0.0).item()
        0.0
    """
    if approximate not in ("none", "tanh"):
        raise SettingError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return _call(_gelus[approximate], x)


_slopes = ByNumbers("leaky_relu", "negative_slope")
_elus = ByNumbers("elu", "alpha")
_celus = ByNumbers("celu", "alpha")
_gelus = BySetting("gelu", "approximate")
