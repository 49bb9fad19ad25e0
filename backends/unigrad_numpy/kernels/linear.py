"""Matrix products. ``np.einsum`` itself walks element by element: two operands go to ``matmul``."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad_numpy.kernels.bfloat16 import BFLOAT16, through_float32

Array = npt.NDArray[Any]


@cache
def _plan(equation: str) -> tuple[str, ...] | None:
    """Return how two terms become a product of stacks of matrices, or None when they do not.

    That is: what ``np.einsum`` does to each operand first (sum over its lonely letters, bring the
    others in the order stack, rows, inner or stack, inner, columns), and the letters of the stack,
    the rows, the inner axes, the columns and the result.
    """
    left, _, result = equation.partition("->")
    first, _, second = left.partition(",")
    if left.count(",") != 1 or len({*first}) != len(first) or len({*second}) != len(second):
        return None
    stack = "".join(c for c in result if c in first and c in second)
    rows = "".join(c for c in result if c in first and c not in second)
    columns = "".join(c for c in result if c in second and c not in first)
    inner = "".join(c for c in first if c in second and c not in result)
    if not inner or not (rows or columns):
        return None
    return (
        f"{first}->{stack}{rows}{inner}",
        f"{second}->{stack}{inner}{columns}",
        stack,
        rows,
        inner,
        columns,
        f"{stack}{rows}{columns}->{result}",
    )


def einsum(*operands: Array, equation: str) -> Array:
    """Contract by way of matmul where there is something to contract."""
    if len(operands) > 2:
        found: Array = np.einsum(equation, *operands, optimize="greedy")
        return found
    plan = _plan(equation)
    if plan is None:
        found = np.einsum(equation, *operands)
        return found
    first, second, stack, rows, inner, _, last = plan
    x, y = np.einsum(first, operands[0]), np.einsum(second, operands[1])
    outer = x.shape[: len(stack)]
    across = x.shape[len(stack) : len(stack) + len(rows)]
    down = y.shape[len(stack) + len(inner) :]
    length = int(np.prod(x.shape[len(stack) + len(rows) :]))
    left = x.reshape((*outer, int(np.prod(across)), length))
    right = y.reshape((*outer, length, int(np.prod(down))))
    product = np.matmul(left, right).reshape(outer + across + down)
    result: Array = np.einsum(last, product)
    return result


_vecdot: Callable[..., Array] = np.vecdot


def matmul(x1: Array, x2: Array) -> Array:
    """NumPy's, which makes float32 of bfloat16."""
    out: Array = np.matmul(x1, x2)
    return out if x1.dtype != BFLOAT16 else out.astype(BFLOAT16)


def linear(x: Array, kernel: Array, bias: Array) -> Array:
    """Add the bias in place."""
    out: Array = np.matmul(x, kernel)
    out += bias
    return out if x.dtype != BFLOAT16 else out.astype(BFLOAT16)


TABLE = {
    "matmul": matmul,
    "linear": linear,
    "vecdot": through_float32(lambda x1, x2, axis: _vecdot(x1, x2, axis=axis)),
    "einsum": through_float32(einsum),
}
