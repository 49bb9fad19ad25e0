"""Greedy decoding: at each step the likeliest token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.joining import stack
from unigrad.ops.reductions import any as any_of
from unigrad.ops.reductions import argmax, sum
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.seq2seq.states import tensor_in

__all__ = ["Decoded", "Step", "greedy_search"]

#: Takes the last tokens (rows,) and a state of as many rows; returns the log-probabilities of the
#: next token (rows, vocabulary) and the new state.
Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


class Decoded(NamedTuple):
    """What decoding found."""

    #: The tokens without the start, with the end, then padding: (batch, length) from greedy
    #: search, (batch, n_best, length) from beam search; so with the others, less the last axis.
    tokens: Tensor
    #: The sum of the tokens' log-probabilities; in beam search divided by the length penalty.
    scores: Tensor
    #: The number of tokens, the end included.
    lengths: Tensor


def greedy_search(
    step: Step,
    state: Any,
    *,
    batch: int,
    start: int,
    end: int,
    max_length: int,
    padding: int = 0,
) -> Decoded:
    """Take the likeliest token at each step (the lowest of equals) until all sequences ended.

    Args:
        step: see `Step`.
        state: the decoder's state after nothing: a pytree of Tensors whose first axis is ``batch``.
        batch: the number of sequences.
        start: the token that comes first, and is not in the result.
        end: the token that ends a sequence.
        max_length: the most tokens of a sequence, the end included.
        padding: what stands after the end.

    Returns:
        `Decoded`, whose length is ``max_length`` or that of the longest sequence, if all ended.

    Raises:
        ShapeError: when ``max_length`` is below one or ``step`` returns another shape.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> found = greedy_search(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, batch=1, start=0, end=2, max_length=5)
        >>> found.tokens.tolist(), found.lengths.tolist()
        ([[1, 2]], [2])
    """
    if max_length < 1:
        raise ShapeError(f"greedy_search: max_length={max_length}, expected at least 1")
    like = tensor_in(state)
    last = as_tensor(np.full(batch, start), like)
    running = as_tensor(np.full(batch, True), like)
    scores: Any = 0.0
    tokens, lengths = [], []
    for _ in range(max_length):
        log_probabilities, state = step(last, state)
        best = argmax(log_probabilities, axis=-1)
        gained = take_along_axis(log_probabilities, expand_dims(best, axis=-1), axis=-1)
        scores = where(running, squeeze(gained, axis=-1), 0.0) + scores
        tokens.append(where(running, best, padding))
        lengths.append(running)
        running = running & (best != end)
        # Not the padding, which the model need not know: what follows an end is not looked at.
        last = best
        if not running.backend.is_traced(running.native) and not bool(any_of(running)):
            break
    return Decoded(stack(tokens, axis=1), scores, sum(stack(lengths), axis=0))
