"""Tensors and Variables as pytree nodes, so that JAX's own functions and transforms take them.

A Tensor on JAX carries its native array through; one of another backend its values. What JAX puts
in their place is a Tensor on JAX; where nothing is put there, the Tensor is the one it was. A
Variable is read.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.leaks import warn_if_unseen
from unigrad.core.registry import load_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


def register(backend: Backend) -> None:
    """Make both classes nodes."""

    def flatten(tensor: Tensor) -> tuple[tuple[Any], str]:
        native = tensor.native
        warn_if_unseen(tensor, jax.Array)
        return (native if tensor.backend is backend else tensor._values(None),), tensor.backend.name

    def flatten_variable(variable: Variable) -> tuple[tuple[Any], str]:
        return flatten(variable.read())

    def unflatten(name: str, children: tuple[Any, ...]) -> Tensor:
        native = children[0]
        if name != backend.name and type(native) is np.ndarray:
            home = load_backend(name)
            return wrap(home, home.from_numpy(native, None))
        # JAX also builds nodes of placeholders, so the child is taken as it comes.
        tensor = Tensor.__new__(Tensor)
        tensor.native, tensor.backend, tensor.uid = native, backend, 0
        return tensor

    jax.tree_util.register_pytree_node(Tensor, flatten, unflatten)
    jax.tree_util.register_pytree_node(Variable, flatten_variable, unflatten)
