"""The grapheme-to-phoneme model in JAX, one jitted training step: a native side to compare with.

What: a bidirectional GRU encoder (Cho et al. 2014, reset gate after the recurrent product), a
decoder GRU with additive attention (Bahdanau et al. 2015), mean cross-entropy over the targets
that are not padding, and Adam (Kingma & Ba 2015, epsilon outside the root). Why: it is what a
JAX user would write, with ``lax.scan`` for both recurrences and gradient and update in one
compiled function. The step is compiled once for each shape of batch. Layout and gate order come
from `weights`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from .weights import END, GATE_ORDER, PADDING, START, Batch, Weights, initial_weights

__all__ = ["GATE_ORDER", "greedy", "initial_weights", "losses", "train", "value_and_gradients"]

Parameters = dict[str, Array]
BETA1, BETA2 = 0.9, 0.999


def gates(projected: Array) -> dict[str, Array]:
    """Split a projection's last axis into its named gates."""
    return dict(zip(GATE_ORDER, jnp.split(projected, len(GATE_ORDER), axis=-1), strict=True))


def gru_step(parameters: Parameters, prefix: str, projected: Array, state: Array) -> Array:
    """One GRU step from an input already multiplied by the kernel, input bias included."""
    recurrent = state @ parameters[f"{prefix}/recurrent_kernel"]
    recurrent = recurrent + parameters[f"{prefix}/recurrent_bias"]
    x, h = gates(projected), gates(recurrent)
    reset = jax.nn.sigmoid(x["reset"] + h["reset"])
    update = jax.nn.sigmoid(x["update"] + h["update"])
    new = jnp.tanh(x["new"] + reset * h["new"])
    return (1 - update) * new + update * state


def run_direction(
    parameters: Parameters, prefix: str, embedded: Array, mask: Array, backward: bool
) -> tuple[Array, Array]:
    """Outputs [S,B,u] (zero at padding) and final state [B,u]; time is the leading axis here."""
    projected = embedded @ parameters[f"{prefix}/kernel"] + parameters[f"{prefix}/bias"]
    units = parameters[f"{prefix}/recurrent_kernel"].shape[0]

    def step(state: Array, inputs: tuple[Array, Array]) -> tuple[Array, Array]:
        x, real = inputs
        state = jnp.where(real[:, None], gru_step(parameters, prefix, x, state), state)
        return state, state

    initial = jnp.zeros((mask.shape[1], units), embedded.dtype)
    final, states = lax.scan(step, initial, (projected, mask), reverse=backward)
    return states * mask[:, :, None], final


def encode(parameters: Parameters, source: Array) -> tuple[Array, Array, Array]:
    """Memory [B,S,512], letter mask [B,S] and the decoder's initial state [B,256]."""
    mask = source != PADDING
    embedded = parameters["encoder/embedding"][source.T]
    forward, last = run_direction(parameters, "encoder/forward", embedded, mask.T, False)
    backward, first = run_direction(parameters, "encoder/backward", embedded, mask.T, True)
    summary = jnp.concatenate([last, first], axis=-1)
    initial = jnp.tanh(summary @ parameters["bridge/kernel"] + parameters["bridge/bias"])
    return jnp.concatenate([forward, backward], axis=-1).swapaxes(0, 1), mask, initial


def attend(parameters: Parameters, memory: Array, keys: Array, mask: Array, state: Array) -> Array:
    """Context [B,512] that the previous decoder state picks out of the memory."""
    query = state @ parameters["decoder/attention/query_kernel"]
    scores = jnp.tanh(keys + query[:, None, :]) @ parameters["decoder/attention/score"]
    attention = jax.nn.softmax(jnp.where(mask, scores, -1e9), axis=-1)
    return jnp.einsum("bs,bsm->bm", attention, memory)


def attention_keys(parameters: Parameters, memory: Array) -> Array:
    """The part of the attention's score that does not depend on the query, [B,S,256]."""
    kernel = parameters["decoder/attention/memory_kernel"]
    return memory @ kernel + parameters["decoder/attention/bias"]


def decoder_step(
    parameters: Parameters, memory: Array, keys: Array, mask: Array, state: Array, last: Array
) -> Array:
    """The next decoder state, given the embedded previous phoneme `last`."""
    context = attend(parameters, memory, keys, mask, state)
    inputs = jnp.concatenate([context, last], axis=-1)
    projected = inputs @ parameters["decoder/cell/kernel"] + parameters["decoder/cell/bias"]
    return gru_step(parameters, "decoder/cell", projected, state)


def output_logits(parameters: Parameters, states: Array) -> Array:
    """Scores of the phonemes from the new decoder states."""
    return states @ parameters["decoder/output/kernel"] + parameters["decoder/output/bias"]


def loss_of(parameters: Parameters, source: Array, target: Array) -> Array:
    """Mean cross-entropy of the batch under teacher forcing."""
    memory, mask, initial = encode(parameters, source)
    keys = attention_keys(parameters, memory)

    def step(state: Array, last: Array) -> tuple[Array, Array]:
        state = decoder_step(parameters, memory, keys, mask, state, last)
        return state, state

    embedded = parameters["decoder/embedding"][target[:, :-1].T]
    _, states = lax.scan(step, initial, embedded)
    wanted = target[:, 1:].T
    log_probabilities = jax.nn.log_softmax(output_logits(parameters, states), axis=-1)
    picked = jnp.take_along_axis(log_probabilities, wanted[..., None], axis=-1)[..., 0]
    real = wanted != PADDING
    return -jnp.sum(picked * real) / jnp.sum(real)


def one_minus_power(beta: float, count: Array) -> Array:
    """1 - beta**count, which float32 would cancel away if written like that."""
    return -jnp.expm1(count * math.log(beta))


@partial(jax.jit, donate_argnums=(0, 1, 2))
def training_step(
    parameters: Parameters,
    first: Parameters,
    second: Parameters,
    count: Array,
    source: Array,
    target: Array,
    learning_rate: float,
    epsilon: float,
) -> tuple[Parameters, Parameters, Parameters, Array]:
    """Gradient and Adam update of step number `count` (from 1): new state and the loss."""
    loss, gradient = jax.value_and_grad(loss_of)(parameters, source, target)
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
    rate = learning_rate / one_minus_power(BETA1, count)
    correction = jnp.sqrt(one_minus_power(BETA2, count))
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) / correction + epsilon),
        parameters,
        first,
        second,
    )
    return parameters, first, second, loss


def indices(values: NDArray[np.int64]) -> Array:
    """Token numbers as JAX takes them without 64-bit mode."""
    return jnp.asarray(values.astype(np.int32))


def to_parameters(weights: Weights) -> Parameters:
    """JAX arrays holding copies of the weights."""
    return {name: jnp.array(value, jnp.float32) for name, value in weights.items()}


def value_and_gradients(
    weights: Weights, source: NDArray[np.int64], target: NDArray[np.int64]
) -> tuple[float, Weights]:
    """The loss of one batch and its gradient with respect to every weight."""
    function = jax.jit(jax.value_and_grad(loss_of))
    loss, gradient = function(to_parameters(weights), indices(source), indices(target))
    return float(loss), {name: np.asarray(gradient[name]) for name in weights}


def train(
    weights: Weights, batches: Iterable[Batch], learning_rate: float = 1e-3, epsilon: float = 1e-8
) -> tuple[list[float], Weights]:
    """One Adam step per batch; each batch's loss before its step, and the weights at the end."""
    parameters = to_parameters(weights)
    first = jax.tree.map(jnp.zeros_like, parameters)
    second = jax.tree.map(jnp.zeros_like, parameters)
    history = []
    for number, (source, target) in enumerate(batches, start=1):
        parameters, first, second, loss = training_step(
            parameters,
            first,
            second,
            jnp.float32(number),
            indices(source),
            indices(target),
            learning_rate,
            epsilon,
        )
        history.append(float(loss))
    return history, {name: np.asarray(parameters[name]) for name in weights}


def losses(
    weights: Weights, batches: Iterable[Batch], learning_rate: float = 1e-3, epsilon: float = 1e-8
) -> list[float]:
    """The losses of `train`."""
    return train(weights, batches, learning_rate, epsilon)[0]


@partial(jax.jit, static_argnums=2)
def greedy_scan(parameters: Parameters, source: Array, max_length: int) -> Array:
    """The likeliest phonemes, [max_length,B]."""
    memory, mask, initial = encode(parameters, source)
    keys = attention_keys(parameters, memory)

    def step(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        state, token = carry
        embedded = parameters["decoder/embedding"][token]
        state = decoder_step(parameters, memory, keys, mask, state, embedded)
        best = output_logits(parameters, state).argmax(axis=-1)
        ended = (token == END) | (token == PADDING)
        token = jnp.where(ended, PADDING, best)
        return (state, token), token

    start = jnp.full(source.shape[0], START)
    return lax.scan(step, (initial, start), None, length=max_length)[1]


def greedy(weights: Weights, source: NDArray[np.int64], max_length: int) -> NDArray[np.int64]:
    """The likeliest phoneme at each step, [B,max_length]: end token kept, padding after it."""
    chosen = greedy_scan(to_parameters(weights), indices(source), max_length)
    return np.asarray(chosen.T).astype(np.int64)
