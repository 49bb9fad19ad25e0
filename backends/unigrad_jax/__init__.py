"""unigrad's JAX backend: every op jitted, with a jitted and cached pullback."""

from unigrad_jax.backend import JaxBackend
from unigrad_jax.pytree import register

backend = JaxBackend()
register(backend)

__all__ = ["JaxBackend", "backend"]
