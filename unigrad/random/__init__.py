"""Random numbers from explicit keys: the same on every backend and device, eager or compiled.

The generator is counter-based: a draw is a function of a key and a position, and nothing else. A
key is used once; `split` and `fold_in` make new ones. Keys, bits, integers, uniform numbers and
permutations are bit for bit those of `jax.random` for the same key and dtype
(``jax_threefry_partitionable=True``). Distributions that are one function of a uniform number are
that of `jax.random`, up to the rounding of a backend's logarithm or inverse error function; those
that need rejection (gamma and its kin, Poisson, binomial) have numbers of their own. Whatever is an
integer is the same integer on every backend. `Generator` keeps a key for those who would rather
not.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
(Threefry-2x32 with 20 rounds).
"""

from unigrad.random import hashing as _hashing  # noqa: F401 (declares the op of batches of keys)
from unigrad.random.continuous import cauchy, exponential, gumbel, laplace, logistic, normal
from unigrad.random.counts import binomial, geometric, poisson
from unigrad.random.discrete import bernoulli, categorical, dropout_mask, rademacher, randint
from unigrad.random.gammas import beta, chisquare, dirichlet, gamma, loggamma, student_t
from unigrad.random.generator import Generator
from unigrad.random.keys import SeedError, bits, fold_in, key, split
from unigrad.random.multinomials import multinomial
from unigrad.random.multivariate import ball, multivariate_normal, orthogonal
from unigrad.random.powers import pareto, rayleigh, weibull
from unigrad.random.reuse import KeyReuseWarning
from unigrad.random.shuffling import choice, permutation
from unigrad.random.truncated import truncated_normal
from unigrad.random.uniforms import uniform

__all__ = [
    "Generator",
    "KeyReuseWarning",
    "SeedError",
    "ball",
    "bernoulli",
    "beta",
    "binomial",
    "bits",
    "categorical",
    "cauchy",
    "chisquare",
    "choice",
    "dirichlet",
    "dropout_mask",
    "exponential",
    "fold_in",
    "gamma",
    "geometric",
    "gumbel",
    "key",
    "laplace",
    "loggamma",
    "logistic",
    "multinomial",
    "multivariate_normal",
    "normal",
    "orthogonal",
    "pareto",
    "permutation",
    "poisson",
    "rademacher",
    "randint",
    "rayleigh",
    "split",
    "student_t",
    "truncated_normal",
    "uniform",
    "weibull",
]
