"""Samples of attention and of recurrent networks as functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.sample import booleans, case, real
from unigrad_conformance.sample import samples_of_one_derivative as samples


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


# -- attention
def _attention(
    q: Any, k: Any, v: Any, mask: Any = None, causal: bool = False, scale: Any = None
) -> Any:
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -1e30)
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:]) > 0, scores, -1e30)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


samples(
    "nn.dot_product_attention",
    case(real(2, 3, 4), real(2, 5, 4), real(2, 5, 3)),
    case(real(2, 1, 3, 2), real(2, 2, 3, 2), real(2, 2, 3, 2), causal=True, scale=0.7),
    oracle=_attention,
    ulps=32,
    terms=lambda q, k, v, **settings: 2 + 0 * _attention(q, k, v, **settings),
)
samples(
    "nn.dot_product_attention",
    case(real(2, 3), real(4, 3), real(4, 2), booleans(2, 4)),
    oracle=_attention,
    ulps=32,
    call=lambda ug, q, k, v, mask: ug.nn.dot_product_attention(q, k, v, mask=mask),
    terms=lambda q, k, v, mask: 2 + 0 * _attention(q, k, v, mask),
)


# -- recurrent networks
def _unrolled(step: Any, x: Any, states: Any) -> Any:
    outputs = []
    for t in range(x.shape[1]):
        states = step(x[:, t], states)
        outputs.append(states[0])
    return np.stack(outputs, axis=1), states


def _simple_rnn(x: Any, w: Any, u: Any, b: Any) -> Any:
    def step(row: Any, states: Any) -> Any:
        return (np.tanh(row @ w + b + states[0] @ u),)

    outputs, (last,) = _unrolled(step, x, (np.zeros((len(x), len(u))),))
    return outputs, last


def _gru(x: Any, w: Any, u: Any, b: Any, c: Any) -> Any:
    def step(row: Any, states: Any) -> Any:
        (h,) = states
        (xr, xz, xn), (hr, hz, hn) = (np.split(one, 3, axis=-1) for one in (row @ w + b, h @ u + c))
        r, z = _sigmoid(xr + hr), _sigmoid(xz + hz)
        return ((1 - z) * np.tanh(xn + r * hn) + z * h,)

    outputs, (last,) = _unrolled(step, x, (np.zeros((len(x), len(u))),))
    return outputs, last


def _lstm(x: Any, w: Any, u: Any, b: Any) -> Any:
    def step(row: Any, states: Any) -> Any:
        h, c = states
        i, f, g, o = np.split(row @ w + b + h @ u, 4, axis=-1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(c), c

    zeros = np.zeros((len(x), len(u)))
    outputs, (h, c) = _unrolled(step, x, (zeros, zeros))
    return outputs, h, c


def _flat_lstm(ug: Any, *inputs: Any) -> Any:
    outputs, (h, c) = ug.nn.lstm(*inputs)
    return outputs, h, c


_RUN: dict[str, Any] = {"ulps": 32, "terms": lambda *inputs: 4.0, "brief": True}
samples(
    "nn.simple_rnn",
    case(real(2, 3, 2), real(2, 2), real(2, 2), real(2)),
    oracle=_simple_rnn,
    **_RUN,
)
samples(
    "nn.gru", case(real(2, 3, 2), real(2, 6), real(2, 6), real(6), real(6)), oracle=_gru, **_RUN
)
samples(
    "nn.lstm",
    case(real(2, 3, 2), real(2, 8), real(2, 8), real(8)),
    oracle=_lstm,
    call=_flat_lstm,
    **_RUN,
)
