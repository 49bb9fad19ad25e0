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
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unigrad.control.bodies import is_traced
from unigrad.core import dtypes, tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Constraints
from unigrad.decoding.hypotheses import Carry, Pool, Selected
from unigrad.decoding.penalties import coverage, length_penalty_of
from unigrad.decoding.states import pick, repeat_rows, rows_of, take_entries, take_rows
from unigrad.decoding.steps import Decoded, Problems, Step, first_tokens, is_one_of, read
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import isnan, where
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.reductions import any as any_of
from unigrad.ops.reductions import max as max_of
from unigrad.ops.reductions import sum
from unigrad.ops.repeating import repeat
from unigrad.ops.shaping import broadcast_to, expand_dims, reshape
from unigrad.ops.softmax import one_hot
from unigrad.ops.sorting import top_k

NAME = "beam_search"
_NOTHING = -math.inf
#: Stands in what hypotheses write where they have written nothing, so that lengths can be counted.
_UNWRITTEN = -1


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
        tokens = as_tensor(np.full((batch, beam, self.max_length), _UNWRITTEN), like)
        tokens = concat([reshape(last, (batch, beam, 1)), tokens], axis=2)
        written = {"tokens": tokens}
        if self.alignments is not None:
            shape = (batch, beam, self.max_length, self.alignments)
            written["alignments"] = as_tensor(np.zeros(shape, np.float32), like)
        nothing = np.full((batch, beam), _NOTHING, np.float32)
        running = nothing.copy()
        running[:, :: self.width] = 0.0
        return Carry(
            place=as_tensor(np.asarray(0), like),
            last=last,
            state=state,
            running=as_tensor(running, like),
            written=written,
            finished=Pool(as_tensor(nothing, like), written),
            reached=as_tensor(np.zeros(batch, np.int64), like),
            broken=as_tensor(np.zeros(batch, bool), like),
        )

    def begun(self, carry: Carry) -> Carry:
        """Run the first step, of a state with one row per sequence."""

        def alone(last: Tensor, state: Any) -> tuple[Any, ...]:
            rows = np.arange(self.batch) * self.beam
            found: tuple[Any, ...] = repeat_rows(
                tuple(self.step(take(last, rows, axis=0), state)), self.beam
            )
            return found

        return replace(self, step=alone).advance(carry)

    def goes_on(self, carry: Carry) -> Tensor:
        """Tell whether any sequence is undecided; at the longest length all have ended."""
        return any_of(carry.running > _NOTHING)

    def advance(self, carry: Carry) -> Carry:
        """Run one step."""
        batch, beam = self.batch, self.beam
        scores, state, attention = read(
            NAME,
            self.step(carry.last, carry.state),
            batch * beam,
            self.alignments,
            dtypes.float32 if self.rule == "hf" else None,
            reversible=not is_traced(carry),
        )
        allowed = self.constraints(scores, self._so_far(carry), carry.place)
        exists = carry.running > _NOTHING
        # A hypothesis that is not there has no continuations, whatever the step says of it.
        total = where(
            expand_dims(exists, axis=-1),
            expand_dims(carry.running, axis=-1) + reshape(allowed, (batch, beam, allowed.shape[1])),
            _NOTHING,
        )
        found = self._selected(carry, total, attention)
        # With NaN a sequence ends here, and has no answer; the others are searched to their ends.
        broken = (
            any_of(found.broken, axis=1) if self.groups > 1 else reshape(found.broken, (batch,))
        )
        return Carry(
            place=carry.place + 1,
            last=reshape(found.tokens, (-1,)),
            state=take_rows(state, reshape(found.rows, (-1,))),
            running=where(expand_dims(broken, axis=-1), _NOTHING, found.running),
            written=found.written,
            finished=found.finished,
            reached=self._reached(carry, exists),
            broken=carry.broken | broken,
        )

    def _reached(self, carry: Carry, exists: Tensor) -> Tensor:
        """Return the last step at which each sequence was undecided, this one by now."""
        if self.batch == 1:
            # Else the search would be over.
            return reshape(carry.place, (1,))
        return where(any_of(exists, axis=1), carry.place, carry.reached)

    def _so_far(self, carry: Carry) -> Tensor:
        """Return what hypotheses have written (rows, 1 + max_length), with padding behind."""
        tokens = reshape(carry.written["tokens"], (self.batch * self.beam, self.max_length + 1))
        if not self.constraints.look_back:
            return tokens
        behind = as_tensor(np.arange(self.max_length + 1), tokens) > carry.place
        return where(behind, self.padding, tokens)

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
            groups = reshape(carry.running, (self.batch, self.groups, self.width))
            closed = max_of(groups, axis=2)[:, : len(parts)] == _NOTHING
            tokens = where(repeat(closed, self.width, axis=1), self.padding, tokens)
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
        # NaN, if there is one, comes first.
        broken = isnan(scores[:, :1])
        parents, tokens = places // vocabulary, places % vocabulary
        if group:
            parents = parents + group * width
        rows = rows_of(parents, self.beam)
        length = carry.place + 1
        limit = self.max_length if self.limits is None else self.limits
        over = length >= limit
        ended = is_one_of(tokens, ends)
        pool = Pool(*tree.map(lambda one: self._own(one, group), carry.finished))
        if self.rule != "hf":
            # Those that end and those that run on are the same ones.
            ended = ended | over
            written = self._written(carry, rows, tokens, attention)
            pool = self._finished(pool, scores, written, ended, length)
            running = where(ended, _NOTHING, scores)
            closed = self._decided(running, pool.scores, length, limit)
            running = where(closed, _NOTHING, running)
            chosen = self._chosen(tokens, running)
            return Selected(rows, tokens, running, written, pool, broken, chosen)
        first = tuple(one[:, :width] for one in (scores, rows, tokens, ended))
        if self.groups == 1:
            ended = ended | over
            first = (*first[:3], ended[:, :width])
        written = self._written(carry, first[1], first[2], attention)
        pool = self._finished(pool, first[0], written, first[3], length)
        running, kept = top_k(where(ended, _NOTHING, scores), width)
        rows, tokens = pick((rows, tokens), kept)
        chosen = self._chosen(tokens, running)
        written = self._written(carry, rows, tokens, attention)
        # In groups, transformers looks at those that end as well.
        best = running if self.groups == 1 else scores
        closed = self._decided(best, pool.scores, length, limit)
        running = where(closed, _NOTHING, running)
        if self.groups > 1:
            # At the limit, in groups, all that would run on enter.
            pool = self._finished(pool, running, written, broadcast_to(over, tokens.shape), length)
            running = where(over, _NOTHING, running)
        return Selected(rows, tokens, running, written, pool, broken, chosen)

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
        both = tree.map(lambda *one: concat(one, axis=1), before.written, written)
        return Pool(best, pick(both, places))

    def _written(
        self, carry: Carry, rows: Tensor, tokens: Tensor, attention: Tensor | None
    ) -> dict[str, Tensor]:
        """Return what hypotheses have written after they took one token more.

        Args:
            rows: which row of all hypotheses each goes on from, (batch, n).
            tokens: what it takes, (batch, n).
        """
        found: dict[str, Tensor] = take_entries(carry.written, rows)
        at = as_tensor(np.arange(self.max_length + 1), tokens) == carry.place + 1
        found["tokens"] = where(at, expand_dims(tokens, axis=-1), found["tokens"])
        if attention is not None:
            each = reshape(attention, (self.batch, self.beam, attention.shape[1]))
            seen = take_entries(each, rows)
            here = expand_dims(at[1:], axis=-1)
            found["alignments"] = where(here, expand_dims(seen, axis=2), found["alignments"])
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

    def result(self, carry: Carry) -> tuple[Decoded, Problems]:
        """Return the best finished hypotheses of all groups, and what was met.

        Where there are fewer of them than asked for the rest has nothing.
        """
        finished, broken = carry.finished, carry.broken
        nothing = expand_dims(broken, axis=-1)
        scores, places = top_k(where(nothing, _NOTHING, finished.scores), self.n_best)
        written = pick(finished.written, places)
        found = written["tokens"][:, :, 1:]
        inside = (found != _UNWRITTEN) & expand_dims(scores > _NOTHING, axis=-1)
        alignments = None
        if self.alignments is not None:
            alignments = where(expand_dims(inside, axis=-1), written["alignments"], 0.0)
        decoded = Decoded(
            where(inside, found, self.padding),
            scores,
            sum(cast(inside, dtypes.int64), axis=2),
            alignments,
        )
        # A sequence is undecided until it has an answer, or nothing that might follow.
        stuck = (max_of(scores, axis=1) == _NOTHING) & ~broken
        return decoded, Problems(where(broken, carry.reached, -1), where(stuck, carry.reached, -1))
