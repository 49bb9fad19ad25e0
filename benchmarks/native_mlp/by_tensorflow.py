"""In TensorFlow: eager and under `tf.function`, with its fused Adam."""

from __future__ import annotations

import contextlib
from typing import Any

from benchmarks.native_mlp.setup import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    Array,
    Candidate,
    Labels,
    Weights,
)


def import_tensorflow() -> Any:
    """TensorFlow, after triton: imported in the other order the process aborts."""
    with contextlib.suppress(ImportError):
        import triton  # noqa: F401
    import tensorflow

    return tensorflow


def tensorflow_loss(tf: Any, weights: Any, x: Any, y: Any) -> Any:
    """The loss on TensorFlow tensors."""
    h = tf.nn.relu(tf.matmul(x, weights[0]) + weights[1])
    h = tf.nn.relu(tf.matmul(h, weights[2]) + weights[3])
    logits = tf.matmul(h, weights[4]) + weights[5]
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
    return tf.reduce_mean(losses)


def tensorflow_value_and_gradient(tf: Any, weights: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Loss and gradient by a tape that watches only the weights."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        loss = tensorflow_loss(tf, weights, x, y)
    return loss, tape.gradient(loss, weights)


def tensorflow_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Eager forward pass under tf.GradientTape."""
    tf = import_tensorflow()
    w, images, labels = [tf.constant(v) for v in weights], tf.constant(x), tf.constant(y)
    return lambda: tensorflow_value_and_gradient(tf, w, images, labels)


def tensorflow_function_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """The same under tf.function."""
    tf = import_tensorflow()
    w, images, labels = [tf.constant(v) for v in weights], tf.constant(x), tf.constant(y)
    function = tf.function(lambda *arguments: tensorflow_value_and_gradient(tf, *arguments))
    return lambda: function(w, images, labels)


def tensorflow_adam(tf: Any, weights: Any, moments: Any, count: Any, gradient: Any) -> None:
    """Adam on variables, through TensorFlow's own fused kernel."""
    count.assign_add(1.0)
    power1, power2 = tf.pow(BETA1, count), tf.pow(BETA2, count)
    # The kernel adds epsilon before it undoes the second moment's bias; ours comes after.
    epsilon = EPSILON * tf.sqrt(1 - power2)
    for w, (first, second), g in zip(weights, moments, gradient, strict=True):
        tf.raw_ops.ResourceApplyAdam(
            var=w.handle,
            m=first.handle,
            v=second.handle,
            beta1_power=power1,
            beta2_power=power2,
            lr=LEARNING_RATE,
            beta1=BETA1,
            beta2=BETA2,
            epsilon=epsilon,
            grad=g,
        )


def tensorflow_function_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """The whole step in one tf.function."""
    tf = import_tensorflow()
    w = [tf.Variable(value) for value in weights]
    moments = [[tf.Variable(tf.zeros_like(v)) for _ in range(2)] for v in w]
    count = tf.Variable(0.0)

    def step(images: Any, labels: Any) -> Any:
        loss, gradient = tensorflow_value_and_gradient(tf, w, images, labels)
        tensorflow_adam(tf, w, moments, count, gradient)
        return loss

    images, labels = tf.constant(x), tf.constant(y)
    function = tf.function(step)
    return lambda: function(images, labels)
