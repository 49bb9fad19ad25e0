"""The grapheme-to-phoneme model in TensorFlow: the step in one `tf.function`, its loops unrolled.

The twin of `tests.native.g2p_torch` and `tests.native.g2p_jax`: the same weights, formulas and
sources, with TensorFlow's fused Adam kernel.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from benchmarks.native_mlp.by_tensorflow import tensorflow_adam
from tests.native.weights import PADDING, Weights


def gru_step(values: Any, prefix: str, projected: Any, state: Any) -> Any:
    """One GRU step from an input already multiplied by the kernel, input bias included."""
    recurrent = tf.matmul(state, values[f"{prefix}/recurrent_kernel"])
    recurrent += values[f"{prefix}/recurrent_bias"]
    x_reset, x_update, x_new = tf.split(projected, 3, -1)
    h_reset, h_update, h_new = tf.split(recurrent, 3, -1)
    update = tf.sigmoid(x_update + h_update)
    new = tf.tanh(x_new + tf.sigmoid(x_reset + h_reset) * h_new)
    return (1 - update) * new + update * state


def run_direction(values: Any, prefix: str, embedded: Any, mask: Any, backward: bool) -> Any:
    """Outputs [B,S,u] (zero at padding) and the final state [B,u]."""
    projected = embedded @ values[f"{prefix}/kernel"] + values[f"{prefix}/bias"]
    batch, length = mask.shape
    state = tf.zeros((batch, values[f"{prefix}/recurrent_kernel"].shape[0]))
    states = [state] * length
    for t in reversed(range(length)) if backward else range(length):
        proposed = gru_step(values, prefix, projected[:, t], state)
        state = tf.where(mask[:, t, None], proposed, state)
        states[t] = state
    return tf.stack(states, 1) * tf.cast(mask[:, :, None], tf.float32), state


def encode(values: Any, source: Any) -> Any:
    """Memory [B,S,512], letter mask [B,S] and the decoder's initial state [B,256]."""
    mask = source != PADDING
    embedded = tf.gather(values["encoder/embedding"], source)
    forward, last = run_direction(values, "encoder/forward", embedded, mask, False)
    backward, first = run_direction(values, "encoder/backward", embedded, mask, True)
    summary = tf.concat([last, first], -1)
    initial = tf.tanh(summary @ values["bridge/kernel"] + values["bridge/bias"])
    return tf.concat([forward, backward], -1), mask, initial


def decoder_step(values: Any, memory: Any, keys: Any, mask: Any, state: Any, last: Any) -> Any:
    """The next decoder state, given the embedded previous phoneme."""
    query = tf.matmul(state, values["decoder/attention/query_kernel"])
    score = values["decoder/attention/score"]
    scores = tf.linalg.matvec(tf.tanh(keys + query[:, None, :]), score)
    attention = tf.nn.softmax(tf.where(mask, scores, -1e9))
    context = tf.linalg.matvec(memory, attention, transpose_a=True)
    inputs = tf.concat([context, last], -1)
    projected = tf.matmul(inputs, values["decoder/cell/kernel"]) + values["decoder/cell/bias"]
    return gru_step(values, "decoder/cell", projected, state)


def loss_of(values: Any, source: Any, target: Any) -> Any:
    """Mean cross-entropy of the batch under teacher forcing."""
    memory, mask, state = encode(values, source)
    keys = memory @ values["decoder/attention/memory_kernel"] + values["decoder/attention/bias"]
    embedded = tf.gather(values["decoder/embedding"], target[:, :-1])
    states = []
    for t in range(embedded.shape[1]):
        state = decoder_step(values, memory, keys, mask, state, embedded[:, t])
        states.append(state)
    logits = tf.stack(states, 1) @ values["decoder/output/kernel"] + values["decoder/output/bias"]
    wanted = target[:, 1:]
    real = tf.cast(wanted != PADDING, tf.float32)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits)
    return tf.reduce_sum(losses * real) / tf.reduce_sum(real)


def training_step(weights: Weights) -> Any:
    """Return the step of a batch: one program per shape; it gives the loss before the update."""
    variables = {name: tf.Variable(value) for name, value in weights.items()}
    held = list(variables.values())
    moments = [[tf.Variable(tf.zeros_like(one)) for _ in range(2)] for one in held]
    count = tf.Variable(0.0)

    @tf.function(autograph=False)
    def step(source: Any, target: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(held)
            values = {name: tf.convert_to_tensor(one) for name, one in variables.items()}
            loss = loss_of(values, source, target)
        gradients = map(tf.convert_to_tensor, tape.gradient(loss, held))
        tensorflow_adam(tf, held, moments, count, gradients)
        return loss

    return step
