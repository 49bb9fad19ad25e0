"""Greedy decoding: at each step the likeliest token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.core.arguments import TensorLike
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Processor
from unigrad.decoding.steps import Decoded, Problems, Step, check
from unigrad.decoding.walking import walk_of
from unigrad.ops.reductions import argmax

__all__ = ["greedy_search"]

NAME = "greedy_search"


def likeliest(scores: Tensor, place: Tensor) -> Tensor:
    """Return the likeliest token of each row, the lowest of equals."""
    return argmax(scores, axis=-1)


def greedy_search(
    step: Step,
    state: Any,
    *,
    batch: int,
    start: Any,
    end: int | Sequence[int] | None,
    max_length: int,
    min_length: int = 0,
    alignments: int | None = None,
    prefix: TensorLike | None = None,
    banned: int | Sequence[int] = (),
    forced: Mapping[int, int] | None = None,
    no_repeat_ngram: int = 0,
    processors: Processor | Sequence[Processor] = (),
    padding: int = 0,
) -> Decoded:
    """Take the likeliest token at each step (the lowest of equals) until all sequences ended.

    Args:
        step: see `Step`.
        state: the model's state after nothing: a pytree of Tensors whose first axis is ``batch``.
        batch, start, end, max_length, min_length, alignments, prefix, banned, forced,
            no_repeat_ngram, processors, padding: see `beam_search`.

    Returns:
        `Decoded`: tokens (batch, max_length), scores and lengths (batch,).

    Raises:
        SettingError, ShapeError, DTypeError, DecodingError: as `beam_search`.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> found = greedy_search(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, batch=1, start=0, end=2, max_length=3)
        >>> found.tokens.tolist(), found.lengths.tolist()
        ([[1, 2, 0]], [2])
    """
    found, problems = greedy_searched(
        step, state, start=start,
        batch=batch, max_length=max_length, padding=padding, alignments=alignments, end=end,
        min_length=min_length, banned=banned, forced=forced, prefix=prefix,
        no_repeat_ngram=no_repeat_ngram, processors=processors,
    )  # fmt: skip
    check(NAME, problems)
    return found


def greedy_searched(
    step: Step, state: Any, *, start: Any, **settings: Any
) -> tuple[Decoded, Problems]:
    """Search as `greedy_search` does, and return what was met instead of raising it."""
    return walk_of(NAME, step, state, likeliest, **settings).run(start, state)
