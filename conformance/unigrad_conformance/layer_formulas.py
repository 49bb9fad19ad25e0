"""What layers compute, in plain NumPy: a formula of the inputs and of the weights by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.sample import Array

Weights = dict[str, Array]


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    found: Array = 1.0 / (1.0 + np.exp(-x))
    return found


def softmax(scores: Array, mask: Any = True) -> Array:
    """Return weights along the last axis, 0 where a mask is False."""
    powers = np.exp(np.where(mask, scores, -np.inf))
    found: Array = powers / powers.sum(-1, keepdims=True)
    return found


# -- recurrent layers: one step from x W + b, the state, and the weights


def simple_step(total: Array, state: Any, w: Weights) -> Any:
    return np.tanh(total + state @ w["recurrent_kernel"])


def gru_step(total: Array, state: Any, w: Weights) -> Any:
    r, z, n = np.split(total, 3, -1)
    hr, hz, hn = np.split(state @ w["recurrent_kernel"] + w["recurrent_bias"], 3, -1)
    new = np.tanh(n + sigmoid(r + hr) * hn)
    update = sigmoid(z + hz)
    return (1.0 - update) * new + update * state


def gru_step_reset_before(total: Array, state: Any, w: Weights) -> Any:
    r, z, n = np.split(total, 3, -1)
    ur, uz, un = np.split(w["recurrent_kernel"], 3, -1)
    new = np.tanh(n + (sigmoid(r + state @ ur) * state) @ un)
    update = sigmoid(z + state @ uz)
    return (1.0 - update) * new + update * state


def lstm_step(total: Array, state: Any, w: Weights) -> Any:
    hidden, cell = state
    total = total + hidden @ w["recurrent_kernel"] + w.get("recurrent_bias", 0.0)
    i, f, g, o = np.split(total, 4, -1)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def over_time(
    step: Any, x: Array, w: Weights, first: Any, mask: Any = None, backwards: bool = False
) -> Array:
    """Return the outputs of all steps; a masked one gives zeros and leaves the state alone."""
    steps = range(x.shape[1])
    found: list[Any] = [None] * x.shape[1]
    state = first
    for t in reversed(steps) if backwards else steps:
        after = step(x[:, t] @ w["kernel"] + w["bias"], state, w)
        many = isinstance(after, tuple)
        real = np.ones((len(x), 1), bool) if mask is None else mask[:, t, None]
        pairs = zip(after, state, strict=True) if many else [(after, state)]
        kept = tuple([np.where(real, new, old) for new, old in pairs])
        state = kept if many else kept[0]
        found[t] = np.where(real, after[0] if many else after, 0.0)
    return np.stack(found, 1)


def part(w: Weights, prefix: str) -> Weights:
    """Return the weights below a path."""
    return {
        name[len(prefix) + 1 :]: one for name, one in w.items() if name.startswith(f"{prefix}/")
    }


# -- normalisations and attentions


def normalized(x: Array, axes: Any, epsilon: float) -> Array:
    """Return (x - mean) / √(variance + ε) over some axes."""
    off = x - x.mean(axes, keepdims=True)
    found: Array = off / np.sqrt((off * off).mean(axes, keepdims=True) + epsilon)
    return found


def layer_norm(x: Array, w: Weights) -> Array:
    return normalized(x, -1, 1e-5) * w["scale"] + w["offset"]


def turned(x: Array) -> Array:
    """Return (…, time, units) with the halves' pairs turned by their positions' angles."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[-2])[:, None] * 10000.0 ** (-np.arange(half) / half)
    pairs = (x[..., :half] + 1j * x[..., half:]) * np.exp(1j * angles)
    return np.concatenate([pairs.real, pairs.imag], -1)


def heads_of(x: Array, w: Weights, name: str, heads: int) -> Array:
    """Return a projection as (batch, heads, time, size)."""
    y = x @ w[f"{name}_kernel"] + w[f"{name}_bias"]
    found: Array = y.reshape(*y.shape[:2], heads, -1).swapaxes(1, 2)
    return found


def multi_head(
    query: Array, key: Array, w: Weights, heads: int, mask: Any = True, rotary: bool = False
) -> Array:
    """Return softmax(q kᵀ / √d) v of each head, joined and projected."""
    q, k, v = [
        heads_of(one, w, name, heads)
        for one, name in ((query, "query"), (key, "key"), (key, "value"))
    ]
    if rotary:
        q, k = turned(q), turned(k)
    weights = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]), mask)
    joined = (weights @ v).swapaxes(1, 2).reshape(*query.shape[:2], -1)
    found: Array = joined @ w["output_kernel"] + w["output_bias"]
    return found


def causal(steps: int) -> Array:
    """Return bools (steps, steps), True where a step may look."""
    return np.tril(np.ones((steps, steps), bool))


def encoder_block(x: Array, w: Weights, heads: int, norm_first: bool) -> Array:
    """Return a block of Transformer's encoder, its network with relu between the maps."""

    def beside(y: Array, number: int, function: Any) -> Array:
        norm = part(w, f"norms/{number}")
        if norm_first:
            return np.asarray(y + function(layer_norm(y, norm)))
        return layer_norm(y + function(y), norm)

    def network(y: Array) -> Array:
        hidden = np.maximum(y @ w["expand/kernel"] + w["expand/bias"], 0.0)
        return np.asarray(hidden @ w["contract/kernel"] + w["contract/bias"])

    x = beside(x, 0, lambda y: multi_head(y, y, part(w, "self_attention"), heads))
    return beside(x, 1, network)
