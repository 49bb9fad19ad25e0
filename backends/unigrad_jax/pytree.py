"""Tensors and Variables as pytree nodes, so that JAX's own functions and transforms take them.

A Tensor on JAX carries its native array through; one of another backend its values, which JAX
then holds. What comes out of a transform is a Tensor on JAX. A Variable is read.
"""

from __future__ import annotations

from typing import Any

import jax

from unigrad.core.backend import Backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


def register(backend: Backend) -> None:
    """Make both classes nodes."""

    def flatten(tensor: Tensor) -> tuple[tuple[Any], None]:
        native = tensor.native
        return (native if tensor.backend is backend else tensor.numpy(),), None

    def flatten_variable(variable: Variable) -> tuple[tuple[Any], None]:
        return flatten(variable.read())

    def unflatten(_: None, children: tuple[Any, ...]) -> Tensor:
        # JAX also builds nodes of placeholders, so the child is taken as it comes.
        tensor = Tensor.__new__(Tensor)
        tensor.native, tensor.backend, tensor.uid = children[0], backend, 0
        return tensor

    jax.tree_util.register_pytree_node(Tensor, flatten, unflatten)
    jax.tree_util.register_pytree_node(Variable, flatten_variable, unflatten)
