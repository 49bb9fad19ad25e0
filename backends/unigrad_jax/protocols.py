"""How JAX's functions ask arguments that are no arrays of theirs. See `unigrad.core.foreign`.

JAX's compiled functions ask nothing, and take classes that are registered as nodes of pytrees.

Source: JAX's ``__jax_array__`` and ``jax.tree_util.register_pytree_node``.
"""

from __future__ import annotations

from typing import Any

from unigrad.core.foreign import array_for
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


def jax_array(self: Any) -> Any:
    """Return an array of JAX."""
    import jax  # It is there: it asks.

    return array_for(self, jax.Array, jax.numpy.asarray)


def arrived() -> None:
    """Register both classes as nodes; the backend is loaded when the first one is looked into."""
    import jax

    def flatten(x: Any) -> Any:
        from unigrad_jax import pytree

        return pytree.flatten(x)

    def unflatten(name: str, children: Any) -> Any:
        from unigrad_jax import pytree

        return pytree.unflatten(name, children)

    for kind in (Tensor, Variable):
        jax.tree_util.register_pytree_node(kind, flatten, unflatten)


ARRIVALS = {"jax": arrived}
PROTOCOLS: dict[str, Any] = {"__jax_array__": jax_array}
