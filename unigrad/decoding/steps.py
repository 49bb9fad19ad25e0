"""What all searches share: the step that they call, what they return, and how they read logits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.dtypes import DType
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.errors import DecodingError
from unigrad.ops.comparison import where
from unigrad.ops.reductions import max as max_of
from unigrad.ops.softmax import log_softmax

__all__ = ["Decoded", "Step"]

#: Takes the last tokens (rows,) and a state of as many rows; returns the logits of the next token
#: (rows, vocabulary) and the new state. Log-probabilities are logits, too; -∞ forbids a token. A
#: search that is asked for alignments wants a third result: attention (rows, places).
Step = Callable[[Tensor, Any], tuple[Any, ...]]


class Decoded(NamedTuple):
    """What decoding found. Greedy search and sampling have no axis ``n_best``."""

    #: The tokens without the start, with the end, then padding: (batch, n_best, max_length).
    tokens: Tensor
    #: The sums of the tokens' log-probabilities, in beam search by its rule: (batch, n_best). -∞
    #: where there is no answer.
    scores: Tensor
    #: The number of tokens, the end included: (batch, n_best). 0 where there is no answer.
    lengths: Tensor
    #: What each token was aligned to, (batch, n_best, max_length, places), zero behind the length;
    #: None unless asked for.
    alignments: Tensor | None = None


class Problems(NamedTuple):
    """What a search met, one entry per sequence: the number of the step, or -1."""

    #: Where the step, or a processor, gave NaN.
    broken: Tensor
    #: Where no token was left that might come next.
    stuck: Tensor


def read(
    name: str,
    found: Any,
    rows: int,
    aligned: int | None,
    dtype: DType | None,
    *,
    reversible: bool = True,
) -> tuple[Tensor, Any, Tensor | None]:
    """Return log-probabilities, state and attention of what a step returned.

    Log-probabilities are float32 at least, or of the given dtype. A row of -∞ stays one.

    Args:
        name: the search's.
        found: what the step returned.
        rows: how many rows there are.
        aligned: how many places attention is about; None if there is none.
        dtype: that of the log-probabilities; by default that of the logits.
        reversible: whether reverse mode may come through here: no traced loop without bound has it.

    Raises:
        ShapeError: when the step returned another number of results, or another shape.
        DTypeError: when the logits are no real floats.
    """
    wanted = 2 if aligned is None else 3
    if not isinstance(found, (tuple, list)) or len(found) != wanted:
        raise ShapeError(
            f"{name}: the step returns {wanted} results (logits, state"
            f"{', attention' if wanted == 3 else ''}), not {_count(found)}"
        )
    logits = as_tensor(found[0])
    if logits.ndim != 2 or logits.shape[0] != rows or not logits.shape[1]:
        raise ShapeError(
            f"{name}: the step returned logits of shape {logits.shape}, expected "
            f"({rows}, vocabulary)"
        )
    if logits.dtype not in dtypes.FLOATING:
        raise DTypeError(f"{name}: the step's logits are floats, not {logits.dtype.name}")
    wide = dtype or (logits.dtype if logits.dtype == dtypes.float64 else dtypes.float32)
    attention = None
    if aligned is not None:
        attention = cast(as_tensor(found[2], logits), wide)
        if attention.shape != (rows, aligned):
            raise ShapeError(
                f"{name}: the step returned attention of shape {attention.shape}, expected "
                f"{(rows, aligned)}"
            )
    return _log_probabilities(cast(logits, wide), reversible), found[1], attention


def _log_probabilities(logits: Tensor, reversible: bool) -> Tensor:
    """Return the log-softmax over the last axis; that of a row of -∞ is -∞, not NaN."""
    if not reversible:
        # The same values; the derivative of such a row would be NaN.
        return where(logits == -math.inf, -math.inf, log_softmax(logits, axis=-1))
    nothing = max_of(logits, axis=-1, keepdims=True) == -math.inf
    return where(nothing, -math.inf, log_softmax(where(nothing, 0.0, logits), axis=-1))


def _count(found: Any) -> str:
    return str(len(found)) if isinstance(found, (tuple, list)) else type(found).__name__


def first_tokens(name: str, start: Any, rows: int, times: int, like: Tensor | None) -> Tensor:
    """Return the token before the first, (rows,): one for all, or one per sequence.

    Raises:
        DTypeError, ShapeError: when it is neither.
    """
    tokens = np.asarray(start) if not isinstance(start, Tensor) else start
    if tokens.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: start is a token, an integer, not {tokens.dtype.name}")
    if tokens.shape == ():
        if isinstance(tokens, Tensor):
            return tokens + as_tensor(np.zeros(rows, np.int64), tokens)
        return as_tensor(np.full(rows, int(tokens)), like)
    if tokens.shape != (rows // times,):
        raise ShapeError(
            f"{name}: start is one token, or one for each of {rows // times} sequences, not of "
            f"shape {tokens.shape}"
        )
    spread = np.repeat(np.arange(rows // times), times)
    found: Tensor = cast(as_tensor(tokens, like), dtypes.int64)[as_tensor(spread, like)]
    return found


def number(name: str, what: str, value: Any) -> float:
    """Return a setting that is a finite number, at least 0.

    Raises:
        SettingError: when it is none.
    """
    good = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not good or not 0.0 <= value < math.inf:
        raise SettingError(f"{name}: {what} is a number of at least 0, not {value!r}")
    return float(value)


def tokens_of(name: str, what: str, value: Any) -> tuple[int, ...]:
    """Return one token, or several, or none at all, as a tuple.

    Raises:
        SettingError: when they are no integers, or negative.
    """
    if value is None:
        return ()
    if isinstance(value, (Tensor, np.ndarray)):
        value = value.tolist()
    if isinstance(value, (int, np.integer)):
        value = (value,)
    if not isinstance(value, Iterable):
        raise SettingError(f"{name}: {what} is a token, or several, not {value!r}")
    return tuple([count(name, f"a token of {what}", one, 0) for one in value])


def padding_of(name: str, value: Any) -> int:
    """Return what stands behind the end: any integer.

    Raises:
        SettingError: when it is none, or beyond int64.
    """
    limits = np.iinfo(np.int64)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not limits.min <= value <= limits.max:
        raise SettingError(f"{name}: padding is an integer of int64, not {value!r}")
    return int(value)


def is_one_of(tokens: Tensor, wanted: Sequence[int]) -> Tensor:
    """Return where tokens are among some."""
    if not wanted:
        return tokens != tokens
    found = tokens == wanted[0]
    for one in wanted[1:]:
        found = found | (tokens == one)
    return found


def noted(before: Tensor, now: Tensor, place: Tensor) -> Tensor:
    """Return the number of the step at which something happened, which it does once at most."""
    return where(now, place, before)


def check(name: str, problems: Problems) -> None:
    """Raise what a search met. In a traced function nobody can look, and results show it.

    Raises:
        DecodingError: when a step gave NaN, or left a sequence no token.
    """
    for steps, what in (
        (problems.broken, "the step, or a processor, gave NaN"),
        (problems.stuck, "every token is forbidden"),
    ):
        if steps.backend.depth or steps.backend.is_traced(steps._native):
            return
        found = steps.numpy()
        if (found >= 0).any():
            first = int(found[found >= 0].min())
            which = np.flatnonzero(found == first)
            raise DecodingError(
                f"{name}: {what} at step {first} of sequence"
                f"{'s' if len(which) > 1 else ''} {', '.join(map(str, which[:10]))}"
                f"{' …' if len(which) > 10 else ''}"
            )
