"""The affine map of a dense layer as one op: libraries add the bias inside the product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.core.errors import ShapeError
from unigrad.core.op import (
    TensorLike,
    common_tensors,
    composite,
    readable,
)
from unigrad.core.tensor import Tensor
from unigrad.ops.linear import matmul

__all__ = ["linear"]


@composite
def _linear(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    return matmul(x, kernel) + bias


def linear(x: TensorLike, kernel: TensorLike, bias: TensorLike, /) -> Tensor:
    """Return x W + b over the last axis of x.

    Shapes: x (…, n), kernel W (n, m), bias b (m,); the result is (…, m).

    Raises:
        ShapeError: when the shapes are not these.

    Example:
        >>> linear([[1.0, 2.0]], [[1.0], [1.0]], [0.5]).tolist()
        [[3.5]]
    """
    given = [one.read() if type(one) in readable else one for one in (x, kernel, bias)]
    tensors = given if _alike(given) else common_tensors("linear", given)
    _check(*[tensor.shape for tensor in tensors])
    out: Tensor = _linear(*tensors)
    return out


def _alike(given: Sequence[Any]) -> bool:
    """Tell whether these are Tensors of one backend and dtype."""
    first = given[0]
    if type(first) is not Tensor:
        return False
    backend, dtype = first.backend, first.native.dtype
    for other in given:
        if type(other) is not Tensor or other.backend is not backend:
            return False
        if other.native.dtype is not dtype:
            return False
    return True


def _check(x: tuple[int, ...], kernel: tuple[int, ...], bias: tuple[int, ...]) -> None:
    """Refuse shapes that do not fit."""
    if len(kernel) != 2 or not x or x[-1] != kernel[0] or bias != kernel[1:]:
        raise ShapeError(
            f"linear: x {x}, kernel {kernel} and bias {bias} do not fit (…, n), (n, m), (m,)"
        )
