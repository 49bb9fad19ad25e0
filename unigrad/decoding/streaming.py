"""Tokens as soon as they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unigrad.core.arguments import TensorLike
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Processor
from unigrad.decoding.greedy import likeliest
from unigrad.decoding.sampling import drawing
from unigrad.decoding.steps import Step, check
from unigrad.decoding.walking import Choice, walk_of
from unigrad.tracing.jit import jit

__all__ = ["stream"]


def stream(
    step: Step,
    state: Any,
    key: TensorLike | None = None,
    *,
    batch: int,
    start: Any,
    end: int | Sequence[int] | None,
    max_length: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    min_length: int = 0,
    prefix: TensorLike | None = None,
    banned: int | Sequence[int] = (),
    forced: Mapping[int, int] | None = None,
    no_repeat_ngram: int = 0,
    processors: Processor | Sequence[Processor] = (),
    padding: int = 0,
    compiled: bool = False,
) -> Iterator[Tensor]:
    """Yield the next token of every sequence, (batch,), step by step, until all have ended.

    They are the columns of what `greedy_search`, or with a key `sample`, returns.

    Args:
        key: a key of `ug.random` to draw with; None takes the likeliest token.
        compiled: compile a step, by `ug.jit`, before the first token.
        step, state, batch, start, end, max_length, temperature, top_k, top_p, min_p, min_length,
            prefix, banned, forced, no_repeat_ngram, processors, padding: see `sample`.

    Raises:
        SettingError, ShapeError, DTypeError, DecodingError: as `beam_search`, at the first token.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> tokens = stream(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, batch=1, start=0, end=2, max_length=3)
        >>> [one.tolist() for one in tokens]
        [[1], [2]]
    """
    choose: Choice = likeliest
    if key is not None:
        choose = drawing("stream", key, temperature, top_k, top_p, min_p)
    walk = walk_of(
        "stream", step, state, choose,
        batch=batch, max_length=max_length, padding=padding, end=end,
        min_length=min_length, banned=banned, forced=forced, prefix=prefix,
        no_repeat_ngram=no_repeat_ngram, processors=processors,
    )  # fmt: skip
    advance = jit(walk.advance) if compiled else walk.advance
    carry = walk.first(start, state)
    while bool(walk.goes_on(carry)):
        place = int(carry.place)
        carry = advance(carry)
        check("stream", carry.problems)
        yield carry.tokens[:, place + 1]
