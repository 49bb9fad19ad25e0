"""Metrics: pure functions of a batch, and accumulators over many.

An accumulator is a triple of pure functions, ``init()``, ``accumulate(state, …)`` and
``compute(state)``, over a pytree of float64 Tensors, and an object that keeps such a state in
Variables: ``update(…)``, ``result()`` and ``reset()``. Both ways run in compiled functions, but for
metrics of text. States of parts of the data are put together by ``merge(state, state)``.

Weights and masks have a shape that broadcasts to the examples'; what has no weight does not count,
whatever it is. What has seen nothing is NaN.

Errors, the same for all: `ShapeError` when shapes do not fit, `DTypeError` for labels that are no
integers; and where values can be looked at (in eager mode on a CPU) `OutOfBoundsError` for labels
that are no class.
"""

from unigrad.metrics.accuracies import (
    Accuracy,
    BinaryAccuracy,
    SparseCategoricalAccuracy,
    TopKAccuracy,
    accuracy,
    binary_accuracy,
    sparse_categorical_accuracy,
    top_k_accuracy,
)
from unigrad.metrics.confusion import ConfusionMatrix, confusion_matrix
from unigrad.metrics.curves import AUC, roc_auc
from unigrad.metrics.fits import R2, r2_score
from unigrad.metrics.means import Mean, Perplexity
from unigrad.metrics.metric import Metric, State
from unigrad.metrics.retrieval import F1, Precision, Recall
from unigrad.metrics.sequences import (
    ErrorRate,
    edit_distance,
    error_rate,
    word_error_rate,
)
from unigrad.metrics.translation import BLEU, CHRF, bleu, chrf

__all__ = [
    "AUC",
    "BLEU",
    "CHRF",
    "F1",
    "R2",
    "Accuracy",
    "BinaryAccuracy",
    "ConfusionMatrix",
    "ErrorRate",
    "Mean",
    "Metric",
    "Perplexity",
    "Precision",
    "Recall",
    "SparseCategoricalAccuracy",
    "State",
    "TopKAccuracy",
    "accuracy",
    "binary_accuracy",
    "bleu",
    "chrf",
    "confusion_matrix",
    "edit_distance",
    "error_rate",
    "r2_score",
    "roc_auc",
    "sparse_categorical_accuracy",
    "top_k_accuracy",
    "word_error_rate",
]
