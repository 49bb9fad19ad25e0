"""The derivative of the affine map x W + b."""

from math import prod
from typing import Any

from unigrad.autodiff.rules.registry import add_up, rule
from unigrad.core.tensor import Tensor
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.shaping import broadcast_to, reshape


def _of_kernel(g: Tensor, out: Tensor, x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """xᵀ ḡ, with all leading axes as rows."""
    rows = reshape(x, (prod(x.shape[:-1]), x.shape[-1])) if x.ndim != 2 else x
    g = reshape(g, (prod(g.shape[:-1]), g.shape[-1])) if g.ndim != 2 else g
    return matmul(matrix_transpose(rows), g)


def _tangent(tangents: Any, out: Tensor, x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    terms = []
    if tangents[0] is not None:
        terms.append(matmul(tangents[0], kernel))
    if tangents[1] is not None:
        terms.append(matmul(x, tangents[1]))
    if tangents[2] is not None:
        terms.append(broadcast_to(tangents[2], out.shape))
    return add_up(terms)


rule(
    "linear",
    lambda g, out, x, kernel, bias: matmul(g, matrix_transpose(kernel)),
    _of_kernel,
    lambda g, out, x, kernel, bias: g,
    jvp=_tangent,
)
