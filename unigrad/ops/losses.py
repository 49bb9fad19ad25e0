"""The kernels of losses that are worth one op: softmax cross-entropy from integer labels."""

from __future__ import annotations

import math

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor, hidden, to_floating, visible
from unigrad.core.dispatch import dispatch
from unigrad.core.dtypes import COMPLEX
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError
from unigrad.core.op import composite, together
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.labels import split_valid
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.ops.softmax import log_softmax, one_hot, softmax

__all__ = ["sparse_softmax_crossentropy"]


@composite
def _sparse_softmax_crossentropy(logits: Tensor, labels: Tensor) -> Tensor:
    picked = take_along_axis(log_softmax(logits, axis=-1), expand_dims(labels, axis=-1), axis=-1)
    return -squeeze(picked, axis=-1)


@composite
def _sparse_softmax_crossentropy_gradient(g: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """g · (softmax(logits) - onehot(labels))."""
    hot = one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    return expand_dims(g, axis=-1) * (softmax(logits, axis=-1) - hot)


def sparse_softmax_crossentropy(logits: TensorLike, labels: TensorLike, /) -> Tensor:
    """Return -log softmax(x)ᵢ per example, from logits x (…, C) and integer labels i (…).

    Raises:
        DTypeError: when the labels are no integers, or the logits complex.
        ShapeError: when the labels' shape is not that of the logits less its last axis, or there
            are no classes.
        OutOfBoundsError: when a label is outside of [0, C); in compiled programs and on
            accelerators its loss is NaN, with gradient 0.

    Example:
        >>> round(sparse_softmax_crossentropy([[0.0, 0.0]], [1]).item(), 6)
        0.693147
    """
    if type(logits) is not Tensor or logits._native.dtype not in logits.backend.native_floats:
        logits = to_floating(as_tensor(logits))
    if type(labels) is not Tensor:
        labels = as_tensor(labels, logits)
    if labels.backend is not logits.backend:
        logits, labels = together(_sparse_softmax_crossentropy, logits, labels)
    backend, scores, indices = logits.backend, logits._native, labels._native
    if (
        indices.dtype not in backend.native_integers
        or scores.dtype in backend.native_complex
        or scores.ndim != 2
        or indices.ndim != 1
        or indices.shape[0] != scores.shape[0]
        or scores.shape[1] == 0
    ):
        check_label_shapes("sparse_softmax_crossentropy", labels, logits)
    if hidden(labels):
        return _with_hidden_labels(logits, labels)
    if not backend.checks_bounds:
        check_label_values("sparse_softmax_crossentropy", labels, logits)
    try:
        out: Tensor = dispatch(
            _sparse_softmax_crossentropy, backend, (logits, labels), (scores, indices)
        )
    except OutOfBoundsError:
        # The library has noticed; this says it in words of labels and classes.
        check_label_values("sparse_softmax_crossentropy", labels, logits)
        raise
    return out


def _with_hidden_labels(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the losses of labels that nobody can check: kernels may raise, or take another."""
    valid, labels = split_valid(labels, logits.shape[-1])
    found: Tensor = where(valid, _sparse_softmax_crossentropy(logits, labels), math.nan)
    return found


def check_label_shapes(name: str, labels: Tensor, scores: Tensor) -> None:
    """Refuse labels whose dtype or shape does not fit scores (…, C), and complex scores."""
    if scores.dtype in COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({scores.dtype.name})")
    if labels._native.dtype not in labels.backend.native_integers:
        raise DTypeError(f"{name}: labels are integers, not {labels.dtype.name}")
    shape = scores.shape
    if not shape or labels.shape != shape[:-1]:
        raise ShapeError(
            f"{name}: labels of shape {labels.shape} for scores of shape {shape}; "
            f"expected {shape[:-1]}"
        )
    if not shape[-1]:
        raise ShapeError(f"{name}: scores of shape {shape} are of no class")


def check_label_values(name: str, labels: Tensor, scores: Tensor) -> None:
    """Refuse labels outside of [0, C), on a CPU and in eager mode only."""
    values = visible(labels)
    if values is None or not values.size:
        return
    low, high = np.minimum.reduce(values, None), np.maximum.reduce(values, None)
    classes = scores.shape[-1]
    if low < 0 or high >= classes:
        raise OutOfBoundsError(f"{name}: labels from {low} to {high} for {classes} classes")
