"""Random kernels for NumPy: bits and uniform numbers from a counter-based generator.

The generator itself is `unigrad.core.threefry`. The output conventions are those of `jax.random`
with `jax_threefry_partitionable=True`; the tests compare bit for bit. Distributions that are not
here are the front end's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import threefry
from unigrad.core.threefry import (
    Words,
    random_bits,
    random_fold_in,
    random_hash,
    random_randint,
    random_split,
    random_uniform,
)
from unigrad_numpy.kernels.error_function import erfinv

_MASK = 0xFFFFFFFF


def random_normal(key: Words, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Standard normal floats: √2 · erf⁻¹(u) of uniform u in (-1, 1)."""
    if dtype == np.float32:
        return threefry.random_normal(key, shape=shape)
    lowest = np.nextafter(dtype.type(-1), dtype.type(0))
    u = np.array(random_uniform(key, shape=shape, dtype=dtype))
    np.multiply(u, dtype.type(2), out=u)
    np.maximum(np.add(u, lowest, out=u), lowest, out=u)
    if dtype == np.float64:
        result: npt.NDArray[Any] = erfinv(u) * np.sqrt(2.0)
    else:
        # One number alone is no array to write into.
        single = threefry.erfinv_single(u.astype(np.float32).reshape(-1)).reshape(shape)
        result = np.asarray(single * threefry.SQRT_2, dtype)
    return result


def random_order(key: Words, *, size: int, rounds: int) -> npt.NDArray[np.int64]:
    """The integers below `size`, sorted `rounds` times by random words.

    A word and the position behind it are one integer: such integers are distinct, so that the
    fastest sort there is does what a stable one would.
    """
    order = np.arange(size)
    positions = np.arange(size, dtype=np.uint64)
    for _ in range(rounds):
        key, subkey = random_split(key, num=2)
        words = random_bits(subkey, shape=(size,), bit_width=32)
        tagged = np.left_shift(words, np.uint64(32), dtype=np.uint64) | positions
        tagged.sort()
        order = order[(tagged & np.uint64(_MASK)).view(np.int64)]
    return order


def random_orthonormal(z: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Q of the decomposition of z whose R has a positive diagonal."""
    q, r = np.linalg.qr(z)
    signs = np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    result: npt.NDArray[Any] = q * signs[..., np.newaxis, :]
    return result


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
    "random_hash": random_hash,
    "random_uniform": random_uniform,
    "random_randint": random_randint,
    "random_order": random_order,
    "random_normal": random_normal,
    "random_gamma_sample": lambda alpha, sample: sample.copy(),
    "random_orthonormal": random_orthonormal,
}
