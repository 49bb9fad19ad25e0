"""What a beam search carries from step to step: running and finished hypotheses."""

from __future__ import annotations

from typing import Any, NamedTuple

from unigrad.core.tensor import Tensor


class Pool(NamedTuple):
    """Hypotheses side by side: scores (batch, n), and what they wrote (batch, n, …)."""

    scores: Tensor
    #: Tokens (batch, n, 1 + max_length), the start first, and alignments, if there are any.
    written: dict[str, Tensor]


class Carry(NamedTuple):
    """The search between two steps; K hypotheses per sequence, in groups."""

    place: Tensor
    last: Tensor
    state: Any
    #: The running hypotheses' sums of log-probabilities, -∞ where there is none. A group that is
    #: decided has none any more.
    running: Tensor
    written: dict[str, Tensor]
    finished: Pool
    #: The last step at which each sequence was undecided (batch,).
    reached: Tensor
    #: Which sequences met NaN there (batch,).
    broken: Tensor


class Selected(NamedTuple):
    """What was chosen at a step: who runs on, with what they wrote, and who is finished."""

    #: The rows of all hypotheses that these go on from (batch, n).
    rows: Tensor
    tokens: Tensor
    running: Tensor
    written: dict[str, Tensor]
    finished: Pool
    #: Whether NaN was met (batch, 1).
    broken: Tensor
    #: The tokens that later groups are to avoid, -1 for none.
    chosen: Tensor
