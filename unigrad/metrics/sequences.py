"""How far sequences are from those that were asked for: edit distances and error rates.

Sequences are compared on the host: these metrics belong outside of compiled functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.metrics.metric import Metric, State, ratio

A = TypeVar("A")
B = TypeVar("B")


def edit_distance(first: Sequence[Any], second: Sequence[Any]) -> int:
    """Return the least number of insertions, deletions and substitutions between two sequences.

    They may be strings, lists, ndarrays or Tensors of anything that can be compared. What is no
    sequence is a `DTypeError`.

    Source: Levenshtein (1966), by the row-wise dynamic programme of Wagner & Fischer (1974).

    Example:
        >>> edit_distance("kitten", "sitting")
        3
    """
    first, second = _listed(first), _listed(second)
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (1 if one != other else 0)),
            )
    return row[-1]


def error_rate(references: Iterable[Sequence[Any]], hypotheses: Iterable[Sequence[Any]]) -> float:
    """Return the sum of edit distances over the sum of the references' lengths (PER, CER, …).

    Over phonemes it is the phoneme error rate. It may exceed 1; it is 0 / 0 = NaN without a
    reference.

    Raises:
        ShapeError: when the numbers of references and hypotheses differ.
        DTypeError: when one is no sequence, or a single text stands for a list of them.

    Example:
        >>> error_rate(["abc", "d"], ["abd", "d"])
        0.25
    """
    metric = ErrorRate()
    state = metric.accumulate(metric.init(), references, hypotheses)
    return float(metric.compute(state))


def word_error_rate(
    references: Iterable[Sequence[Any]], hypotheses: Iterable[Sequence[Any]]
) -> float:
    """Return the share of sequences that are not exactly right (a word is one sequence here).

    Raises:
        ShapeError: when the numbers differ.
        DTypeError: when one is no sequence, or a single text stands for a list of them.

    Example:
        >>> word_error_rate(["abc", "d"], ["abd", "d"])
        0.5
    """
    pairs = pairs_of("word_error_rate", references, hypotheses)
    wrong = sum(list(_listed(one)) != list(_listed(other)) for one, other in pairs)
    return wrong / len(pairs) if pairs else float("nan")


class ErrorRate(Metric):
    """The sum of edit distances over the sum of the references' lengths; see `error_rate`."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: edits, and the references' lengths."""
        return {"errors": (), "length": ()}

    def accumulate(
        self,
        state: State,
        references: Iterable[Sequence[Any]],
        hypotheses: Iterable[Sequence[Any]],
    ) -> State:
        """Take in pairs of sequences.

        Raises:
            ShapeError: when their numbers differ.
            DTypeError: when one is no sequence, or a single text stands for a list of them.
        """
        pairs = pairs_of("error_rate", references, hypotheses)
        errors = sum(edit_distance(one, other) for one, other in pairs)
        length = sum(len(_listed(one)) for one, _ in pairs)
        return {"errors": state["errors"] + errors, "length": state["length"] + length}

    def compute(self, state: State) -> Tensor:
        """Return the rate so far."""
        return ratio(state["errors"], state["length"])


def pairs_of(owner: str, references: Iterable[A], hypotheses: Iterable[B]) -> list[tuple[A, B]]:
    """Return references with their hypotheses.

    Raises:
        ShapeError: when their numbers differ.
        DTypeError: when one of them is a single text, or no collection.
    """
    first = _collected(owner, "references", references)
    second = _collected(owner, "hypotheses", hypotheses)
    if len(first) != len(second):
        raise ShapeError(
            f"{owner}: {len(first)} references for {len(second)} hypotheses: give one for each"
        )
    return list(zip(first, second, strict=True))


def _collected(owner: str, side: str, given: Iterable[A]) -> list[A]:
    # A text is a collection too, of its letters, which nobody means here.
    if isinstance(given, str | bytes) or not has_elements(given):
        raise DTypeError(f"{owner}: {side}: expected a list of them, not {given!r}")
    return list(given)


def has_elements(given: object) -> bool:
    """Tell whether something can be iterated over; a tensor without axes only looks so."""
    return hasattr(given, "__iter__") and getattr(given, "shape", None) != ()


def _listed(sequence: Sequence[Any]) -> Sequence[Any]:
    """Return an array's elements as Python values: they compare to a bool, and quicker.

    Raises:
        DTypeError: when it has no elements.
    """
    found: Sequence[Any] = sequence.tolist() if hasattr(sequence, "tolist") else sequence
    if not hasattr(found, "__len__"):
        raise DTypeError(f"expected a sequence to compare, not {sequence!r}")
    return found
