"""Accumulators against scikit-learn's and sacrebleu's functions of everything at once."""

import math
import random
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sacrebleu
import sklearn.metrics as theirs

import unigrad as ug
from unigrad import metrics

generator = np.random.default_rng(4)
N, C = 60, 4
LABELS = generator.integers(0, 3, N)  # Nothing is of the last class.
GUESSES = generator.integers(0, 3, N)
SCORES = generator.normal(size=(N, C))
WEIGHTS = generator.integers(0, 3, N).astype(np.float64)
EVENTS = generator.integers(0, 2, N)
ODDS = generator.integers(0, 20, N) / 20 + 0.001
TARGETS = generator.normal(size=N) + 1e4
FITS = TARGETS + 0.3 * generator.normal(size=N)
LOGS = SCORES - np.log(np.exp(SCORES).sum(-1, keepdims=True))
LOSSES = -LOGS[np.arange(N), LABELS]

Accumulator = Callable[[], metrics.Metric]


def by_sklearn(name: str, average: str | None) -> float | list[float]:
    labels = None if average != "none" else list(range(C))
    found = getattr(theirs, f"{name}_score")(
        LABELS, GUESSES, labels=labels, average=None if average == "none" else average,
        sample_weight=WEIGHTS, zero_division=0,
    )  # fmt: skip
    return found.tolist() if average == "none" else float(found)


CASES: dict[str, tuple[Accumulator, Any, Any, Any]] = {
    "accuracy": (
        metrics.Accuracy, LABELS, GUESSES,
        theirs.accuracy_score(LABELS, GUESSES, sample_weight=WEIGHTS),
    ),
    "binary": (
        lambda: metrics.BinaryAccuracy(threshold=0.3), EVENTS, ODDS,
        theirs.accuracy_score(EVENTS, ODDS > 0.3, sample_weight=WEIGHTS),
    ),
    "sparse": (
        metrics.SparseCategoricalAccuracy, LABELS, SCORES,
        theirs.accuracy_score(LABELS, SCORES.argmax(-1), sample_weight=WEIGHTS),
    ),
    "top_k": (
        lambda: metrics.TopKAccuracy(2), LABELS, SCORES,
        theirs.top_k_accuracy_score(LABELS, SCORES, k=2, sample_weight=WEIGHTS, labels=range(C)),
    ),
    "perplexity": (
        metrics.Perplexity, LABELS, SCORES, math.exp(np.average(LOSSES, weights=WEIGHTS))
    ),
    "confusion": (
        lambda: metrics.ConfusionMatrix(C), LABELS, GUESSES,
        theirs.confusion_matrix(LABELS, GUESSES, labels=range(C), sample_weight=WEIGHTS),
    ),
    "auc": (
        lambda: metrics.AUC(200), EVENTS, ODDS,
        theirs.roc_auc_score(EVENTS, ODDS, sample_weight=WEIGHTS),
    ),
    "r2": (metrics.R2, TARGETS, FITS, theirs.r2_score(TARGETS, FITS, sample_weight=WEIGHTS)),
    "events": (
        metrics.F1, EVENTS, ODDS, theirs.f1_score(EVENTS, ODDS > 0.5, sample_weight=WEIGHTS)
    ),
    **{
        f"{average} {name}": (
            lambda make=make, average=average: make(C, average=average), LABELS, GUESSES,
            by_sklearn(name, average),
        )
        for make, name in (
            (metrics.Precision, "precision"), (metrics.Recall, "recall"), (metrics.F1, "f1")
        )
        for average in ("macro", "micro", "weighted", "none")
    },
}  # fmt: skip


def halves(metric: metrics.Metric, y_true: Any, y_pred: Any) -> list[tuple[Any, Any, Any]]:
    """Return both halves of the examples with weights."""
    del metric
    return [(y_true[i::2], y_pred[i::2], WEIGHTS[i::2]) for i in range(2)]


@pytest.mark.parametrize("name", CASES)
def test_two_updates_and_two_states(name: str) -> None:
    make, y_true, y_pred, expected = CASES[name]
    metric = make()
    states = []
    for batch in halves(metric, y_true, y_pred):
        metric.update(*batch)
        states.append(metric.accumulate(metric.init(), *batch))
    found = metric.result()
    found = found.numpy() if isinstance(found, ug.Tensor) else found
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    merged = metric.compute(metric.merge(*states))
    np.testing.assert_allclose(merged.numpy(), expected, rtol=1e-12)
    metric.reset()
    if name != "confusion":
        assert np.isnan(ug.asarray(metric.result()).numpy()).all()


def test_on_backends_and_in_programs(backend: str) -> None:
    names = ("accuracy", "top_k", "perplexity", "confusion", "auc", "r2", "macro f1")
    made = {name: CASES[name][0]() for name in names}

    @ug.jit
    def step(batches: Any) -> Any:
        for name, batch in batches.items():
            made[name].update(*batch)
        return {
            name: metric.compute(metric.accumulate(metric.init(), *batches[name]))
            for name, metric in made.items()
        }

    for i in range(2):
        alone = step(
            {
                name: tuple(ug.asarray(one) for one in halves(made[name], *CASES[name][1:3])[i])
                for name in names
            }
        )
    for name in names:
        found = made[name].result()
        found = found.numpy() if isinstance(found, ug.Tensor) else found
        np.testing.assert_allclose(found, CASES[name][3], rtol=1e-12, err_msg=name)
        one = CASES[name][0]()
        with ug.use_backend("numpy"):
            one.update(*halves(one, *CASES[name][1:3])[1])
            expected = one.result()
            expected = expected.numpy() if isinstance(expected, ug.Tensor) else expected
        np.testing.assert_allclose(alone[name].numpy(), expected, rtol=1e-12, err_msg=name)
    assert made["accuracy"].variables[0].read().backend.name == backend


def test_functions() -> None:
    assert metrics.roc_auc(EVENTS, ODDS).item() == pytest.approx(
        theirs.roc_auc_score(EVENTS, ODDS), rel=1e-13
    )
    assert math.isnan(metrics.roc_auc([1, 1], [0.5, 0.2]).item())
    assert math.isnan(metrics.roc_auc([0, 1, 1], [0.1, math.nan, 0.5]).item())
    # Of scores that are multiples of 1/bins it is exact, rounded ones and 1 as well.
    for scores in ([0.9, 1.0, 0.1, 0.2], np.float32([0.7, 0.6, 0.3, 0.3])):
        counted = metrics.AUC(10)
        counted.update([0, 1, 0, 1], scores)
        assert counted.result() == pytest.approx(metrics.roc_auc([0, 1, 0, 1], scores).item())
    assert metrics.confusion_matrix([0, 1], [1, 1], 2).tolist() == [[0.0, 1.0], [0.0, 1.0]]
    assert metrics.top_k_accuracy([1, 1], [[1.0, 1.0], [0.0, 1.0]], k=1).tolist() == [0.0, 1.0]
    assert metrics.r2_score(TARGETS, FITS).item() == pytest.approx(
        theirs.r2_score(TARGETS, FITS), rel=1e-12
    )


BAD: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "shapes": (lambda: metrics.Accuracy().update([1], [1, 2]), ug.ShapeError, "differ"),
    "scores": (
        lambda: metrics.SparseCategoricalAccuracy().update([1], [0.1, 0.9]), ug.ShapeError, "labels"
    ),
    "labels": (
        lambda: metrics.TopKAccuracy(1).update([2], [[0.1, 0.9]]), ug.OutOfBoundsError, "2 classes"
    ),
    "negative labels": (
        lambda: metrics.Perplexity().update([-1], [[0.1, 0.9]]), ug.OutOfBoundsError, "2 classes"
    ),
    "classes": (
        lambda: metrics.ConfusionMatrix(2).update([0], [2]), ug.OutOfBoundsError, "predictions"
    ),
    "floats": (lambda: metrics.ConfusionMatrix(2).update([0.5], [1.0]), ug.DTypeError, "integers"),
    "more floats": (
        lambda: metrics.SparseCategoricalAccuracy().update([0.5], [[0.1, 0.9]]), ug.DTypeError,
        "integers",
    ),
    "weights": (
        lambda: metrics.R2().update([1.0, 2.0], [1.0, 2.0], [1.0] * 3), ug.ShapeError, "weights"
    ),
    "odds": (lambda: metrics.AUC().update([1], [1.5]), ug.SettingError, "scores from 1.5"),
    "average": (
        lambda: metrics.F1(2, average="mean"), ug.SettingError, "average='mean'"
    ),
    **{
        f"events of {make.__name__}": (
            lambda make=make: make().update([0, 2], [0.1, 0.9]), ug.SettingError, "from 0 to 2"
        )
        for make in (metrics.AUC, metrics.BinaryAccuracy, metrics.F1)
    },
    "k": (lambda: metrics.TopKAccuracy(3).update([0], [[0.1, 0.9]]), ug.SettingError, "k=3"),
    **{
        f"number {i}": (call, ug.SettingError, words)
        for i, (call, words) in enumerate((
            (lambda: metrics.TopKAccuracy(0), "k=0: expected an integer, at least 1"),
            (lambda: metrics.top_k_accuracy([0], [[0.1, 0.9]], k=1.0), "k=1.0"),
            (lambda: metrics.ConfusionMatrix(0), "ConfusionMatrix: classes=0"),
            (lambda: metrics.ConfusionMatrix(2.5), "classes=2.5"),
            (lambda: metrics.Precision(-1), "Precision: classes=-1"),
            (lambda: metrics.Recall(threshold=math.nan), "Recall: threshold=nan"),
            (lambda: metrics.BinaryAccuracy(threshold="x"), "threshold='x'"),
            (lambda: metrics.AUC(2.5), "bins=2.5: expected an integer, at least 2"),
            (lambda: metrics.CHRF(order=True), "order=True"),
            (lambda: metrics.BLEU(order=0), "BLEU: order=0"),
            (lambda: metrics.BLEU(tokenize="words"), "tokenize='words': expected one of"),
            (lambda: metrics.BLEU(smooth_method="add"), "smooth_method='add': expected one of"),
        ))
    },
    "texts": (lambda: metrics.CHRF().update(["a"], []), ug.ShapeError, "references"),
    "without": (lambda: metrics.chrf([[]], ["a"]), ug.ShapeError, "CHRF: no reference for 'a'"),
    **{
        f"no text {i}": (call, ug.DTypeError, words)
        for i, (call, words) in enumerate((
            (lambda: metrics.bleu("the cat", "the cat"), "references: expected a list of them"),
            (lambda: metrics.bleu(["the cat"], "a"), "hypotheses: expected a list of them"),
            (lambda: metrics.bleu(None, None), "references: expected a list of them, not None"),
            (lambda: metrics.bleu([1], ["a"]), "BLEU: expected a text, not 1"),
            (lambda: metrics.bleu(ug.asarray([1]), ["a"]), "BLEU: expected a text, not Tensor"),
            (lambda: metrics.chrf(ug.asarray(1), ["a"]), "references: expected a list of them"),
            (lambda: metrics.chrf(["a"], [["a"]]), r"CHRF: expected a text, not \['a'\]"),
            (lambda: metrics.chrf([["a", None]], ["a"]), "CHRF: expected a text, not None"),
            (lambda: metrics.error_rate("abcd", "bcda"), "references: expected a list of them"),
            (lambda: metrics.error_rate([1], [2]), "expected a sequence to compare, not 1"),
            (lambda: metrics.word_error_rate([[1]], None), "hypotheses: .* not None"),
            (lambda: metrics.edit_distance("a", None), "expected a sequence to compare, not None"),
        ))
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refused(backend: str, name: str) -> None:
    call, error, words = BAD[name]
    with pytest.raises(error, match=words):
        call()


def test_padding_may_be_anything() -> None:
    sparse = metrics.SparseCategoricalAccuracy()
    sparse.update([1, -100], [[0.1, 0.9], [math.nan, 0.0]], [1, 0])
    assert sparse.result() == 1.0
    matrix = metrics.ConfusionMatrix(2)
    matrix.update([1, -1], [0, 9], [True, False])
    assert matrix.result().tolist() == [[0.0, 0.0], [1.0, 0.0]]
    area = metrics.AUC()
    area.update([1, 0, -100], [0.9, 0.1, math.nan], [1, 1, 0])
    assert area.result() == 1.0
    for make in (metrics.BinaryAccuracy, metrics.F1):
        metric = make()
        metric.update([1, -100], [0.9, math.nan], [True, False])
        assert metric.result() == 1.0


def test_state_lies_beside_what_is_counted() -> None:
    """Whatever the current backend is; Variables are read, tapes and traces are not entered."""
    with ug.use_backend("torch"):
        labels, variable = ug.asarray([0, 1]), ug.Variable([1.0, 3.0])
    matrix, mean = metrics.confusion_matrix(labels, [0, 1], 2), metrics.Mean()
    assert matrix.backend.name == "torch"
    with ug.GradientTape() as tape:
        mean.update(variable)
    assert (mean.result(), mean.variables[0].read().backend.name) == (2.0, "torch")
    assert tape.watched_variables() == (variable,)
    assert metrics.R2().init(labels)["mean"].backend.name == "torch"


def test_state_is_saved() -> None:
    first, second = metrics.Mean(), metrics.Mean()
    first.update([1.0, 2.0])
    with tempfile.TemporaryDirectory() as folder:
        path = ug.io.Checkpoint(mean=first).save(folder, 1)
        ug.io.Checkpoint(mean=second).restore(path)
    second.update(6.0)
    assert (first.result(), second.result()) == (1.5, 3.0)


def test_texts_are_sacrebleus() -> None:
    chance = random.Random(0)
    plain = "the a cat, dog. runs sat on mat! 3.5 U.S. don't (hi)"
    words = [*plain.split(), "über", "中文", "x-y"]

    def text() -> str:
        return " ".join(chance.choice(words) for _ in range(chance.randint(0, 14)))

    for _ in range(10):
        found = [text() for _ in range(4)]
        columns = [[chance.choice((one, text())) for one in found] for _ in range(2)]
        references = [list(row) for row in zip(*columns)]
        for ours, other in (
            (metrics.bleu, sacrebleu.corpus_bleu), (metrics.chrf, sacrebleu.corpus_chrf)
        ):  # fmt: skip
            expected = other(found, columns).score
            assert ours(references, found) == pytest.approx(expected, rel=1e-12, abs=1e-12)
            single = other(found, columns[:1]).score
            assert ours(columns[0], found) == pytest.approx(single, rel=1e-12, abs=1e-12)
    running = metrics.BLEU()
    assert math.isnan(running.result())
    running.update(references[:2], found[:2])
    running.update(references[2:], found[2:])
    assert running.result() == pytest.approx(metrics.bleu(references, found), rel=1e-12)
    settings: dict[str, Any] = {"smooth_value": 0.2, "tokenize": "char", "lowercase": True}
    for settings["smooth_method"] in ("floor", "add-k", "none", "exp"):
        expected = sacrebleu.corpus_bleu(found, columns, **settings).score
        assert metrics.bleu(references, found, **settings) == pytest.approx(expected)
    assert metrics.bleu([""], [""]) == metrics.chrf([""], [""]) == 0.0


#: Wrong metrics: what is replaced, by what, and whose test must fail.
FAULTS: dict[str, tuple[Any, str, Any, str]] = {
    "weights are forgotten": (
        metrics.means, "weights_of", lambda name, state, weights, shape: ug.ones(shape), "accuracy"
    ),
    "one is added to no whole": (
        metrics.means, "ratio", lambda part, whole, *_: part / (whole + 1.0), "perplexity"
    ),
    "rows are columns": (metrics.confusion, "reshape", lambda x, s: ug.reshape(x, s).T
                         if s == (C, C) else ug.reshape(x, s), "confusion"),
    "precision is recall": (
        metrics.Precision, "share", metrics.Recall.share, "macro precision",
    ),
    "ties count nothing": (
        metrics.curves, "cumulative_sum", lambda x: ug.cumulative_sum(x) - 0.5 * x, "auc"
    ),
    "spreads are added": (metrics.R2, "merge", metrics.Metric.merge, "r2"),
    "absent classes count": (
        metrics.retrieval, "greater", lambda x, y: ug.ones_like(x, dtype="bool"), "macro f1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_caught(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place, attribute, wrong, case = FAULTS[name]
    monkeypatch.setattr(place, attribute, wrong)
    with pytest.raises(AssertionError):
        test_two_updates_and_two_states(case)


def test_a_metric_that_has_seen_nan_forgets_it(backend):
    mean = ug.metrics.Mean()
    mean.update([np.nan, 1.0])
    mean.reset()
    mean.update([2.0, 4.0])
    assert mean.result() == 3.0
