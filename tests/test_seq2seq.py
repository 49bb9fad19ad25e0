"""Encoder, decoder, masked loss, greedy and beam search, on every backend.

Searches run on a toy model whose log-probabilities depend on the whole sequence so far: its state
is the number of the sequence's node in a tree, so that a state that is not moved along with its
hypothesis shows at once. The oracles are plain Python.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.seq2seq import Decoded, beam_search, greedy_search, length_penalty_of, masked_loss

VOCABULARY, END, START, LENGTH = 3, 2, 3, 4
Hypothesis = tuple[tuple[int, ...], float]


class Toy:
    """A step function over tables of log-probabilities, one row per node of the tree."""

    def __init__(self, batch: int, seed: int = 0, sharpness: float = 1.0) -> None:
        nodes = sum(VOCABULARY**depth for depth in range(LENGTH + 1))
        scores = np.random.default_rng(seed).normal(size=(batch, nodes, VOCABULARY)) * sharpness
        shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.table = np.log(shifted / shifted.sum(axis=-1, keepdims=True))
        self.batch = batch
        self.calls = 0

    def state(self, beam: int) -> dict[str, ug.Tensor]:
        return {
            "sequence": ug.asarray(np.repeat(np.arange(self.batch), beam)),
            "node": ug.asarray(np.zeros(self.batch * beam, np.int64)),
        }

    def __call__(self, last: ug.Tensor, state: Any) -> tuple[ug.Tensor, Any]:
        self.calls += 1
        node = ug.where(last == START, 0, state["node"] * VOCABULARY + 1 + last)
        return ug.asarray(self.table)[state["sequence"], node], {**state, "node": node}

    def rows(self, sequence: int, tokens: tuple[int, ...]) -> Any:
        node = 0
        for token in tokens:
            node = node * VOCABULARY + 1 + token
        return self.table[sequence, node]

    def search(self, beam: int, **settings: Any) -> Decoded:
        return beam_search(
            self,
            self.state(beam),
            batch=self.batch,
            beam=beam,
            vocabulary=VOCABULARY,
            start=START,
            end=END,
            max_length=LENGTH,
            **settings,
        )

    def greedy(self) -> Decoded:
        return greedy_search(
            self, self.state(1), batch=self.batch, start=START, end=END, max_length=LENGTH
        )

    def all_sequences(self, sequence: int, alpha: float) -> list[Hypothesis]:
        """Every sequence that may come out, best first."""
        found = []
        for length in range(1, LENGTH + 1):
            for tokens in itertools.product(range(VOCABULARY), repeat=length):
                if END in tokens[:-1] or (length < LENGTH and tokens[-1] != END):
                    continue
                score = sum(
                    self.rows(sequence, tokens[:i])[token] for i, token in enumerate(tokens)
                )
                found.append((tokens, score / length_penalty_of(length, alpha)))
        return sorted(found, key=lambda one: -one[1])

    def plain_beam(self, sequence: int, beam: int, alpha: float) -> list[Hypothesis]:
        """The same search in a dozen lines, without batches, early stop or arrays."""
        running: list[Hypothesis] = [((), 0.0)]
        finished: list[Hypothesis] = []
        for length in range(1, LENGTH + 1):
            candidates = [
                ((*tokens, token), score + self.rows(sequence, tokens)[token])
                for tokens, score in running
                for token in range(VOCABULARY)
            ]
            best = sorted(candidates, key=lambda one: -one[1])[:beam]
            penalty = length_penalty_of(length, alpha)
            done = [one for one in best if one[0][-1] == END or length == LENGTH]
            finished += [(tokens, score / penalty) for tokens, score in done]
            running = [one for one in best if one not in done]
        return sorted(finished, key=lambda one: -one[1])[:beam]


def hypotheses(found: Decoded, sequence: int) -> list[Hypothesis]:
    """One sequence's answers, without padding."""
    rows = zip(
        found.tokens[sequence].tolist(),
        found.scores[sequence].tolist(),
        found.lengths[sequence].tolist(),
    )
    return [(tuple(tokens[:length]), score) for tokens, score, length in rows]


def assert_same(found: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0, -1.0])
def test_a_beam_as_wide_as_the_tree_is_exhaustive_search(backend: str, alpha: float) -> None:
    toy = Toy(batch=3)
    count = len(toy.all_sequences(0, alpha))
    found = toy.search(VOCABULARY**LENGTH, n_best=count, length_penalty=alpha)
    assert found.tokens.shape == (3, count, LENGTH)
    for sequence in range(3):
        assert_same(hypotheses(found, sequence), toy.all_sequences(sequence, alpha))


@pytest.mark.parametrize("beam", [1, 2, 3, 5])
@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0])
def test_narrow_beams_equal_the_plain_search(backend: str, beam: int, alpha: float) -> None:
    toy = Toy(batch=6, seed=beam, sharpness=2.0)
    found = toy.search(beam, n_best=beam, length_penalty=alpha)
    for sequence in range(6):
        expected = toy.plain_beam(sequence, beam, alpha)
        answers = hypotheses(found, sequence)
        assert_same(answers[: len(expected)], expected)
        assert all(answer == ((), -math.inf) for answer in answers[len(expected) :])


@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_a_beam_of_one_is_greedy(backend: str, alpha: float) -> None:
    toy = Toy(batch=16, seed=5)
    greedy = toy.greedy()
    beam = toy.search(1, length_penalty=alpha)
    width = greedy.tokens.shape[1]
    assert beam.tokens[:, 0, :width].tolist() == greedy.tokens.tolist()
    assert not beam.tokens[:, 0, width:].numpy().any()
    assert beam.lengths[:, 0].tolist() == greedy.lengths.tolist()
    assert len(set(greedy.lengths.tolist())) > 1  # some ended and some did not
    penalties = [length_penalty_of(length, alpha) for length in greedy.lengths.tolist()]
    np.testing.assert_allclose(beam.scores[:, 0].numpy(), greedy.scores.numpy() / penalties)


def test_of_equal_scores_the_lowest_index_wins(backend: str) -> None:
    toy = Toy(batch=1)
    toy.table[:] = -math.log(VOCABULARY)
    found = toy.search(3, n_best=3)
    # The end is the third of the first three; then 0 0, 0 1, 0 2 and so on.
    expected = [(2,), (0, 2), (0, 0, 2)]
    assert [tokens for tokens, _ in hypotheses(found, 0)] == expected
    assert toy.greedy().tokens.tolist() == [[0, 0, 0, 0]]


def test_it_stops_once_nothing_can_win_and_this_changes_nothing(backend: str) -> None:
    toy = Toy(batch=4)
    toy.table[:] = np.log([0.01, 0.01, 0.98])
    early = toy.search(3)
    assert toy.calls == 1
    assert early.tokens[:, 0].tolist() == [[END, 0, 0, 0]] * 4
    toy = Toy(batch=4, seed=3, sharpness=3.0)
    early = toy.search(3, n_best=2, length_penalty=0.7)
    calls = toy.calls
    # A traced search has no values to stop by.
    traced = ug.jit(lambda state: toy_search_from(toy, state))(toy.state(3))
    if ug.get_backend() != "numpy":
        assert toy.calls - calls == LENGTH
    assert traced[0].tolist() == early.tokens.tolist()
    np.testing.assert_allclose(traced[1].numpy(), early.scores.numpy(), rtol=1e-12)


def toy_search_from(toy: Toy, state: Any) -> tuple[ug.Tensor, ...]:
    return tuple(
        beam_search(
            toy, state, batch=4, beam=3, vocabulary=VOCABULARY, start=START, end=END,
            max_length=LENGTH, n_best=2, length_penalty=0.7,
        )
    )  # fmt: skip


def test_a_forbidden_token_never_comes(backend: str) -> None:
    toy = Toy(batch=2)
    toy.table[:, :, 1] = -math.inf
    found = toy.search(16, n_best=16)
    for sequence in range(2):
        real = [one for one in hypotheses(found, sequence) if one[1] > -math.inf]
        assert len(real) == 5  # 2; 0 2; 0 0 2; 0 0 0 2; 0 0 0 0
        assert all(1 not in tokens for tokens, _ in real)
    assert found.lengths[:, 5:].tolist() == [[0] * 11] * 2


@pytest.mark.parametrize("wrong", [{"beam": 0}, {"beam": 2, "n_best": 3}, {"max_length": 0}])
def test_wrong_numbers(backend: str, wrong: dict[str, int]) -> None:
    toy = Toy(batch=1)
    settings = {"beam": 2, "max_length": 3, **wrong}
    with pytest.raises(ug.ShapeError, match="beam_search"):
        beam_search(
            toy, toy.state(2), batch=1, vocabulary=VOCABULARY, start=START, end=END, **settings
        )


def test_a_step_of_another_shape(backend: str) -> None:
    toy = Toy(batch=2)
    with pytest.raises(ug.ShapeError, match="log-probabilities"):
        beam_search(
            toy, toy.state(1), batch=2, beam=1, vocabulary=4, start=START, end=END, max_length=3
        )


# -- the model


def small_model() -> ug.seq2seq.Seq2Seq:
    """A model with biases that are not zero, the same on every backend."""
    ug.layers.set_seed(7)
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
    keys = model.decoder.attention.keys(encoded.memory)
    state = encoded.state
    for t in range(TARGET.shape[1] - 1):
        one, state = model.decoder.step(ug.asarray(TARGET[:, t]), state, encoded, keys)
        np.testing.assert_allclose(logits[:, t].numpy(), one.numpy(), rtol=1e-5, atol=1e-5)


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
    # No step goes by before the last: a compiled search has no values to stop by.
    greedy = ug.jit(lambda source: model.greedy(source, max_length=3).tokens)(source)
    found = model.greedy(source, max_length=3).tokens
    assert greedy[:, : found.shape[1]].tolist() == found.tolist()
    beam = ug.jit(lambda source: model.beam(source, max_length=3, n_best=2).tokens)(source)
    assert beam.tolist() == model.beam(source, max_length=3, n_best=2).tokens.tolist()


def test_padding_need_not_be_in_the_vocabulary(backend: str) -> None:
    table = ug.asarray(np.log([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]))
    found = greedy_search(
        lambda last, state: (ug.take(table, last, axis=0), state),
        ug.asarray([0, 0]), batch=2, start=0, end=2, max_length=3, padding=99,
    )  # fmt: skip
    assert found.tokens.tolist() == [[2], [2]]
    state = ug.asarray([0, 1])
    found = greedy_search(
        # The first row ends at once, the second never.
        lambda last, state: (ug.take(table, ug.where(state == 1, 1, last), axis=0), state),
        state, batch=2, start=0, end=2, max_length=3, padding=99,
    )  # fmt: skip
    assert found.tokens.tolist() == [[2, 99, 99], [1, 1, 1]]
    assert found.lengths.tolist() == [1, 3]
    for padding in (-1, 7):
        loss = masked_loss([[1, padding]], [[[0.0, 0.0], [3.0, 5.0]]], padding=padding)
        np.testing.assert_allclose(float(loss), math.log(2), rtol=1e-6)
    with pytest.raises(ug.OutOfBoundsError):
        masked_loss([[1, 7]], [[[0.0, 0.0], [3.0, 5.0]]])


def test_no_sequences_and_no_tokens(backend: str) -> None:
    model = small_model()
    nothing = np.zeros((0, 3), np.int64)
    assert model.greedy(nothing, max_length=4).tokens.shape[0] == 0
    assert model.beam(nothing, max_length=4, beam=3, n_best=2).tokens.shape == (0, 2, 4)
    with pytest.raises(ug.ShapeError, match="no step"):
        model.greedy(np.zeros((2, 0), np.int64), max_length=4)
    with pytest.raises(ug.ShapeError, match="at least one token"):
        model.loss([[3]], [[1]])
    with pytest.raises(ug.OutOfBoundsError):
        model.beam([[-1]], max_length=4)
