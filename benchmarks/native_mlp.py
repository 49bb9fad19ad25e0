"""The 784-100-100-10 perceptron in each framework by itself: what unigrad is measured against.

What: for one batch of 100, the mean softmax cross-entropy from integer labels and its gradient
with respect to the six weight arrays (`GRADIENTS`), and whole training steps with Adam
(`STEPS`). Each builder takes weights, images and labels as NumPy arrays, hands them over to its
framework once, and returns a callable without arguments for `benchmarks.timing.compare`. Why:
a front end's overhead can only be told from a native program that is written well, so each one
is what an experienced user of its framework would write.

A gradient callable returns (loss, six gradients) of the framework's own types; a step callable
returns the loss before the update and keeps its own copy of the weights. All of them return only
when the work is done. Formulas: reverse accumulation through relu and softmax by hand for NumPy;
Adam from Kingma & Ba 2015 (epsilon outside the root, after bias correction).

Run from the repository's root (on threads see `benchmarks.timing`)::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.native_mlp
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Weights = list[Array]  # kernel, bias, kernel, bias, kernel, bias; kernels are (in, out)
Candidate = Callable[[], Any]
Builder = Callable[[Weights, Array, Labels], Candidate]

SIZES = (784, 100, 100, 10)
BATCH = 100
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def initial_weights(seed: int = 0) -> Weights:
    """Glorot-uniform kernels and zero biases, float32."""
    generator = np.random.default_rng(seed)
    weights: Weights = []
    for fan_in, fan_out in itertools.pairwise(SIZES):
        limit = np.sqrt(6.0 / (fan_in + fan_out))
        kernel = generator.uniform(-limit, limit, (fan_in, fan_out))
        weights += [kernel.astype(np.float32), np.zeros(fan_out, np.float32)]
    return weights


def random_batch(seed: int = 1) -> tuple[Array, Labels]:
    """Images in [0, 1) and labels below 10."""
    generator = np.random.default_rng(seed)
    x = generator.random((BATCH, SIZES[0]), dtype=np.float32)
    return x, generator.integers(0, SIZES[-1], BATCH)


def import_tensorflow() -> Any:
    """TensorFlow, after triton: imported in the other order the process aborts."""
    with contextlib.suppress(ImportError):
        import triton  # noqa: F401
    import tensorflow

    return tensorflow


# NumPy by hand


def numpy_layer(x: Array, kernel: Array, bias: Array) -> Array:
    """relu(x @ kernel + bias) with one allocation."""
    h: Array = x @ kernel
    h += bias
    np.maximum(h, 0, out=h)
    return h


def numpy_loss_and_delta(logits: Array, labels: Labels) -> tuple[np.float32, Array]:
    """Mean cross-entropy and its gradient, which takes the logits' place."""
    rows = np.arange(len(labels))
    logits -= logits.max(axis=1, keepdims=True)
    picked = logits[rows, labels]
    np.exp(logits, out=logits)
    total = logits.sum(axis=1)
    loss = (np.log(total) - picked).mean()
    total *= len(labels)
    logits /= total[:, None]
    logits[rows, labels] -= np.float32(1 / len(labels))
    return loss, logits


def numpy_value_and_gradient(weights: Weights, x: Array, labels: Labels) -> tuple[Any, Weights]:
    """Loss and gradient, by hand."""
    w1, b1, w2, b2, w3, b3 = weights
    h1 = numpy_layer(x, w1, b1)
    h2 = numpy_layer(h1, w2, b2)
    logits = h2 @ w3
    logits += b3
    loss, d3 = numpy_loss_and_delta(logits, labels)
    d2 = d3 @ w3.T
    d2 *= h2 > 0
    d1 = d2 @ w2.T
    d1 *= h1 > 0
    gradient = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]
    return loss, gradient


def numpy_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Hand-written backward pass."""
    return lambda: numpy_value_and_gradient(weights, x, y)


# HIPS autograd


def autograd_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """autograd.value_and_grad. The label is picked by a one-hot product built outside the timed
    call: autograd's gradient of fancy indexing (np.add.at) is slower than this."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.tracer import getval

    rate = np.float32(1 / len(y))
    one_hot = np.eye(SIZES[-1], dtype=np.float32)[y]

    def loss(w: Any) -> Any:
        h = anp.maximum(anp.dot(x, w[0]) + w[1], 0)
        h = anp.maximum(anp.dot(h, w[2]) + w[3], 0)
        logits = anp.dot(h, w[4]) + w[5]
        shifted = logits - getval(logits).max(axis=1, keepdims=True)
        normalizer = anp.sum(anp.log(anp.sum(anp.exp(shifted), axis=1)))
        return (normalizer - anp.sum(shifted * one_hot)) * rate

    function = value_and_grad(loss)
    return lambda: function(weights)


# torch


def torch_loss(weights: Any, x: Any, y: Any) -> Any:
    """The loss on tensors."""
    import torch

    h = torch.relu(torch.addmm(weights[1], x, weights[0]))
    h = torch.relu(torch.addmm(weights[3], h, weights[2]))
    return torch.nn.functional.cross_entropy(torch.addmm(weights[5], h, weights[4]), y)


def torch_arguments(weights: Weights, x: Array, y: Labels) -> tuple[Any, Any, Any]:
    """Copies as tensors, the weights as leaves."""
    import torch

    leaves = [torch.tensor(w, requires_grad=True) for w in weights]
    return leaves, torch.tensor(x), torch.tensor(y)


def torch_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Eager forward pass and torch.autograd.grad."""
    import torch

    w, images, labels = torch_arguments(weights, x, y)

    def run() -> Any:
        loss = torch_loss(w, images, labels)
        return loss.detach(), torch.autograd.grad(loss, w)

    return run


def torch_step_with(loss_function: Any, weights: Weights, x: Array, y: Labels) -> Candidate:
    """A training step with the fused Adam and the given loss."""
    import torch

    w, images, labels = torch_arguments(weights, x, y)
    optimizer = torch.optim.Adam(w, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=True)

    def run() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(w, images, labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return run


def torch_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Eager loss, fused Adam."""
    return torch_step_with(torch_loss, weights, x, y)


def torch_compiled_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """torch.compile of the loss (and so of its backward pass), fused Adam."""
    import torch

    return torch_step_with(torch.compile(torch_loss), weights, x, y)


# JAX


def jax_loss(weights: Any, x: Any, y: Any) -> Any:
    """The loss on JAX arrays."""
    import jax
    import jax.numpy as jnp

    h = jax.nn.relu(x @ weights[0] + weights[1])
    h = jax.nn.relu(h @ weights[2] + weights[3])
    log_probabilities = jax.nn.log_softmax(h @ weights[4] + weights[5])
    return -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()


def jax_arguments(weights: Weights, x: Array, y: Labels) -> tuple[Any, Any, Any]:
    """Copies as JAX arrays; labels as int32, JAX's default."""
    import jax.numpy as jnp

    return [jnp.array(w) for w in weights], jnp.array(x), jnp.array(y.astype(np.int32))


def jax_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """jax.value_and_grad without jit."""
    import jax

    arguments = jax_arguments(weights, x, y)
    function = jax.value_and_grad(jax_loss)
    return lambda: jax.block_until_ready(function(*arguments))


def jax_jit_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """jax.jit of jax.value_and_grad."""
    import jax

    arguments = jax_arguments(weights, x, y)
    function = jax.jit(jax.value_and_grad(jax_loss))
    return lambda: jax.block_until_ready(function(*arguments))


def jax_adam(state: Any, x: Any, y: Any) -> Any:
    """Gradient and Adam update; the state is (weights, first, second moments, step number)."""
    import jax
    import jax.numpy as jnp

    weights, first, second, count = state
    loss, gradient = jax.value_and_grad(jax_loss)(weights, x, y)
    count = count + 1
    first = [BETA1 * m + (1 - BETA1) * g for m, g in zip(first, gradient, strict=True)]
    second = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(second, gradient, strict=True)]
    # 1 - beta**count would cancel in float32; expm1 keeps its digits.
    rate = LEARNING_RATE / -jnp.expm1(count * math.log(BETA1))
    correction = jnp.sqrt(-jnp.expm1(count * math.log(BETA2)))
    moments = zip(weights, first, second, strict=True)
    weights = [w - rate * m / (jnp.sqrt(v) / correction + EPSILON) for w, m, v in moments]
    return (weights, first, second, count), loss


def jax_jit_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """The whole step in one jitted function that may reuse the old state's memory."""
    import jax
    import jax.numpy as jnp

    w, images, labels = jax_arguments(weights, x, y)
    step = jax.jit(jax_adam, donate_argnums=0)
    first, second = ([jnp.zeros_like(value) for value in w] for _ in range(2))
    state = (w, first, second, jnp.float32(0))

    def run() -> Any:
        nonlocal state
        state, loss = step(state, images, labels)
        jax.block_until_ready(state)
        return jax.block_until_ready(loss)

    return run


# TensorFlow


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


GRADIENTS: dict[str, Builder] = {
    "numpy by hand": numpy_gradient,
    "autograd": autograd_gradient,
    "torch eager": torch_gradient,
    "jax": jax_gradient,
    "jax.jit": jax_jit_gradient,
    "tf eager": tensorflow_gradient,
    "tf.function": tensorflow_function_gradient,
}
STEPS: dict[str, Builder] = {
    "torch fused Adam": torch_step,
    "torch.compile + fused Adam": torch_compiled_step,
    "jax.jit step": jax_jit_step,
    "tf.function step": tensorflow_function_step,
}


def gradient_candidates(weights: Weights, x: Array, y: Labels) -> dict[str, Candidate]:
    """Forward and backward pass in every framework."""
    return {name: build(weights, x, y) for name, build in GRADIENTS.items()}


def step_candidates(weights: Weights, x: Array, y: Labels) -> dict[str, Candidate]:
    """Whole training steps in every framework."""
    return {name: build(weights, x, y) for name, build in STEPS.items()}


def main() -> None:
    """Time gradients and steps; one table and one JSON file each."""
    from benchmarks.timing import compare

    parser = argparse.ArgumentParser(description="native timings of the 784-100-100-10 perceptron")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--json", help="prefix of the JSON files to write")
    options = parser.parse_args()
    weights, (x, y) = initial_weights(), random_batch()
    for kind, build in (("gradients", gradient_candidates), ("steps", step_candidates)):
        print(f"\n### {kind}, 784-100-100-10, batch {BATCH}\n")
        path = f"{options.json}{kind}.json" if options.json else None
        compare(build(weights, x, y), options.rounds, options.warmup, json_path=path)


if __name__ == "__main__":
    main()
