"""Random numbers from explicit keys: the same on every backend and device, eager or compiled.

The generator is counter-based: a draw is a function of a key and a position, and nothing else. A
key is used once; `split` and `fold_in` make new ones. Keys, bits, integers, uniform numbers and
permutations are bit for bit those of `jax.random` for the same key and dtype
(``jax_threefry_partitionable=True``); the other distributions are the same functions of them, up
to the rounding of a backend's logarithm or inverse error function. `Generator` keeps a key for
those who would rather not.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
(Threefry-2x32 with 20 rounds).
"""

from unigrad.random.continuous import (
    exponential,
    gumbel,
    normal,
    truncated_normal,
)
from unigrad.random.discrete import bernoulli, categorical, randint
from unigrad.random.generator import Generator
from unigrad.random.keys import SeedError, bits, fold_in, key, split
from unigrad.random.shuffling import choice, permutation
from unigrad.random.uniforms import uniform

__all__ = [
    "Generator",
    "SeedError",
    "bernoulli",
    "bits",
    "categorical",
    "choice",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "normal",
    "permutation",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
]
