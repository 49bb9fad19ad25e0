"""`beam_search`: the settings of a search and their meaning; `unigrad.decoding.search` runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.control import while_loop
from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, visible
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.decoding.constraints import Processor, constraints_of
from unigrad.decoding.penalties import alpha_of
from unigrad.decoding.search import NAME, Search
from unigrad.decoding.states import repeat_rows, tensor_in
from unigrad.decoding.steps import Decoded, Problems, Step, check, number, padding_of
from unigrad.ops.arithmetic import minimum
from unigrad.ops.comparison import where
from unigrad.ops.rounding import floor
from unigrad.ops.shaping import expand_dims

__all__ = ["beam_search"]


def beam_search(
    step: Step,
    state: Any,
    *,
    batch: int,
    start: Any,
    end: int | Sequence[int] | None,
    max_length: int,
    beam: int = 5,
    n_best: int = 1,
    rule: str = "wu",
    length_penalty: float | None = None,
    early_stopping: bool | str = False,
    min_length: int = 0,
    max_ratio: float | None = None,
    source_lengths: TensorLike | None = None,
    coverage_penalty: float = 0.0,
    alignments: int | None = None,
    prefix: TensorLike | None = None,
    banned: int | Sequence[int] = (),
    forced: Mapping[int, int] | None = None,
    no_repeat_ngram: int = 0,
    processors: Processor | Sequence[Processor] = (),
    groups: int = 1,
    diversity_penalty: float = 0.0,
    padding: int = 0,
) -> Decoded:
    """Find the likeliest sequences of tokens, several hypotheses at a time.

    Under `ug.jit` the search is one loop in the program. There, and there alone, nobody can look at
    values: instead of a `DecodingError` a sequence has fewer answers than ``n_best``, or none.

    Args:
        step: see `Step`; its rows are the hypotheses of all sequences, those of one side by side.
        state: a pytree of Tensors whose first axis is batch · beam (`repeat_rows` makes it).
        batch: the number of sequences.
        start: the token that comes first, one for all or one per sequence; not in the result.
        end: the token, or tokens, that end a sequence; None if only the length does.
        max_length: the most tokens of a sequence, the end included; what has not ended by then
            counts as it is.
        beam: the number of hypotheses per sequence, K.
        n_best: how many to return per sequence, best first.
        rule: ``"hf"``, ``"gnmt"``, ``"wu"`` or ``"average"``: how hypotheses are kept (see the
            module) and how lengths are compared (see `unigrad.decoding.penalties`).
        length_penalty: α; by default 1 by the rule ``"hf"``, and 0 by ``"gnmt"`` and ``"wu"``.
        early_stopping: when a sequence is done. True: as soon as K hypotheses are finished. By the
            rule ``"hf"``: when K are, and the best running sum, divided by the penalty of its
            length (with ``"never"`` and a positive α that of the longest), is not above the worst
            of them. By the others False looks at what a running one can reach at most if its sum
            only falls: that saves work and changes nothing, unless processors raise scores above 0,
            which may then come too late; ``"never"`` goes on until all have ended.
        min_length: the fewest tokens, the end included.
        max_ratio: no sequence gets longer than so many times its source, rounded down, at least 1.
        source_lengths: the sources' lengths (batch,), for ``max_ratio`` and ``coverage_penalty``.
        coverage_penalty: β of `unigrad.decoding.penalties`; it needs ``alignments``.
        alignments: the number of places that the step's third result, attention (rows, places), is
            about; the result then has the alignments of each hypothesis.
        prefix: tokens that sequences begin with, (length,) or (batch, length); where it is negative
            any token may come. They count in score and length.
        banned: tokens that never come.
        forced: tokens by the place, from 0, where all sequences have them.
        no_repeat_ngram: n; no n tokens come twice in a row, the start counted among them.
        processors: functions that change log-probabilities, see `Processor`.
        groups: the beam is divided into so many, one after the other; finished ones are theirs.
        diversity_penalty: what a group loses per hypothesis of earlier groups that takes the same
            token (Vijayakumar et al. 2018, Hamming diversity).
        padding: what stands after the end.

    Returns:
        `Decoded`: tokens (batch, n_best, max_length), scores and lengths (batch, n_best). Where
        fewer sequences are possible, the missing ones have the score -∞ and the length 0.

    Raises:
        SettingError: when a setting is none of what it may be, or does not fit the vocabulary.
        ShapeError, DTypeError: when the step returns something else than what it should.
        DecodingError: when the step gives NaN, or no token is left that may come.

    Example:
        >>> import unigrad as ug
        >>> table = ug.log(ug.asarray([[0.1, 0.6, 0.3], [0.1, 0.2, 0.7], [0.8, 0.1, 0.1]]))
        >>> found = beam_search(
        ...     lambda last, state: (ug.take(table, last, axis=0), state),
        ...     None, batch=1, start=0, end=2, max_length=4, beam=3, n_best=2)
        >>> found.tokens.tolist(), found.lengths.tolist()
        ([[[1, 2, 0, 0], [2, 0, 0, 0]]], [[2, 1]])
    """
    found, problems = searched(
        step, state,
        batch=batch, start=start, end=end, max_length=max_length, beam=beam, n_best=n_best,
        rule=rule, length_penalty=length_penalty, early_stopping=early_stopping,
        min_length=min_length, max_ratio=max_ratio, source_lengths=source_lengths,
        coverage_penalty=coverage_penalty, alignments=alignments, prefix=prefix, banned=banned,
        forced=forced, no_repeat_ngram=no_repeat_ngram, processors=processors, groups=groups,
        diversity_penalty=diversity_penalty, padding=padding,
    )  # fmt: skip
    check(NAME, problems)
    return found


def searched(
    step: Step,
    state: Any,
    *,
    batch: int,
    start: Any,
    max_length: int,
    beam: int = 5,
    n_best: int = 1,
    rule: str = "wu",
    length_penalty: float | None = None,
    early_stopping: bool | str = False,
    max_ratio: float | None = None,
    source_lengths: TensorLike | None = None,
    coverage_penalty: float = 0.0,
    alignments: int | None = None,
    groups: int = 1,
    diversity_penalty: float = 0.0,
    padding: int = 0,
    repeated: bool = True,
    **constraints: Any,
) -> tuple[Decoded, Problems]:
    """Search as `beam_search` does, and return what was met instead of raising it.

    Args:
        repeated: whether the state has a row for each hypothesis. Else it has one for each
            sequence, and the step takes either: of the first step, where the hypotheses of a
            sequence would be alike, only one is computed.
    """
    size, beams = count(NAME, "batch", batch, 0), count(NAME, "beam", beam, 1)
    longest = count(NAME, "max_length", max_length, 1)
    best, parts = _shares(n_best, groups, beams)
    if alignments is not None:
        alignments = count(NAME, "alignments", alignments, 0)
    _check_stopping(early_stopping, coverage_penalty, alignments)
    like = tensor_in(state)
    limits, inside = _of_sources(
        source_lengths, max_ratio, size, longest, alignments if coverage_penalty else None, like
    )
    search = Search(
        step=step,
        batch=size,
        beam=beams,
        groups=parts,
        n_best=best,
        max_length=longest,
        rule=rule,
        alpha=alpha_of(NAME, rule, length_penalty, longest),
        early_stopping=early_stopping,
        beta=number(NAME, "coverage_penalty", coverage_penalty),
        diversity=number(NAME, "diversity_penalty", diversity_penalty),
        padding=padding_of(NAME, padding),
        alignments=alignments,
        constraints=constraints_of(
            NAME, like, rows=size * beams, times=beams, max_length=longest, **constraints
        ),
        limits=limits,
        inside=inside,
        like=like,
    )
    if not repeated and size == 1:
        # Here a step takes as long as its calls, whatever their rows.
        state, repeated = repeat_rows(state, beams), True
    carry = search.first(start, state)
    if not repeated:
        carry = search.begun(carry)
    carry = while_loop(search.goes_on, search.advance, carry)
    return search.result(carry)


def _shares(n_best: int, groups: int, beam: int) -> tuple[int, int]:
    """Return how many are returned, and how many groups there are."""
    best, parts = count(NAME, "n_best", n_best, 1), count(NAME, "groups", groups, 1)
    if best > beam:
        raise SettingError(f"{NAME}: n_best is {best}, the beam has {beam} hypotheses")
    if beam % parts:
        raise SettingError(f"{NAME}: {parts} groups of {beam} hypotheses are not of one size")
    return best, parts


def _check_stopping(early_stopping: bool | str, beta: float, alignments: int | None) -> None:
    if not (isinstance(early_stopping, bool) or early_stopping == "never"):
        raise SettingError(
            f"{NAME}: early_stopping is False, True or 'never', not {early_stopping!r}"
        )
    if beta and alignments is None:
        raise SettingError(f"{NAME}: a coverage_penalty needs alignments: the number of places")


def _of_sources(
    source_lengths: TensorLike | None,
    max_ratio: float | None,
    batch: int,
    longest: int,
    places: int | None,
    like: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    """Return the most tokens of each sequence (batch, 1) and where sources are (batch, 1, places).

    Either is None where nobody asks.
    """
    if source_lengths is None:
        if max_ratio is not None:
            raise SettingError(f"{NAME}: a max_ratio needs source_lengths")
        return None, None
    lengths = as_tensor(source_lengths, like)
    if lengths.shape != (batch,) or lengths.dtype not in dtypes.INTEGER:
        raise ShapeError(
            f"{NAME}: source_lengths are integers of shape ({batch},), not {lengths.dtype.name} of "
            f"shape {lengths.shape}"
        )
    values = visible(lengths)
    if values is not None and (values < 0).any():
        raise SettingError(f"{NAME}: source_lengths are not negative: {values.tolist()}")
    inside = None
    if places is not None:
        inside = as_tensor(np.arange(places), lengths) < expand_dims(lengths, axis=-1)
        inside = expand_dims(inside, axis=1)
    return (None if max_ratio is None else _limits(lengths, max_ratio, longest)), inside


def _limits(lengths: Tensor, ratio: float, longest: int) -> Tensor:
    """Return the most tokens of each sequence (batch, 1)."""
    factor = number(NAME, "max_ratio", ratio)
    most = cast(floor(cast(lengths, dtypes.float64) * factor), dtypes.int64)
    return expand_dims(where(most < 1, 1, minimum(most, longest)), axis=-1)
