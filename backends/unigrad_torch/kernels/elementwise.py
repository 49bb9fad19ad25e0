"""Elementwise kernels."""

import operator

import torch

from unigrad.core.dtypes import ALL

_DTYPES = {dtype: getattr(torch, dtype.name) for dtype in ALL}

TABLE = {
    # The operators, since they take a Python scalar on either side.
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": torch.neg,
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "greater": operator.gt,
    "astype": lambda x, dtype: x.to(_DTYPES[dtype]),
    "full_like": lambda x, value: torch.full_like(x, value),
    "to_device": lambda x, device: x.to("cuda" + device[3:] if device[:3] == "gpu" else device),
}

SCALAR_OPS = frozenset({"add", "subtract", "multiply", "divide", "greater"})
