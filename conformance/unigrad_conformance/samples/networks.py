"""Samples of the functions in ``ug.nn`` that have parameters: the oracles are their formulas."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from unigrad_conformance.sample import (
    case,
    complexes,
    distinct,
    integers,
    positive,
    real,
    values,
)
from unigrad_conformance.sample import samples_of_one_derivative as samples


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


# -- activations
samples(
    "nn.prelu",
    case(distinct(3, 4), real(4)),
    case(distinct(2, 3, 2), real()),
    case(real(0, 3), real(3)),
    oracle=lambda x, a: np.where(x > 0, x, a * x),
)


def _glu(x: Any, axis: int = -1) -> Any:
    a, b = np.split(x, 2, axis=axis)
    return a * _sigmoid(b)


samples("nn.glu", case(real(3, 4)), case(real(4, 3), axis=0), case(real(0, 4)), oracle=_glu)
_SHRUNK = values([-2.0, -0.7, -0.2, 0.1, 0.6, 3.0])
samples(
    "nn.hard_shrink",
    case(_SHRUNK),
    case(real(3), threshold=0.0),
    case(real(0, 2)),
    oracle=lambda x, threshold=0.5: np.where(np.abs(x) > threshold, x, 0),
)
samples(
    "nn.soft_shrink",
    case(_SHRUNK),
    case(_SHRUNK, threshold=0.3),
    case(real(0, 2)),
    oracle=lambda x, threshold=0.5: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
)
samples(
    "nn.threshold",
    case(_SHRUNK, 0.3),
    case(_SHRUNK, -0.3, value=-9.0),
    case(real(0, 2), 1.0),
    oracle=lambda x, threshold, value=0.0: np.where(x > threshold, x, value),
)
for _name in ("nn.hard_shrink", "nn.soft_shrink"):
    samples(
        _name,
        case(values([-0.5, 0.5, math.nan, math.inf])),
        differentiable=False,
        oracle=lambda x: np.where(np.abs(x) <= 0.5, 0, x),
    )


def _squareplus(x: Any, b: float = 4.0) -> Any:
    h = np.hypot(x, math.sqrt(b))
    return np.where(x < 0, b / (2 * (h - np.minimum(x, 0))), (x + h) / 2)


samples(
    "nn.squareplus",
    case(real(3, 4)),
    case(values([-1e4, -30.0, 1e4]), b=1.0),
    case(real(0, 3)),
    oracle=_squareplus,
)


def _sparsemax(x: Any, axis: int = -1) -> Any:
    """By bisection of what is taken off."""
    low, high = x.max(axis=axis, keepdims=True) - 1, x.max(axis=axis, keepdims=True)
    for _ in range(200):
        middle = (low + high) / 2
        much = np.maximum(x - middle, 0).sum(axis=axis, keepdims=True) > 1
        low, high = np.where(much, middle, low), np.where(much, high, middle)
    return np.maximum(x - low, 0)


samples(
    "nn.sparsemax",
    case(values([[0.9, 0.2, -1.0, 0.35], [0.1, 2.0, 0.3, 0.0]])),
    case(distinct(4, 2), axis=0),
    case(real(1)),
    oracle=_sparsemax,
    ulps=8,
    terms=lambda x, axis=-1: 1 + np.abs(x),
)
samples("nn.sparsemax", case(real(0, 3)), case(real(3, 0)), oracle=lambda x: x)


# -- convolutions, by their sums
def _steps(place: Any, lengths: Any, strides: int) -> Any:
    return [
        slice(k, k + (n - 1) * strides + 1, strides) for k, n in zip(place, lengths, strict=True)
    ]


def _conv(x: Any, kernel: Any, strides: int = 1) -> Any:
    window = kernel.shape[:-2]
    lengths = [(n - k) // strides + 1 for n, k in zip(x.shape[1:-1], window, strict=True)]
    out = np.zeros((x.shape[0], *lengths, kernel.shape[-1]))
    for place in itertools.product(*map(range, window)):
        key = _steps(place, lengths, strides)
        out += x[(slice(None), *key)] @ kernel[place]
    return out


def _separable(x: Any, depthwise: Any, pointwise: Any) -> Any:
    *window, inputs, multiplier = depthwise.shape
    full = np.zeros((*window, inputs, inputs * multiplier))
    for i in range(inputs):
        full[..., i, i * multiplier : (i + 1) * multiplier] = depthwise[..., i, :]
    return _conv(_conv(x, full), pointwise)


samples("nn.conv1d", case(real(2, 5, 3), real(2, 3, 4)), oracle=_conv, ulps=16, brief=True)
samples(
    "nn.conv2d",
    case(real(2, 4, 5, 2), real(2, 3, 2, 3), strides=2),
    oracle=_conv,
    ulps=16,
    brief=True,
)
samples(
    "nn.conv3d", case(real(1, 3, 3, 2, 2), real(2, 2, 1, 2, 3)), oracle=_conv, ulps=16, brief=True
)
samples(
    "nn.separable_conv",
    case(real(2, 5, 3), real(2, 3, 2), real(1, 6, 4)),
    case(real(1, 3, 4, 2), real(2, 2, 2, 1), real(1, 1, 2, 3)),
    oracle=_separable,
    ulps=32,
    terms=lambda x, d, p: _separable(abs(x), abs(d), abs(p)),
    brief=True,
)


# -- pooling
def _adaptive(function: Any) -> Any:
    def pooled(x: Any, lengths: Any) -> Any:
        rank = x.ndim - 2
        counts = (lengths,) * rank if isinstance(lengths, int) else lengths
        out = np.zeros((x.shape[0], *counts, x.shape[-1]))
        for place in itertools.product(*map(range, counts)):
            key: list[Any] = [
                slice(i * n // m, -(-(i + 1) * n // m))
                for i, n, m in zip(place, x.shape[1:-1], counts, strict=True)
            ]
            part = x[(slice(None), *key)]
            at: Any = (slice(None), *place)
            out[at] = function(part, axis=tuple(range(1, rank + 1)))
        return out

    return pooled


for _name, _function in {"average": np.mean, "max": np.max}.items():
    samples(
        f"nn.adaptive_{_name}_pool",
        case(distinct(2, 5, 3), 2),
        case(distinct(1, 4, 5, 2), (2, 3)),
        case(distinct(2, 3, 1), 5),
        oracle=_adaptive(_function),
        ulps=8,
    )


# -- patches
def _unfold(x: Any, window: int, strides: int = 1) -> Any:
    rank = x.ndim - 2
    lengths = [(n - window) // strides + 1 for n in x.shape[1:-1]]
    parts = []
    for place in itertools.product(range(window), repeat=rank):
        key = _steps(place, lengths, strides)
        parts.append(x[(slice(None), *key)])
    return np.concatenate(parts, axis=-1)


def _fold(x: Any, lengths: int, window: int, strides: int = 1) -> Any:
    """As the transpose of the matrix of `_unfold`."""
    rank = x.ndim - 2
    channels = x.shape[-1] // window**rank
    shape = (1, *(lengths,) * rank, channels)
    units = np.eye(math.prod(shape)).reshape(-1, *shape[1:])
    matrix = _unfold(units, window, strides).reshape(len(units), -1)
    return (x.reshape(len(x), -1) @ matrix.T).reshape(len(x), *shape[1:])


samples(
    "nn.unfold",
    case(real(2, 5, 3), 2),
    case(real(1, 4, 5, 2), 2, strides=2),
    case(real(0, 4, 1), 3),
    oracle=_unfold,
    ulps=0,
)
samples(
    "nn.fold",
    case(real(2, 4, 6), 5, 2),
    case(real(1, 2, 2, 12), 5, 2, strides=2),
    case(real(2, 2, 3), 4, 3),
    oracle=_fold,
    ulps=4,
)


def _space_to_depth(x: Any, block: int) -> Any:
    return _unfold(x, block, block)


def _depth_to_space(x: Any, block: int) -> Any:
    return _fold(x, x.shape[1] * block, block, block)


def _pixel_shuffle(x: Any, factor: int) -> Any:
    blocks = factor ** (x.ndim - 2)
    moved = np.swapaxes(x.reshape(*x.shape[:-1], -1, blocks), -1, -2).reshape(x.shape)
    return _depth_to_space(moved, factor)


samples(
    "nn.space_to_depth",
    case(real(2, 4, 6, 3), 2),
    case(real(2, 6, 1), 3),
    oracle=_space_to_depth,
    ulps=0,
)
samples(
    "nn.depth_to_space",
    case(real(2, 3, 3, 8), 2),
    case(real(2, 2, 6), 3),
    oracle=_depth_to_space,
    ulps=0,
)
samples(
    "nn.pixel_shuffle",
    case(real(2, 3, 3, 8), 2),
    case(real(2, 2, 6), 3),
    oracle=_pixel_shuffle,
    ulps=0,
)


# -- labels and tables
def _multi_hot(x: Any, count: int, axis: int = -1) -> Any:
    hot = (np.moveaxis(x, axis, -1)[..., None] == np.arange(count)).any(-2)
    return np.moveaxis(hot, -1, axis).astype(np.float64)


samples(
    "nn.multi_hot",
    case(values([[0, 2, 2], [3, -1, 0]]), 3),
    case(integers(4, 2, low=0), 6, axis=0),
    oracle=_multi_hot,
    ulps=0,
    differentiable=False,
    dtype="float32",
)
samples(
    "nn.embedding",
    case(values([[2, 0], [1, 2]]), real(3, 4)),
    case(integers(0, low=0), real(2, 3)),
    oracle=lambda i, table: table[i],
    ulps=0,
)


# -- normalisation
def _normal(x: Any, axis: Any, epsilon: float) -> Any:
    mean = x.mean(axis=axis, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axis=axis, keepdims=True) + epsilon)


def _scaled(x: Any, rest: Any) -> Any:
    for function, one in zip((np.multiply, np.add), rest, strict=False):
        x = function(x, one)
    return x


def _layer_norm(x: Any, *rest: Any, axes: int = 1, epsilon: float = 1e-5) -> Any:
    return _scaled(_normal(x, tuple(range(-axes, 0)), epsilon), rest)


def _group_norm(x: Any, *rest: Any, groups: int = 0, epsilon: float = 1e-5) -> Any:
    count = groups or x.shape[-1]
    parts = x.reshape(*x.shape[:-1], count, -1)
    axes = (*range(1, x.ndim - 1), x.ndim)
    return _scaled(_normal(parts, axes, epsilon).reshape(x.shape), rest)


_SMALL: dict[str, Any] = {"ulps": 32, "terms": lambda x, *rest, **settings: 4 + 0 * x}
samples(
    "nn.layer_norm",
    case(real(3, 4), positive(4), real(4)),
    case(real(2, 3, 2), axes=2),
    case(real(3, 4), epsilon=0.3),
    oracle=_layer_norm,
    **_SMALL,
)
samples(
    "nn.rms_norm",
    case(real(3, 4), positive(4)),
    case(real(2, 3), epsilon=0.3),
    oracle=lambda x, *rest, epsilon=1e-6: _scaled(
        x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon), rest
    ),
    **_SMALL,
)
samples(
    "nn.group_norm",
    case(real(2, 3, 4), positive(4), real(4), groups=2),
    case(real(2, 6), groups=2),
    oracle=_group_norm,
    **_SMALL,
)
samples(
    "nn.instance_norm",
    case(real(2, 5, 3), positive(3), real(3)),
    case(real(2, 2, 3, 1)),
    oracle=_group_norm,
    **_SMALL,
)
samples(
    "nn.batch_norm",
    case(real(3, 4), real(4), positive(4), positive(4), real(4)),
    case(real(2, 3, 2), real(2), positive(2), epsilon=0.1),
    oracle=lambda x, m, v, *rest, epsilon=1e-3: _scaled((x - m) / np.sqrt(v + epsilon), rest),
    ulps=16,
    terms=lambda x, m, *rest, **settings: 8 + 0 * (x - m),
)
samples(
    "nn.l2_normalize",
    case(real(3, 4)),
    case(real(2, 3, 2), axis=(0, 2)),
    case(real(2, 2), axis=None),
    oracle=lambda x, axis=-1: x / np.sqrt((x**2).sum(axis=axis, keepdims=True)),
    ulps=8,
)
samples(
    "nn.l2_normalize",
    case(values([[0.0, 0.0], [3e30, 4e30]])),
    differentiable=False,
    oracle=lambda x: np.array([[0.0, 0.0], [0.6, 0.8]]),
)


def _responses(
    x: Any, radius: int = 2, bias: float = 2.0, alpha: float = 1e-4, beta: float = 0.75
) -> Any:
    count = x.shape[-1]
    near = np.stack(
        [(x[..., max(0, i - radius) : i + radius + 1] ** 2).sum(-1) for i in range(count)], axis=-1
    )
    return x / (bias + alpha * near) ** beta


samples(
    "nn.local_response_norm",
    case(real(2, 3, 7)),
    case(real(3, 4), radius=1, alpha=0.5, beta=0.5),
    oracle=_responses,
    ulps=8,
)

# -- complex numbers, which are only moved or added up
samples("nn.unfold", case(complexes(1, 4, 2), 3), oracle=_unfold, ulps=0)
samples("nn.fold", case(complexes(1, 2, 6), 4, 3), oracle=_fold)
samples("nn.space_to_depth", case(complexes(1, 4, 2), 2), oracle=_space_to_depth, ulps=0)
samples("nn.depth_to_space", case(complexes(1, 2, 4), 2), oracle=_depth_to_space, ulps=0)
samples("nn.pixel_shuffle", case(complexes(1, 2, 4), 2), oracle=_pixel_shuffle, ulps=0)
samples("nn.embedding", case(values([1, 0, 1]), complexes(2, 3)), oracle=lambda i, t: t[i], ulps=0)
