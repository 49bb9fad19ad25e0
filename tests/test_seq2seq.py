"""Encoder, decoder, masked loss and the model's searches, on every backend."""

from __future__ import annotations

import math

import numpy as np
import pytest
from given_weights import no_draws

import unigrad as ug
from unigrad.decoding import length_penalty_of
from unigrad.seq2seq import masked_loss


def small_model() -> ug.seq2seq.Seq2Seq:
    """A model with biases that are not zero, the same on every backend."""
    with no_draws():
        model = ug.seq2seq.Seq2Seq(
            9, 11, embedding_size=5, encoder_units=6, decoder_units=7, attention_units=4
        )
    generator = np.random.default_rng(1)
    for variable in model.variables:
        value = generator.normal(size=variable.shape).astype(np.float32)
        variable.assign(ug.asarray(value))
    return model


SOURCE = np.array([[3, 4, 5, 6], [7, 8, 0, 0], [1, 0, 0, 0]])
TARGET = np.array([[1, 5, 6, 7, 2], [1, 9, 2, 0, 0], [1, 2, 0, 0, 0]])


def test_padding_changes_neither_memory_nor_state(backend: str) -> None:
    encoder = small_model().encoder
    whole = encoder(SOURCE)
    for row, length in enumerate([4, 2, 1]):
        alone = encoder(SOURCE[row : row + 1, :length])
        np.testing.assert_allclose(
            whole.memory[row, :length].numpy(), alone.memory[0].numpy(), atol=1e-6
        )
        assert not whole.memory[row, length:].numpy().any()
        np.testing.assert_allclose(whole.state[row].numpy(), alone.state[0].numpy(), atol=1e-6)


def test_teacher_forcing_equals_one_step_after_another(backend: str) -> None:
    model = small_model()
    logits = model(SOURCE, TARGET[:, :-1])
    encoded = model.encoder(SOURCE)
    for rows in (0, 3):  # more tokens than the first steps have, and fewer
        memory = model.decoder.remember(encoded, rows)
        assert (memory.embeddings is None) == (rows == 0)
        state = encoded.state
        for t in range(TARGET.shape[1] - 1):
            one, state, weights = model.decoder.step(ug.asarray(TARGET[:, t]), state, memory)
            np.testing.assert_allclose(logits[:, t].numpy(), one.numpy(), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(weights.numpy().sum(axis=-1), 1.0, rtol=1e-6)
            assert not weights.numpy()[SOURCE == 0].any()


def test_masked_loss_is_the_mean_over_what_is_real(backend: str) -> None:
    logits = np.random.default_rng(0).normal(size=(3, 4, 11))
    wanted = TARGET[:, 1:]
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -np.mean([log_p[i, t, wanted[i, t]] for i, t in np.argwhere(wanted)])
    variable = ug.Variable(ug.asarray(logits))
    with ug.GradientTape() as tape:
        loss = masked_loss(wanted, variable)
    np.testing.assert_allclose(float(loss), expected, rtol=1e-12)
    gradient = tape.gradient(loss, variable).numpy()
    assert gradient[wanted != 0].any(axis=-1).all()
    assert not gradient[wanted == 0].any()


def test_masked_loss_with_smoothing_and_by_sequence(backend: str) -> None:
    import torch

    logits = np.random.default_rng(0).normal(size=(3, 4, 11))
    wanted = TARGET[:, 1:]
    each = torch.nn.functional.cross_entropy(
        torch.tensor(logits).flatten(0, 1), torch.tensor(wanted).flatten(), ignore_index=0,
        label_smoothing=0.1, reduction="none",
    ).reshape(3, 4)  # fmt: skip
    found = masked_loss(wanted, logits, label_smoothing=0.1, per="none")
    np.testing.assert_allclose(found.numpy(), each.numpy(), rtol=1e-12)
    found = masked_loss(wanted, logits, label_smoothing=0.1, per="sequence")
    np.testing.assert_allclose(found.numpy(), each.sum(dim=1).numpy(), rtol=1e-12)
    for wrong in ({"per": "batch"}, {"label_smoothing": 1.5}):
        with pytest.raises(ug.SettingError, match="masked_loss"):
            masked_loss(wanted, logits, **wrong)


def test_scheduled_sampling(backend: str) -> None:
    model, key = small_model(), ug.random.key(4)
    encoded = model.encoder(SOURCE)
    inputs = TARGET[:, :-1]
    forced = model.decoder.sampled(inputs, encoded, key, 1.0)
    np.testing.assert_allclose(forced.numpy(), model(SOURCE, inputs).numpy(), rtol=1e-5, atol=1e-5)
    # Never right: fed with its own, the model is in greedy search.
    free = model.decoder.sampled(inputs, encoded, key, 0.0).numpy()
    greedy = model.greedy(SOURCE, max_length=4)
    for i, length in enumerate(greedy.lengths.tolist()):
        tokens = greedy.tokens.numpy()[i, :length]
        assert free[i, :length].argmax(axis=-1).tolist() == tokens.tolist()
    # In between each sequence's tokens are those that its draws say.
    right = ug.random.uniform(key, (4, 3)).numpy() < 0.5
    fed, own = inputs.copy(), model.decoder.sampled(inputs, encoded, key, 0.5).numpy()
    for t in range(1, 4):
        fed[:, t] = np.where(right[t], inputs[:, t], own[:, t - 1].argmax(axis=-1))
    np.testing.assert_allclose(own, model(SOURCE, fed).numpy(), rtol=1e-5, atol=1e-5)
    with pytest.raises(ug.SettingError, match="key"):
        model.loss(SOURCE, TARGET, teacher_forcing=0.5)
    with pytest.raises(ug.SettingError, match="probability"):
        model.loss(SOURCE, TARGET, teacher_forcing=1.5, key=key)


def test_masked_loss_of_nothing_is_zero(backend: str) -> None:
    assert float(masked_loss([[0, 0]], [[[1.0, 2.0], [3.0, 4.0]]])) == 0.0


def test_every_weight_has_a_gradient_and_learns(backend: str) -> None:
    model = small_model()
    optimizer = ug.optimizers.Adam(0.01)
    losses = []
    for _ in range(30):
        with ug.GradientTape() as tape:
            loss = model.loss(SOURCE, TARGET)
        gradients = tape.gradient(loss, model.trainable_variables)
        if not losses:
            assert all(one.numpy().any() for one in gradients)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        losses.append(float(loss))
    assert losses[-1] < 0.2 * losses[0]


def test_all_backends_decode_the_same_tokens(backend: str) -> None:
    # The expected tokens are NumPy's: scores differ by rounding, tokens do not.
    with ug.use_backend("numpy"):
        model = small_model()
        greedy = model.greedy(SOURCE, max_length=8)
        beam = model.beam(SOURCE, max_length=8, beam=5, n_best=3, length_penalty=0.6)
    model = small_model()
    again = model.greedy(SOURCE, max_length=8)
    assert again.tokens.backend.name == backend
    assert again.tokens.tolist() == greedy.tokens.tolist()
    np.testing.assert_allclose(again.scores.numpy(), greedy.scores.numpy(), rtol=1e-5)
    again = model.beam(SOURCE, max_length=8, beam=5, n_best=3, length_penalty=0.6)
    assert again.tokens.tolist() == beam.tokens.tolist()
    assert again.lengths.tolist() == beam.lengths.tolist()
    np.testing.assert_allclose(again.scores.numpy(), beam.scores.numpy(), rtol=1e-5)
    # Each score is the model's own: the log-probability under teacher forcing.
    tokens, length = beam.tokens.numpy()[0, 0], int(beam.lengths[0, 0])
    inputs = np.concatenate([[1], tokens[: length - 1]])[None]
    log_p = ug.log_softmax(model(SOURCE[:1], inputs), axis=-1).numpy()[0]
    total = log_p[np.arange(length), tokens[:length]].sum() / length_penalty_of(length, 0.6)
    np.testing.assert_allclose(total, float(beam.scores[0, 0]), rtol=1e-5)


def test_decoding_in_jit_is_decoding(backend: str) -> None:
    model = small_model()
    source = ug.asarray(SOURCE)
    beam = ug.jit(lambda source: model.beam(source, max_length=3, n_best=2).tokens)(source)
    assert beam.tolist() == model.beam(source, max_length=3, n_best=2).tokens.tolist()


def test_searches_of_the_model() -> None:
    model, key = small_model(), ug.random.key(3)
    drawn = model.sample(SOURCE, key, max_length=6, top_k=3, temperature=0.8)
    streamed = model.stream(SOURCE, key, max_length=6, top_k=3, temperature=0.8)
    columns = np.stack([one.numpy() for one in streamed], axis=1)
    assert columns.tolist() == drawn.tokens.numpy()[:, : columns.shape[1]].tolist()
    # Equal settings are one program, whatever their prefix and the sources' widths up to 8 are.
    found = model.beam(
        SOURCE, max_length=6, beam=3, alignments=True, prefix=[[4], [5], [6]], banned=[7],
        forced={1: 8}, rule="hf", coverage_penalty=0.2, max_ratio=2.0,
    )  # fmt: skip
    assert found.tokens[:, 0, :2].tolist() == [[4, 8], [5, 8], [6, 8]]
    assert found.lengths[:, 0].tolist()[2] == 2  # its source has one letter
    assert found.alignments is not None
    assert found.alignments.shape == (3, 1, 6, 4)
    sums = found.alignments.numpy()[:, 0].sum(axis=-1)
    lengths = found.lengths.numpy()[:, 0]
    np.testing.assert_allclose(sums, np.arange(6) < lengths[:, None], atol=1e-6)
    # It is the last state of the weights that decodes.
    before = model.greedy(SOURCE, max_length=4).tokens.tolist()
    bias = model.decoder.output.bias
    assert bias is not None
    bias.assign(bias + ug.one_hot(ug.asarray(9), 11) * 1e3)
    assert model.greedy(SOURCE, max_length=4).tokens.tolist() == [[9] * 4] * 3 != before


def test_settings_that_a_search_has_not() -> None:
    model = small_model()
    for call, search, name in (
        (model.beam, "beam_search", "beams"),
        (model.beam, "beam_search", "padding"),
        (model.greedy, "greedy_search", "n_best"),
    ):
        with pytest.raises(TypeError, match=rf"{search}\(\) got an unexpected .* '{name}'"):
            call(SOURCE, max_length=3, **{name: 2})


def test_unknown_symbols(backend: str) -> None:
    model = small_model()
    for wrong in (-1, 9):
        with pytest.raises(ug.OutOfBoundsError, match=f"{wrong}.*9 tokens"):
            model.beam([[3, wrong]], max_length=4)


def test_padding_of_a_loss_need_not_be_in_the_vocabulary(backend: str) -> None:
    for padding in (-1, 7):
        loss = masked_loss([[1, padding]], [[[0.0, 0.0], [3.0, 5.0]]], padding=padding)
        np.testing.assert_allclose(float(loss), math.log(2), rtol=1e-6)
    with pytest.raises(ug.OutOfBoundsError):
        masked_loss([[1, 7]], [[[0.0, 0.0], [3.0, 5.0]]])


def test_no_sequences_and_no_tokens(backend: str) -> None:
    model = small_model()
    nothing = np.zeros((0, 3), np.int64)
    assert model.beam(nothing, max_length=4, beam=3, n_best=2).tokens.shape == (0, 2, 4)
    with pytest.raises(ug.ShapeError, match="no step"):
        model.greedy(np.zeros((2, 0), np.int64), max_length=4)
    with pytest.raises(ug.ShapeError, match="at least one token"):
        model.loss([[3]], [[1]])
