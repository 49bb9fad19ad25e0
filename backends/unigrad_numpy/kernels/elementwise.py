"""Elementwise kernels: mostly ufuncs."""

import numpy as np

TABLE = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negative": np.negative,
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "greater": np.greater,
    "astype": lambda x, dtype: x.astype(dtype),
    "full_like": lambda x, value: np.full_like(x, value),
    "to_device": lambda x, device: x,
}

#: NumPy's ufuncs take Python scalars as weak (NEP 50).
SCALAR_OPS = frozenset({"add", "subtract", "multiply", "divide", "greater"})
