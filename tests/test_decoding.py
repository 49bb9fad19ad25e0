"""Decoding: transformers' lists, samples, streams, loops; the rest is in the conformance suite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from native import transformers_lists as native

import unigrad as ug
from unigrad import decoding
from unigrad_conformance.decoding import hypotheses, run
from unigrad_conformance.decoding_oracle import LENGTH, START, Rules, Tree, exhausted

LISTS = native.lists()


@pytest.fixture(params=["numpy", "torch"])
def eager(request: pytest.FixtureRequest) -> Any:
    """Where trying many searches takes no compiling."""
    with ug.use_backend(request.param):
        yield request.param


def ours(settings: dict[str, Any]) -> tuple[Any, decoding.Decoded]:
    """Search as transformers does; the settings are its."""
    embeddings, kernel, output, bias = (ug.asarray(one) for one in native.weights())
    beam, length = settings["num_beams"], settings.get("max_new_tokens", 12)

    def step(last: ug.Tensor, state: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        state = ug.tanh(state @ kernel + ug.take(embeddings, last, axis=0))
        return state @ output + bias, state

    @ug.jit
    def search() -> decoding.Decoded:
        return decoding.beam_search(
            step,
            ug.zeros((native.KEPT * beam, native.UNITS)),
            batch=native.KEPT,
            start=native.starts()[: native.KEPT],
            end=settings.get("eos_token_id", native.END),
            max_length=length,
            beam=beam,
            n_best=settings.get("num_return_sequences", 1),
            rule="hf",
            length_penalty=settings.get("length_penalty"),
            early_stopping=settings.get("early_stopping", False),
            min_length=settings.get("min_length", 0),
            no_repeat_ngram=settings.get("no_repeat_ngram_size", 0),
            banned=[one[0] for one in settings.get("bad_words_ids", [])],
            groups=settings.get("num_beam_groups", 1),
            diversity_penalty=settings.get("diversity_penalty", 0.0),
            padding=native.PADDING,
        )

    return beam, search()


def assert_transformers(which: int) -> None:
    settings, tokens, scores = LISTS[which]
    beam, found = ours(settings)
    wanted = np.asarray(tokens)
    assert found.tokens.numpy()[:, :, : wanted.shape[2]].tolist() == tokens
    assert (found.tokens.numpy()[:, :, wanted.shape[2] :] == native.PADDING).all()
    if beam > 1:  # Of greedy search transformers gives no scores.
        np.testing.assert_allclose(found.scores.numpy(), scores, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("which", range(len(LISTS)))
def test_transformers_lists(eager: str, which: int) -> None:
    assert_transformers(which)


def test_transformers_lists_everywhere(backend: str) -> None:
    assert_transformers(4)


@pytest.mark.parametrize("rule", ["hf", "gnmt", "wu", "average"])
@pytest.mark.parametrize("alpha", [0.0, 0.6, -1.0])
def test_a_beam_as_wide_as_the_tree_is_exhaustive_search(rule: str, alpha: float) -> None:
    tree = Tree(3, seed=1)
    rules = Rules(beam=4**4, n_best=120, rule=rule, length_penalty=alpha, max_length=4)
    found = run(tree, rules)
    for sequence in range(3):
        wanted = exhausted(tree, sequence, rules, 4)
        answers = hypotheses(found, sequence)
        assert [one for one, _ in answers] == [one for one, _ in wanted]
        np.testing.assert_allclose([s for _, s in answers], [s for _, s in wanted], rtol=1e-5)


def test_rows_do_not_depend_on_each_other(eager: str) -> None:
    whole, rules = Tree(5, seed=12), Rules(rule="hf", length_penalty=1.0)
    together = run(whole, rules)
    for i in range(5):
        alone = Tree(1, seed=0)
        alone.logits = whole.logits[i : i + 1]
        assert hypotheses(run(alone, rules), 0) == hypotheses(together, i)


def test_one_loop_whatever_the_length(backend: str) -> None:
    tree, calls = Tree(2, seed=1), []

    def step(last: ug.Tensor, state: Any) -> Any:
        calls.append(1)
        return tree.step(last, state)

    def search(state: Any) -> Any:
        return decoding.greedy_search(
            step, state, batch=2, start=START, end=None, max_length=LENGTH
        )

    search(tree.state(1))
    assert len(calls) == LENGTH
    calls.clear()
    compiled = ug.jit(search)
    compiled(tree.state(1))
    assert 1 <= len(calls) < LENGTH
    calls.clear()
    compiled(tree.state(1))
    assert not calls
    assert compiled.programs == 1


def test_a_search_ends_when_it_is_decided(eager: str) -> None:
    tree = Tree(2, seed=0)
    tree.logits[:] = np.log([0.01, 0.01, 0.97, 0.01])
    calls = []

    def step(last: ug.Tensor, state: Any) -> Any:
        calls.append(1)
        return tree.step(last, state)

    decoding.beam_search(
        step, tree.state(3), batch=2, start=START, end=2, max_length=LENGTH, beam=3
    )
    assert len(calls) == 1


@pytest.mark.parametrize("rule", ["wu", "gnmt", "average"])
def test_stopping_early_changes_nothing_while_scores_only_fall(eager: str, rule: str) -> None:
    tree = Tree(8, seed=5)
    settings: dict[str, Any] = {"batch": 8, "start": START, "end": 2, "beam": 3, "rule": rule}

    def raised(scores: ug.Tensor, tokens: ug.Tensor, count: ug.Tensor) -> ug.Tensor:
        # Up, but not above 0.
        return scores * ug.where(count >= 3, 0.1, 1.0)

    found = []
    for early in (False, "never"):
        settings.update(early_stopping=early, max_length=LENGTH, processors=raised)
        found.append(decoding.beam_search(tree.step, tree.state(3), **settings))
    first, second = found
    assert first.tokens.tolist() == second.tokens.tolist()
    np.testing.assert_allclose(first.scores.numpy(), second.scores.numpy(), rtol=1e-6)


def test_tokens_of_settings_as_arrays(eager: str) -> None:
    tree = Tree(1, seed=0)

    def search(banned: Any) -> Any:
        return decoding.greedy_search(
            tree.step, tree.state(1), batch=1, start=START, end=None, max_length=3, banned=banned
        ).tokens.tolist()

    for banned in (np.array([1]), np.array(1), ug.asarray([1]), {1}, np.int32(1)):
        assert search(banned) == search((1,))


def test_samples_have_the_models_distribution() -> None:
    tree = Tree(1, seed=3)
    state = decoding.repeat_rows(tree.state(1), 4000)
    found = decoding.sample(
        tree.step, state, ug.random.key(1), batch=4000, start=START, end=None, max_length=2
    )
    first = np.bincount(found.tokens.numpy()[:, 0], minlength=4) / 4000
    np.testing.assert_allclose(first, np.exp(tree.scores(0, ())), atol=0.03)
    second = found.tokens.numpy()[found.tokens.numpy()[:, 0] == 0, 1]
    share = np.bincount(second, minlength=4) / len(second)
    np.testing.assert_allclose(share, np.exp(tree.scores(0, (0,))), atol=0.06)
    tokens = found.tokens.numpy()
    log_p = [tree.scores(0, ())[a] + tree.scores(0, (a,))[b] for a, b in tokens[:20]]
    np.testing.assert_allclose(found.scores.numpy()[:20], log_p, rtol=1e-5)


def test_streams_of_samples_are_the_samples(eager: str) -> None:
    tree, key = Tree(3, seed=3), ug.random.key(5)
    settings: dict[str, Any] = {"batch": 3, "start": START, "end": 2, "max_length": LENGTH}
    whole = decoding.sample(tree.step, tree.state(1), key, top_p=0.9, **settings)
    for compiled in (False, True):
        stream = decoding.stream(
            tree.step, tree.state(1), key, top_p=0.9, compiled=compiled, **settings
        )
        columns = [one.tolist() for one in stream]
        assert columns == whole.tokens.numpy().T[: len(columns)].tolist()
        assert len(columns) == max(whole.lengths.tolist())


def test_scores_of_targets_are_differentiable(eager: str) -> None:
    kernel = ug.Variable(np.random.default_rng(0).normal(size=(4, 4)))

    def step(last: ug.Tensor, state: ug.Tensor) -> Any:
        return ug.take(kernel.read(), last, axis=0) + state, ug.tanh(state + 0.1)

    targets = [[1, 2, 3], [3, 0, 9]]
    with ug.GradientTape() as tape:
        scored = decoding.score_targets(
            step, ug.zeros((2, 4), dtype="float64"), targets, start=0, lengths=[3, 2]
        )
        total = ug.sum(scored.scores)
    assert scored.lengths.tolist() == [3, 2]
    assert scored.log_probabilities[1, 2].item() == 0.0
    gradient = tape.gradient(total, kernel).numpy()
    # Of a softmax: one-hot minus probabilities, row by row, so rows add up to 0.
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-12)
    assert gradient.any(axis=1).tolist() == [True, True, True, True]


def test_a_target_outside_of_the_vocabulary(eager: str) -> None:
    tree = Tree(1, seed=0)
    with pytest.raises(ug.OutOfBoundsError, match="score_targets"):
        decoding.score_targets(tree.step, tree.state(1), [[1, 7]], start=START, lengths=[2])


def test_what_may_be_drawn_at_any_temperature(eager: str) -> None:
    nothing = -math.inf
    for temperature, wanted in (
        (1e-300, [nothing, 0.0, nothing, nothing]),
        (1e300, [0.0, 0.0, 0.0, nothing]),
        (0.5, [-4.0, 0.0, -2.0, nothing]),
    ):
        for logits in ([1.0, 3.0, 2.0, nothing], np.float16([1, 3, 2, nothing])):
            kept = decoding.kept_tokens(logits, temperature=temperature)
            assert kept.tolist() == wanted
    assert decoding.kept_tokens([1, 3, 2], temperature=1e-50).tolist() == [nothing, 0.0, nothing]
    assert decoding.kept_tokens([1.0, 3.0], top_p=1e-300).tolist() == [nothing, 3.0]
    with pytest.raises(ug.DTypeError, match="complex64"):
        decoding.kept_tokens([1j])


def test_compiled_searches_tell_by_their_results(backend: str) -> None:
    tree = Tree(2, seed=0)

    @ug.jit
    def forbidden(state: Any) -> Any:
        return decoding.greedy_search(
            tree.step, state, batch=2, start=START, end=2, max_length=3, banned=[0, 1, 2, 3]
        )

    found = forbidden(tree.state(1))
    assert found.scores.tolist() == [-math.inf] * 2
    assert found.lengths.tolist() == [0, 0]
    assert not found.tokens.numpy().any()


@pytest.mark.parametrize("search", ["beam", "greedy"])
def test_nan_in_one_sequence_leaves_the_others_alone(eager: str, search: str) -> None:
    whole = Tree(3, seed=2)
    wanted = run(whole, Rules(rule="hf"))
    tree = Tree(3, seed=2)
    tree.logits[1, 1:] = math.nan

    def searched(state: Any) -> Any:
        settings: dict[str, Any] = {"batch": 3, "start": START, "end": 2, "max_length": LENGTH}
        if search == "greedy":
            return decoding.greedy_search(tree.step, state, **settings)
        return decoding.beam_search(
            tree.step, state, beam=3, n_best=3, rule="hf", length_penalty=0.0, **settings
        )

    with pytest.raises(decoding.DecodingError, match="NaN at step 1 of sequence 1"):
        searched(tree.state(1 if search == "greedy" else 3))
    found = ug.jit(searched)(tree.state(1 if search == "greedy" else 3))
    assert (found.scores[1].numpy() == -math.inf).all()
    assert not found.lengths[1].numpy().any()
    if search == "beam":
        for i in (0, 2):
            assert hypotheses(found, i) == hypotheses(wanted, i)


def test_hypotheses_that_are_not_there_may_be_anything(eager: str) -> None:
    def step(last: ug.Tensor, state: ug.Tensor) -> Any:
        # Of several rows of a sequence only the first is there at first.
        bad = (state == 0) & (ug.asarray(np.arange(6) % 3) > 0)
        logits = ug.broadcast_to(ug.asarray([0.0, 1.0, 0.5]), (6, 3))
        return ug.where(bad[:, None], math.nan, logits), state + 1

    found = decoding.beam_search(
        step, ug.asarray(np.zeros(6, np.int64)), batch=2, start=0, end=2, max_length=2, beam=3
    )
    assert np.isfinite(found.scores.numpy()).all()


def test_no_sequences() -> None:
    tree = Tree(2, seed=0)
    nothing = {name: one[:0] for name, one in tree.state(1).items()}
    found = decoding.beam_search(
        tree.step, nothing, batch=0, start=START, end=2, max_length=3, beam=4, n_best=2
    )
    assert found.tokens.shape == (0, 2, 3)
    assert found.scores.shape == (0, 2)
    assert decoding.greedy_search(
        tree.step, nothing, batch=0, start=START, end=2, max_length=3
    ).tokens.shape == (0, 3)


def test_float64_stays(eager: str) -> None:
    table = ug.asarray(np.log([[0.2, 0.8], [0.5, 0.5]]), dtype="float64")

    def step(last: ug.Tensor, state: Any) -> Any:
        return ug.take(table, last, axis=0), state

    settings: dict[str, Any] = {"batch": 1, "start": 0, "end": 1, "max_length": 2}
    for found in (
        decoding.beam_search(step, None, beam=2, **settings),
        ug.jit(lambda: decoding.beam_search(step, None, beam=2, **settings))(),
        decoding.greedy_search(step, None, **settings),
    ):
        assert found.scores.dtype == ug.float64
        np.testing.assert_allclose(found.scores.numpy().ravel(), math.log(0.8), rtol=1e-15)


def test_alignments_and_ensembles_together(eager: str) -> None:
    trees = [Tree(2, seed=1), Tree(2, seed=2)]
    step = decoding.ensemble([one.aligned for one in trees])
    found = decoding.beam_search(
        step, tuple(one.state(3) for one in trees), batch=2, start=START, end=2, max_length=3,
        beam=3, alignments=3,
    )  # fmt: skip
    np.testing.assert_array_equal(
        found.alignments[:, 0, 0].numpy(), trees[0].attention[:, 0]
    )  # fmt: skip


def test_sources_are_padded_to_few_widths() -> None:
    widths = {decoding.pad_sources(np.ones((1, n), np.int64)).shape[1] for n in range(1, 33)}
    assert widths == {8, 12, 16, 20, 24, 28, 32}
    assert decoding.pad_sources([[5, 6]], padding=9).tolist() == [[5, 6, 9, 9, 9, 9, 9, 9]]
    with pytest.raises(ug.ShapeError, match="pad_sources"):
        decoding.pad_sources([1, 2])
