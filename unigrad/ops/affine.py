"""The affine map of a dense layer as one op: libraries add the bias inside the product."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, common_tensors, readable
from unigrad.core.errors import ShapeError
from unigrad.core.op import composite
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
    if type(x) in readable:
        x = x.read()
    if type(kernel) in readable:
        kernel = kernel.read()
    if type(bias) in readable:
        bias = bias.read()
    tensors = type(x) is Tensor and type(kernel) is Tensor and type(bias) is Tensor
    if not tensors or not (x.native.dtype is kernel.native.dtype is bias.native.dtype):
        x, kernel, bias = common_tensors("linear", (x, kernel, bias))
    shape_of = kernel.backend.shape
    shape, rows, last = shape_of(kernel.native), shape_of(x.native), shape_of(bias.native)
    if len(shape) != 2 or rows[-1:] != shape[:1] or last != shape[1:]:
        raise ShapeError(
            f"linear: x {rows}, kernel {shape} and bias {last} do not fit (…, n), (n, m), (m,)"
        )
    out: Tensor = _linear(x, kernel, bias)
    return out
