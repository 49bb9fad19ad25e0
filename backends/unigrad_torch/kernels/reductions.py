"""Reductions. ``axis`` is a tuple of ints counted from the front."""

import torch

TABLE = {
    # torch reads an empty tuple of axes as all of them.
    "sum": lambda x, axis, keepdims: torch.sum(x, axis, keepdims) if axis else x,
}
