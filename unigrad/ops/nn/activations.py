"""Activation functions with a parameter, and gated ones.

Integers and bools are computed in the default floating dtype; `DTypeError` for complex numbers. At
a corner where a function is flat on one side its derivative is that of the flat side: 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unigrad.core.arguments import TensorLike, common_tensors, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.elementwise import pairs_at_once, real_floating
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.op import OPS, composite
from unigrad.core.operands import in_dtype, operands
from unigrad.core.plans import ByNumbers, planned
from unigrad.core.tensor import Tensor
from unigrad.ops.activations import _LARGEST, _call, _call_with_operands, sigmoid
from unigrad.ops.comparison import where
from unigrad.ops.elementary import hypot, sqrt
from unigrad.ops.joining import split
from unigrad.ops.shaping import as_integer

__all__ = ["glu", "hard_shrink", "prelu", "soft_shrink", "squareplus", "threshold"]


@composite
def _prelu(x: Tensor, alpha: Tensor) -> Tensor:
    # One factor: after an infinite slope, two terms of which one is 0 would be NaN.
    return x * where(x > 0.0, constant(x, 1.0), alpha)


@pairs_at_once(_prelu)
def prelu(x: TensorLike, alpha: TensorLike, /) -> Tensor:
    """Return x for x > 0 and α · x for x ≤ 0; α, which is learned, broadcasts, as (channels,).

    Source: He et al., "Delving deep into rectifiers" (2015).

    Raises:
        ShapeError: when the shapes do not broadcast.

    Example:
        >>> prelu([[-2.0, -2.0]], [0.5, 0.25]).tolist()
        [[-1.0, -0.5]]
    """
    first, second = [real_floating("prelu", one) for one in common_tensors("prelu", (x, alpha))]
    out: Tensor = _prelu(first, second)
    return out


@composite
def _glu(x: Tensor, *, axis: int) -> Tensor:
    values, gates = split(x, 2, axis=axis)
    return values * sigmoid(gates)


def glu(x: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return a · sigmoid(b), where a and b are the halves of x along an axis.

    Source: Dauphin et al., "Language modeling with gated convolutional networks" (2017).

    Raises:
        ShapeError: for a bad axis, or one of odd length.

    Example:
        >>> glu([4.0, 0.0]).tolist()
        [2.0]
    """
    if type(x) is not Tensor or x._native.dtype not in x.backend.native_reals:
        x = real_floating("glu", x)
    return _glus(x, axis if type(axis) is int else as_integer("glu", axis))


def _plan_glu(shape: tuple[int, ...], axis: int) -> Mapping[str, Any]:
    place = normalize_axis("glu", axis, len(shape))
    if shape[place] % 2:
        raise ShapeError(f"glu: an axis of {shape[place]} elements has no halves")
    return {"axis": place}


_glus = planned(_glu, _plan_glu)


def _inside(x: Tensor, bound: TensorLike) -> Tensor:
    """Tell where |x| ≤ λ."""
    within: Tensor = (x <= bound) & (-x <= bound)
    return within


@composite
def _hard_shrink(x: Tensor, *, threshold: TensorLike) -> Tensor:
    return where(_inside(x, threshold), 0.0, x)


@operands("threshold")
def hard_shrink(x: TensorLike, /, threshold: TensorLike = 0.5) -> Tensor:
    """Return x where |x| > λ and 0 elsewhere; λ ≥ 0 is the threshold.

    Example:
        >>> hard_shrink([-1.0, 0.25, 0.5, 2.0]).tolist()
        [-1.0, 0.0, 0.0, 2.0]
    """
    if type(threshold) is float and -_LARGEST < threshold < _LARGEST:
        return _call(_hardly.get(threshold) or _hardly.of(threshold), x)
    return _call_with_operands(OPS["hard_shrink"], x, threshold=threshold)


@composite
def _soft_shrink(x: Tensor, *, threshold: TensorLike) -> Tensor:
    return where(_inside(x, threshold), 0.0, where(x > 0.0, x - threshold, x + threshold))


@operands("threshold")
def soft_shrink(x: TensorLike, /, threshold: TensorLike = 0.5) -> Tensor:
    """Return x - λ for x > λ, x + λ for x < -λ, and 0 between; λ ≥ 0 is the threshold.

    Example:
        >>> soft_shrink([-1.0, 0.25, 2.0]).tolist()
        [-0.5, 0.0, 1.5]
    """
    if type(threshold) is float and -_LARGEST < threshold < _LARGEST:
        return _call(_softly.get(threshold) or _softly.of(threshold), x)
    return _call_with_operands(OPS["soft_shrink"], x, threshold=threshold)


#: Both by their thresholds.
_hardly, _softly = ByNumbers("hard_shrink", "threshold"), ByNumbers("soft_shrink", "threshold")


@composite
def _threshold(x: Tensor, *, threshold: TensorLike, value: TensorLike) -> Tensor:
    return where(x <= threshold, value, x)


@operands("threshold", "value")
def threshold(x: TensorLike, /, threshold: TensorLike, value: TensorLike = 0.0) -> Tensor:
    """Return x where it is greater than a threshold, and a value elsewhere.

    Example:
        >>> threshold([0.5, 2.0], 1.0, -3.0).tolist()
        [-3.0, 2.0]
    """
    return _call_with_operands(OPS["threshold"], x, threshold=threshold, value=value)


@composite
def _squareplus(x: Tensor, *, b: TensorLike) -> Tensor:
    # The difference would lose the digits of the lower tail.
    below = x < 0.0
    root = sqrt(constant(x, b) if isinstance(b, float) else in_dtype(b, x.dtype))
    tail = b / ((hypot(where(below, x, -1.0), root) - where(below, x, -1.0)) * 2.0)
    return where(below, tail, (where(below, 0.0, x) + hypot(where(below, 0.0, x), root)) * 0.5)


#: `squareplus` by its number.
_rounded = ByNumbers("squareplus", "b")


@operands("b")
def squareplus(x: TensorLike, /, b: TensorLike = 4.0) -> Tensor:
    """Return (x + √(x² + b)) / 2, a smooth `relu`; b > 0 is how round its corner is.

    Source: Barron, "Squareplus: a softplus-like algebraic rectifier" (2021).

    Raises:
        SettingError: for a negative number ``b``.

    Example:
        >>> squareplus([0.0, 1.5]).tolist()
        [1.0, 2.0]
    """
    if type(b) in (int, float) and not b >= 0:
        raise SettingError(f"squareplus: b is 0 or more, not {b}")
    if type(b) is float and b < 6e4:
        return _call(_rounded.get(b) or _rounded.of(b), x)
    return _call_with_operands(OPS["squareplus"], x, b=b)
