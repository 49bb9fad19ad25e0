"""Matrix products."""

from functools import partial
from typing import Any

import torch


def linear(x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Use the fused product and sum; it is there for matrices."""
    if x.dim() == 2:
        return torch.addmm(bias, x, kernel)
    return torch.matmul(x, kernel) + bias


def vecdot(x1: torch.Tensor, x2: torch.Tensor, axis: int) -> torch.Tensor:
    """Use the library's, which takes no integers; sums of those come in 64 bits."""
    if x1.is_floating_point() or x1.is_complex():
        return torch.linalg.vecdot(x1, x2, dim=axis)
    return torch.sum(x1 * x2, axis).to(x1.dtype)


def outer(x1: torch.Tensor, x2: torch.Tensor) -> torch.Tensor:
    """Use the library's, which takes vectors."""
    return torch.outer(x1.reshape(-1), x2.reshape(-1))


TABLE = {
    "kron": torch.kron,
    "outer": outer,
    "matmul": torch.matmul,
    "linear": linear,
    "tensordot": lambda x1, x2, axes: torch.tensordot(x1, x2, axes),
    "vecdot": vecdot,
    "einsum": lambda *operands, equation: torch.einsum(equation, *operands),
}
BINDERS: dict[Any, Any] = {
    TABLE["tensordot"]: lambda axes: lambda x1, x2: torch.tensordot(x1, x2, axes),
    TABLE["einsum"]: lambda equation: partial(torch.einsum, equation),
}
