"""The affine map of a dense layer as one op: libraries add the bias inside the product."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, common_tensors, readable
from unigrad.core.errors import ShapeError
from unigrad.core.op import composite, run_watched
from unigrad.core.recorders import anywhere as _anywhere
from unigrad.core.recorders import watchers
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
    if (
        not (type(x) is Tensor and type(kernel) is Tensor and type(bias) is Tensor)
        or not (x.backend is kernel.backend is bias.backend)
        or not (x.native.dtype is kernel.native.dtype is bias.native.dtype)
    ):
        x, kernel, bias = common_tensors("linear", (x, kernel, bias))
    matrix = kernel.native
    # A bias that merely broadcasts would pass unseen; libraries notice the other misfits.
    if matrix.ndim != 2 or bias.native.shape != matrix.shape[1:]:
        raise _misfit(x, kernel, bias)
    try:
        if _anywhere.count:
            uids = (x.uid, kernel.uid, bias.uid)
            if watching := watchers(uids):
                natives = (x.native, matrix, bias.native)
                watched: Tensor = run_watched(
                    _linear, x.backend, (x, kernel, bias), natives, uids, {}, watching
                )
                return watched
        out: Tensor = _linear(x, kernel, bias)
    except ShapeError as error:
        raise _misfit(x, kernel, bias) from error
    return out


def _misfit(x: Tensor, kernel: Tensor, bias: Tensor) -> ShapeError:
    return ShapeError(
        f"linear: x {x.shape}, kernel {kernel.shape} and bias {bias.shape} do not fit "
        "(…, n), (n, m), (m,)"
    )
