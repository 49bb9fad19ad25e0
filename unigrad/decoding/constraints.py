"""What may come next: lengths, forbidden and forced tokens, n-grams that must not come twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, visible
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.steps import is_one_of, tokens_of
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.shaping import broadcast_to, expand_dims
from unigrad.ops.updating import at_add

__all__ = ["Constraints", "Processor", "constraints_of"]

#: Takes log-probabilities (rows, vocabulary), the tokens so far (rows, 1 + max_length), the start
#: first and padding behind, and how many there are, the start included (a scalar); returns new
#: log-probabilities.
Processor = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Constraints:
    """What `constraints_of` makes of a search's settings; all tensors have one row per hypothesis.

    Applied to the log-probabilities of every step, in this order: processors, then what is forced,
    then what is forbidden. Nothing is normalised again.
    """

    name: str
    end: tuple[int, ...]
    min_length: int
    banned: tuple[int, ...]
    ngram: int
    processors: tuple[Processor, ...]
    #: Tokens (rows, max_length) that must come, negative where any may; or None.
    forced: Tensor | None
    #: The largest of the given tokens, to be checked as soon as the vocabulary is known.
    largest: int

    @property
    def look_back(self) -> bool:
        """Whether it matters what has been written."""
        return bool(self.processors or self.ngram)

    def __call__(self, scores: Tensor, tokens: Tensor, place: Tensor) -> Tensor:
        """Return log-probabilities of what may come after ``place`` tokens besides the start."""
        vocabulary = scores.shape[1]
        if self.largest >= vocabulary:
            raise SettingError(
                f"{self.name}: token {self.largest} is none of the {vocabulary} that the step knows"
            )
        for one in self.processors:
            scores = self._processed(one, scores, tokens, place)
        every = as_tensor(np.arange(vocabulary), scores)
        forbidden = []
        if self.forced is not None:
            wanted = take(self.forced, place, axis=1)
            wanted = expand_dims(wanted, axis=-1)
            forbidden.append((wanted >= 0) & (wanted != every))
        if self.banned:
            forbidden.append(is_one_of(every, self.banned))
        if self.min_length > 1 and self.end:
            forbidden.append(is_one_of(every, self.end) & (place + 1 < self.min_length))
        if self.ngram:
            forbidden.append(_come_twice(tokens, place, self.ngram, vocabulary))
        for places in forbidden:
            scores = where(places, -math.inf, scores)
        return scores

    def _processed(self, one: Processor, scores: Tensor, tokens: Tensor, place: Tensor) -> Tensor:
        found = as_tensor(one(scores, tokens, place + 1), scores)
        if found.shape != scores.shape:
            raise ShapeError(
                f"{self.name}: a processor returned scores of shape {found.shape}, expected "
                f"{scores.shape}"
            )
        return cast(found, scores.dtype)


def constraints_of(
    name: str,
    like: Tensor | None,
    *,
    rows: int,
    times: int,
    max_length: int,
    end: Any,
    min_length: Any = 0,
    banned: Any = (),
    forced: Mapping[int, int] | None = None,
    prefix: TensorLike | None = None,
    no_repeat_ngram: Any = 0,
    processors: Processor | Sequence[Processor] = (),
) -> Constraints:
    """Return the constraints of a search of so many rows, ``times`` of them per sequence.

    Raises:
        SettingError, ShapeError, DTypeError: when a setting is none.
    """
    ends = tokens_of(name, "end", end)
    never = tokens_of(name, "banned", banned)
    least = count(name, "min_length", min_length, 0)
    if least > max_length:
        raise SettingError(f"{name}: min_length is {least}, above max_length, {max_length}")
    if forced is not None and not isinstance(forced, Mapping):
        raise SettingError(f"{name}: forced is a dict of tokens by place, not {forced!r}")
    asked = (processors,) if callable(processors) else processors
    if not isinstance(asked, Iterable) or not all(map(callable, asked)):
        raise SettingError(f"{name}: processors are functions, not {processors!r}")
    wanted, largest = _forced(name, like, rows, times, max_length, forced, prefix)
    return Constraints(
        name=name,
        end=ends,
        min_length=least,
        banned=never,
        ngram=count(name, "no_repeat_ngram", no_repeat_ngram, 0),
        processors=tuple(asked),
        forced=wanted,
        largest=max(*ends, *never, largest, -1, -1),
    )


def _forced(
    name: str,
    like: Tensor | None,
    rows: int,
    times: int,
    max_length: int,
    forced: Mapping[int, int] | None,
    prefix: TensorLike | None,
) -> tuple[Tensor | None, int]:
    """Return what must come at each place of each row, and the largest of it that is known."""
    if not forced and prefix is None:
        return None, -1
    line = np.full(max_length, -1)
    for place, token in (forced or {}).items():
        at = count(name, "a place of forced", place, 0)
        if at >= max_length:
            raise SettingError(f"{name}: forced has place {at}, max_length is {max_length}")
        line[at] = count(name, "a token of forced", token, 0)
    found = as_tensor(np.broadcast_to(line, (rows, max_length)).copy(), like)
    largest = int(line.max(initial=-1))
    if prefix is None:
        return found, largest
    given = as_tensor(prefix, like)
    if given.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: the prefix is of tokens, integers, not {given.dtype.name}")
    batch = rows // times
    if given.ndim not in (1, 2) or (given.ndim == 2 and given.shape[0] != batch):
        raise ShapeError(f"{name}: the prefix is (length,) or ({batch}, length), not {given.shape}")
    length = given.shape[-1]
    if length > max_length:
        raise SettingError(f"{name}: the prefix has {length} tokens, max_length is {max_length}")
    spread = take(
        broadcast_to(cast(given, dtypes.int64), (batch, length)),
        np.repeat(np.arange(batch), times),
        axis=0,
    )
    largest = max(largest, largest_of(given))
    behind = as_tensor(np.full((rows, max_length - length), -1), given)
    spread = concat([spread, behind], axis=1)
    return where(spread >= 0, spread, found), largest


def largest_of(prefix: Tensor) -> int:
    """Return the largest token of a prefix, -1 if there is none or it cannot be seen."""
    values = visible(prefix)
    return -1 if values is None else int(values.max(initial=-1))


def _come_twice(tokens: Tensor, place: Tensor, size: int, vocabulary: int) -> Tensor:
    """Return (rows, vocabulary): which tokens would end an n-gram that has come already.

    The start counts as a token, as in transformers' ``no_repeat_ngram_size``.
    """
    rows, width = tokens.shape
    windows = width - size + 1
    if windows <= 0:
        return broadcast_to(as_tensor(False, tokens), (rows, vocabulary))
    first = as_tensor(np.arange(windows), tokens)
    # A window of n tokens has come if all of it lies before what comes next, at place + 1.
    same = broadcast_to(first + size - 1 <= place, (rows, windows))
    for i in range(size - 1):
        at = place + (2 + i - size)
        last = take(tokens, where(at < 0, 0, at), axis=1)
        same = same & (tokens[:, i : i + windows] == expand_dims(last, axis=-1))
    ends = tokens[:, size - 1 :]
    line = as_tensor(np.arange(rows)[:, None], tokens)
    counts = at_add(
        as_tensor(np.zeros((rows, vocabulary), np.int32), tokens),
        (line, where(same, ends, 0)),
        cast(same, dtypes.int32),
    )
    return counts > 0
