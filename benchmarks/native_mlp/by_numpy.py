"""By hand in NumPy, and with HIPS autograd."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.native_mlp.setup import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    SIZES,
    Array,
    Candidate,
    Labels,
    Weights,
)


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


def numpy_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """Hand-written backward pass; Adam in place, with one array beside a parameter's own."""
    w = [one.copy() for one in weights]
    means, squares = ([np.zeros_like(one) for one in w] for _ in range(2))
    spares = [np.empty_like(one) for one in w]
    count = 0

    def run() -> Any:
        nonlocal count
        count += 1
        loss, gradients = numpy_value_and_gradient(w, x, y)
        correction = math.sqrt(1 - BETA2**count)
        rate = LEARNING_RATE * correction / (1 - BETA1**count)
        for p, g, m, v, out in zip(w, gradients, means, squares, spares, strict=True):
            m *= BETA1
            np.multiply(g, 1 - BETA1, out=out)
            m += out
            g *= g
            g *= 1 - BETA2
            v *= BETA2
            v += g
            np.sqrt(v, out=out)
            out += EPSILON * correction
            np.divide(m, out, out=out)
            out *= rate
            p -= out
        return loss

    return run


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
