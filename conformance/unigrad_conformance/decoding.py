"""Decoding: the tokens, in their order, are those of a plain search, whoever computes them.

Each search is run eagerly, and some compiled as one loop, and compared with `decoding_oracle`,
which knows lists alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.decoding import Decoded
from unigrad_conformance.decoding_oracle import (
    LENGTH,
    PLACES,
    START,
    VOCABULARY,
    Hypothesis,
    Rules,
    Tree,
    exhausted,
    greedy,
    searched,
)
from unigrad_conformance.subject import Deviation

BATCH = 8
#: Scores are sums of a few logarithms in float32.
_NEAR = 2e-5

#: Searches by their settings.
SEARCHES: Mapping[str, Rules] = {
    "hf": Rules(rule="hf", length_penalty=1.0),
    "hf, stopped early": Rules(rule="hf", length_penalty=0.5, early_stopping=True),
    "hf, never stopped": Rules(rule="hf", length_penalty=2.0, early_stopping="never"),
    "hf, short ones preferred": Rules(rule="hf", length_penalty=-1.0),
    "hf, two ends": Rules(rule="hf", length_penalty=1.0, end=(2, 0)),
    "gnmt": Rules(rule="gnmt", length_penalty=0.8),
    "wu": Rules(n_best=2),
    "wu, stopped early": Rules(early_stopping=True, length_penalty=1.5),
    "average": Rules(rule="average"),
    "lengths": Rules(rule="hf", length_penalty=-1.0, min_length=3, max_length=4),
    "no pair of tokens twice": Rules(no_repeat_ngram=2, length_penalty=2.0),
    "a beam wider than the vocabulary": Rules(beam=6, n_best=6, rule="hf", length_penalty=1.0),
    "tokens banned and forced": Rules(banned=(1,), forced={1: 3}, rule="hf", length_penalty=1.0),
    "a prefix": Rules(prefix=((3, 1), (-1, 0), (1, -1), (0, 0)) * 2, length_penalty=1.0),
    "groups": Rules(beam=6, n_best=6, groups=2, diversity_penalty=0.7, rule="hf"),
    "groups, a short limit": Rules(
        beam=6, n_best=6, groups=3, diversity_penalty=0.7, rule="hf", max_length=3
    ),
    "groups of one, stopped early": Rules(
        beam=3, n_best=3, groups=3, diversity_penalty=0.8, rule="hf", early_stopping=True
    ),
    "groups by another rule": Rules(beam=4, n_best=4, groups=2, diversity_penalty=0.7),
    "coverage": Rules(coverage_penalty=0.4, length_penalty=0.6),
}
#: Those that are compiled as well in a quick run.
_COMPILED = ("hf", "wu")


def settings_of(rules: Rules) -> dict[str, Any]:
    """Return the settings as `ug.decoding.beam_search` takes them."""
    found = asdict(rules)
    found["prefix"] = np.asarray(rules.prefix) if rules.prefix else None
    return found


def run(tree: Tree, rules: Rules, **more: Any) -> Decoded:
    """Search by unigrad."""
    aligned = rules.coverage_penalty or more.get("alignments")
    settings = settings_of(rules)
    if aligned:
        settings["alignments"] = PLACES
    return ug.decoding.beam_search(
        tree.aligned if aligned else tree.step,
        tree.state(rules.beam),
        batch=tree.batch,
        start=START,
        **{**settings, **more},
    )


def hypotheses(found: Decoded, sequence: int) -> list[Hypothesis]:
    """Return a sequence's answers, without padding and without missing ones."""
    rows = zip(
        found.tokens[sequence].tolist(),
        found.scores[sequence].tolist(),
        found.lengths[sequence].tolist(),
        strict=True,
    )
    return [(tuple(row[:length]), score) for row, score, length in rows if score > -math.inf]


def require_same(what: str, found: list[Hypothesis], wanted: list[Hypothesis]) -> None:
    """Raise a `Deviation` unless tokens are equal, in their order, and scores close."""
    if [one for one, _ in found] != [one for one, _ in wanted]:
        raise Deviation(f"{what}: {found}, not {wanted}")
    for (_, got), (tokens, want) in zip(found, wanted, strict=True):
        if not abs(got - want) <= _NEAR * (1.0 + abs(want)):
            raise Deviation(f"{what}: {tokens} has the score {got}, not {want}")


def check_search(rules: Rules, compiled: bool) -> None:
    """The answers are those of the plain search, eagerly and, if asked for, compiled."""
    tree = Tree(BATCH, seed=5)
    runs: dict[str, Callable[[], Any]] = {"eagerly": lambda: run(tree, rules)}
    if compiled:
        runs["compiled"] = ug.jit(lambda: run(tree, rules))
    for how, function in runs.items():
        found = function()
        for sequence in range(BATCH):
            wanted = searched(tree, sequence, rules, rules.max_length)
            require_same(f"sequence {sequence}, {how}", hypotheses(found, sequence), wanted)


def finds_the_best_of_all(thorough: bool) -> None:
    """A beam as wide as the tree finds what going through all sequences finds."""
    tree = Tree(BATCH, seed=2)
    few = Rules(beam=6, n_best=6, banned=(0, 1), length_penalty=0.7)
    each = [few, replace(few, rule="hf", early_stopping="never", banned=(0, 3))]
    if thorough:
        wide = replace(few, beam=4**LENGTH, n_best=40, banned=())
        each += [wide, replace(wide, rule="average", min_length=2), replace(wide, rule="hf")]
    for rules in each:
        found = run(tree, rules)
        for sequence in range(BATCH):
            wanted = exhausted(tree, sequence, rules, rules.max_length)
            require_same(f"{rules}, sequence {sequence}", hypotheses(found, sequence), wanted)


def breaks_ties_by_the_lowest_index() -> None:
    """Of equal scores the earlier finished, the better parent, the lower token come first."""
    tree = Tree(BATCH, seed=0)
    tree.logits[:] = 0.0
    for rules in (Rules(), Rules(rule="hf")):
        found = run(tree, rules)
        wanted = searched(tree, 0, rules, rules.max_length)
        require_same(rules.rule, hypotheses(found, 0), wanted)
    tokens = ug.decoding.greedy_search(
        tree.step, tree.state(1), batch=BATCH, start=START, end=2, max_length=LENGTH
    ).tokens.tolist()
    if tokens != [[0] * LENGTH] * BATCH:
        raise Deviation(f"greedily: {tokens}, not the lowest tokens")


def limits_lengths_by_the_sources() -> None:
    """Each sequence has its own longest length."""
    tree = Tree(BATCH, seed=3)
    for rules in (Rules(length_penalty=2.0), Rules(rule="hf", length_penalty=2.0)):
        found = run(tree, rules, max_ratio=1.5, source_lengths=np.array([1, 2, 3, 9] * 2))
        for sequence, limit in enumerate((1, 3, 4, LENGTH) * 2):
            wanted = searched(tree, sequence, rules, limit)
            require_same(f"a limit of {limit}", hypotheses(found, sequence), wanted)


def walks_greedily() -> None:
    """Greedy search, its stream and a beam of one take the likeliest token each time."""
    tree = Tree(BATCH, seed=7)
    rules = Rules(beam=1, n_best=1, no_repeat_ngram=2, min_length=2)
    settings = {k: v for k, v in settings_of(rules).items() if k in _WALKING}
    found = ug.decoding.greedy_search(
        tree.step, tree.state(1), batch=BATCH, start=START, **settings
    )
    stream = ug.decoding.stream(tree.step, tree.state(1), batch=BATCH, start=START, **settings)
    streamed = np.stack([one.numpy() for one in stream], axis=1)
    beam = run(tree, rules)
    for i in range(BATCH):
        wanted = greedy(tree, i, rules)
        length = len(wanted[0])
        row = (tuple(found.tokens[i].tolist()[:length]), float(found.scores[i]))
        require_same(f"sequence {i}, greedily", [row], [wanted])
        require_same(f"sequence {i}, a beam of one", hypotheses(beam, i), [wanted])
        if tuple(streamed[i].tolist()[:length]) != wanted[0]:
            raise Deviation(f"sequence {i}, streamed: {streamed[i].tolist()}, not {wanted[0]}")


_WALKING = ("end", "min_length", "max_length", "prefix", "banned", "forced", "no_repeat_ngram")


def draws_by_its_key() -> None:
    """The same key draws the same tokens: those of a draw from the plain model, kept ones alone."""
    tree = Tree(BATCH, seed=11, sharpness=0.7)
    key = ug.random.key(3)
    for settings in ({}, {"top_k": 2}, {"top_p": 0.6, "temperature": 1.5}, {"min_p": 0.5}):
        found = ug.decoding.sample(
            tree.step, tree.state(1), key, batch=BATCH, start=START, end=None, max_length=LENGTH,
            **settings,
        )  # fmt: skip
        rows: list[list[int]] = [[] for _ in range(BATCH)]
        for t in range(LENGTH):
            logits = np.stack([kept(tree.scores(i, rows[i]), **settings) for i in range(BATCH)])
            drawn = ug.random.categorical(
                ug.random.fold_in(key, t), ug.asarray(logits.astype(np.float32))
            )
            for row, token in zip(rows, drawn.tolist(), strict=True):
                row.append(token)
        if found.tokens.tolist() != rows:
            raise Deviation(f"{settings}: {found.tokens.tolist()}, not {rows}")


def kept(
    scores: Any,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Any:
    """Return log-probabilities that may be drawn from, one rule after the other."""
    scores = np.asarray(scores) / temperature
    order = sorted(range(VOCABULARY), key=lambda token: -scores[token])
    if top_k is not None:
        scores[order[top_k:]] = -math.inf
    if top_p is not None:
        shares = np.exp(scores - np.logaddexp.reduce(scores))
        before = 0.0
        for token in order:
            if before >= top_p:
                scores[token] = -math.inf
            before += shares[token]
    if min_p is not None:
        scores[scores < scores.max() + math.log(min_p)] = -math.inf
    return scores


def scores_targets() -> None:
    """A given target has the score that the search finds for it, and a derivative."""
    tree = Tree(BATCH, seed=4)
    rules = Rules(length_penalty=0.0)
    found = run(tree, rules)
    targets, lengths = found.tokens[:, 1], found.lengths[:, 1]
    scored = ug.decoding.score_targets(
        tree.step, tree.state(1), targets, start=START, lengths=lengths
    )
    for i in range(BATCH):
        (_, want), got = hypotheses(found, i)[1], float(scored.scores[i])
        if not abs(got - want) <= _NEAR * (1.0 + abs(want)):
            raise Deviation(f"sequence {i}: {got}, not {want}")


def knows_what_is_no_target() -> None:
    """In a program, what is no target, and what comes behind it, has the score NaN."""
    tree = Tree(1, seed=4)
    scored = ug.jit(
        lambda targets, lengths: ug.decoding.score_targets(
            tree.step, tree.state(1), targets, start=START, lengths=lengths
        )
    )
    for targets, lengths, good in (
        ([1, 0, 1], 3, 3),
        ([1, -1, 0], 3, 1),
        ([-VOCABULARY, 0, 0], 3, 0),
        ([1, VOCABULARY, 0], 3, 1),
        ([1, 0, -1], 2, 3),
        ([1, 0, 0], 4, 0),
        ([1, 0, 0], -1, 3),
    ):
        found = scored(ug.asarray([targets]), ug.asarray([lengths]))
        lost = not 0 <= lengths <= len(targets) or good < lengths
        each, total = found.log_probabilities.numpy()[0], found.scores.numpy()[0]
        if np.isnan(each).argmax() != good % len(targets) or math.isnan(total) != lost:
            raise Deviation(f"targets {targets} of {lengths}: {each.tolist()}, in all {total}")


def draws_at_any_temperature() -> None:
    """Next to 0 the likeliest token is drawn, next to infinity all alike; a banned one never is."""
    tree = Tree(BATCH, seed=11)
    key, banned = ug.random.key(3), 1
    settings: dict[str, Any] = {
        "batch": BATCH, "start": START, "end": None, "max_length": LENGTH, "banned": banned,
    }  # fmt: skip
    likeliest = ug.decoding.greedy_search(tree.step, tree.state(1), **settings).tokens.numpy()
    alike = np.where(np.arange(VOCABULARY) == banned, -math.inf, 0.0).astype(np.float32)
    any_of_them = np.stack(
        [
            ug.random.categorical(
                ug.random.fold_in(key, t), ug.asarray(np.tile(alike, (BATCH, 1)))
            ).numpy()
            for t in range(LENGTH)
        ],
        axis=1,
    )
    for chosen, wanted in (
        *[({"temperature": one}, likeliest) for one in (1e-300, 1e-39, 1e-38, 2e-38)],
        *[({"temperature": one}, any_of_them) for one in (1e38, 3e38, 1e300)],
        *[({"top_p": one}, likeliest) for one in (1e-300, 1e-39)],
    ):
        given: dict[str, Any] = {**settings, **chosen}
        found = ug.decoding.sample(tree.step, tree.state(1), key, **given).tokens.numpy()
        stream = ug.decoding.stream(tree.step, tree.state(1), key, **given)
        streamed = np.stack([one.numpy() for one in stream], axis=1)
        runs = {"eagerly": found, "streamed": streamed}
        if chosen in ({"temperature": 1e-39}, {"temperature": 1e300}):
            draw = partial(ug.decoding.sample, tree.step, tree.state(1), **given)
            runs["compiled"] = ug.jit(lambda key, draw=draw: draw(key).tokens)(key).numpy()
        for how, tokens in runs.items():
            if not np.array_equal(tokens, wanted):
                raise Deviation(f"{chosen}, {how}: {tokens.tolist()}, not {wanted.tolist()}")


def mixes_models() -> None:
    """An ensemble's probabilities are the weighed mean."""
    trees = [Tree(BATCH, seed) for seed in (1, 2)]
    step = ug.decoding.ensemble([one.step for one in trees], [0.25, 0.75])
    last = ug.asarray(np.full(BATCH, START))
    logits, _ = step(last, tuple(one.state(1) for one in trees))
    each = [np.exp([one.scores(i, ()) for i in range(BATCH)]) for one in trees]
    wanted = np.log(0.25 * each[0] + 0.75 * each[1])
    if not np.allclose(logits.numpy(), wanted, rtol=1e-5, atol=1e-6):
        raise Deviation(f"{logits.tolist()}, not {wanted.tolist()}")


def keeps_alignments() -> None:
    """A hypothesis has the attention of its own steps, and zeros behind."""
    tree = Tree(BATCH, seed=6)
    for rules in (Rules(), Rules(rule="hf", length_penalty=1.0)):
        found = run(tree, rules, alignments=PLACES)
        assert found.alignments is not None
        for i in range(BATCH):
            for rank, (tokens, _) in enumerate(hypotheses(found, i)):
                wanted = np.zeros((LENGTH, PLACES), np.float32)
                for t in range(len(tokens)):
                    wanted[t] = tree.attention[i, tree.node(tokens[:t])]
                if not np.array_equal(found.alignments[i, rank].numpy(), wanted):
                    raise Deviation(f"{rules.rule}: {tokens} has other alignments")


def lets_processors_in() -> None:
    """A processor sees what was written, the start first, and its scores count."""
    tree = Tree(BATCH, seed=8)
    seen: list[Any] = []

    def never_the_last(scores: ug.Tensor, tokens: ug.Tensor, count: ug.Tensor) -> ug.Tensor:
        seen.append((tokens.numpy()[:, : int(count)].tolist(), int(count)))
        last = ug.take(tokens, count - 1, axis=1)
        return ug.where(ug.one_hot(last, VOCABULARY) > 0, -math.inf, scores)

    rules = Rules(length_penalty=1.0)
    found = run(tree, rules, processors=never_the_last)
    # That no token comes twice in a row is that no pair of equal ones comes at all.
    for i in range(BATCH):
        for tokens, _ in hypotheses(found, i):
            if any(a == b for a, b in pairwise(tokens)):
                raise Deviation(f"{tokens} has a token twice in a row")
    if seen[0] != ([[START]] * BATCH * rules.beam, 1):
        raise Deviation(f"the first call saw {seen[0]}")


#: What is said of decoding besides the searches, by name.
_PROMISES: Mapping[str, Callable[[], None]] = {
    "ties": breaks_ties_by_the_lowest_index,
    "lengths by the sources": limits_lengths_by_the_sources,
    "greedy search and streams": walks_greedily,
    "samples": draws_by_its_key,
    "samples at extreme temperatures": draws_at_any_temperature,
    "scores of given targets": scores_targets,
    "scores of what is no target": knows_what_is_no_target,
    "ensembles": mixes_models,
    "alignments": keeps_alignments,
    "processors": lets_processors_in,
}


def searches(thorough: bool = False) -> Iterator[tuple[str, Callable[[], None]]]:
    """Return a check per rule and setting of beam search. A thorough run compiles all."""
    for name, rules in SEARCHES.items():
        yield f"beam search, {name}", partial(check_search, rules, thorough or name in _COMPILED)


def promises(thorough: bool = False) -> Iterator[tuple[str, Callable[[], None]]]:
    """Return the other checks of decoding."""
    yield "the best of all sequences", partial(finds_the_best_of_all, thorough)
    yield from _PROMISES.items()
