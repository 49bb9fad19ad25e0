"""The models from sequences to sequences, of all cells and attentions, on every backend."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from given_weights import no_draws

import unigrad as ug
from unigrad.decoding import length_penalty_of
from unigrad.layers.training import training_mode
from unigrad.seq2seq import EncoderDecoder

SOURCE = np.array([[3, 4, 5, 6], [7, 8, 0, 0], [1, 0, 0, 0]])
TARGET = np.array([[1, 5, 6, 7, 2], [1, 9, 2, 0, 0], [1, 2, 0, 0, 0]])
SIZES = {"embedding_size": 5, "encoder_units": 6, "attention_units": 4}


def recurrent(cell: str, attention: str, **settings: Any) -> Callable[[], EncoderDecoder]:
    units = 12 if attention == "dot" else 7
    return lambda: ug.seq2seq.Seq2Seq(
        9, 11, decoder_units=units, cell=cell, attention=attention, **SIZES, **settings
    )


def transformer(**settings: Any) -> Callable[[], EncoderDecoder]:
    return lambda: ug.seq2seq.TransformerSeq2Seq(
        9, 11, **{"units": 8, "heads": 2, "hidden": 12, "blocks": 2, "dropout": 0.0, **settings}
    )


MODELS = {
    "lstm-additive": recurrent("lstm", "additive"),
    "lstm-dot": recurrent("lstm", "dot"),
    "gru-general": recurrent("gru", "general"),
    "gru-concat-two-layers": recurrent("gru", "concat", encoder_layers=2),
    "transformer": transformer(),
    "transformer-norm-last": transformer(norm_first=False, blocks=1),
}
KINDS = pytest.mark.parametrize("kind", MODELS)
#: These have what the others have, where each costs seconds of compiling.
TWO = pytest.mark.parametrize("kind", ["lstm-dot", "transformer"])


def model_of(kind: str, scale: float = 0.4) -> EncoderDecoder:
    """A model with biases that are not zero, the same on every backend."""
    with no_draws():
        model = MODELS[kind]()
    generator = np.random.default_rng(1)
    for variable in model.variables:
        value = generator.normal(size=variable.shape, scale=scale).astype(np.float32)
        variable.assign(ug.asarray(value))
    return model


def loss_and_gradients(kind: str) -> tuple[float, list[Any]]:
    model = model_of(kind)
    with ug.GradientTape() as tape:
        loss = model.loss(SOURCE, TARGET, label_smoothing=0.1)
    return float(loss), [one.numpy() for one in tape.gradient(loss, model.trainable_variables)]


@KINDS
def test_loss_and_gradients_are_the_same_everywhere(kind: str, backend: str) -> None:
    with ug.use_backend("numpy"):
        expected, gradients = loss_and_gradients(kind)
    loss, found = loss_and_gradients(kind)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    # A key's bias moves all scores alike: its gradient is rounding.
    for one, other in zip(found, gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("attention", ["additive", "general"])
def test_dropout_is_of_training_alone(attention: str) -> None:
    ug.layers.set_seed(0)
    model = recurrent("gru", attention, encoder_layers=2, dropout=0.5)()
    losses = [float(model.loss(SOURCE, TARGET, training=True)) for _ in range(2)]
    assert losses[0] != losses[1]
    plain = recurrent("gru", attention, encoder_layers=2)()
    weights = {name: model.state_dict()[name] for name in plain.named_variables()}
    plain.load_state_dict(weights)
    assert float(model.loss(SOURCE, TARGET)) == float(plain.loss(SOURCE, TARGET))
    # Each place where something is dropped changes the loss by itself.
    places = [*model.encoder.dropouts, model.decoder.dropout]
    for one in places:
        rates = [other.rate for other in places]
        for other in places:
            other.rate = 0.5 if other is one else 0.0
        assert float(model.loss(SOURCE, TARGET, training=True)) != float(plain.loss(SOURCE, TARGET))
        for other, rate in zip(places, rates, strict=True):
            other.rate = rate


@pytest.mark.parametrize("layers", [0, True, 1.5])
def test_layers_that_are_none(layers: Any) -> None:
    with pytest.raises(ug.SettingError, match="layers"):
        ug.seq2seq.Encoder(5, layers=layers)


@KINDS
def test_every_weight_counts(kind: str) -> None:
    _, gradients = loss_and_gradients(kind)
    names = list(model_of(kind).named_variables())
    unused = {name for name, one in zip(names, gradients, strict=True) if not one.any()}
    assert unused == set()


@KINDS
def test_step_by_step_is_all_at_once(kind: str) -> None:
    """So are a Transformer's steps beside keys and values that were kept."""
    model = model_of(kind)
    tokens = TARGET[:, :-1]
    logits = model(SOURCE, tokens).numpy()
    encoded = model.encoder(SOURCE)
    # Twice as many rows as sequences: a beam of two, whose second one is fed something else.
    memory = model.decoder.remember(encoded, 6)
    state = ug.decoding.repeat_rows(model.decoder.first(encoded, 4), 2)
    for t in range(4):
        last = np.stack([tokens[:, t], (tokens[:, t] + 3) % 11], axis=1).reshape(-1)
        found, state, attention = model.decoder.step(ug.asarray(last), state, memory)
        np.testing.assert_allclose(found.numpy()[::2], logits[:, t], rtol=1e-4, atol=1e-5)
        weights = attention.numpy().reshape(3, 2, 4)
        np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-5)
        assert not weights[np.stack([SOURCE == 0] * 2, axis=1)].any()
    assert abs(found.numpy()[1::2] - logits[:, -1]).max() > 1e-3


@KINDS
def test_padding_changes_nothing(kind: str) -> None:
    model = model_of(kind)
    whole = model.loss(SOURCE, TARGET, per="sequence").numpy()
    for row, (read, written) in enumerate([(4, 5), (2, 3), (1, 2)]):
        one = slice(row, row + 1)
        alone = model.loss(SOURCE[one, :read], TARGET[one, :written], per="sequence")
        np.testing.assert_allclose(alone.numpy(), whole[one], rtol=1e-5)


@TWO
def test_scheduled_sampling_between_right_tokens_and_its_own(kind: str, backend: str) -> None:
    model, key = model_of(kind), ug.random.key(4)
    tokens = TARGET[:, :-1]
    encoded = model.encoder(SOURCE)
    sampled = model.decoder.sampled(tokens, encoded, key, 0.5).numpy()
    # Each sequence's tokens are those that its draws say; the first is always right.
    right = ug.random.uniform(key, (4, 3)).numpy() < 0.5
    assert right[1:].any()
    assert not right[1:].all()
    fed = tokens.copy()
    for t in range(1, 4):
        fed[:, t] = np.where(right[t], tokens[:, t], sampled[:, t - 1].argmax(axis=-1))
    np.testing.assert_allclose(sampled, model(SOURCE, fed).numpy(), rtol=1e-4, atol=1e-5)
    # It has a gradient, and per token and per sequence are the same but for the mean.
    with ug.GradientTape() as tape:
        loss = model.loss(SOURCE, TARGET, teacher_forcing=0.5, key=key)
    assert all(one.numpy().any() for one in tape.gradient(loss, model.trainable_variables))
    sums = model.loss(SOURCE, TARGET, teacher_forcing=0.5, key=key, per="sequence")
    np.testing.assert_allclose(sums.numpy().sum() / (TARGET[:, 1:] != 0).sum(), float(loss), 1e-5)


@pytest.mark.parametrize(
    # The reference is NumPy's. JAX and TensorFlow compile for half a minute: one model each.
    ("kind", "backend"),
    [
        ("lstm-dot", "torch"), ("transformer", "torch"), ("transformer-norm-last", "jax"),
        ("lstm-dot", "tensorflow"),
    ],
    indirect=["backend"],
)  # fmt: skip
def test_searches_find_the_same_tokens_everywhere(kind: str, backend: str) -> None:
    settings: dict[str, Any] = {"max_length": 5, "beam": 3, "n_best": 2, "length_penalty": 0.6}
    with ug.use_backend("numpy"):
        model = model_of(kind)
        expected = model.beam(SOURCE, alignments=True, **settings)
    model = model_of(kind)
    found = model.beam(SOURCE, alignments=True, **settings)
    assert found.tokens.backend.name == backend
    assert found.tokens.tolist() == expected.tokens.tolist()
    np.testing.assert_allclose(found.scores.numpy(), expected.scores.numpy(), rtol=1e-4)
    assert found.alignments is not None
    assert expected.alignments is not None
    np.testing.assert_allclose(found.alignments.numpy(), expected.alignments.numpy(), atol=1e-5)
    # The score is that of teacher forcing.
    length = int(found.lengths[0, 0])
    tokens = found.tokens.numpy()[:1, 0, :length]
    inputs = np.concatenate([[[1]], tokens[:, :-1]], axis=1)
    log_p = ug.log_softmax(model(SOURCE[:1], inputs), axis=-1).numpy()[0]
    total = log_p[np.arange(length), tokens[0]].sum() / length_penalty_of(length, 0.6)
    np.testing.assert_allclose(float(found.scores[0, 0]), total, rtol=1e-4)


@KINDS
def test_a_beam_of_one_is_greedy(kind: str) -> None:
    model = model_of(kind)
    one = model.beam(SOURCE, max_length=5, beam=1).tokens[:, 0]
    assert model.greedy(SOURCE, max_length=5).tokens.tolist() == one.tolist()


@TWO
def test_drawing_and_streaming(kind: str) -> None:
    model, key = model_of(kind), ug.random.key(3)
    drawn = model.sample(SOURCE, key, max_length=6, top_k=3, temperature=0.8).tokens.numpy()
    streamed = model.stream(SOURCE, key, max_length=6, top_k=3, temperature=0.8)
    columns = np.stack([one.numpy() for one in streamed], axis=1)
    assert columns.tolist() == drawn[:, : columns.shape[1]].tolist()
    assert not drawn[:, columns.shape[1] :].any()


def reversals(rows: int) -> tuple[Any, Any]:
    letters = ug.random.randint(ug.random.key(1), (rows, 3), 3, 9).numpy()
    column = np.ones((rows, 1), np.int64)
    return letters, np.hstack([column, letters[:, ::-1], 2 * column])


@pytest.mark.parametrize(
    ("kind", "backend"),
    [
        ("lstm-dot", "numpy"), ("transformer-norm-last", "numpy"), ("lstm-dot", "torch"),
        ("transformer-norm-last", "torch"), ("lstm-dot", "jax"),
        ("transformer-norm-last", "tensorflow"),
    ],
    indirect=["backend"],
)  # fmt: skip
def test_a_small_task_is_learned(kind: str, backend: str) -> None:
    source, target = reversals(12)
    ug.layers.set_seed(2)
    model = MODELS[kind]()
    # At 0.03 it is a matter of the last digits whether a Transformer gets there.
    optimizer = ug.optimizers.Adam(0.03 if kind == "lstm-dot" else 0.01)

    @ug.jit
    def train_step(source: ug.Tensor, target: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            loss = model.loss(source, target)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    batch = ug.asarray(source), ug.asarray(target)
    losses = [float(train_step(*batch)) for _ in range(150)]
    assert losses[-1] < 0.1 < 1.0 < losses[0]
    assert model.greedy(source, max_length=4).tokens.tolist() == target[:, 1:].tolist()


def test_dropout_is_for_training_alone() -> None:
    model = transformer(dropout=0.5)()
    plain = [model.loss(SOURCE, TARGET).item() for _ in range(2)]
    assert plain[0] == plain[1]
    trained = [model.loss(SOURCE, TARGET, training=True).item() for _ in range(2)]
    assert len({*plain, *trained}) == 3


def test_searches_are_no_training() -> None:
    model = transformer(dropout=0.5)()
    key = ug.random.key(0)
    searches: list[Callable[[], Any]] = [
        lambda: model.greedy(SOURCE, max_length=4).tokens.tolist(),
        lambda: model.sample(SOURCE, key, max_length=4).tokens.tolist(),
        lambda: model.beam(SOURCE, max_length=4).tokens.tolist(),
        lambda: [one.tolist() for one in model.stream(SOURCE, max_length=4)],
    ]
    for search in searches:
        plain = search()
        with training_mode(True):
            assert search() == plain


def test_tokens_as_arrays_and_sets() -> None:
    model = model_of("gru-general")
    wanted = model.greedy(SOURCE, max_length=4, banned=(5, 6)).tokens.tolist()
    for banned in (np.array([5, 6]), ug.asarray([5, 6]), {5, 6}, [5, 6], range(5, 7)):
        assert model.greedy(SOURCE, max_length=4, banned=banned).tokens.tolist() == wanted
    for wrong in (np.array([5.0]), np.array([[5]]), [[5]]):
        with pytest.raises(ug.SettingError, match="a token of banned"):
            model.greedy(SOURCE, max_length=4, banned=wrong)
    with pytest.raises(ug.SettingError, match=r"greedy_search: banned=.* cannot be hashed"):
        model.greedy(SOURCE, max_length=4, banned=bytearray(b"a"))


@KINDS
def test_models_can_be_copied_saved_and_loaded(kind: str) -> None:
    model = model_of(kind)
    other = MODELS[kind]()
    other.load_state_dict(model.state_dict())
    expected = model.loss(SOURCE, TARGET).item()
    assert other.loss(SOURCE, TARGET).item() == expected
    assert copy.deepcopy(model).loss(SOURCE, TARGET).item() == expected
    nothing = np.zeros((0, 3), np.int64)
    assert model.beam(nothing, max_length=4, beam=3, n_best=2).tokens.shape == (0, 2, 4)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (recurrent("rnn", "additive"), "gru, lstm, not 'rnn'"),
        (recurrent("gru", "local"), "additive, dot, general, concat, not 'local'"),
        (lambda: ug.seq2seq.Seq2Seq(9, 11, attention="dot"), "states of 256 .* of 512"),
        (transformer(heads=3), "8 units are not 3 heads"),
        (transformer(blocks=0), "blocks is an integer of at least 1, not 0"),
    ],
)
def test_settings_that_do_not_fit(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ug.SettingError, match=said):
        make()


@TWO
def test_sources_that_do_not_fit(kind: str, backend: str) -> None:
    model = model_of(kind)
    with pytest.raises(ug.OutOfBoundsError, match="9 tokens"):
        model.beam([[3, 9]], max_length=4)
    with pytest.raises(ug.ShapeError, match="at least one token"):
        model.loss([[3]], [[1]])
    for wrong in (0, 2.5, None):
        with pytest.raises(ug.SettingError, match="max_length"):
            model.greedy([[3]], max_length=wrong)
