"""unigrad's JAX backend: every op jitted, with a jitted and cached pullback."""

from unigrad_jax.backend import JaxBackend

backend = JaxBackend()

__all__ = ["JaxBackend", "backend"]
