"""Samples of random numbers: the same ones on every backend, bit for bit where no function is
applied to them.
"""

import math
from typing import Any

import mpmath
import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance import threefry
from unigrad_conformance.sample import Array, Case, case, complexes, real, samples, values

_KEYS = [values(threefry.seeded(seed)) for seed in (0, 42, 2**40 + 5)]
_FLOATS = ("float32", "float64")
_erfinv = np.vectorize(lambda x: float(mpmath.erfinv(float(x))), otypes=[np.float64])


def _drawn(op: str, *cases: Case, **rest: Any) -> None:
    """Declare samples of numbers that depend on nothing but the key."""
    samples(op, *cases, differentiable=False, **rest)


_drawn("random.key", case(0), case(42), case(-7), case(2**40 + 5),
       oracle=lambda seed: threefry.seeded(seed % 2**64), dtype="uint32")  # fmt: skip
_drawn("random.split", *[case(key) for key in _KEYS], case(_KEYS[0], 9), case(_KEYS[0], 0),
       oracle=lambda key, num=2: np.array(threefry.split(key, num), np.uint32).reshape(num, 2),
       dtype="uint32")  # fmt: skip
_drawn("random.fold_in", case(_KEYS[0], 1), case(_KEYS[1], 2**32 - 1), case(_KEYS[2], values(7)),
       oracle=lambda key, data: np.array(threefry.block(key, int(data)), np.uint32),
       dtype="uint32")  # fmt: skip


def _hashed(first: Array, second: Array, counter: Array) -> tuple[Array, ...]:
    many = [threefry.block((a, b), int(c)) for a, b, c in np.broadcast(first, second, counter)]
    shape = np.broadcast_shapes(first.shape, second.shape, counter.shape)
    return tuple(np.array(words).reshape(shape) for words in zip(*many, strict=True))


_drawn(
    "random_hash",
    case(values([[7], [2**32 - 1]]), values([[0], [2**31 + 5]]), values([0, 3, 2**32 + 9])),
    case(values(7), values(2**32 - 1), values(2)),
    oracle=_hashed,
    call=lambda ug, *words: OPS["random_hash"](*words),
    dtype="int64",
)


def _bits(key: Array, shape: tuple[int, ...], dtype: str) -> Array:
    width = 8 * np.dtype(dtype).itemsize
    return np.array(threefry.words(key, math.prod(shape), width), dtype).reshape(shape)


for _dtype in ("uint8", "uint16", "uint32", "uint64"):
    _drawn(
        "random.bits",
        *[case(key, (3, 5), _dtype) for key in _KEYS],
        case(_KEYS[0], (), _dtype),
        case(_KEYS[0], (0, 2), _dtype),
        oracle=_bits,
        dtype=_dtype,
    )
for _dtype in _FLOATS:
    _drawn(
        "random.uniform",
        *[case(key, (3, 5), _dtype) for key in _KEYS],
        case(_KEYS[0], (), _dtype),
        oracle=threefry.unit,
        dtype=_dtype,
        ulps=0,
    )
    _drawn(
        "random.uniform",
        case(_KEYS[0], (20,), _dtype, -1.0, 2.5),
        case(_KEYS[1], (20,), _dtype, 0.1, 0.7),
        oracle=threefry.between,
        dtype=_dtype,
        ulps=0,
    )


_drawn(
    "random.uniform",
    case(_KEYS[0], (20,), "float16"),
    case(_KEYS[0], (20,), "float16", -1.0, 2.5),
    case(_KEYS[1], (20,), "float16", 0.0, 6e-5),
    oracle=lambda key, shape, dtype, low=0.0, high=1.0: threefry.between(
        key, shape, dtype, low, high
    ),
    dtype="float16",
    ulps=0,
)


def _of_uniform(function: Any, low: float, high: float) -> Any:
    """Return the oracle of a function of uniform numbers."""

    def oracle(key: Array, shape: tuple[int, ...], dtype: str) -> Any:
        kind = np.dtype(dtype)
        # An open end: the number next to it.
        edge = {-1.0: np.nextafter(kind.type(-1), kind.type(0)), 0.0: 0.0}.get(low)
        first = np.finfo(kind).smallest_normal if edge is None else edge
        return function(threefry.between(key, shape, dtype, float(first), high))

    return oracle


_TINY = math.nan
normal_of = _of_uniform(lambda u: math.sqrt(2) * _erfinv(u), -1.0, 1.0)
_gumbel = _of_uniform(lambda u: -np.log(-np.log(u)), _TINY, 1.0)
for _dtype in _FLOATS:
    _draws = [case(key, (3, 5), _dtype) for key in _KEYS]
    _drawn("random.normal", *_draws, oracle=normal_of, dtype=_dtype, ulps=8)
    _drawn("random.gumbel", *_draws, oracle=_gumbel, dtype=_dtype,
           terms=lambda *given: 1.0 + np.abs(_gumbel(*given)))  # fmt: skip
    _drawn("random.exponential", *_draws, dtype=_dtype,
           oracle=_of_uniform(lambda u: -np.log1p(-u), 0.0, 1.0))  # fmt: skip


def _truncated(key: Array, low: float, high: float, shape: tuple[int, ...], dtype: str) -> Any:
    first, last = math.erf(low / math.sqrt(2)), math.erf(high / math.sqrt(2))
    return math.sqrt(2) * _erfinv(threefry.between(key, shape, dtype, first, last))


for _dtype in _FLOATS:
    _drawn("random.truncated_normal", case(_KEYS[0], -1.5, 1.5, (3, 5), _dtype),
           case(_KEYS[1], -2.0, 0.5, (3, 5), _dtype),
           oracle=_truncated, dtype=_dtype, ulps=8)  # fmt: skip


# The result is a function of bounds that are tensors, and is differentiated by them.
samples(
    "random.uniform",
    case(_KEYS[0], (2, 3), "float64", real(3, low=-2, high=-1), real(2, 1, low=1, high=2)),
    oracle=lambda key, shape, dtype, low, high: (
        low + threefry.unit(key, shape, dtype) * (high - low)
    ),
    dtype="float64",
)


def _randint(key: Array, shape: tuple[int, ...], low: Any, high: Any, dtype: str) -> Array:
    return threefry.integers(key, shape, int(low), int(high), max(32, np.iinfo(dtype).bits))


for _dtype in ("int32", "int64", "uint8"):
    _drawn(
        "random.randint",
        *[case(key, (3, 5), 0, 10, _dtype) for key in _KEYS],
        case(_KEYS[0], (8,), 3, 100, _dtype),
        case(_KEYS[0], (4,), values(1), values(7), _dtype),
        oracle=_randint,
        dtype=_dtype,
    )
_drawn("random.randint", case(_KEYS[0], (8,), -(2**40), 2**50, "int64"),
       case(_KEYS[1], (8,), -(2**63), 2**63, "int64"), oracle=_randint, dtype="int64")  # fmt: skip
# A step function of its parameter: derivative 0.
samples("random.bernoulli", case(_KEYS[0], values(0.3), (20,)), case(_KEYS[1], values(0.9), (5, 3)),
       oracle=lambda key, p, shape: threefry.unit(key, shape, "float32") < p,
       call=lambda ug, key, p, shape: ug.random.bernoulli(key, ug.astype(p, "float32"), shape),
       dtype="bool", zero_gradient=True)  # fmt: skip
_LOGITS = values(np.array([[0.3, -1.0, 2.0], [0.0, 0.5, -math.inf]], np.float32))
samples("random.categorical", *[case(key, _LOGITS) for key in _KEYS],
       oracle=lambda key, logits: np.argmax(_gumbel(key, (2, 3), "float32") + logits, -1),
       call=lambda ug, key, logits: ug.random.categorical(key, ug.astype(logits, "float32")),
       dtype="int64", zero_gradient=True)  # fmt: skip
# From 1,626 elements on they are sorted twice.
_drawn("random.permutation", *[case(key, 9) for key in _KEYS], case(_KEYS[0], 0), case(_KEYS[0], 1),
       case(_KEYS[0], 1700),
       oracle=lambda key, size: np.array(threefry.order(key, size), np.int64),
       dtype="int64")  # fmt: skip
_drawn("random.choice", case(_KEYS[0], 5, (3, 2)), case(_KEYS[1], 7, ()),
       oracle=lambda key, size, shape: threefry.integers(key, shape, 0, size, 64),
       dtype="int64")  # fmt: skip
_drawn("random.choice", case(_KEYS[0], 6, (4,), False),
       oracle=lambda key, size, shape, replace: np.array(threefry.order(key, size)[:4], np.int64),
       dtype="int64")  # fmt: skip
samples(
    "random.permutation",
    case(_KEYS[0], real(5, 2)),
    case(_KEYS[1], complexes(5)),
    oracle=lambda key, x: x[threefry.order(key, len(x))],
    dtype=None,
    ulps=0,
    call=lambda ug, key, x: ug.random.permutation(key, x),
)
