"""Tensors and Variables as pytree nodes, so that JAX's own functions and transforms take them.

A Tensor on JAX carries its native array through; one of another backend its values. What JAX puts
in their place is a Tensor on JAX; where nothing is put there, the Tensor is the one it was. A
Variable is read. `unigrad_jax.protocols` registers them.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from unigrad.core.arguments import as_tensor
from unigrad.core.dispatch import wrap
from unigrad.core.leaks import warn_if_unseen
from unigrad.core.registry import load_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


def flatten(x: Tensor | Variable) -> tuple[tuple[Any], str]:
    """Return the array, and the name of the backend it is of."""
    tensor = as_tensor(x)
    native = tensor._native
    warn_if_unseen(tensor, jax.Array)
    mine = tensor.backend is load_backend("jax")
    return (native if mine else tensor._values(None),), tensor.backend.name


def unflatten(name: str, children: tuple[Any, ...]) -> Tensor:
    """Return the Tensor of what JAX put in the array's place."""
    native, backend = children[0], load_backend("jax")
    if name != backend.name and type(native) is np.ndarray:
        home = load_backend(name)
        return wrap(home, home.from_numpy(native, None))
    # JAX also builds nodes of placeholders, so the child is taken as it comes.
    tensor = Tensor.__new__(Tensor)
    tensor._native, tensor.backend, tensor.uid = native, backend, 0
    return tensor
