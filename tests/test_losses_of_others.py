"""Losses against those of torch, optax and Keras: values, and gradients where theirs are torch's.

On NumPy: that the backends agree is the suite's.
"""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import unigrad as ug
from unigrad import losses

generator = np.random.default_rng(5)
X = generator.normal(size=(6, 4)) * 2
Y = generator.normal(size=(6, 4))
P = generator.uniform(0.1, 0.9, size=(6, 4))
EVENTS = generator.integers(0, 2, (6, 4)).astype(np.float64)
SOFT = generator.dirichlet(np.ones(4), size=6)
Q = generator.dirichlet(np.ones(4), size=6)
LABELS = np.array([0, 3, 1, 1, 2, 0])
HOT = np.eye(4)[LABELS]
WEIGHTS = np.array([0.5, 2.0, 1.0, 3.0])
SPOKEN = generator.integers(1, 5, (3, 4))
SPOKEN[0, 1] = SPOKEN[0, 0]
FRAMES = generator.normal(size=(3, 12, 5)) * 3
LENGTHS, STEPS = np.array([4, 2, 0]), np.array([12, 9, 3])


def t(x: Any) -> torch.Tensor:
    return torch.tensor(x)


def torch_ctc(x: torch.Tensor, **settings: Any) -> torch.Tensor:
    logs = torch.log_softmax(x, -1).permute(1, 0, 2)
    return F.ctc_loss(logs, t(SPOKEN), t(STEPS), t(LENGTHS), **settings)


#: Ours and torch's by the predictions, and these.
BY_TORCH = {
    "mse": (lambda x: losses.mse(Y, x, reduction="mean"), lambda x: F.mse_loss(x, t(Y)), X),
    "mae": (lambda x: losses.mae(Y, x, reduction="mean"), lambda x: F.l1_loss(x, t(Y)), X),
    "huber": (
        lambda x: losses.huber(Y, x, delta=0.7, reduction="mean"),
        lambda x: F.huber_loss(x, t(Y), delta=0.7), X,
    ),
    "multi_margin": (
        lambda x: losses.multi_margin(
            LABELS, x, power=2, margin=0.5, class_weights=WEIGHTS, reduction="sum"
        ),
        lambda x: F.multi_margin_loss(x, t(LABELS), 2, 0.5, t(WEIGHTS), reduction="sum"), X,
    ),
    "binary": (
        lambda p: losses.binary_crossentropy(SOFT, p, reduction="mean"),
        lambda p: F.binary_cross_entropy(p, t(SOFT)), P,
    ),
    "binary_logits": (
        lambda x: losses.binary_crossentropy(
            SOFT, x, from_logits=True, pos_weight=WEIGHTS, reduction="mean"
        ),
        lambda x: F.binary_cross_entropy_with_logits(x, t(SOFT), pos_weight=t(WEIGHTS)), X,
    ),
    "sparse_weighted_and_smoothed": (
        lambda x: losses.sparse_categorical_crossentropy(
            LABELS, x, from_logits=True, class_weights=WEIGHTS, label_smoothing=0.1,
            reduction="mean",
        ),
        lambda x: F.cross_entropy(x, t(LABELS), t(WEIGHTS), label_smoothing=0.1), X,
    ),
    "sparse_ignored": (
        lambda x: losses.sparse_categorical_crossentropy(
            np.where(LABELS == 1, -100, LABELS), x, from_logits=True, mask=LABELS != 1,
            class_weights=WEIGHTS, reduction="mean",
        ),
        lambda x: F.cross_entropy(x, t(np.where(LABELS == 1, -100, LABELS)), t(WEIGHTS)), X,
    ),
    "one_hot_is_sparse": (
        lambda x: losses.categorical_crossentropy(
            HOT, x, from_logits=True, class_weights=WEIGHTS, label_smoothing=0.1,
            reduction="mean",
        ),
        lambda x: F.cross_entropy(x, t(LABELS), t(WEIGHTS), label_smoothing=0.1), X,
    ),
    "categorical": (
        lambda x: losses.categorical_crossentropy(SOFT, x, from_logits=True, reduction="mean"),
        lambda x: F.cross_entropy(x, t(SOFT)), X,
    ),
    "kl_div": (
        lambda x: losses.kl_div(SOFT, x, from_logits=True, reduction="mean"),
        lambda x: F.kl_div(torch.log_softmax(x, -1), t(SOFT), reduction="batchmean"), X,
    ),
    "poisson": (
        lambda x: losses.poisson(EVENTS, x, log_input=True, reduction="mean"),
        lambda x: F.poisson_nll_loss(x, t(EVENTS)), X,
    ),
    "gaussian_nll": (
        lambda x: losses.gaussian_nll(Y, x, ug.exp(x), full=True, reduction="mean"),
        lambda x: F.gaussian_nll_loss(x, t(Y), torch.exp(x), full=True), X,
    ),
    "triplet": (
        lambda x: losses.triplet(x, Y, Y[::-1], margin=2.0, reduction="sum"),
        lambda x: F.triplet_margin_loss(
            x, t(Y), t(Y[::-1].copy()), margin=2.0, eps=0.0, reduction="sum"
        ), X,
    ),
    "triplet_swapped": (
        lambda x: losses.triplet(x, Y, Y[::-1], ord=1, swap=True, reduction="mean"),
        lambda x: F.triplet_margin_loss(x, t(Y), t(Y[::-1].copy()), p=1, eps=0.0, swap=True), X,
    ),
    "cosine": (
        lambda x: losses.cosine_similarity(Y, x, reduction="mean"),
        lambda x: -F.cosine_similarity(x, t(Y)).mean(), X,
    ),
    "ctc": (
        lambda x: losses.ctc(
            SPOKEN, x, label_lengths=LENGTHS, logit_lengths=STEPS, reduction="sum"
        ),
        lambda x: torch_ctc(x, reduction="sum"), FRAMES,
    ),
    "ctc_with_another_blank": (
        lambda x: losses.ctc(SPOKEN[:, ::-1] % 4, x[:, :, :5], blank=4, reduction="sum"),
        lambda x: F.ctc_loss(
            torch.log_softmax(x, -1).permute(1, 0, 2), t(SPOKEN[:, ::-1] % 4),
            t([12] * 3), t([4] * 3), blank=4, reduction="sum",
        ), FRAMES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_TORCH)
def test_torch(name: str) -> None:
    ours, theirs, start = BY_TORCH[name]
    x = torch.tensor(start, requires_grad=True)
    expected = theirs(x)
    expected.backward()
    value, slope = ug.value_and_grad(ours)(ug.asarray(start))
    np.testing.assert_allclose(value.item(), expected.item(), rtol=1e-12)
    np.testing.assert_allclose(slope.numpy(), x.grad.numpy(), rtol=1e-10, atol=1e-12)


def by_optax(name: str, *inputs: Any, **settings: Any) -> Any:
    import jax
    import optax

    with jax.enable_x64(True):
        return np.asarray(getattr(optax.losses, name)(*map(jax.numpy.asarray, inputs), **settings))


def padded(lengths: Any, size: int) -> Any:
    return (np.arange(size) >= np.asarray(lengths)[:, None]).astype(np.float64)


BY_OPTAX = {
    "log_cosh": (lambda: losses.log_cosh(Y, X), lambda: by_optax("log_cosh", X, Y).mean(-1)),
    "hinge": (
        lambda: losses.hinge(2 * EVENTS - 1, X),
        lambda: by_optax("hinge_loss", X, 2 * EVENTS - 1).mean(-1),
    ),
    "binary_focal_crossentropy": (
        lambda: losses.binary_focal_crossentropy(EVENTS, X, alpha=0.3, from_logits=True),
        lambda: by_optax("sigmoid_focal_loss", X, EVENTS, alpha=0.3).mean(-1),
    ),
    "ctc": (
        lambda: losses.ctc(SPOKEN, FRAMES, label_lengths=LENGTHS, logit_lengths=STEPS),
        lambda: by_optax("ctc_loss", FRAMES, padded(STEPS, 12), SPOKEN, padded(LENGTHS, 4)),
    ),
}


@pytest.mark.parametrize("name", BY_OPTAX)
def test_optax(name: str) -> None:
    ours, theirs = BY_OPTAX[name]
    # Its CTC takes 10⁻⁵ for log 0.
    np.testing.assert_allclose(ours().numpy(), theirs(), rtol=1e-10, atol=1e-12)


BY_KERAS = {
    "squared_hinge": lambda f: f(2 * EVENTS - 1, X),
    "categorical_hinge": lambda f: f(HOT, X),
    "binary_focal_crossentropy": lambda f: f(
        EVENTS, X, from_logits=True, gamma=1.5, label_smoothing=0.2
    ),
    "categorical_focal_crossentropy": lambda f: f(HOT, Q, gamma=1.5, alpha=0.25),
    "categorical_crossentropy": lambda f: f(SOFT, X, from_logits=True, label_smoothing=0.1),
    "binary_crossentropy": lambda f: f(SOFT, X, from_logits=True, label_smoothing=0.1),
    "cosine_similarity": lambda f: f(Y, X),
    "log_cosh": lambda f: f(Y, X),
}


@pytest.mark.parametrize("name", BY_KERAS)
def test_keras(name: str) -> None:
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        expected = keras.ops.convert_to_numpy(BY_KERAS[name](getattr(keras.losses, name)))
    finally:
        keras.config.set_floatx(before)
    found = BY_KERAS[name](getattr(losses, name))
    # Keras clips probabilities to [10⁻⁷, 1 - 10⁻⁷].
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
