"""Batched beam search over any step function.

It knows no model: a step function and a pytree of state are all it asks for. All sequences of a
batch and all hypotheses of a beam go through one call of the step. The shapes never change from
step to step, so a compiled step, or a backend that compiles each op per shape, compiles once.

How it decides, where implementations differ:

- Of all continuations of the running hypotheses the ``beam`` best are kept. Those that end leave
  the beam for the pool of finished ones, their places stay empty for one step; so a beam of one is
  greedy search, whatever the length penalty.
- The pool keeps the ``beam`` best finished hypotheses by penalised score. At ``max_length`` the
  running ones join in as they are.
- The search stops early when no running hypothesis can overtake the ``n_best`` finished ones: a
  score only falls, so the most that it can reach is known. This saves work and changes nothing.
- Of equal scores the one with the lower index wins: the earlier finished, then the better parent,
  then the lower token.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.core.arguments import as_tensor
from unigrad.core.dtypes import default_dtype
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.creation import full_like
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.joining import concat
from unigrad.ops.reductions import all as all_of
from unigrad.ops.reductions import max as max_of
from unigrad.ops.shaping import broadcast_to, expand_dims, reshape
from unigrad.ops.sorting import top_k
from unigrad.seq2seq.greedy import Decoded, Step
from unigrad.seq2seq.states import take_rows, tensor_in

__all__ = ["beam_search", "length_penalty_of"]

_NOTHING = -math.inf


def length_penalty_of(length: int, alpha: float) -> float:
    """Return ((5 + length) / 6)**α, what a score is divided by (Wu et al. 2016, equation 14).

    Example:
        >>> length_penalty_of(1, 0.6), length_penalty_of(7, 1.0)
        (1.0, 2.0)
    """
    return float(((5 + length) / 6) ** alpha)


def beam_search(
    step: Step,
    state: Any,
    *,
    batch: int,
    beam: int,
    vocabulary: int,
    start: int,
    end: int,
    max_length: int,
    length_penalty: float = 0.0,
    n_best: int = 1,
    padding: int = 0,
) -> Decoded:
    """Find the likeliest sequences of tokens, several hypotheses at a time.

    Args:
        step: takes the last tokens (batch · beam,) and the state; returns log-probabilities
            (batch · beam, vocabulary), none above 0 (-∞ forbids a token), and the new state.
        state: a pytree of Tensors whose first axis is batch · beam, the hypotheses of a sequence
            side by side (`repeat_rows` makes it from one row per sequence).
        batch: the number of sequences.
        beam: the number of hypotheses per sequence.
        vocabulary: the number of tokens.
        start: the token that comes first, and is not in the result.
        end: the token that ends a sequence.
        max_length: the most tokens of a sequence, the end included; one that has not ended by
            then counts as it is.
        length_penalty: α; a sequence's score is Σ log p / ((5 + length) / 6)**α.
        n_best: how many to return per sequence, best first.
        padding: what stands after the end.

    Returns:
        `Decoded`: tokens (batch, n_best, max_length), scores and lengths (batch, n_best). Where
        fewer than ``n_best`` sequences are possible, the missing ones have the score -∞ and the
        length 0.

    Raises:
        ShapeError: when a number is too small, ``n_best`` exceeds ``beam``, or ``step`` returns
            another shape.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> found = beam_search(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, batch=1, beam=3, vocabulary=3, start=0, end=2, max_length=4, n_best=2)
        >>> found.tokens.tolist(), found.lengths.tolist()
        ([[[1, 2, 0, 0], [2, 0, 0, 0]]], [[2, 1]])
    """
    if batch < 0 or min(beam, vocabulary, max_length, n_best) < 1 or n_best > beam:
        raise ShapeError(
            f"beam_search: batch={batch}, beam={beam}, vocabulary={vocabulary}, "
            f"max_length={max_length}, n_best={n_best}: batch at least 0, the others at least 1, "
            "n_best at most beam"
        )
    like = tensor_in(state)
    first_rows = as_tensor(np.arange(batch)[:, None] * beam, like)
    positions = as_tensor(np.arange(max_length), like)
    last = as_tensor(np.full(batch * beam, start), like)
    tokens = as_tensor(np.full((batch, beam, max_length), padding), like)
    nothing = full_like(tokens[:, :, 0], _NOTHING, dtype=default_dtype())
    no_length = full_like(tokens[:, :, 0], 0)
    finished = Decoded(tokens, nothing, no_length)
    # There is one hypothesis before the first token.
    scores = where(as_tensor(np.arange(beam) == 0, like), 0.0, nothing)
    for length in range(1, max_length + 1):
        log_probabilities, state = step(last, state)
        if log_probabilities.shape != (batch * beam, vocabulary):
            raise ShapeError(
                f"beam_search: step returned log-probabilities of shape {log_probabilities.shape}, "
                f"expected {(batch * beam, vocabulary)}"
            )
        total = expand_dims(scores, axis=-1) + reshape(log_probabilities, (batch, beam, vocabulary))
        scores, places = top_k(reshape(total, (batch, beam * vocabulary)), beam)
        chosen = places % vocabulary
        rows = reshape(places // vocabulary + first_rows, (-1,))
        state = take_rows(state, rows)
        kept = reshape(take_rows(reshape(tokens, (-1, max_length)), rows), tokens.shape)
        tokens = where(positions == length - 1, expand_dims(chosen, axis=-1), kept)
        last = reshape(chosen, (-1,))
        ended = chosen == end
        penalised = scores / length_penalty_of(length, length_penalty)
        finished = _best_of_both(
            finished,
            Decoded(tokens, where(ended, penalised, _NOTHING), no_length + length),
        )
        scores = where(ended, _NOTHING, scores)
        if length < max_length and _decided(
            finished, scores, n_best, length, max_length, length_penalty
        ):
            break
    else:
        running = scores / length_penalty_of(max_length, length_penalty)
        finished = _best_of_both(finished, Decoded(tokens, running, no_length + max_length))
    return _presented(finished, n_best, positions, padding)


def _best_of_both(first: Decoded, second: Decoded) -> Decoded:
    """Return the best of two pools of one width; of equals those of the first."""
    width = first.scores.shape[1]
    scores, places = top_k(concat([first.scores, second.scores], axis=1), width)
    lengths = take_along_axis(concat([first.lengths, second.lengths], axis=1), places, axis=1)
    both = concat([first.tokens, second.tokens], axis=1)
    index = broadcast_to(expand_dims(places, axis=-1), first.tokens.shape)
    return Decoded(take_along_axis(both, index, axis=1), scores, lengths)


def _decided(
    finished: Decoded,
    scores: Tensor,
    n_best: int,
    length: int,
    max_length: int,
    alpha: float,
) -> bool:
    """Tell whether no running hypothesis can overtake the finished ones that are returned.

    The penalty is monotone in the length, so a running score is worth most either with one more
    token or at the full length. Inside a traced function there are no values to look at.
    """
    if scores.backend.is_traced(scores.native):
        return False
    most = max(length_penalty_of(length + 1, alpha), length_penalty_of(max_length, alpha))
    reachable = max_of(scores, axis=1) / most
    return bool(all_of(finished.scores[:, n_best - 1] >= reachable))


def _presented(finished: Decoded, n_best: int, positions: Tensor, padding: int) -> Decoded:
    """Return the best few, with nothing where there is none."""
    scores = finished.scores[:, :n_best]
    lengths = where(scores > _NOTHING, finished.lengths[:, :n_best], 0)
    inside = positions < expand_dims(lengths, axis=-1)
    return Decoded(where(inside, finished.tokens[:, :n_best], padding), scores, lengths)
