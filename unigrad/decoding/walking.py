"""Decoding one hypothesis per sequence: a token at a time, each chosen once and for all.

`greedy_search`, `sample` and `stream` differ in how a token is chosen, and in who runs the loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from unigrad.control import while_loop
from unigrad.control.bodies import is_traced
from unigrad.core.arguments import as_tensor
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Constraints, constraints_of
from unigrad.decoding.states import tensor_in
from unigrad.decoding.steps import (
    Decoded,
    Problems,
    Step,
    first_tokens,
    is_one_of,
    noted,
    padding_of,
    read,
)
from unigrad.ops.comparison import isnan, where
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.joining import concat
from unigrad.ops.reductions import any as any_of
from unigrad.ops.reductions import max as max_of
from unigrad.ops.shaping import expand_dims, squeeze

#: Takes log-probabilities (batch, vocabulary) and the number of the step, returns tokens (batch,).
Choice = Callable[[Tensor, Tensor], Tensor]


class Carry(NamedTuple):
    """The walk between two steps."""

    place: Tensor
    last: Tensor
    state: Any
    #: Which sequences have not ended.
    running: Tensor
    scores: Tensor
    lengths: Tensor
    #: The start, then what was chosen, then padding: (batch, 1 + max_length).
    tokens: Tensor
    alignments: Tensor | None
    problems: Problems


@dataclass(frozen=True)
class Walk:
    """The settings of a walk, checked, and its constants."""

    name: str
    step: Step
    choose: Choice
    batch: int
    max_length: int
    padding: int
    places: int | None
    constraints: Constraints
    like: Tensor | None

    def first(self, start: Any, state: Any) -> Carry:
        """Return the walk before the first step."""
        batch = self.batch
        last = first_tokens(self.name, start, batch, 1, self.like)
        padding = as_tensor(np.full((batch, self.max_length), self.padding), last)
        shape = (batch, self.max_length, self.places or 0)
        never = as_tensor(np.full(batch, -1), last)
        return Carry(
            place=as_tensor(np.asarray(0), last),
            last=last,
            state=state,
            running=as_tensor(np.full(batch, True), last),
            scores=as_tensor(np.zeros(batch, np.float32), last),
            lengths=as_tensor(np.zeros(batch, np.int64), last),
            tokens=concat([expand_dims(last, axis=-1), padding], axis=1),
            alignments=(
                None if self.places is None else as_tensor(np.zeros(shape, np.float32), last)
            ),
            problems=Problems(never, never),
        )

    def goes_on(self, carry: Carry) -> Tensor:
        """Tell whether any sequence has not ended."""
        return any_of(carry.running) & (carry.place < self.max_length)

    def advance(self, carry: Carry) -> Carry:
        """Run one step."""
        raw, state, attention = read(
            self.name,
            self.step(carry.last, carry.state),
            self.batch,
            self.places,
            None,
            reversible=not is_traced(carry),
        )
        running = carry.running
        scores = self.constraints(raw, carry.tokens, carry.place)
        broken = any_of(isnan(scores), axis=1) & running
        stuck = (max_of(scores, axis=1) == -math.inf) & running
        chosen = self.choose(scores, carry.place)
        gained = squeeze(take_along_axis(scores, expand_dims(chosen, axis=-1), axis=-1), axis=-1)
        at = as_tensor(np.arange(self.max_length + 1), chosen) == carry.place + 1
        here = at & expand_dims(running, axis=-1)
        alignments = carry.alignments
        if attention is not None and alignments is not None:
            alignments = where(
                expand_dims(here[:, 1:], axis=-1), expand_dims(attention, axis=1), alignments
            )
        return Carry(
            place=carry.place + 1,
            # Not the padding, which the model need not know: what follows an end is not looked at.
            last=chosen,
            state=state,
            running=running & ~is_one_of(chosen, self.constraints.end) & ~stuck & ~broken,
            scores=where(broken, -math.inf, where(running, gained, 0.0) + carry.scores),
            lengths=where(running, carry.place + 1, carry.lengths),
            tokens=where(here, expand_dims(chosen, axis=-1), carry.tokens),
            alignments=alignments,
            problems=Problems(
                noted(carry.problems.broken, broken, carry.place),
                noted(carry.problems.stuck, stuck, carry.place),
            ),
        )

    def run(self, start: Any, state: Any) -> tuple[Decoded, Problems]:
        """Walk to the end; return what was found, and what was met."""
        carry = while_loop(self.goes_on, self.advance, self.first(start, state))
        found = carry.scores > -math.inf
        decoded = Decoded(
            where(expand_dims(found, axis=-1), carry.tokens[:, 1:], self.padding),
            carry.scores,
            where(found, carry.lengths, 0),
            carry.alignments,
        )
        return decoded, carry.problems


def walk_of(
    name: str,
    step: Step,
    state: Any,
    choose: Choice,
    *,
    batch: int,
    max_length: int,
    padding: int = 0,
    alignments: int | None = None,
    **constraints: Any,
) -> Walk:
    """Return a walk with these settings.

    Raises:
        SettingError, ShapeError, DTypeError: when a setting is none.
    """
    size, longest = count(name, "batch", batch, 0), count(name, "max_length", max_length, 1)
    like = tensor_in(state)
    return Walk(
        name=name,
        step=step,
        choose=choose,
        batch=size,
        max_length=longest,
        padding=padding_of(name, padding),
        places=None if alignments is None else count(name, "alignments", alignments, 0),
        constraints=constraints_of(
            name, like, rows=size, times=1, max_length=longest, **constraints
        ),
        like=like,
    )
