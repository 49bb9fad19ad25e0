"""Products of matrices and tensors.

What is the same for all examples is not copied: where only one factor differs, its examples are
further rows of one product.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching, rank_of, widened
from unigrad.core.tensor import Tensor
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.shaping import reshape


def _matmul(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    x, y = inputs
    left, right = [rank_of(one, has) for one, has in zip(inputs, batch.axes, strict=True)]
    if batch.axes == (True, False) and right <= 2:
        if left == 1 or right == 1 or not x.size:
            return matmul(x, y)
        rows = reshape(x, (-1, x.shape[-1]))
        return reshape(matmul(rows, y), (*x.shape[:-1], y.shape[1]))
    if batch.axes == (False, True) and left <= 2 and right == 1:
        return matmul(y, x if left == 1 else matrix_transpose(x))
    if batch.axes == (False, True) and left == right == 2 and y.shape[-1] == 1:
        # One column per example, as a vector has become on its way through a derivative.
        return reshape(
            matmul(reshape(y, y.shape[:2]), matrix_transpose(x)), (batch.size, x.shape[0], 1)
        )
    return _of_matrices(x, y, left, right, batch.axes)


def _of_matrices(x: Tensor, y: Tensor, left: int, right: int, axes: tuple[bool, ...]) -> Tensor:
    """Multiply when both factors, or stacks of matrices, differ: vectors become matrices first."""
    if left == 1:
        x = reshape(x, (*x.shape[:-1], 1, x.shape[-1]))
    if right == 1:
        y = reshape(y, (*y.shape, 1))
    rank = max(left, right, 2)
    x, y = [widened(one, rank) if has else one for one, has in zip((x, y), axes, strict=True)]
    out = matmul(x, y)
    shape = list(out.shape)
    if right == 1:
        del shape[-1]
    if left == 1:
        del shape[-1 if right == 1 else -2]
    return reshape(out, shape) if len(shape) < out.ndim else out


def _linear(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Examples are further rows of x; kernels that differ are multiplied as any matrices."""
    return batch.op(*inputs) if batch.axes == (True, False, False) else NotImplemented


def _einsum(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Name the batch's axis."""
    equation = settings["equation"]
    left, _, result = equation.partition("->")
    letter = next(c for c in string.ascii_letters if c not in equation)
    terms = [letter * has + term for term, has in zip(left.split(","), batch.axes, strict=True)]
    return batch.op(*inputs, equation=f"{','.join(terms)}->{letter}{result}")


batching(_matmul, "matmul")
batching(_linear, "linear")
batching(_einsum, "einsum")
