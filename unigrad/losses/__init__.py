"""Losses: ``loss(y_true, y_pred)`` gives a value per example; the last axis is reduced.

``reduction="mean"`` or ``"sum"`` makes one number of the examples, ``weights`` says how much each
counts and ``mask`` which count at all:

======== ===========================================================
none     wᵢ lᵢ per example (the default)
sum      Σ wᵢ lᵢ
mean     Σ wᵢ lᵢ / Σ wᵢ, and 0 where nothing counts
======== ===========================================================

The mask is a weight of 0 or 1. What has no weight does not count, whatever its labels and
predictions are: infinities, NaN and labels of no class come back in no value and no gradient.
Losses over probabilities take ``from_logits=True`` for scores before the sigmoid or softmax, which
is both faster and exact where probabilities round to 0 or 1.

Errors, the same for all: `ShapeError` when the shapes do not fit, `DTypeError` for dtypes that
the loss does not take, `SettingError` for a reduction or a setting that is none; and where values
can be looked at (in eager mode on a CPU) `OutOfBoundsError` for labels that are no class, and
`SettingError` for targets that the loss has no meaning for.
"""

from unigrad.losses.alignments import ctc
from unigrad.losses.boxes import giou, iou
from unigrad.losses.counting import Reduction
from unigrad.losses.crossentropies import binary_crossentropy, categorical_crossentropy
from unigrad.losses.distances import contrastive, cosine_similarity, triplet
from unigrad.losses.divergences import gaussian_nll, kl_div, poisson
from unigrad.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from unigrad.losses.hinges import categorical_hinge, hinge, multi_margin, squared_hinge
from unigrad.losses.regression import huber, log_cosh, mae, mse
from unigrad.losses.sparse import sparse_categorical_crossentropy

__all__ = [
    "Reduction",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "contrastive",
    "cosine_similarity",
    "ctc",
    "gaussian_nll",
    "giou",
    "hinge",
    "huber",
    "iou",
    "kl_div",
    "log_cosh",
    "mae",
    "mse",
    "multi_margin",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "triplet",
]
