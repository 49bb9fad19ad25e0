"""Losses against formulas in NumPy, their derivatives against finite differences."""

import numpy as np
import pytest
import torch

import unigrad as ug
from unigrad import losses

generator = np.random.default_rng(3)
X = generator.normal(size=(4, 3)) * 2
Y = generator.normal(size=(4, 3))
P = np.exp(X) / np.exp(X).sum(-1, keepdims=True)
Q = generator.uniform(0.1, 0.9, size=(4, 3))
R = Q / Q.sum(-1, keepdims=True)
SOFT = generator.dirichlet(np.ones(3), size=4)
LABELS = np.array([2, 0, 1, 1])
D = np.abs(X - Y)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


CASES = {
    "mse": (losses.mse, Y, X, {}, (D**2).mean(-1)),
    "mae": (losses.mae, Y, X, {}, D.mean(-1)),
    "huber": (
        losses.huber, Y, X, {"delta": 1.5},
        np.where(D <= 1.5, D**2 / 2, 1.5 * (D - 0.75)).mean(-1),
    ),
    "binary": (
        losses.binary_crossentropy, SOFT, Q, {},
        -(SOFT * np.log(Q) + (1 - SOFT) * np.log(1 - Q)).mean(-1),
    ),
    "binary_logits": (
        losses.binary_crossentropy, SOFT, X, {"from_logits": True},
        -(SOFT * np.log(sigmoid(X)) + (1 - SOFT) * np.log(1 - sigmoid(X))).mean(-1),
    ),
    "categorical": (losses.categorical_crossentropy, SOFT, R, {}, -(SOFT * np.log(R)).sum(-1)),
    "categorical_logits": (
        losses.categorical_crossentropy, SOFT, X, {"from_logits": True},
        -(SOFT * np.log(P)).sum(-1),
    ),
    "sparse": (
        losses.sparse_categorical_crossentropy, LABELS, P, {}, -np.log(P[np.arange(4), LABELS]),
    ),
    "sparse_logits": (
        losses.sparse_categorical_crossentropy, LABELS, X, {"from_logits": True},
        -np.log(P[np.arange(4), LABELS]),
    ),
}  # fmt: skip
NAMES = pytest.mark.parametrize("name", CASES)


@NAMES
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value(backend, name, dtype):
    loss, y_true, y_pred, settings, expected = CASES[name]
    target = ug.asarray(y_true) if y_true.dtype.kind == "i" else ug.asarray(y_true, dtype=dtype)
    found = loss(target, ug.asarray(y_pred, dtype=dtype), **settings)
    assert found.dtype.name == dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13 if dtype == "float64" else 2e-6)


@NAMES
@pytest.mark.parametrize("reference", [False, True], ids=["native", "reference"])
def test_gradient(backend, name, reference):
    loss, y_true, y_pred, settings, _ = CASES[name]
    weights = np.array([1.0, -2.0, 0.5, 3.0])

    def total(p):
        return (loss(ug.asarray(y_true), p, **settings) * ug.asarray(weights)).sum()

    p = ug.asarray(y_pred)
    with ug.GradientTape(reference=reference) as tape:
        tape.watch(p)
        value = total(p)
    found = tape.gradient(value, p).numpy()
    expected, h = np.zeros_like(y_pred), 1e-6
    for index in np.ndindex(*y_pred.shape):
        shift = np.zeros_like(y_pred)
        shift[index] = h
        up, down = total(ug.asarray(y_pred + shift)), total(ug.asarray(y_pred - shift))
        expected[index] = (up.item() - down.item()) / (2 * h)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


def second_order(reference=False):
    x = ug.asarray(X)
    with ug.GradientTape(reference=reference) as outer:
        outer.watch(x)
        with ug.GradientTape(reference=reference) as inner:
            inner.watch(x)
            value = losses.sparse_categorical_crossentropy(LABELS, x, from_logits=True).sum()
        slope = inner.gradient(value, x)
        square = (slope * slope).sum()
    return outer.gradient(square, x).numpy()


def test_second_order_of_sparse_crossentropy(backend):
    # d/dx Σ(p - y)² = 2 (p ∘ d - p (p · d)) with d = p - y
    d = P - np.eye(3)[LABELS]
    expected = 2 * (P * d - P * (P * d).sum(-1, keepdims=True))
    np.testing.assert_allclose(second_order(), expected, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(second_order(reference=True), expected, rtol=1e-11, atol=1e-14)


def test_sparse_crossentropy_forward_mode(backend):
    t = np.array(Y)
    _, found = ug.jvp(
        lambda x: losses.sparse_categorical_crossentropy(LABELS, x, from_logits=True),
        (ug.asarray(X),),
        (ug.asarray(t),),
    )
    expected = ((P - np.eye(3)[LABELS]) * t).sum(-1)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_sparse_crossentropy_of_sequences(backend):
    logits = generator.normal(size=(2, 5, 7)).astype(np.float32)
    labels = generator.integers(0, 7, (2, 5))
    found = losses.sparse_categorical_crossentropy(labels, ug.asarray(logits), from_logits=True)
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits).permute(0, 2, 1), torch.tensor(labels), reduction="none"
    )
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int64"])
def test_label_dtypes(backend, dtype):
    labels = ug.asarray(LABELS, dtype=dtype)
    found = losses.sparse_categorical_crossentropy(labels, ug.asarray(X), from_logits=True)
    np.testing.assert_allclose(found.numpy(), CASES["sparse"][4], rtol=1e-13)


def test_extreme_logits_stay_finite(backend):
    x = ug.asarray([[1000.0, -1000.0, 0.0], [-1000.0, 0.0, 1000.0]])
    with ug.GradientTape() as tape:
        tape.watch(x)
        value = losses.sparse_categorical_crossentropy([0, 0], x, from_logits=True)
    assert value.tolist() == [0.0, 2000.0]
    assert tape.gradient(value, x).tolist() == [[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]]
    binary = losses.binary_crossentropy([[1.0, 0.0, 0.0]], x[:1], from_logits=True)
    np.testing.assert_allclose(binary.numpy(), [np.log(2.0) / 3], rtol=1e-6)
    dense = losses.categorical_crossentropy([[0.0, 1.0, 0.0]], x[:1], from_logits=True)
    assert dense.tolist() == [2000.0]


def test_certain_and_right_costs_nothing(backend):
    p = ug.asarray([[1.0, 0.0]])
    with ug.GradientTape(persistent=True) as tape:
        tape.watch(p)
        dense = losses.categorical_crossentropy([[1.0, 0.0]], p)
        binary = losses.binary_crossentropy([[1.0, 0.0]], p)
    assert dense.tolist() == [0.0]
    assert binary.tolist() == [0.0]
    assert tape.gradient(dense, p).tolist() == [[-1.0, 0.0]]
    assert tape.gradient(binary, p).tolist() == [[-0.5, 0.5]]
    with np.errstate(divide="ignore"):
        assert losses.binary_crossentropy([[0.0]], [[1.0]]).tolist() == [np.inf]


@pytest.mark.parametrize("labels", [[0, 3], [0, -1], [0, -100]])
@pytest.mark.parametrize("from_logits", [False, True])
def test_label_out_of_bounds(backend, labels, from_logits):
    scores = ug.asarray([[0.2, 0.3, 0.5]] * 2)
    with pytest.raises(ug.OutOfBoundsError, match="3 classes"):
        losses.sparse_categorical_crossentropy(labels, scores, from_logits=from_logits)


@pytest.mark.parametrize("from_logits", [False, True])
def test_wrong_labels(backend, from_logits):
    scores = ug.asarray([[0.2, 0.3, 0.5]] * 2)
    with pytest.raises(ug.ShapeError, match="labels"):
        losses.sparse_categorical_crossentropy([0], scores, from_logits=from_logits)
    with pytest.raises(ug.DTypeError, match="integers"):
        losses.sparse_categorical_crossentropy([0.0, 1.0], scores, from_logits=from_logits)


@pytest.mark.parametrize("loss", [losses.mse, losses.mae, losses.categorical_crossentropy])
def test_shapes_must_be_equal(backend, loss):
    with pytest.raises(ug.ShapeError):
        loss([[1.0, 2.0]], ug.asarray([[1.0], [2.0]]))
    with pytest.raises(ug.ShapeError):
        loss(1.0, ug.asarray(1.0))


def test_integer_targets_and_predictions(backend):
    assert losses.mse([[1, 2]], [[3, 2]]).tolist() == [2.0]
    half = losses.mse([[1, 2]], ug.asarray([[3.0, 2.0]], dtype="float16"))
    assert half.dtype == ug.float16
