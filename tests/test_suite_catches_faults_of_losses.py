"""Faults planted into losses: the suite's checks must find each."""

from typing import Any

import pytest

import unigrad as ug
from unigrad.losses import (
    alignments,
    boxes,
    counting,
    crossentropies,
    distances,
    divergences,
    focal,
    hinges,
    regression,
    sparse,
)
from unigrad.ops.activations import softplus
from unigrad.ops.reductions import mean
from unigrad_conformance.losses import losses, promises

CHECKS = dict([*losses(), *promises()])
Counting = counting.Counting


def caught(name: str) -> bool:
    """Tell whether a check fails on NumPy."""
    with ug.use_backend("numpy"):
        try:
            CHECKS[name]()
        except Exception:  # A wrong number, or an error that comes of it.
            return True
    return False


def unweighted_mean(self: Any, losses: Any, shares: Any = None) -> Any:
    """Divide by the number of examples, as Keras does."""
    if self._reduction != "mean":
        return honest_reduced(self, losses, shares)
    return mean(losses if self._weights is None else losses * self._weights)


def without_shares(self: Any, losses: Any, shares: Any = None) -> Any:
    return honest_reduced(self, losses)


def sum_for_mean(self: Any, losses: Any, shares: Any = None) -> Any:
    self._reduction = "sum" if self._reduction == "mean" else self._reduction
    return honest_reduced(self, losses, shares)


honest_reduced = Counting.reduced
SPARSE = "sparse_categorical_crossentropy"
FAULTS = {
    "mean by the number": (Counting, "reduced", unweighted_mean, "mse"),
    "mean without weights of classes": (
        Counting, "reduced", without_shares, f"{SPARSE} of logits, weights of classes",
    ),
    "sum for mean": (Counting, "reduced", sum_for_mean, "kl_div"),
    "masked values are computed": (Counting, "guarded", lambda self, x, **_: x, "mse: masks"),
    "masked labels are read": (
        Counting, "guarded", lambda self, x, **_: x, f"{SPARSE} of logits: masks",
    ),
    "smoothing is left out": (
        crossentropies, "smoothed", lambda y, share, classes: y, "binary_crossentropy",
    ),
    "smoothing over one class less": (
        crossentropies, "smoothed", lambda y, share, classes: (1 - share) * y + share / 2,
        "categorical_crossentropy of logits, weights of classes",
    ),
    "smoothing by a sum": (sparse, "mean", ug.sum, SPARSE),
    "infinite weights": (
        crossentropies, "softplus", lambda x: ug.log1p(ug.exp(x)), "logits of ten thousand",
    ),
    "focal from rounded sigmoids": (
        focal, "_log_missed", lambda y, x: ug.log(ug.abs(y - ug.sigmoid(x))),
        "logits of ten thousand",
    ),
    "focal without its power": (
        focal, "_power", lambda base, gamma: base, "categorical_focal_crossentropy",
    ),
    "divergence without the entropy": (
        divergences, "weighted_log", lambda w, p: 0.0 * p if w is p else w * ug.log(p), "kl_div",
    ),
    "huber of the whole distance": (
        regression, "minimum", lambda x, y: x + 0.0 * y, "huber",
    ),
    "log 2 twice": (
        regression, "softplus", lambda x: softplus(x) - 0.7, "log_cosh",
    ),
    "margins with the label's own": (
        hinges, "one_hot", lambda labels, classes, dtype: ug.zeros((4, classes), dtype=dtype),
        "multi_margin",
    ),
    "cosine without norms": (distances, "_unit", lambda x: x, "cosine_similarity"),
    "distances squared": (
        distances, "norm", lambda x, axis, keepdims=False, ord=2: ug.sum(x * x, axis=axis),
        "triplet",
    ),
    "boxes that may overlap less than nothing": (
        boxes, "relu", lambda x: x, "giou",
    ),
    "repetitions without a blank": (
        alignments, "logical_and", lambda x, y: ug.logical_or(x, y), "ctc",
    ),
    "steps behind the end": (alignments, "less", lambda x, y: ug.less_equal(x, y), "ctc"),
    "alignments by their best": (alignments, "logaddexp", ug.maximum, "ctc"),
    "hidden labels are clipped": (
        alignments, "split_valid",
        lambda x, classes: (ug.ones_like(x, dtype="bool"), ug.clip(x, 0, 3)),
        "compiled losses",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place, attribute, wrong, check = FAULTS[name]
    monkeypatch.setattr(place, attribute, wrong)
    assert caught(check)


def test_sum_of_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "float32", ug.float16)
    assert caught("means of half precision")


@pytest.mark.parametrize(
    ("place", "check"),
    [(focal, "logits of ten thousand"), (boxes, "squares of half precision")],
    ids=["focal losses", "boxes"],
)
def test_halves_that_are_not_widened(
    place: Any, check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "widened", lambda x: x)
    assert caught(check)
