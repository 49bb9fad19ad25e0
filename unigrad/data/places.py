"""Sources whose elements have places, so that they can be asked for in any order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.data.collating import collate

Places = npt.NDArray[np.int64]


class Table(ABC):
    """Elements by place, from 0 on."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many elements there are."""

    @abstractmethod
    def element(self, place: int) -> Any:
        """Return one element."""

    def together(self, places: Places, padding: float | None) -> Any:
        """Return several as one batch."""
        return collate([self.element(int(place)) for place in places], padding)


class Columns(Table):
    """Arrays that share their first axis, in a tree: an element is a row of each."""

    def __init__(self, columns: Sequence[npt.NDArray[Any]], structure: Any) -> None:
        self._columns = columns
        self._structure = structure

    def __len__(self) -> int:
        return len(self._columns[0])

    def element(self, place: int) -> Any:
        """Return a copy of a row of each array: whoever works in place keeps out of the data."""
        rows = [column[place] for column in self._columns]
        own = [row.copy() if isinstance(row, np.ndarray) else row for row in rows]
        return tree.unflatten(self._structure, own)

    def together(self, places: Places, padding: float | None) -> Any:
        """Return several rows of each array."""
        return tree.unflatten(self._structure, [column[places] for column in self._columns])


class Items(Table):
    """Anything with a length and elements by number: a list, a table of another library."""

    def __init__(self, items: Any, convert: Callable[[Any], Any]) -> None:
        self._items = items
        self._convert = convert

    def __len__(self) -> int:
        return len(self._items)

    def element(self, place: int) -> Any:
        """Return an item, its arrays as NumPy's."""
        return self._convert(self._items[place])


class Mapped(Table):
    """A function of each element of a table."""

    def __init__(self, table: Table, function: Callable[[Any], Any]) -> None:
        self.table = table
        self._function = function

    def __len__(self) -> int:
        return len(self.table)

    def element(self, place: int) -> Any:
        """Return the function of one element."""
        return self._function(self.table.element(place))
