"""The pronunciation model against native torch and native JAX: the same first ten losses.

All three start from the same weights and see the same batches. The measured differences are below
6e-7 relative, on every backend; the bound leaves room for another machine's matrix products.
"""

from __future__ import annotations

import numpy as np
import pytest
from given_weights import no_draws
from native import weights
from native.weights import END, PADDING, START, Batch, Weights, name_of_ours

import unigrad as ug

LETTERS, PHONEMES = 28, 42
TOLERANCE = 2e-6


def some_batches(count: int, size: int = 16) -> list[Batch]:
    """Random words, of all lengths up to nine letters, the same on every call."""
    generator = np.random.default_rng(3)
    batches = []
    for _ in range(count):
        source = np.full((size, 9), PADDING, np.int64)
        target = np.full((size, 10), PADDING, np.int64)
        for letters, sounds in zip(source, target):
            length = generator.integers(1, 10)
            letters[:length] = generator.integers(1, LETTERS, length)
            inner = generator.integers(3, PHONEMES, generator.integers(1, 9))
            sounds[: len(inner) + 2] = [START, *inner, END]
        batches.append((source, target))
    return batches


def model_from(values: Weights) -> ug.seq2seq.Seq2Seq:
    with no_draws():
        model = ug.seq2seq.Seq2Seq(LETTERS, PHONEMES, padding=PADDING, start=START, end=END)
    shapes = {name: variable.shape for name, variable in model.named_variables().items()}
    model.load_state_dict(
        {
            name_of_ours(name): value.reshape(shapes[name_of_ours(name)])
            for name, value in values.items()
        }
    )
    return model


@pytest.fixture(scope="module")
def native() -> tuple[list[float], list[float]]:
    from native import g2p_jax, g2p_torch

    values = weights.initial_weights(LETTERS, PHONEMES, seed=0)
    batches = some_batches(10)
    return g2p_torch.losses(values, batches), g2p_jax.losses(values, batches)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("compiled", [False, True])
def test_first_ten_losses(
    backend: str, compiled: bool, transposed: bool, native: tuple[list[float], list[float]]
) -> None:
    model = model_from(weights.initial_weights(LETTERS, PHONEMES, seed=0))
    if transposed:
        for variable in model.variables:
            # The same values, in the other order in memory where the library has such views.
            variable.assign(ug.asarray(variable.numpy().T.copy()).T)
    optimizer = ug.optimizers.Adam(1e-3)

    def train_step(source: ug.Tensor, target: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            loss = model.loss(source, target)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    step = ug.jit(train_step) if compiled else train_step
    losses = [
        float(step(ug.asarray(source), ug.asarray(target))) for source, target in some_batches(10)
    ]
    assert losses[-1] < 0.95 * losses[0]
    np.testing.assert_allclose(losses, native[0], rtol=TOLERANCE)
    np.testing.assert_allclose(losses, native[1], rtol=TOLERANCE)


def test_greedy_decoding(backend: str) -> None:
    from native import g2p_torch

    values = weights.initial_weights(LETTERS, PHONEMES, seed=0)
    # An untrained model would choose padding now and then, which the native one takes for an end.
    values["decoder/output/bias"][PADDING] = -10.0
    source, _ = some_batches(1)[0]
    expected = g2p_torch.greedy(values, source, 8)
    found = model_from(values).greedy(source, max_length=8).tokens.numpy()
    assert found.tolist() == expected[:, : found.shape[1]].tolist()
    assert not expected[:, found.shape[1] :].any()
