"""What the functions of matrices do with their arguments, and with matrices that have no answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    checked,
    common_tensors,
    constant,
    to_floating,
)
from unigrad.core.errors import CloserLookError, LinAlgError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import conj
from unigrad.ops.linear import matrix_transpose
from unigrad.ops.reductions import widened
from unigrad.ops.shaping import broadcast_to

Array = npt.NDArray[Any]


def floating(x: TensorLike) -> tuple[Tensor, dtypes.DType]:
    """Return a tensor of float32, float64 or complex numbers, and the dtype of results."""
    tensor: Tensor = to_floating(as_tensor(x))
    return widened(tensor), tensor.dtype


def matrices(name: str, x: TensorLike) -> tuple[Tensor, dtypes.DType]:
    """Do what `floating` does, of matrices.

    Raises:
        ShapeError: for fewer than two axes.
    """
    wide, dtype = floating(x)
    if wide.ndim < 2:
        raise ShapeError(f"{name}: a matrix has two axes or more, not shape {wide.shape}")
    return wide, dtype


def square(name: str, x: TensorLike) -> tuple[Tensor, dtypes.DType]:
    """Do what `matrices` does, of square ones.

    Raises:
        ShapeError: when the last two lengths differ.
    """
    wide, dtype = matrices(name, x)
    require_square(name, wide.shape)
    return wide, dtype


def require_square(name: str, shape: tuple[int, ...]) -> None:
    """Refuse matrices that are not square."""
    if shape[-1] != shape[-2]:
        raise ShapeError(f"{name}: the matrices are square, not of shape {shape}")


def two_matrices(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor, dtypes.DType]:
    """Return two tensors in one dtype to compute in, and the dtype of results."""
    first, second = map(to_floating, common_tensors(name, (x1, x2)))
    return widened(first), widened(second), first.dtype


def of_one_stack(name: str, *tensors: Tensor) -> list[Tensor]:
    """Return stacks of matrices with the axes before the last two broadcast.

    Raises:
        ShapeError: when they do not broadcast.
    """
    shapes = [x.shape for x in tensors]
    if len({shape[:-2] for shape in shapes}) == 1:
        return [*tensors]
    try:
        stack = np.broadcast_shapes(*[shape[:-2] for shape in shapes])
    except ValueError:
        raise ShapeError(f"{name}: stacks of shapes {shapes} do not broadcast") from None
    return [
        x if x.shape[:-2] == stack else broadcast_to(x, (*stack, *x.shape[-2:])) for x in tensors
    ]


def adjoint(x: Tensor) -> Tensor:
    """Return the conjugate transpose."""
    transposed = matrix_transpose(x)
    return conj(transposed) if x._native.dtype in x.backend.native_complex else transposed


def unit_matrix(like: Tensor, n: int) -> Tensor:
    """Return the identity matrix beside a tensor, in its dtype."""
    return constant(like, np.eye(n))


def real_dtype(x: Tensor) -> dtypes.DType:
    """Return the dtype of a tensor's magnitudes."""
    return {dtypes.complex64: dtypes.float32, dtypes.complex128: dtypes.float64}.get(
        x.dtype, x.dtype
    )


def complex_dtype(dtype: dtypes.DType) -> dtypes.DType:
    """Return the complex dtype that holds a floating one."""
    wide = dtype in (dtypes.float64, dtypes.complex128)
    return dtypes.complex128 if wide else dtypes.complex64


def real_part(x: Tensor) -> Tensor:
    """Return the real part, in the dtype of magnitudes."""
    return cast(x, real_dtype(x))


def imaginary_part(x: Tensor) -> Tensor:
    """Return the imaginary part of complex numbers, in the dtype of magnitudes."""
    return cast(x * -1j, real_dtype(x))


def rank_tolerance(x: Tensor) -> float:
    """Return below which part of the greatest one a singular value counts as zero.

    It is the larger length times the dtype's epsilon (Press et al., "Numerical recipes", 2007).
    """
    return max(1, *x.shape[-2:]) * float(np.finfo(real_dtype(x)).eps)


def require_answer(name: str, problem: str, result: Tensor, *inputs: Tensor) -> None:
    """Refuse what gave NaN for finite inputs, where the values are there to be seen.

    Elsewhere (in a trace, on an accelerator) the NaN is the answer. ``result`` begins with the axes
    of `inputs` before the last two.

    Raises:
        LinAlgError: naming the first such matrix.
    """
    stack = max([one.ndim for one in inputs], default=2) - 2

    def check(values: Array, *given: Array) -> None:
        bad = np.isnan(values).any(tuple(range(stack, values.ndim)))
        refuse_where(name, problem, bad, given, inputs)

    try:
        checked(_refuse_nan, result)
        return
    except _NaNError:
        pass
    checked(check, result, *inputs)


class _NaNError(CloserLookError):
    """There may be a NaN, which is a reason to look closer."""


def _refuse_nan(values: Array) -> None:
    # Without a NaN the sum of squares is none, but for complex infinities: a quick look.
    if (total := np.vdot(values, values)) != total:
        raise _NaNError


def refuse_where(
    name: str, problem: str, bad: Any, values: Sequence[Array], inputs: Sequence[Tensor]
) -> None:
    """Refuse stacks of matrices of which some are bad, unless they are not finite anyway.

    Raises:
        LinAlgError: naming the first such matrix.
    """
    for one in values:
        bad = bad & np.isfinite(one).all((-2, -1))
    if bad.any():
        place = [int(i) for i in np.argwhere(bad)[0]]
        where = f" (at {place} of the stack)" if place else ""
        raise LinAlgError(f"{name}: {problem}{where}: {_described(inputs)}")


def _described(inputs: Sequence[Tensor]) -> str:
    return ", ".join(f"{one.dtype.name}{list(one.shape)}" for one in inputs)
