"""Batched beam search over any step function, as one loop.

It knows no model: a step and a pytree of state are all it asks for. All sequences of a batch and
all hypotheses of a beam go through one call of the step; running and finished hypotheses are
tensors whose shapes never change, so the search is one `while_loop`.

How it decides, where implementations differ (`rule`):

- ``"hf"`` is transformers' ``generate``: the best 2K continuations are looked at (more, if several
  tokens end a sequence). Those among the first K that end are finished; the best K of those that do
  not end run on.
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

from unigrad.core import dtypes
from unigrad.core.arguments import as_tensor
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Constraints
from unigrad.decoding.penalties import coverage, length_penalty_of
from unigrad.decoding.states import pick, take_rows
from unigrad.decoding.steps import (
    Decoded,
    Problems,
    Step,
    first_step,
    first_tokens,
    is_one_of,
    read,
)
from unigrad.ops.comparison import isnan, where
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.reductions import all as all_of
from unigrad.ops.reductions import any as any_of
from unigrad.ops.reductions import max as max_of
from unigrad.ops.reductions import sum
from unigrad.ops.shaping import expand_dims, reshape
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
        rows = as_tensor(np.arange(batch)[:, None] * beam, carry.last) + found.parents
        return Carry(
            place=carry.place + 1,
            last=reshape(found.tokens, (-1,)),
            state=take_rows(state, reshape(rows, (-1,))),
            running=found.running,
            written=self._written(carry, found.parents, found.tokens, attention),
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
        nan = any_of(isnan(gained) & exists, axis=(1, 2), keepdims=True)
        total = expand_dims(carry.running, axis=-1) + gained
        total = where(exists & ~nan, total, _NOTHING)
        broken = reshape(nan, (self.batch,))
        # Whoever has an answer may end where nothing may follow.
        answered = any_of(carry.finished.scores > _NOTHING, axis=1)
        alive = any_of(exists, axis=(1, 2)) & ~broken & ~answered
        stuck = alive & ~any_of(total > _NOTHING, axis=(1, 2))
        return total, Problems(
            first_step(carry.problems.broken, broken, carry.place),
            first_step(carry.problems.stuck, stuck, carry.place),
        )

    def _selected(self, carry: Carry, total: Tensor, attention: Tensor | None) -> Selected:
        """Choose in one group after the other; later ones avoid the tokens of earlier ones."""
        parts: list[Selected] = []
        for group in range(self.groups):
            own = slice(group * self.width, (group + 1) * self.width)
            scores = total[:, own] if self.groups > 1 else total
            if parts and self.diversity:
                taken = _counts(parts, total.shape[2], scores)
                scores = scores - self.diversity * expand_dims(taken, axis=1)
            parts.append(self._group(carry, group, scores, attention))
        if self.groups == 1:
            return parts[0]
        joined = Pool(
            concat([one.finished.scores for one in parts], axis=1),
            concat([one.finished.lengths for one in parts], axis=1),
            {
                name: concat([one.finished.written[name] for one in parts], axis=1)
                for name in carry.written
            },
        )
        return Selected(
            concat([one.parents for one in parts], axis=1),
            concat([one.tokens for one in parts], axis=1),
            concat([one.running for one in parts], axis=1),
            joined,
            concat([one.closed for one in parts], axis=1),
        )

    def _group(self, carry: Carry, group: int, total: Tensor, attention: Tensor | None) -> Selected:
        """Choose the continuations of one group from scores (batch, width, vocabulary)."""
        width, vocabulary = total.shape[1:]
        ends = self.constraints.end
        wanted = width * max(2, 1 + len(ends)) if self.rule == "hf" else width
        scores, places = top_k(
            reshape(total, (self.batch, width * vocabulary)), min(wanted, width * vocabulary)
        )
        parents, tokens = places // vocabulary + group * width, places % vocabulary
        length = carry.place + 1
        limit = self.max_length if self.limits is None else self.limits
        ended = is_one_of(tokens, ends) | (length >= limit)
        closed = carry.closed[:, group : group + 1]
        finished = self._finished(
            carry, group, scores[:, :width], parents[:, :width], tokens[:, :width],
            ended[:, :width] & ~closed, attention,
        )  # fmt: skip
        running = where(ended, _NOTHING, scores)
        if self.rule == "hf":
            running, kept = top_k(running, width)
            parents, tokens = pick(parents, kept), pick(tokens, kept)
        closed = closed | self._decided(running, finished.scores, length, limit)
        return Selected(parents, tokens, where(closed, _NOTHING, running), finished, closed)

    # -- finished hypotheses

    def _finished(
        self,
        carry: Carry,
        group: int,
        scores: Tensor,
        parents: Tensor,
        tokens: Tensor,
        ended: Tensor,
        attention: Tensor | None,
    ) -> Pool:
        """Return a group's finished hypotheses with those among the new ones that end."""
        own = slice(group * self.width, (group + 1) * self.width)
        before = Pool(
            carry.finished.scores[:, own],
            carry.finished.lengths[:, own],
            {name: one[:, own] for name, one in carry.finished.written.items()},
        )
        written = self._written(carry, parents, tokens, attention)
        length = carry.place + 1
        penalised = scores / self._penalty(length, scores)
        if self.beta:
            penalised = penalised + coverage(written["alignments"], self.beta, self.inside)
        new = where(ended, penalised, _NOTHING)
        best, places = top_k(concat([before.scores, new], axis=1), self.width)
        lengths = concat([before.lengths, before.lengths * 0 + length], axis=1)
        both = {name: concat([before.written[name], one], axis=1) for name, one in written.items()}
        return Pool(best, pick(lengths, places), pick(both, places))

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

    def _penalty(self, length: Any, like: Tensor) -> Tensor:
        """Return what scores of a length are divided by, as a scalar (or per sequence)."""
        table = [1.0] + [
            length_penalty_of(i, self.alpha, self.rule) for i in range(1, self.max_length + 2)
        ]
        return take(as_tensor(np.asarray(table, like.dtype), like), length, axis=0)

    def _decided(self, running: Tensor, finished: Tensor, length: Tensor, limit: Any) -> Tensor:
        """Tell for which sequences no running hypothesis counts any more (batch, 1)."""
        best = max_of(running, axis=1, keepdims=True)
        over = best == _NOTHING
        worst = finished[:, -1:]
        if self.rule == "hf":
            # While the list is not full its worst score is -∞, and anything may enter.
            most = limit if self.early_stopping == "never" and self.alpha > 0.0 else length
            over = over | ~(best / self._penalty(most, best) > worst)
        elif self.early_stopping is False:
            # A sum only falls, so a score is worth most with one token more or with all of them.
            soon, late = self._penalty(length + 1, best), self._penalty(limit, best)
            last = min(self.n_best, self.width) - 1
            reachable = best / where(soon > late, soon, late)
            over = over | (finished[:, last : last + 1] >= reachable)
        if self.early_stopping is True:
            over = over | (worst > _NOTHING)
        return over

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
    """What was chosen at a step: who runs on, and who is finished."""

    parents: Tensor
    tokens: Tensor
    running: Tensor
    finished: Pool
    closed: Tensor


def _counts(parts: Sequence[Selected], vocabulary: int, like: Tensor) -> Tensor:
    """Return how often each token was chosen by hypotheses that run (batch, vocabulary)."""
    tokens = concat([one.tokens for one in parts], axis=1)
    alive = concat([one.running for one in parts], axis=1) > _NOTHING
    return sum(one_hot(where(alive, tokens, -1), vocabulary, dtype=like.dtype), axis=1)
