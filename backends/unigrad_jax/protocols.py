"""How JAX's functions ask arguments that are no arrays of theirs. See `unigrad.core.foreign`.

Source: JAX's ``__jax_array__``.
"""

from __future__ import annotations

from typing import Any

from unigrad.core.foreign import array_for


def jax_array(self: Any) -> Any:
    """Return an array of JAX."""
    import jax  # It is there: it asks.

    return array_for(self, jax.Array, jax.numpy.asarray)


PROTOCOLS: dict[str, Any] = {"__jax_array__": jax_array}
