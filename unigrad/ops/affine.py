"""The affine map of a dense layer as one op: libraries add the bias inside the product."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, common_tensors, readable
from unigrad.core.dispatch import dispatch
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
    if type(x) is not Tensor and type(x) in readable:
        x = x.__unigrad_tensor__()
    if type(kernel) in readable:
        kernel = kernel.__unigrad_tensor__()
    if type(bias) in readable:
        bias = bias.__unigrad_tensor__()
    try:
        backend, left, matrix, row = x.backend, x._native, kernel._native, bias._native
        dtype = left.dtype
        fits = (
            kernel.backend is backend
            and bias.backend is backend
            and matrix.dtype is dtype
            and row.dtype is dtype
        )
    except AttributeError:  # Lists, scalars, arrays of somebody else.
        fits = False
    if not fits:
        x, kernel, bias = common_tensors("linear", (x, kernel, bias))
        backend, left, matrix, row = x.backend, x._native, kernel._native, bias._native
    # A bias that merely broadcasts would pass unseen; libraries notice the other misfits.
    if matrix.ndim != 2 or row.ndim != 1 or row.shape[0] != matrix.shape[1]:
        raise _misfit(x, kernel, bias)
    try:
        out: Tensor = dispatch(_linear, backend, (x, kernel, bias), (left, matrix, row))
    except ShapeError as error:
        raise _misfit(x, kernel, bias) from error
    return out


def _misfit(x: Tensor, kernel: Tensor, bias: Tensor) -> ShapeError:
    return ShapeError(
        f"linear: x {x.shape}, kernel {kernel.shape} and bias {bias.shape} do not fit "
        "(…, n), (n, m), (m,)"
    )
