"""Derivatives of matrix products."""

from typing import Any

from unigrad.autodiff.rules.registry import bilinear
from unigrad.core.tensor import Tensor
from unigrad.ops.linear import matmul
from unigrad.ops.shaping import permute_dims, reshape


def _transpose(x: Tensor) -> Tensor:
    """Swap the last two axes."""
    n = x.ndim
    return permute_dims(x, (*range(n - 2), n - 1, n - 2))


def _first(g: Tensor, out: Any, x: Tensor, y: Tensor) -> Tensor:
    """ḡ yᵀ, with a vector's missing axis put back first."""
    if y.ndim == 1:
        return reshape(g, (*g.shape, 1)) * y
    if x.ndim == 1:
        return matmul(y, reshape(g, (*g.shape, 1))).reshape(y.shape[:-1])
    return matmul(g, _transpose(y))


def _second(g: Tensor, out: Any, x: Tensor, y: Tensor) -> Tensor:
    """xᵀ ḡ, with a vector's missing axis put back first."""
    if x.ndim == 1:
        column = reshape(g, (*g.shape[:-1], 1, g.shape[-1])) if y.ndim > 1 else g
        return reshape(x, (-1, 1)) * column if y.ndim > 1 else x * g
    if y.ndim == 1:
        return matmul(_transpose(x), reshape(g, (*g.shape, 1))).reshape(
            (*x.shape[:-2], x.shape[-1])
        )
    return matmul(_transpose(x), g)


bilinear("matmul", _first, _second)
