"""Matrix products. ``np.einsum`` itself walks element by element: two operands go to ``matmul``."""

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unigrad_numpy.kernels.bfloat16 import BFLOAT16, through_float32

Array = npt.NDArray[Any]


_BOOL = np.dtype(np.bool_)


class _Contraction(NamedTuple):
    """How two terms become one product of (stacks of) matrices."""

    #: What to sum each operand over first: letters that nobody else has.
    alone: tuple[tuple[int, ...], tuple[int, ...]]
    #: The order of each operand's axes: stack, rows, inner and stack, inner, columns.
    orders: tuple[tuple[int, ...], tuple[int, ...]]
    #: How many of them are the stack, the rows and the inner axes.
    stack: int
    rows: int
    inner: int
    #: The order of the product's axes in the result.
    last: tuple[int, ...]


@cache
def _plan(equation: str) -> _Contraction | None:
    """Return how an equation is computed by ``matmul``, or None when it is not."""
    left, _, result = equation.partition("->")
    first, _, second = left.partition(",")
    if left.count(",") != 1 or len({*first}) != len(first) or len({*second}) != len(second):
        return None
    stack = [c for c in result if c in first and c in second]
    rows = [c for c in result if c in first and c not in second]
    columns = [c for c in result if c in second and c not in first]
    inner = [c for c in first if c in second and c not in result]
    if not inner or not (rows or columns):
        return None
    kept = (
        [c for c in first if c in second or c in result],
        [c for c in second if c in first or c in result],
    )
    wanted = [*stack, *rows, *inner], [*stack, *inner, *columns]
    made = [*stack, *rows, *columns]
    return _Contraction(
        (
            tuple([i for i, c in enumerate(first) if c not in kept[0]]),
            tuple([i for i, c in enumerate(second) if c not in kept[1]]),
        ),
        (
            tuple([kept[0].index(c) for c in wanted[0]]),
            tuple([kept[1].index(c) for c in wanted[1]]),
        ),
        len(stack),
        len(rows),
        len(inner),
        tuple([made.index(c) for c in result]),
    )


def einsum(*operands: Array, equation: str) -> Array:
    """Contract by way of matmul where there is something to contract."""
    found: Array
    if len(operands) > 2:
        found = np.einsum(equation, *operands, optimize="greedy")
        return found
    plan = _plan(equation)
    if plan is None:
        found = np.einsum(equation, *operands)
        return found
    x, y = (
        (np.add.reduce(one, axis, one.dtype) if axis else one).transpose(order)
        for one, axis, order in zip(operands, plan.alone, plan.orders, strict=True)
    )
    stack, rows, inner = plan.stack, plan.rows, plan.inner
    if (rows, inner) != (1, 1) or y.ndim != stack + 2:
        outer, across = x.shape[:stack], x.shape[stack : stack + rows]
        down = y.shape[stack + inner :]
        length = prod(x.shape[stack + rows :])
        x = x.reshape((*outer, prod(across), length))
        y = y.reshape((*outer, length, prod(down)))
        product = np.matmul(x, y).reshape(outer + across + down)
    else:
        product = np.matmul(x, y)
    result: Array = product.transpose(plan.last)
    return result


_vecdot: Callable[..., Array] = np.vecdot


def matmul(x1: Array, x2: Array) -> Array:
    """NumPy's, which makes float32 of bfloat16."""
    out: Array = np.matmul(x1, x2)
    return out if x1.dtype != BFLOAT16 else out.astype(BFLOAT16)


def linear(x: Array, kernel: Array, bias: Array) -> Array:
    """Add the bias in place."""
    out: Array = np.matmul(x, kernel)
    if out.dtype is _BOOL:
        raise TypeError("bools are not multiplied and added")
    out += bias
    return out if x.dtype != BFLOAT16 else out.astype(BFLOAT16)


def _tensordot(x1: Array, x2: Array, axes: Any) -> Array:
    if axes == ((x1.ndim - 1,), (x2.ndim - 1,)):
        # The same, in a sixth of the time.
        return np.asarray(np.inner(x1, x2))
    return np.tensordot(x1, x2, axes)


TABLE = {
    "outer": lambda x1, x2: np.multiply.outer(x1.reshape(-1), x2.reshape(-1)),
    "matmul": matmul,
    "linear": linear,
    "vecdot": through_float32(lambda x1, x2, axis: _vecdot(x1, x2, axis=axis)),
    "tensordot": through_float32(_tensordot),
    "einsum": through_float32(einsum),
}
