"""How likely given targets are: forced decoding."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unigrad.control import scan
from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, visible
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.states import tensor_in
from unigrad.decoding.steps import Step, first_tokens, read
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.reductions import sum
from unigrad.ops.shaping import expand_dims, permute_dims, squeeze

__all__ = ["Scored", "score_targets"]


class Scored(NamedTuple):
    """How likely targets are."""

    #: The sums of the tokens' log-probabilities (batch,).
    scores: Tensor
    #: The log-probability of each token (batch, time), 0 behind the length.
    log_probabilities: Tensor
    #: The number of tokens that count (batch,).
    lengths: Tensor


def score_targets(
    step: Step,
    state: Any,
    targets: TensorLike,
    *,
    start: Any,
    lengths: TensorLike,
) -> Scored:
    """Return the log-probabilities of given sequences, one step after the other.

    It is what `beam_search` would sum up on their way, and it can be differentiated.

    Args:
        step: see `Step`.
        state: the model's state after nothing: a pytree of Tensors whose first axis is the batch.
        targets: tokens (batch, time) without the start; anything behind the lengths.
        start: the token that comes first, one for all or one per sequence.
        lengths: how many tokens of each sequence count (batch,).

    Raises:
        ShapeError, DTypeError: when targets or lengths are none, a length is negative or more than
            the targets have, or the step returns something else than what it should.
        OutOfBoundsError: when a target that counts is none of the vocabulary, also a negative one.

        In a traced function no values are seen: the log-probabilities of such a target and of all
        behind it are NaN, and so are those of a sequence of such a length.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> scored = score_targets(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, [[1, 2, 0]], start=0, lengths=[2])
        >>> round(float(ug.exp(scored.scores[0])), 6)
        0.42
    """
    name = "score_targets"
    like = tensor_in(state)
    tokens, sizes = as_tensor(targets, like), as_tensor(lengths, like)
    for what, one, ndim in (("targets", tokens, 2), ("lengths", sizes, 1)):
        if one.dtype not in dtypes.INTEGER:
            raise DTypeError(f"{name}: {what} are integers, not {one.dtype.name}")
        if one.ndim != ndim or one.shape[0] != tokens.shape[0]:
            raise ShapeError(
                f"{name}: targets are (batch, time) and lengths (batch,), not {tokens.shape} and "
                f"{sizes.shape}"
            )
    batch, time = tokens.shape
    count(name, "the number of targets' tokens", time, 1)
    sizes = cast(sizes, dtypes.int64)
    _check_lengths(name, sizes, time)
    inside = as_tensor(np.arange(time), tokens) < expand_dims(sizes, axis=-1)
    tokens = where(inside, cast(tokens, dtypes.int64), 0)
    first = first_tokens(name, start, batch, 1, tokens)
    # Whether a sequence has had a target that is none, or its length is none.
    lost = (sizes < 0) | (sizes > time)

    def forced(carry: Any, row: Tensor) -> tuple[Any, Tensor]:
        last, lost, kept = carry
        scores, kept, _ = read(name, step(last, kept), batch, None, None)
        _check_targets(name, row, scores.shape[1])
        lost = lost | (row < 0) | (row >= scores.shape[1])
        # The step is fed tokens that it knows; what it makes of them does not count.
        row = where(lost, 0, row)
        gained = take_along_axis(scores, expand_dims(row, axis=-1), axis=-1)
        return (row, lost, kept), where(lost, math.nan, squeeze(gained, axis=-1))

    _, columns = scan(forced, (first, lost, state), permute_dims(tokens, (1, 0)))
    each = where(inside, permute_dims(columns, (1, 0)), 0.0)
    scores = where(lost, math.nan, sum(each, axis=1))
    return Scored(scores, each, sum(cast(inside, dtypes.int64), axis=1))


def _check_lengths(name: str, sizes: Tensor, time: int) -> None:
    """Check that lengths lie within the targets, if they can be seen."""
    values = visible(sizes)
    if values is not None and ((values < 0) | (values > time)).any():
        raise ShapeError(
            f"{name}: lengths lie between 0 and the {time} tokens of the targets, not "
            f"{values.tolist()}"
        )


def _check_targets(name: str, row: Tensor, vocabulary: int) -> None:
    """Check that targets are tokens, if they can be seen."""
    values = visible(row)
    if values is None:
        return
    wrong = values[(values < 0) | (values >= vocabulary)]
    if wrong.size:
        raise OutOfBoundsError(
            f"{name}: target {int(wrong.flat[0])} is none of the {vocabulary} tokens that the step "
            "knows"
        )
