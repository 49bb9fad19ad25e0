"""Powers, exponentials and products of several matrices."""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, cast, common_tensors
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import ShapeError
from unigrad.core.op import composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.identity import identity
from unigrad.ops.joining import stack
from unigrad.ops.linalg.matrices import square, unit_matrix
from unigrad.ops.linalg.solving import inv
from unigrad.ops.linear import matmul
from unigrad.ops.shaping import as_integer, broadcast_to, moveaxis, reshape

__all__ = ["cross", "expm", "matrix_power", "multi_dot"]

_expm = primitive("expm")


@whole.as_one_op()
def matrix_power(x: TensorLike, n: int, /) -> Tensor:
    """Return the n-th power of square matrices, of their inverses for a negative ``n``.

    Raises:
        LinAlgError: for a negative ``n`` when a matrix is singular (NaN under `ug.jit`).
        ShapeError: when they are not square.

    Example:
        >>> matrix_power([[1.0, 1.0], [0.0, 1.0]], 3).tolist()
        [[1.0, 3.0], [0.0, 1.0]]
    """
    wide, dtype = square("matrix_power", x)
    n = as_integer("matrix_power", n)
    if n < 0:
        wide, n = inv(wide), -n
    if n == 0:
        return cast(broadcast_to(unit_matrix(wide, wide.shape[-1]), wide.shape) + wide * 0.0, dtype)
    return cast(_natural_power(wide, n=n) if n > 1 else identity(wide), dtype)


@composite
def _natural_power(x: Tensor, *, n: int) -> Tensor:
    """Return xⁿ for n ≥ 1 by as many squares as n has binary digits."""
    out: Tensor | None = None
    while n:
        if n & 1:
            out = x if out is None else matmul(out, x)
        n >>= 1
        if n:
            x = matmul(x, x)
    assert out is not None
    return out


@whole.as_one_op(looks=True, name="linalg.expm")
def expm(x: TensorLike, /) -> Tensor:
    """Return the exponential Σ xⁿ / n! of square matrices.

    Source of the method: Higham, "The scaling and squaring method for the matrix exponential
    revisited" (2005); of the derivative: Al-Mohy and Higham, "Computing the Fréchet derivative of
    the matrix exponential" (2009).

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> expm([[0.0, 1.0], [0.0, 0.0]]).tolist()
        [[1.0, 1.0], [0.0, 1.0]]
    """
    wide, dtype = square("expm", x)
    return cast(_expm(wide), dtype)


@whole.as_one_op()
def cross(x1: TensorLike, x2: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return the vector products of vectors of three components along an axis; others broadcast.

    Raises:
        ShapeError: when there are not three components, or the shapes do not broadcast.

    Example:
        >>> cross([1, 0, 0], [0, 1, 0]).tolist()
        [0, 0, 1]
    """
    first, second = common_tensors("cross", (x1, x2))
    moved = [moveaxis(one, normalize_axis("cross", axis, one.ndim), -1) for one in (first, second)]
    if any(one.shape[-1] != 3 for one in moved):
        shapes = f"{first.shape} and {second.shape}"
        raise ShapeError(f"cross: vectors have three components, not {shapes} along {axis}")
    (a, b, c), (d, e, f) = [[one[..., i] for i in range(3)] for one in moved]
    return stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=axis)


@whole.as_one_op(looks=True, name="linalg.multi_dot")
def multi_dot(arrays: Sequence[TensorLike], /) -> Tensor:
    """Return the product of two or more matrices in the order that takes the fewest operations.

    The first may be a row and the last a column, given as vectors.
    Source: Cormen et al., "Introduction to algorithms", 15.2 (2009).

    Raises:
        ShapeError: for fewer than two arrays, or when the shapes do not fit.

    Example:
        >>> multi_dot([[1.0, 2.0], [[1.0], [1.0]], [[3.0]]]).tolist()
        [9.0]
    """
    tensors = common_tensors("multi_dot", tuple(arrays)) if len(arrays) > 1 else []
    shapes = [one.shape for one in tensors]
    ends = [len(shape) in (1, 2) for shape in (*shapes[:1], *shapes[-1:])]
    if not ends or not all(ends) or any(len(shape) != 2 for shape in shapes[1:-1]):
        raise ShapeError(f"multi_dot: two matrices or more, with vectors at the ends, not {shapes}")
    first, last = tensors[0], tensors[-1]
    if first.ndim == 1:
        tensors[0] = reshape(first, (1, -1))
    if last.ndim == 1:
        tensors[-1] = reshape(last, (-1, 1))
    sizes = [tensors[0].shape[0], *[one.shape[1] for one in tensors]]
    if any(one.shape[0] != n for one, n in zip(tensors, sizes, strict=False)):
        raise ShapeError(f"multi_dot: shapes {shapes} do not fit")
    out = _product(tensors, _splits(sizes), 0, len(tensors) - 1)
    return reshape(out, (*sizes[: first.ndim > 1], *sizes[len(sizes) - (last.ndim > 1) :]))


def _splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return where each chain of factors is cut last, by the numbers of its first and last."""
    count = len(sizes) - 1
    costs, splits = {(i, i): 0 for i in range(count)}, {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [
                (costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            costs[i, j], splits[i, j] = min(options)
    return splits


def _product(
    tensors: Sequence[Tensor], splits: dict[tuple[int, int], int], i: int, j: int
) -> Tensor:
    if i == j:
        return tensors[i]
    k = splits[i, j]
    return matmul(_product(tensors, splits, i, k), _product(tensors, splits, k + 1, j))
