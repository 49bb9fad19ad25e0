"""Softmax cross-entropy from integer labels, forward and backward without temporaries."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Array = Any


def _shifted(logits: Array) -> Array:
    """Logits as a matrix, less each row's maximum."""
    rows = logits.reshape(prod(logits.shape[:-1]), logits.shape[-1])
    return rows - np.maximum.reduce(rows, axis=1, keepdims=True)


def crossentropy(logits: Array, labels: Array) -> Array:
    """log Σ exp(x - max) - (xᵢ - max)."""
    return crossentropy_and_softmax(logits, labels)[0]


#: Up to so many classes one column per example is the quicker layout: NumPy reduces along a short
#: last axis row by row.
_FEW_CLASSES = 64


def crossentropy_and_softmax(logits: Array, labels: Array) -> tuple[Array, Array, Array]:
    """Return the losses, and exp(x - max) with its sums, from which the gradient follows.

    The exponentials come as columns, one per example.
    """
    classes = logits.shape[-1]
    picks = labels.reshape(-1)
    if picks.size and np.minimum.reduce(picks) < 0:
        raise IndexError(f"label {picks.min()} is negative")
    columns = logits.reshape(len(picks), classes).T
    x = np.array(columns, order="C" if classes <= _FEW_CLASSES else "K")
    x -= np.maximum.reduce(x, axis=0)
    picked = x[picks, np.arange(len(picks))]
    np.exp(x, out=x)
    total = np.add.reduce(x, axis=0)
    loss = np.log(total)
    loss -= picked
    return loss.reshape(labels.shape), x, total


def gradient_of_saved(g: Array, saved: tuple[Array, Array, Array, Any]) -> Array:
    """g · (softmax(x) - onehot(i)), from what the forward pass computed on its way."""
    exponentials, totals, labels, shape = saved
    slope = exponentials / totals
    labels = labels.reshape(-1)
    slope[labels, np.arange(len(labels))] -= 1
    slope *= g.reshape(-1)
    gradient: Array = slope.T.reshape(shape)
    return gradient


def saving_crossentropy(logits: Array, labels: Array) -> tuple[Array, Any]:
    """Return the losses, and what `gradient_of_saved` takes."""
    loss, exponentials, totals = crossentropy_and_softmax(logits, labels)
    return loss, (exponentials, totals, labels, logits.shape)


def crossentropy_gradient(g: Array, logits: Array, labels: Array) -> Array:
    """g · (softmax(x) - onehot(i))."""
    x = _shifted(logits)
    np.exp(x, out=x)
    x /= np.add.reduce(x, axis=1, keepdims=True)
    x[np.arange(len(x)), labels.reshape(-1)] -= 1
    x *= g.reshape(-1, 1)
    return x.reshape(logits.shape)


TABLE: dict[str, Callable[..., Any]] = {
    "sparse_softmax_crossentropy": crossentropy,
    "sparse_softmax_crossentropy_gradient": crossentropy_gradient,
}
