"""Batches: so many elements in a row, or so many of about one length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, starmap, takewhile
from typing import Any

import numpy as np

from unigrad.core.errors import ShapeError
from unigrad.data.collating import collate
from unigrad.data.datasets import Dataset, Passing, Placed
from unigrad.data.outcomes import Failed, ending_nothing, outcomes, raising


class Batches(Passing):
    """Batches of so many elements each."""

    def __init__(
        self, dataset: Dataset, size: int, drop_remainder: bool, padding: float | None
    ) -> None:
        self._dataset = dataset
        self._size = size
        self._drop = drop_remainder
        self._padding = padding

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's batches, without the first ones."""
        if isinstance(self._dataset, Placed):
            return self._gathered(self._dataset, epoch, start)
        return self._collated(self._dataset.elements(epoch, start * self._size))

    def _gathered(self, dataset: Placed, epoch: int, start: int) -> Iterator[Any]:
        order, size = dataset.order(epoch), self._size
        end = len(order) // size * size if self._drop else len(order)

        def batch(first: int) -> Any:
            return dataset.table.together(order[first : min(first + size, end)], self._padding)

        # Not a generator, which would be over at the first error.
        return map(ending_nothing("dataset", batch), range(start * size, end, size))

    def _collated(self, elements: Iterator[Any]) -> Iterator[Any]:
        found = outcomes(elements)
        # An error among them is raised in place of the whole batch.
        some = iter(lambda: list(islice(found, self._size)), [])
        if self._drop:
            some = takewhile(lambda batch: len(batch) == self._size, some)
        return map(self._together, some)

    def _together(self, elements: list[Any]) -> Any:
        return collate(list(raising(iter(elements))), self._padding)

    def _length(self) -> int | None:
        rows = self._dataset._length()
        if rows is None:
            return None
        return rows // self._size if self._drop else -(-rows // self._size)


class Buckets(Passing):
    """Batches of elements that are padded to one of a few widths."""

    def __init__(
        self,
        dataset: Dataset,
        widths: Sequence[int],
        size: int,
        length: Callable[[Any], int] | None,
        padding: float,
        drop_remainder: bool,
        collate: Callable[[list[Any], int], Any] | None,
    ) -> None:
        self._dataset = dataset
        self._widths = widths
        self._size = size
        self._length_of = longest_axis if length is None else length
        self._padding = padding
        self._drop = drop_remainder
        self._collate = self._padded if collate is None else collate

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's batches, without the first ones."""
        # Elements are read again to see where they go, but their batches are not made.
        groups = raising(islice(self._groups(epoch), start, None))
        collated = ending_nothing("bucket", self._collate)
        return starmap(collated, groups)

    def _groups(self, epoch: int) -> Iterator[tuple[list[Any], int] | Failed]:
        waiting: dict[int, list[Any]] = {width: [] for width in self._widths}
        elements = self._dataset.elements(epoch)
        for outcome in outcomes(map(ending_nothing("bucket", self._placed), elements)):
            if isinstance(outcome, Failed):
                yield outcome
                continue
            element, width = outcome
            waiting[width].append(element)
            if len(waiting[width]) == self._size:
                yield waiting[width], width
                waiting[width] = []
        if not self._drop:
            yield from ((rest, width) for width, rest in waiting.items() if rest)

    def _placed(self, element: Any) -> tuple[Any, int]:
        return element, self._width(self._length_of(element))

    def _width(self, length: int) -> int:
        for width in self._widths:
            if length <= width:
                return width
        raise ShapeError(
            f"bucket: an element of length {length} fits into no bucket: the widest takes "
            f"{self._widths[-1]}"
        )

    def _padded(self, elements: list[Any], width: int) -> Any:
        return collate(elements, self._padding, width)

    def _length(self) -> None:
        return None


def longest_axis(element: Any) -> int:
    """Return the longest first axis of what an element holds; numbers have none.

    Example:
        >>> longest_axis({"letters": [1, 2, 3], "sounds": [1, 2], "rank": 7})
        3
    """
    if isinstance(element, dict):
        return max(map(longest_axis, element.values()), default=0)
    if isinstance(element, tuple):
        return max(map(longest_axis, element), default=0)
    if isinstance(element, str | bytes):
        return 0
    return int((*np.shape(element), 0)[0])
