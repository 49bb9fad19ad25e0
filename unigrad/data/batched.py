"""Batches: so many elements in a row, or so many of about one length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from unigrad.core.errors import ShapeError
from unigrad.data.collating import collate
from unigrad.data.datasets import Dataset, Passing, Placed


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
        order = dataset.order(epoch)
        for first in range(start * self._size, len(order), self._size):
            places = order[first : first + self._size]
            if self._drop and len(places) < self._size:
                return
            yield dataset.table.together(places, self._padding)

    def _collated(self, elements: Iterator[Any]) -> Iterator[Any]:
        while some := list(islice(elements, self._size)):
            if self._drop and len(some) < self._size:
                return
            yield collate(some, self._padding)

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
        given = (self._collate(some, width) for some, width in self._groups(epoch, start))
        return given

    def _groups(self, epoch: int, start: int) -> Iterator[tuple[list[Any], int]]:
        # Elements are read again to see where they go, but their batches are not made.
        yield from islice(self._all_groups(epoch), start, None)

    def _all_groups(self, epoch: int) -> Iterator[tuple[list[Any], int]]:
        waiting: dict[int, list[Any]] = {width: [] for width in self._widths}
        for element in self._dataset.elements(epoch):
            width = self._width(self._length_of(element))
            waiting[width].append(element)
            if len(waiting[width]) == self._size:
                yield waiting[width], width
                waiting[width] = []
        if not self._drop:
            yield from ((rest, width) for width, rest in waiting.items() if rest)

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
