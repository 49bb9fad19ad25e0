"""Matrix products."""

import torch

TABLE = {
    "matmul": torch.matmul,
}
