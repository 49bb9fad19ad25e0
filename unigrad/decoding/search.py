"""Batched beam search over any step function, as one loop.

It knows no model: a step and a pytree of state are all it asks for. All sequences of a batch and
all hypotheses of a beam go through one call of the step; running and finished hypotheses are
tensors whose shapes never change, so the search is one `while_loop`.

How it decides, where implementations differ (`rule`):

- ``"hf"`` is transformers' ``generate``: the best 2K continuations are looked at (more, if several
  tokens end a sequence). Those among the first K that end are finished; the best K of those that do
  not end run on. In groups it is transformers' search in groups, which is another one: see
  `Search._taken` and `Search._group`.
- The others look at the best K. Those that end leave the beam, and their places stay empty for one
  step; so a beam of one is greedy search, whatever the penalty (as Sutskever et al. 2014).
- The K best finished ones are kept by their penalised score. At the longest length all end.
- Of equal scores the one with the lower index wins: the earlier finished, then the better parent,
  then the lower token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from unigrad.core import dtypes, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Constraints
from unigrad.decoding.penalties import coverage, length_penalty_of
from unigrad.decoding.states import pick, rows_of, take_rows
from unigrad.decoding.steps import (
    Decoded,
    Problems,
    Step,
    first_tokens,
    is_one_of,
    noted,
    read,
)
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import isnan, where
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.reductions import all as all_of
from unigrad.ops.reductions import max as max_of
from unigrad.ops.reductions import sum
from unigrad.ops.repeating import repeat
from unigrad.ops.shaping import broadcast_to, expand_dims, reshape
from unigrad.ops.softmax import one_hot
from unigrad.ops.sorting import top_k

NAME = "beam_search"
_NOTHING = -math.inf


class Pool(NamedTuple):
    """Hypotheses side by side: scores and lengths (batch, n), and what they wrote (batch, n, …)."""

    scores: Tensor
    lengths: Tensor
    #: Tokens (batch, n, 1 + max_length), the start first, and alignments, if there are any.
    written: dict[str, Tensor]


class Carry(NamedTuple):
    """The search between two steps; K hypotheses per sequence, in groups."""

    place: Tensor
    last: Tensor
    state: Any
    #: The running hypotheses' sums of log-probabilities, -∞ where there is none.
    running: Tensor
    written: dict[str, Tensor]
    finished: Pool
    #: Which groups of which sequences are decided (batch, groups).
    closed: Tensor
    problems: Problems


@dataclass(frozen=True)
class Search:
    """A search's settings, checked, and its constants."""

    step: Step
    batch: int
    beam: int
    groups: int
    n_best: int
    max_length: int
    rule: str
    alpha: float
    early_stopping: bool | str
    beta: float
    diversity: float
    padding: int
    alignments: int | None
    constraints: Constraints
    #: The most tokens of each sequence (batch, 1); None where it is ``max_length`` for all.
    limits: Tensor | None
    #: Where sources are no padding (batch, 1, places), for the coverage.
    inside: Tensor | None
    like: Tensor | None

    @property
    def width(self) -> int:
        """The number of hypotheses in a group."""
        return self.beam // self.groups

    # -- the loop

    def first(self, start: Any, state: Any) -> Carry:
        """Return the search before the first step: one hypothesis per group."""
        batch, beam, like = self.batch, self.beam, self.like
        last = first_tokens(NAME, start, batch * beam, beam, like)
        like = last
        tokens = as_tensor(np.full((batch, beam, self.max_length), self.padding), like)
        tokens = concat([reshape(last, (batch, beam, 1)), tokens], axis=2)
        written = {"tokens": tokens}
        if self.alignments is not None:
            shape = (batch, beam, self.max_length, self.alignments)
            written["alignments"] = as_tensor(np.zeros(shape, np.float32), like)
        nothing = np.full((batch, beam), _NOTHING, np.float32)
        running = nothing.copy()
        running[:, :: self.width] = 0.0
        never = as_tensor(np.full(batch, -1), like)
        return Carry(
            place=as_tensor(np.asarray(0), like),
            last=last,
            state=state,
            running=as_tensor(running, like),
            written=written,
            finished=Pool(
                as_tensor(nothing, like),
                as_tensor(np.zeros((batch, beam), np.int64), like),
                written,
            ),
            closed=as_tensor(np.zeros((batch, self.groups), bool), like),
            problems=Problems(never, never),
        )

    def goes_on(self, carry: Carry) -> Tensor:
        """Tell whether any sequence is undecided."""
        return ~all_of(carry.closed) & (carry.place < self.max_length)

    def advance(self, carry: Carry) -> Carry:
        """Run one step."""
        batch, beam = self.batch, self.beam
        scores, state, attention = read(
            NAME,
            self.step(carry.last, carry.state),
            batch * beam,
            self.alignments,
            dtypes.float32 if self.rule == "hf" else None,
        )
        tokens = reshape(carry.written["tokens"], (batch * beam, self.max_length + 1))
        allowed = self.constraints(scores, tokens, carry.place)
        total, problems = self._continued(carry, reshape(allowed, (batch, beam, allowed.shape[1])))
        found = self._selected(carry, total, attention)
        return Carry(
            place=carry.place + 1,
            last=reshape(found.tokens, (-1,)),
            state=take_rows(state, rows_of(found.parents, beam)),
            running=found.running,
            written=found.written,
            finished=found.finished,
            closed=found.closed,
            problems=problems,
        )

    def _continued(self, carry: Carry, gained: Tensor) -> tuple[Tensor, Problems]:
        """Return the scores of all continuations (batch, beam, vocabulary), and what was met.

        A hypothesis that is not there has none, whatever the step says of it; nor has any of a
        sequence with NaN, so that the others are searched to their ends.
        """
        exists = expand_dims(carry.running > _NOTHING, axis=-1)
        total = where(exists, expand_dims(carry.running, axis=-1) + gained, _NOTHING)
        # NaN, if there is one.
        best = max_of(total, axis=(1, 2))
        broken = isnan(best)
        total = where(reshape(broken, (self.batch, 1, 1)), _NOTHING, total)
        # Whoever has an answer may end where nothing may follow.
        answered = max_of(carry.finished.scores, axis=1) > _NOTHING
        alive = (max_of(carry.running, axis=1) > _NOTHING) & ~answered
        problems = carry.problems
        return total, Problems(
            noted(problems.broken, broken, carry.place),
            noted(problems.stuck, (best == _NOTHING) & alive, carry.place),
        )

    def _selected(self, carry: Carry, total: Tensor, attention: Tensor | None) -> Selected:
        """Choose in one group after the other; later ones avoid the tokens of earlier ones."""
        parts: list[Selected] = []
        for group in range(self.groups):
            scores = self._own(total, group)
            if parts and self.diversity:
                taken = self._taken(carry, parts, scores)
                scores = scores - self.diversity * expand_dims(taken, axis=1)
            parts.append(self._group(carry, group, scores, attention))
        if self.groups == 1:
            return parts[0]
        joined: Selected = tree.map(lambda *one: concat(one, axis=1), *parts)
        return joined

    def _own(self, x: Tensor, group: int) -> Tensor:
        """Return a group's part of what there is of all hypotheses (batch, beam, …)."""
        own: Tensor = x
        if self.groups > 1:
            own = x[:, group * self.width : (group + 1) * self.width]
        return own

    def _taken(self, carry: Carry, parts: Sequence[Selected], like: Tensor) -> Tensor:
        """Return how often earlier groups chose each token to run on (batch, vocabulary).

        With transformers what is chosen by a group that this step decides counts, and padding of
        groups that were decided before.
        """
        tokens = concat([one.chosen for one in parts], axis=1)
        if self.rule == "hf":
            before = repeat(carry.closed[:, : len(parts)], self.width, axis=1)
            tokens = where(before, self.padding, tokens)
        return sum(one_hot(tokens, like.shape[2], dtype=like.dtype), axis=1)

    def _chosen(self, tokens: Tensor, running: Tensor) -> Tensor:
        """Return the tokens of hypotheses that are there, -1 for the others."""
        return where(running > _NOTHING, tokens, -1) if self.diversity else tokens

    def _group(self, carry: Carry, group: int, total: Tensor, attention: Tensor | None) -> Selected:
        """Choose the continuations of one group from scores (batch, width, vocabulary)."""
        width, vocabulary = total.shape[1:]
        ends = self.constraints.end
        wanted = width * max(2, 1 + len(ends)) if self.rule == "hf" else width
        scores, places = top_k(
            reshape(total, (self.batch, width * vocabulary)), min(wanted, width * vocabulary)
        )
        parents, tokens = places // vocabulary, places % vocabulary
        if group:
            parents = parents + group * width
        length = carry.place + 1
        limit = self.max_length if self.limits is None else self.limits
        over = length >= limit
        ended = is_one_of(tokens, ends)
        closed = carry.closed[:, group : group + 1] if self.groups > 1 else carry.closed
        pool = Pool(*tree.map(lambda one: self._own(one, group), carry.finished))
        if self.rule != "hf":
            # Those that end and those that run on are the same ones.
            ended = ended | over
            written = self._written(carry, parents, tokens, attention)
            pool = self._finished(pool, scores, written, ended, length)
            running = where(ended, _NOTHING, scores)
            closed = closed | self._decided(running, pool.scores, length, limit)
            running = where(closed, _NOTHING, running)
            chosen = self._chosen(tokens, running)
            return Selected(parents, tokens, running, written, pool, closed, chosen)
        first = tuple(one[:, :width] for one in (scores, parents, tokens, ended))
        if self.groups == 1:
            ended = ended | over
            first = (*first[:3], ended[:, :width])
        written = self._written(carry, first[1], first[2], attention)
        pool = self._finished(pool, first[0], written, first[3], length)
        running, kept = top_k(where(ended, _NOTHING, scores), width)
        parents, tokens = pick((parents, tokens), kept)
        chosen = self._chosen(tokens, running)
        written = self._written(carry, parents, tokens, attention)
        # In groups, transformers looks at those that end as well.
        best = running if self.groups == 1 else scores
        closed = closed | self._decided(best, pool.scores, length, limit)
        running = where(closed, _NOTHING, running)
        if self.groups > 1:
            # At the limit, in groups, all that would run on enter.
            pool = self._finished(pool, running, written, broadcast_to(over, tokens.shape), length)
            closed = closed | over
            running = where(closed, _NOTHING, running)
        return Selected(parents, tokens, running, written, pool, closed, chosen)

    # -- finished hypotheses

    def _finished(
        self,
        before: Pool,
        scores: Tensor,
        written: dict[str, Tensor],
        ended: Tensor,
        length: Tensor,
    ) -> Pool:
        """Return the best of a group's finished hypotheses and the new ones among them that end."""
        if self._divides:
            scores = scores / self._divisor(self._penalties(), length, scores)
        if self.beta:
            scores = scores + coverage(written["alignments"], self.beta, self.inside)
        new = where(ended, scores, _NOTHING)
        best, places = top_k(concat([before.scores, new], axis=1), before.scores.shape[1])
        lengths = broadcast_to(reshape(length, (1, 1)), ended.shape)
        both = tree.map(
            lambda *one: concat(one, axis=1),
            (before.lengths, before.written),
            (lengths, written),
        )
        return Pool(best, *pick(both, places))

    def _written(
        self, carry: Carry, parents: Tensor, tokens: Tensor, attention: Tensor | None
    ) -> dict[str, Tensor]:
        """Return what hypotheses have written after they took one token more."""
        found: dict[str, Tensor] = pick(carry.written, parents)
        at = as_tensor(np.arange(self.max_length + 1), tokens) == carry.place + 1
        found["tokens"] = where(at, expand_dims(tokens, axis=-1), found["tokens"])
        if attention is not None:
            each = reshape(attention, (self.batch, self.beam, attention.shape[1]))
            rows = pick(each, parents)
            here = expand_dims(at[1:], axis=-1)
            found["alignments"] = where(here, expand_dims(rows, axis=2), found["alignments"])
        return found

    # -- lengths

    @property
    def _divides(self) -> bool:
        """Whether lengths count."""
        return self.rule == "average" or self.alpha != 0.0

    def _penalties(self) -> list[float]:
        """Return what the scores of lengths from 0 on are divided by."""
        lengths = range(1, self.max_length + 2)
        return [1.0] + [length_penalty_of(i, self.alpha, self.rule) for i in lengths]

    def _divisor(self, table: Sequence[float], length: Any, like: Tensor) -> Tensor:
        """Return a table's entry for a length, a scalar (or per sequence)."""
        return take(as_tensor(np.asarray(table, like.dtype), like), length, axis=0)

    def _decided(self, best: Tensor, finished: Tensor, length: Tensor, limit: Any) -> Tensor:
        """Tell for which sequences none of these scores counts any more (batch, 1)."""
        best = max_of(best, axis=1, keepdims=True)
        # While the list is not full its worst score is -∞, and anything may enter.
        worst = finished[:, -1:]
        if self.early_stopping is True:
            done: Tensor = (best == _NOTHING) | (worst > _NOTHING)
            return done
        if self.rule == "hf":
            if self._divides:
                most = limit if self.early_stopping == "never" and self.alpha > 0.0 else length
                best = best / self._divisor(self._penalties(), most, best)
            return ~(best > worst)
        if self.early_stopping == "never":
            return best == _NOTHING
        if self._divides:
            best = best / self._most(length, limit, best)
        last = min(self.n_best, self.width) - 1
        return finished[:, last : last + 1] >= best

    def _most(self, length: Tensor, limit: Any, like: Tensor) -> Tensor:
        """Return what a running sum, which only falls, is divided by where it is worth most.

        That is with one token more, or with as many as there may be.
        """
        table = self._penalties()
        if self.limits is None:
            return self._divisor([max(one, table[limit]) for one in table], length + 1, like)
        return maximum(self._divisor(table, length + 1, like), self._divisor(table, limit, like))

    # -- the result

    def result(self, carry: Carry) -> Decoded:
        """Return the best finished hypotheses of all groups, with nothing where there is none."""
        finished = carry.finished
        broken = expand_dims(carry.problems.broken >= 0, axis=-1)
        scores, places = top_k(where(broken, _NOTHING, finished.scores), self.n_best)
        lengths = where(scores > _NOTHING, pick(finished.lengths, places), 0)
        written = pick(finished.written, places)
        position = as_tensor(np.arange(self.max_length), lengths)
        inside = position < expand_dims(lengths, axis=-1)
        tokens = where(inside, written["tokens"][:, :, 1:], self.padding)
        alignments = None
        if self.alignments is not None:
            alignments = where(expand_dims(inside, axis=-1), written["alignments"], 0.0)
        return Decoded(tokens, scores, lengths, alignments)


class Selected(NamedTuple):
    """What was chosen at a step: who runs on, with what they wrote, and who is finished."""

    parents: Tensor
    tokens: Tensor
    running: Tensor
    written: dict[str, Tensor]
    finished: Pool
    closed: Tensor
    #: The tokens that later groups are to avoid, -1 for none.
    chosen: Tensor
