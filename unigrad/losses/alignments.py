"""Connectionist temporal classification: labels of a sequence whose alignment nobody knows.

The forward algorithm, in logarithms, as one `scan` over time: its derivatives, of any order, are
those of the ops it is made of.
"""

from __future__ import annotations

import math

import numpy as np

from unigrad.control.scanning import scan
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    constant,
    hidden,
    to_floating,
    visible,
)
from unigrad.core.dtypes import COMPLEX, bfloat16, float16, float32, int64
from unigrad.core.errors import DTypeError, OutOfBoundsError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.ops.comparison import equal, less, logical_and, not_equal, where
from unigrad.ops.elementary import logaddexp
from unigrad.ops.filling import full_like
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.joining import concat, stack
from unigrad.ops.labels import split_valid
from unigrad.ops.limits import clip
from unigrad.ops.reductions import all as every
from unigrad.ops.shaping import broadcast_to, expand_dims, moveaxis, reshape, squeeze
from unigrad.ops.softmax import log_softmax


def ctc(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    label_lengths: TensorLike | None = None,
    logit_lengths: TensorLike | None = None,
    blank: int = 0,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return -log Σ Π pₜ(πₜ) over all alignments π that read y: blanks and repetitions removed.

    Predictions are logits; logarithms of probabilities are logits too. Half precision is computed
    in float32. Labels that no alignment reads, since there are too few steps, cost ∞, with
    derivative 0.

    Source: Graves, Fernández, Gomez & Schmidhuber, "Connectionist temporal classification" (2006).
    Torch's mean divides each loss by its number of labels before; ours is the mean of the losses.

    Args:
        y_true: integer labels (batch, labels), none of them the blank.
        y_pred: logits (batch, steps, C).
        label_lengths: how many labels each sequence has, (batch,); all of them if None.
        logit_lengths: how many steps each has, (batch,); all of them if None.
        blank: the class that reads as nothing.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        ShapeError: when the shapes do not fit.
        DTypeError: when labels or lengths are no integers, or logits complex.
        OutOfBoundsError: when a label is outside of [0, C), or a length larger than its axis.
        SettingError: when a label is the blank. In compiled programs and on accelerators, where
            nobody looks at them, the loss of such labels and lengths is NaN.

    Example:
        >>> logits = [[[0.0, 0.0], [0.0, 0.0]]]  # a, then a; a, blank; blank, a: 3 ways out of 4
        >>> round(ctc([[1]], logits).item(), 6)
        0.287682
    """
    logits = to_floating(as_tensor(y_pred))
    labels = as_tensor(y_true, logits)
    _check_shapes(labels, logits, blank)
    labels = cast(labels, int64)
    batch, steps, classes = logits.shape
    counting = Counting("ctc", (batch,), logits, weights, mask, reduction)
    dtype = logits.dtype
    logits = counting.guarded(logits, axes=2)
    if dtype in (float16, bfloat16):
        logits = cast(logits, float32)
    label_lengths = _lengths("label_lengths", label_lengths, labels, labels.shape[1])
    logit_lengths = _lengths("logit_lengths", logit_lengths, labels, steps)
    # What does not count has no labels: no number of steps is too small for it.
    label_lengths = counting.guarded(label_lengths, axes=0, otherwise=0)
    logit_lengths = counting.guarded(logit_lengths, axes=0, otherwise=0)
    within = less(_positions(labels.shape[1], labels), expand_dims(label_lengths, axis=-1))
    labels = where(within, labels, blank)
    _check_values(labels, within, classes, blank)
    valid, labels = split_valid(labels, classes)
    # Where nobody looks at them, labels and lengths that cannot be cost NaN.
    if hidden(labels) or hidden(within):
        valid = logical_and(valid, not_equal(within, equal(labels, blank)))
    right = every(valid, axis=-1)
    lengths: list[Tensor] = []
    for length, most in ((label_lengths, labels.shape[1]), (logit_lengths, steps)):
        possible = clip(length, 0, most) if hidden(length) else length
        lengths.append(possible)
        if possible is not length:
            right = logical_and(right, equal(length, possible))
    label_lengths, logit_lengths = lengths
    scores = _log_likelihood(labels, logits, label_lengths, logit_lengths, blank)
    losses = where(right, -scores, math.nan)
    return counting.reduced(cast(losses, dtype))


def _log_likelihood(
    labels: Tensor, logits: Tensor, label_lengths: Tensor, logit_lengths: Tensor, blank: int
) -> Tensor:
    """Return the logarithm of all alignments' probability, (batch,).

    The states are the labels with blanks between, before and behind: 2 L + 1.
    """
    batch, steps, _ = logits.shape
    states = _with_blanks(labels, blank)
    width = states.shape[1]
    never = _filled(logits, (batch, 2), -math.inf)
    # A label may follow the one before it without a blank between, if they differ.
    two_back = concat([_filled(labels, (batch, 2), blank), states], axis=1)[:, :width]
    jumps = logical_and(not_equal(states, blank), not_equal(states, two_back))

    def step(alpha: Tensor, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        emission, running = inputs
        padded = concat([never, alpha], axis=1)
        entering = logaddexp(alpha, padded[:, 1 : width + 1])
        entering = logaddexp(entering, where(jumps, padded[:, :width], -math.inf))
        return where(running, entering + emission, alpha), None

    # Before the first step all is in the first blank, from where the first label can be reached.
    start = concat(
        [_filled(logits, (batch, 1), 0.0), _filled(logits, (batch, width - 1), -math.inf)], axis=1
    )
    chosen = broadcast_to(expand_dims(states, axis=1), (batch, steps, width))
    emissions = take_along_axis(log_softmax(logits, axis=-1), chosen, axis=-1)
    running = less(expand_dims(_positions(steps, states), axis=-1), logit_lengths)
    alpha, _ = scan(step, start, (moveaxis(emissions, 1, 0), expand_dims(running, axis=-1)))
    ends = 2 * expand_dims(label_lengths, axis=-1)
    behind_blank = take_along_axis(alpha, ends, axis=-1)
    behind_label = take_along_axis(alpha, where(less(ends, 1), 0, ends - 1), axis=-1)
    behind_label = where(less(ends, 1), -math.inf, behind_label)
    return squeeze(logaddexp(behind_blank, behind_label), axis=-1)


def _with_blanks(labels: Tensor, blank: int) -> Tensor:
    """Return (blank, y₁, blank, y₂, …, blank)."""
    batch, length = labels.shape
    pairs = reshape(stack([full_like(labels, blank), labels], axis=-1), (batch, 2 * length))
    return concat([pairs, _filled(labels, (batch, 1), blank)], axis=1)


def _filled(like: Tensor, shape: tuple[int, ...], value: float) -> Tensor:
    """Return one number everywhere, beside a Tensor and in its dtype."""
    return broadcast_to(constant(like, value), shape)


def _positions(length: int, like: Tensor) -> Tensor:
    """Return 0, 1, …, length - 1 beside a Tensor."""
    return as_tensor(np.arange(length), like)


def _lengths(name: str, given: TensorLike | None, like: Tensor, most: int) -> Tensor:
    """Return lengths of sequences as int64, all of them ``most`` by default."""
    batch = like.shape[0]
    if given is None:
        return _filled(like, (batch,), most)
    lengths = as_tensor(given, like)
    if lengths._native.dtype not in lengths.backend.native_integers:
        raise DTypeError(f"ctc: {name} are integers, not {lengths.dtype.name}")
    if lengths.shape != (batch,):
        raise ShapeError(f"ctc: {name} of shape {lengths.shape}; expected {(batch,)}")
    values = visible(lengths)
    if values is not None and values.size and not (values.min() >= 0 and values.max() <= most):
        raise OutOfBoundsError(
            f"ctc: {name} from {values.min()} to {values.max()} for an axis of length {most}"
        )
    return cast(lengths, int64)


def _check_shapes(labels: Tensor, logits: Tensor, blank: int) -> None:
    if logits.dtype in COMPLEX:
        raise DTypeError(f"ctc: complex numbers have no order ({logits.dtype.name})")
    if labels._native.dtype not in labels.backend.native_integers:
        raise DTypeError(f"ctc: labels are integers, not {labels.dtype.name}")
    if logits.ndim != 3 or labels.ndim != 2 or labels.shape[0] != logits.shape[0]:
        raise ShapeError(
            f"ctc: labels of shape {labels.shape} for logits of shape {logits.shape}; expected "
            "(batch, labels) and (batch, steps, classes)"
        )
    if not 0 <= blank < logits.shape[-1]:
        raise OutOfBoundsError(f"ctc: blank={blank} for {logits.shape[-1]} classes")


def _check_values(labels: Tensor, within: Tensor, classes: int, blank: int) -> None:
    """Refuse labels that are no class or the blank, where they are there to be looked at."""
    values, used = visible(labels), visible(within)
    if values is None or used is None or not values.size:
        return
    if values.min() < 0 or values.max() >= classes:
        raise OutOfBoundsError(
            f"ctc: labels from {values.min()} to {values.max()} for {classes} classes"
        )
    if ((values == blank) & used).any():
        raise SettingError(f"ctc: a label is {blank}, the blank")
