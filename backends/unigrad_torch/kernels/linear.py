"""Matrix products."""

import torch


def linear(x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Use the fused product and sum; it is there for matrices."""
    if x.dim() == 2:
        return torch.addmm(bias, x, kernel)
    return torch.matmul(x, kernel) + bias


TABLE = {
    "matmul": torch.matmul,
    "linear": linear,
    "tensordot": lambda x1, x2, axes: torch.tensordot(x1, x2, axes),
    "vecdot": lambda x1, x2, axis: torch.linalg.vecdot(x1, x2, dim=axis),
    "einsum": lambda *operands, equation: torch.einsum(equation, *operands),
}
