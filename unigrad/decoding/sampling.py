"""Decoding by drawing: the same key draws the same tokens on every backend."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Processor
from unigrad.decoding.steps import Decoded, Problems, Step, check
from unigrad.decoding.walking import Choice, walk_of
from unigrad.ops.comparison import isfinite, where
from unigrad.ops.cumulative import cumulative_sum
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.information import finfo
from unigrad.ops.reductions import max as max_of
from unigrad.ops.softmax import softmax
from unigrad.ops.sorting import argsort
from unigrad.random.discrete import categorical
from unigrad.random.keys import checked_key, fold_in

__all__ = ["kept_tokens", "sample"]

NAME = "sample"


def kept_tokens(
    logits: TensorLike,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Tensor:
    """Return logits (…, vocabulary) divided by the temperature, -∞ where a token is not kept.

    Where there is a temperature other than 1, the row's largest is taken off them first, so that
    nothing overflows: next to 0 it leaves the likeliest tokens alone, and however large it is, -∞
    stays. One after the other, each by the probabilities of what the one before has left:

    - ``top_k``: the k likeliest tokens;
    - ``top_p``: the fewest of the likeliest tokens whose probabilities add up to p (Holtzman et al.
      2020);
    - ``min_p``: tokens that are at least p times as likely as the likeliest (Nguyen et al. 2024).

    Of equally likely ones the lower is the likelier. The likeliest is always kept.

    Raises:
        SettingError: when a setting is none.
        DTypeError: when the logits are complex.

    Example:
        >>> import unigrad as ug
        >>> logits = ug.log(ug.asarray([0.1, 0.5, 0.4]))
        >>> [ug.isfinite(one).tolist() for one in (
        ...     kept_tokens(logits, top_k=1), kept_tokens(logits, top_p=0.8))]
        [[False, True, False], [False, True, True]]
    """
    name = "kept_tokens"
    scores = as_tensor(logits)
    if scores.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: logits are real, not {scores.dtype.name}")
    if scores.dtype not in dtypes.FLOATING:
        scores = cast(scores, dtypes.default_dtype())
    return _kept(scores, *_checked(name, temperature, top_k, top_p, min_p))


def _checked(
    name: str,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    min_p: float | None,
) -> tuple[float, int | None, float | None, float | None]:
    """Return the settings.

    Raises:
        SettingError: when one is none.
    """
    # A temperature and a share of nothing leave no token.
    given: tuple[tuple[str, Any, float, str], ...] = (
        ("temperature", temperature, sys.float_info.max, "a positive number"),
        ("top_p", top_p, 1.0, "a probability above 0"),
        ("min_p", min_p, 1.0, "a probability"),
    )
    for what, value, most, limits in given:
        if value is None and what != "temperature":
            continue
        numeric = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not numeric or not 0.0 <= value <= most or (not value and what != "min_p"):
            raise SettingError(f"{name}: {what} is {limits}, not {value!r}")
    if top_k is not None:
        top_k = count(name, "top_k", top_k, 1)
    return float(temperature), top_k, top_p, min_p


def _kept(
    logits: Tensor,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    min_p: float | None,
) -> Tensor:
    if temperature != 1.0:
        logits = _divided(logits, temperature)
    if top_k is not None or top_p is not None:
        order = argsort(logits, axis=-1, descending=True)
        ranked = take_along_axis(logits, order, axis=-1)
        rank = as_tensor(np.arange(logits.shape[-1]), logits)
        if top_k is not None:
            ranked = where(rank < top_k, ranked, -math.inf)
        if top_p is not None:
            likely = softmax(ranked, axis=-1)
            # Before a token come those that are likelier: it is kept while they are not enough. A
            # share may be too small for the dtype, hence the first by its rank.
            before = cumulative_sum(likely, axis=-1) - likely
            ranked = where((before < top_p) | (rank == 0), ranked, -math.inf)
        logits = take_along_axis(ranked, argsort(order, axis=-1), axis=-1)
    if min_p is not None and min_p > 0.0:
        least = max_of(logits, axis=-1, keepdims=True) + math.log(min_p)
        logits = where(logits >= least, logits, -math.inf)
    return logits


def _divided(logits: Tensor, temperature: float) -> Tensor:
    """Return logits less their largest, divided by a temperature other than 1."""
    top = max_of(logits, axis=-1, keepdims=True)
    # ±∞ and NaN stay what they are.
    logits = logits - where(isfinite(top), top, 0.0)
    # Of both, the temperature and its inverse, some backends make 0 where they are denormal.
    limits = finfo(logits.dtype)
    least = float(limits.smallest_normal)
    if temperature < least:
        return where(logits < 0.0, -math.inf, logits)
    if temperature > 1.0 / least:
        return where(abs(logits) < math.inf, 0.0, logits)
    if temperature < 1.0:
        # What would overflow, without NumPy's warning.
        logits = where(logits < -0.5 * float(limits.max) * temperature, -math.inf, logits)
    return logits / temperature


def drawing(
    name: str,
    key: TensorLike,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    min_p: float | None,
) -> Choice:
    """Return the choice that draws: at step t by the key ``fold_in(key, t)``."""
    settings = _checked(name, temperature, top_k, top_p, min_p)
    key = checked_key(name, key)

    def drawn(scores: Tensor, place: Tensor) -> Tensor:
        kept = _kept(scores, *settings)
        # Where there is nothing to choose from, or NaN, the search itself says so.
        possible = max_of(kept, axis=-1, keepdims=True) > -math.inf
        return categorical(fold_in(key, place), where(possible, kept, 0.0), axis=-1)

    return drawn


def sample(
    step: Step,
    state: Any,
    key: TensorLike,
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
    alignments: int | None = None,
    prefix: TensorLike | None = None,
    banned: int | Sequence[int] = (),
    forced: Mapping[int, int] | None = None,
    no_repeat_ngram: int = 0,
    processors: Processor | Sequence[Processor] = (),
    padding: int = 0,
) -> Decoded:
    """Draw a token at each step until all sequences ended.

    Several samples of one sequence are several rows: `repeat_rows` makes their state.

    Args:
        step: see `Step`.
        state: the model's state after nothing: a pytree of Tensors whose first axis is ``batch``.
        key: a key of `ug.random`.
        temperature, top_k, top_p, min_p: see `kept_tokens`.
        batch, start, end, max_length, min_length, alignments, prefix, banned, forced,
            no_repeat_ngram, processors, padding: see `beam_search`.

    Returns:
        `Decoded`: tokens (batch, max_length), lengths (batch,), and as scores (batch,) the
        log-probabilities before the temperature and before tokens were left out.

    Raises:
        SettingError, ShapeError, DTypeError, DecodingError: as `beam_search`.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> found = sample(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, ug.random.key(0), batch=2, start=0, end=2, max_length=3, top_k=1)
        >>> found.tokens.tolist()
        [[1, 2, 0], [1, 2, 0]]
    """
    found, problems = sampled(
        step, state, key, start=start, temperature=temperature, top_k=top_k, top_p=top_p,
        min_p=min_p, batch=batch, max_length=max_length, padding=padding, alignments=alignments,
        end=end, min_length=min_length, banned=banned, forced=forced, prefix=prefix,
        no_repeat_ngram=no_repeat_ngram, processors=processors,
    )  # fmt: skip
    check(NAME, problems)
    return found


def sampled(
    step: Step,
    state: Any,
    key: TensorLike,
    *,
    start: Any,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    **settings: Any,
) -> tuple[Decoded, Problems]:
    """Draw as `sample` does, and return what was met instead of raising it."""
    choose = drawing(NAME, key, temperature, top_k, top_p, min_p)
    return walk_of(NAME, step, state, choose, **settings).run(start, state)
