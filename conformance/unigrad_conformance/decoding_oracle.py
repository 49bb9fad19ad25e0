"""Decoding in plain Python: lists of hypotheses of one sequence, no batches, no arrays, no loop op.

Written from the description of the rules, to be compared with `unigrad.decoding`. The model is a
tree: a row of logits, and of attention, for every sequence of tokens.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.sample import Array

VOCABULARY, LENGTH, PLACES, START, PADDING = 4, 5, 3, 9, 0

#: Tokens and score.
Hypothesis = tuple[tuple[int, ...], float]


class Tree:
    """A model that knows all that was written: one row of logits per node of a tree."""

    def __init__(self, batch: int, seed: int, sharpness: float = 1.5) -> None:
        nodes = sum(VOCABULARY**depth for depth in range(LENGTH + 1))
        generator = np.random.default_rng(seed)
        self.logits = (generator.normal(size=(batch, nodes, VOCABULARY)) * sharpness).astype("f4")
        shares = generator.gamma(0.5, size=(batch, nodes, PLACES)) + 1e-3
        self.attention = (shares / shares.sum(axis=-1, keepdims=True)).astype("f4")
        self.batch = batch

    def node(self, tokens: Sequence[int]) -> int:
        """Return the node that tokens lead to."""
        found = 0
        for token in tokens:
            found = found * VOCABULARY + 1 + token
        return found

    def scores(self, sequence: int, tokens: Sequence[int]) -> Array:
        """Return the log-probabilities of what follows some tokens, in double precision."""
        logits = self.logits[sequence, self.node(tokens)].astype(np.float64)
        found: Array = logits - np.logaddexp.reduce(logits)
        return found

    def state(self, times: int) -> dict[str, ug.Tensor]:
        """Return the state of the first step, so many rows per sequence."""
        return {
            "sequence": ug.asarray(np.repeat(np.arange(self.batch), times)),
            "node": ug.asarray(np.zeros(self.batch * times, np.int64)),
        }

    def step(self, last: ug.Tensor, state: Any) -> tuple[ug.Tensor, Any]:
        """Return logits and the new state."""
        node = ug.where(last == START, 0, state["node"] * VOCABULARY + 1 + last)
        logits = ug.asarray(self.logits)[state["sequence"], node]
        return logits, {**state, "node": node}

    def aligned(self, last: ug.Tensor, state: Any) -> tuple[ug.Tensor, Any, ug.Tensor]:
        """Return logits, the new state, and attention."""
        logits, state = self.step(last, state)
        return logits, state, ug.asarray(self.attention)[state["sequence"], state["node"]]


@dataclass(frozen=True)
class Rules:
    """The settings of a search, by the names of `ug.decoding.beam_search`."""

    beam: int = 3
    n_best: int = 3
    rule: str = "wu"
    length_penalty: float = 0.0
    early_stopping: bool | str = False
    end: tuple[int, ...] = (2,)
    min_length: int = 0
    max_length: int = LENGTH
    coverage_penalty: float = 0.0
    #: One row per sequence.
    prefix: tuple[tuple[int, ...], ...] = ()
    banned: tuple[int, ...] = ()
    forced: Mapping[int, int] = field(default_factory=dict)
    no_repeat_ngram: int = 0
    groups: int = 1
    diversity_penalty: float = 0.0

    @property
    def width(self) -> int:
        """The hypotheses of a group."""
        return self.beam // self.groups

    def penalty(self, length: int) -> float:
        """Return what a sum is divided by."""
        if self.rule == "average":
            return float(length)
        base = float(length) if self.rule == "hf" else (5.0 + length) / 6.0
        return float(base**self.length_penalty)

    def allows(self, sequence: int, tokens: Sequence[int], token: int) -> bool:
        """Tell whether a token may follow others."""
        at = len(tokens)
        wanted = self.prefix[sequence] if self.prefix else ()
        if at < len(wanted) and wanted[at] >= 0:
            if token != wanted[at]:
                return False
        elif self.forced.get(at, token) != token:
            return False
        if token in self.banned or (token in self.end and at + 1 < self.min_length):
            return False
        n = self.no_repeat_ngram
        line = [START, *tokens, token]
        grams = [tuple(line[i : i + n]) for i in range(len(line) - n + 1)] if n else []
        return not grams or grams[-1] not in grams[:-1]


@dataclass
class _Group:
    running: list[tuple[float, tuple[int, ...]]]
    finished: list[Hypothesis] = field(default_factory=list)
    closed: bool = False
    #: The tokens of those that were to run on, whether or not the step decided the group.
    chosen: list[int] = field(default_factory=list)


def searched(tree: Tree, sequence: int, rules: Rules, limit: int) -> list[Hypothesis]:
    """Return the best sequences, best first, as a beam search finds them."""
    groups = [_Group([(0.0, ())]) for _ in range(rules.groups)]
    for length in range(1, limit + 1):
        taken: Counter[int] = Counter()
        for group in groups:
            if not group.closed:
                _advance(tree, sequence, rules, group, length, limit, taken)
                taken.update(group.chosen)
            elif rules.rule == "hf":
                # transformers goes on with padding.
                taken[PADDING] += rules.width
    finished = [one for group in groups for one in group.finished]
    return sorted(finished, key=lambda one: -one[1])[: rules.n_best]


def _advance(
    tree: Tree,
    sequence: int,
    rules: Rules,
    group: _Group,
    length: int,
    limit: int,
    taken: Mapping[int, int],
) -> None:
    """Run one step of a group."""
    candidates = [
        (score + float(scores[token]) - rules.diversity_penalty * taken[token], (*tokens, token))
        for score, tokens in group.running
        for scores in [tree.scores(sequence, tokens)]
        for token in range(VOCABULARY)
        if rules.allows(sequence, tokens, token)
    ]
    # Python sorts stably: of equals the earlier parent, then the lower token.
    ranked = sorted(candidates, key=lambda one: -one[0])
    looked = rules.width
    if rules.rule == "hf":
        looked *= max(2, 1 + len(rules.end))
    ranked = ranked[:looked]
    # In groups transformers lets at the limit enter what would run on.
    all_run = rules.rule == "hf" and rules.groups > 1
    over = length == limit and not all_run
    ends = [tokens[-1] in rules.end or over for _, tokens in ranked]
    new = [
        (tokens, score / rules.penalty(length) + covered(tree, sequence, rules, tokens))
        for rank, (score, tokens) in enumerate(ranked)
        if rank < rules.width and ends[rank]
    ]
    _enter(rules, group, new)
    group.running = [one for one, end in zip(ranked, ends, strict=True) if not end][: rules.width]
    group.chosen = [tokens[-1] for _, tokens in group.running]
    best = (ranked if all_run else group.running)[:1]
    group.closed = not best or _closed(rules, group, best[0][0], length, limit)
    if all_run and length == limit and not group.closed:
        unended = [(tokens, score / rules.penalty(length)) for score, tokens in group.running]
        _enter(rules, group, unended)
        group.closed = True
    if group.closed:
        group.running = []
        if rules.rule != "hf":
            group.chosen = []


def _enter(rules: Rules, group: _Group, new: list[Hypothesis]) -> None:
    """Let finished hypotheses enter a group's list."""
    group.finished = sorted(group.finished + new, key=lambda one: -one[1])[: rules.width]


def _closed(rules: Rules, group: _Group, best: float, length: int, limit: int) -> bool:
    """Tell whether a group is decided, by the best score that there is."""
    full = len(group.finished) == rules.width
    if full and rules.early_stopping is True:
        return True
    if rules.rule == "hf":
        longest = rules.early_stopping == "never" and rules.length_penalty > 0.0
        reached = best / rules.penalty(limit if longest else length)
        return full and not reached > group.finished[-1][1]
    needed = min(rules.n_best, rules.width)
    if rules.early_stopping is not False or len(group.finished) < needed:
        return False
    reachable = max(best / rules.penalty(n) for n in range(length + 1, limit + 1))
    return group.finished[needed - 1][1] >= reachable


def covered(tree: Tree, sequence: int, rules: Rules, tokens: tuple[int, ...]) -> float:
    """Return the coverage penalty of a sequence."""
    if not rules.coverage_penalty:
        return 0.0
    each = [tree.attention[sequence, tree.node(tokens[:i])] for i in range(len(tokens))]
    attended = np.minimum(np.sum(each, axis=0), 1.0)
    return rules.coverage_penalty * float(np.log(attended).sum())


def exhausted(tree: Tree, sequence: int, rules: Rules, limit: int) -> list[Hypothesis]:
    """Return the best of all sequences that may come out, best first: no search at all."""
    found = []
    for length in range(1, limit + 1):
        for tokens in product(range(VOCABULARY), repeat=length):
            ended = tokens[-1] in rules.end or length == limit
            inside = any(token in rules.end for token in tokens[:-1])
            if inside or not ended:
                continue
            if not all(rules.allows(sequence, tokens[:i], tokens[i]) for i in range(length)):
                continue
            total = sum(float(tree.scores(sequence, tokens[:i])[tokens[i]]) for i in range(length))
            score = total / rules.penalty(length) + covered(tree, sequence, rules, tokens)
            found.append((tokens, score))
    return sorted(found, key=lambda one: -one[1])[: rules.n_best]


def greedy(tree: Tree, sequence: int, rules: Rules) -> Hypothesis:
    """Return what the likeliest token at each step makes."""
    tokens: tuple[int, ...] = ()
    total = 0.0
    for _ in range(rules.max_length):
        scores = tree.scores(sequence, tokens)
        allowed = [
            scores[token] if rules.allows(sequence, tokens, token) else -math.inf
            for token in range(VOCABULARY)
        ]
        token = int(np.argmax(allowed))
        tokens, total = (*tokens, token), total + float(scores[token])
        if token in rules.end:
            break
    return tokens, total
