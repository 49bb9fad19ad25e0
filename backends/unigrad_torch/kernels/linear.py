"""Matrix products."""

import torch

TABLE = {
    "matmul": torch.matmul,
    "tensordot": lambda x1, x2, axes: torch.tensordot(x1, x2, axes),
    "vecdot": lambda x1, x2, axis: torch.linalg.vecdot(x1, x2, dim=axis),
    "einsum": lambda *operands, equation: torch.einsum(equation, *operands),
}
