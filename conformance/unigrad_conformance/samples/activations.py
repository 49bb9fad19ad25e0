"""Samples of the activation functions and the softmax family."""

import math
from typing import Any

import numpy as np

from unigrad_conformance.sample import case, distinct, integers, real, samples, values

_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _celu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return x * _sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * x**3))
    return 0.5 * x * _erfc(-x / math.sqrt(2))


def _softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def _one_hot(x: Any, count: int, axis: int = -1, dtype: Any = None) -> Any:
    hot = x[..., None] == np.arange(count)
    return np.moveaxis(hot.astype(np.float64), -1, axis)


_WIDE = case(real(3, 4, low=-8.0, high=8.0))
_SHAPES = (_WIDE, case(distinct(2, 1, 5)), case(real()), case(real(0, 3)))
_LOWER_TAIL = values([-3.0, -4.5, -5.0, -5.5, -6.5, -8.0])
_CORNERS = values([-6.0, -3.0, -1.0, 0.0, 1.0, 3.0, 6.0])
_LARGE = case(values([-500.0, -45.0, 45.0, 500.0]))

samples("relu", *_SHAPES, oracle=lambda x: np.maximum(x, 0), ulps=0)
for _name, _function in {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
}.items():
    # The derivatives at the corners are edges.
    samples(_name, case(_CORNERS), oracle=_function, ulps=0, differentiable=False)
samples("relu", case(integers(5)), oracle=lambda x: np.maximum(x, 0), differentiable=False)
samples("relu6", *_SHAPES, oracle=lambda x: np.clip(x, 0, 6), ulps=0)
samples(
    "leaky_relu",
    *_SHAPES,
    case(distinct(4), negative_slope=0.3),
    oracle=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
)
samples("elu", *_SHAPES, case(distinct(4, 3), alpha=0.3), oracle=_elu)
samples("celu", *_SHAPES, case(distinct(4, 3), alpha=0.3), oracle=_celu)
samples("selu", *_SHAPES, oracle=lambda x: 1.0507009873554805 * _elu(x, 1.6732632423543772))
samples(
    "gelu",
    *_SHAPES,
    case(real(3, 4), approximate="tanh"),
    case(_LOWER_TAIL),
    case(_LOWER_TAIL, approximate="tanh"),
    oracle=_gelu,
    ulps=8,
)
samples("silu", *_SHAPES, oracle=lambda x: x * _sigmoid(x))
samples("mish", *_SHAPES, oracle=lambda x: x * np.tanh(np.logaddexp(x, 0)), ulps=8)
samples("softplus", *_SHAPES, _LARGE, oracle=lambda x: np.logaddexp(x, 0))
samples("softsign", *_SHAPES, oracle=lambda x: x / (1 + np.abs(x)))
samples("sigmoid", *_SHAPES, case(integers(4)), oracle=_sigmoid)
samples("log_sigmoid", *_SHAPES, _LARGE, oracle=lambda x: -np.logaddexp(-x, 0))
samples("hard_sigmoid", *_SHAPES, oracle=lambda x: np.clip(x + 3, 0, 6) / 6)
samples("hard_silu", *_SHAPES, oracle=lambda x: x * (np.clip(x + 3, 0, 6) / 6))
samples("hard_tanh", *_SHAPES, oracle=lambda x: np.clip(x, -1, 1), ulps=0)
# Near 0 the difference cancels.
samples(
    "tanh_shrink",
    _WIDE,
    case(real(2, 3, low=1.0)),
    case(real(0, 3)),
    oracle=lambda x: x - np.tanh(x),
    terms=lambda x: x,
)

samples(
    "softmax",
    case(real(3, 4)),
    case(real(2, 3, 4), axis=1),
    case(real(5), axis=0),
    case(values([[0.0, -math.inf, 1.0]])),
    oracle=_softmax,
)
for _op in ("softmax", "log_softmax"):
    samples(_op, case(real(0, 3), axis=0), case(real(0, 3), axis=1), oracle=lambda x, axis: x)
samples(
    "logsumexp",
    case(real(0, 3), axis=0),
    case(real(0, 3), axis=1),
    case(real(0, 3), axis=(0, 1), keepdims=True),
    case(real(2, 0, 3), axis=(1, 2)),
    oracle=lambda x, axis, keepdims=False: np.sum(x, axis=axis, keepdims=keepdims) - math.inf,
)
samples(
    "log_softmax",
    case(real(3, 4)),
    case(real(2, 3, 4), axis=1),
    case(real(5), axis=0),
    oracle=lambda x, axis=-1: np.log(_softmax(x, axis)),
)
samples(
    "logsumexp",
    case(real(3, 4)),
    case(real(3, 4), axis=0),
    case(real(2, 3, 4), axis=(0, 2), keepdims=True),
    case(real()),
    case(values([[-math.inf, -math.inf], [-math.inf, 1.0]]), axis=1),
    oracle=_logsumexp,
)
samples(
    "one_hot",
    case(values([[0, 2], [3, -1]]), 3),
    case(integers(4, low=0), 6, axis=0, dtype="float64"),
    oracle=_one_hot,
    ulps=0,
    differentiable=False,
    dtype="float64",
    call=lambda ug, x, count, axis=-1, dtype="float64": ug.one_hot(
        x, count, axis=axis, dtype=dtype
    ),
)
