"""Fourier transforms, without a factor forward and with 1/n back.

XLA transforms three axes at most in one go.
"""

import jax
import jax.numpy as jnp


def fft(x: jax.Array, *, axes: tuple[int, ...]) -> jax.Array:
    """JAX's, along one axis after the other."""
    for axis in axes:
        x = jnp.fft.fft(x, axis=axis)
    return x


def ifft(x: jax.Array, *, axes: tuple[int, ...]) -> jax.Array:
    """JAX's, along one axis after the other."""
    for axis in axes:
        x = jnp.fft.ifft(x, axis=axis)
    return x


TABLE = {
    "fft": fft,
    "ifft": ifft,
    "rfft": lambda x, axes: fft(jnp.fft.rfft(x, axis=axes[-1]), axes=axes[:-1]),
    "irfft": lambda x, axes, n: jnp.fft.irfft(ifft(x, axes=axes[:-1]), n, axis=axes[-1]),
}
