"""`Dataset`: what the elements of each epoch are, and what can be made of one.

There are two kinds. `Placed` ones have a table and the order in which an epoch visits its places,
so that they are shuffled, cut and sharded without touching an element. `Passing` ones come by and
are counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import SettingError
from unigrad.data.outcomes import ending_nothing, outcomes, raising
from unigrad.data.padding import check_padding
from unigrad.data.places import Mapped, Places, Table
from unigrad.random import fold_in, key, permutation

if TYPE_CHECKING:
    from unigrad.data.streams import Stream


class Dataset(ABC):
    """Elements in epochs. It never changes: its methods return other datasets.

    The elements of an epoch are a function of the epoch's number alone, so that a run that was
    stopped goes on where it was. Iterating gives epoch 0; `stream` goes through many.

    Example:
        >>> import numpy as np
        >>> import unigrad as ug
        >>> digits = ug.data.dataset({"x": np.arange(4), "y": np.arange(4) * 10})
        >>> [batch["y"].tolist() for batch in digits.batch(3)]
        [[0, 10, 20], [30]]
        >>> [x.tolist() for x in digits.map(lambda row: row["x"] + 1).shuffle(0).batch(4)]
        [[1, 3, 2, 4]]
    """

    @abstractmethod
    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ``start`` ones."""

    @abstractmethod
    def _length(self) -> int | None:
        """Return how many elements an epoch has, or None if that is not known."""

    def __len__(self) -> int:
        """Return how many elements an epoch has.

        Raises:
            TypeError: when that is not known before they have come by.
        """
        found = self._length()
        if found is None:
            raise TypeError(f"{type(self).__name__}: how long an epoch is, is not known")
        return found

    def __bool__(self) -> bool:
        """A dataset is true whatever it holds: its length may be unknown."""
        return True

    def __iter__(self) -> Iterator[Any]:
        """Return an iterator over the elements of epoch 0."""
        return self.elements()

    # -- what can be made of it

    @abstractmethod
    def map(self, function: Callable[[Any], Any]) -> Dataset:
        """Return the dataset of a function of each element.

        What it raises is raised in the element's place, a ``StopIteration`` as a RuntimeError; the
        next element can still be asked for.
        """

    @abstractmethod
    def shuffle(self, key: TensorLike, buffer: int | None = None) -> Dataset:
        """Return the dataset in another order, a new one each epoch: by ``fold_in(key, epoch)``.

        Args:
            key: a key of `ug.random`, or an int to seed one with.
            buffer: for elements without places: so many are read and given in another order, then
                the next ones. Of what has places all are shuffled, and there is none.

        Raises:
            SettingError: when there is no buffer and one is needed, or the other way round.
        """

    @abstractmethod
    def shard(self, rank: int, ranks: int, *, even: bool = True) -> Dataset:
        """Return every ``ranks``-th element, from the ``rank``-th on: one process's part.

        Args:
            rank: from 0 on.
            ranks: how many there are.
            even: leave out the last elements that are not enough for all, so that every process
                does as many steps; otherwise some wait for ever for what others do not send.

        Raises:
            SettingError: when the rank is none of these.
        """

    @abstractmethod
    def take(self, number: int) -> Dataset:
        """Return the dataset of an epoch's first elements."""

    def batch(
        self, size: int, *, drop_remainder: bool = False, padding: float | None = None
    ) -> Dataset:
        """Return the dataset of batches of so many elements, side by side: see `collate`.

        Args:
            size: the number of elements.
            drop_remainder: leave out the shorter batch at the end of an epoch.
            padding: fills up arrays of different lengths.

        Raises:
            SettingError: when the size is not positive, or the padding is no number; at a batch
                whose dtype cannot hold it.
        """
        from unigrad.data.batched import Batches

        if padding is not None:
            check_padding("batch", padding)
        return Batches(self, positive("batch", "size", size), drop_remainder, padding)

    def bucket(
        self,
        widths: Sequence[int],
        size: int,
        *,
        length: Callable[[Any], int] | None = None,
        padding: float = 0,
        drop_remainder: bool = False,
        collate: Callable[[list[Any], int], Any] | None = None,
    ) -> Dataset:
        """Return the dataset of batches of elements that are about equally long.

        An element waits with others of the narrowest width that takes it; when there are ``size``
        of them, they are given as one batch. Few widths are few shapes to compile. What still waits
        at the end of an epoch is given in shorter batches.

        Args:
            widths: the widths, a sequence or an array.
            size: the number of elements of a batch.
            length: tells how long an element is; the longest first axis in it by default.
            padding: fills up all arrays with axes to the width.
            drop_remainder: leave out what still waits.
            collate: ``collate(elements, width)`` makes the batch in place of padding.

        Raises:
            SettingError: when there is no width, or a width or the size is not positive, or the
                padding is no number; at a batch whose dtype cannot hold it.
            ShapeError: at an element that is longer than all widths.
        """
        from unigrad.data.batched import Buckets

        try:
            each = sorted([positive("bucket", "widths", width) for width in widths])
        except TypeError as error:
            raise SettingError(f"bucket: widths are several, not {widths!r}") from error
        if not each:
            raise SettingError("bucket: there is no width")
        size = positive("bucket", "size", size)
        check_padding("bucket", padding)
        return Buckets(self, each, size, length, padding, drop_remainder, collate)

    def prefetch(self, number: int = 2) -> Dataset:
        """Return the same dataset, read by a thread that is so many elements ahead.

        Errors of the thread are raised where the element would have come. It ends with the epoch,
        and when the iterator is closed or dropped.

        Raises:
            SettingError: when the number is not positive.
        """
        from unigrad.data.prefetching import Prefetched

        return Prefetched(self, positive("prefetch", "number", number))

    def stream(self, epochs: int | None = None) -> Stream:
        """Return an iterator over so many epochs, None for ever, that knows where it is.

        Raises:
            SettingError: when the number of epochs is negative, or none.
        """
        from unigrad.data.streams import Stream

        return Stream(self, epochs)


class Placed(Dataset):
    """A table's elements in some order per epoch."""

    def __init__(
        self, table: Table, order: Callable[[int], Places] | None = None, length: int | None = None
    ) -> None:
        self.table = table
        self._order = order
        self._count = len(table) if length is None else length

    def order(self, epoch: int) -> Places:
        """Return the places that an epoch visits."""
        return np.arange(self._count) if self._order is None else self._order(epoch)

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ones."""
        element = ending_nothing("dataset", self.table.element)
        return map(element, map(int, self.order(epoch)[start:]))

    def _length(self) -> int:
        return self._count

    def map(self, function: Callable[[Any], Any]) -> Placed:
        """Return the dataset of a function of each element."""
        return Placed(Mapped(self.table, function), self._order, self._count)

    def shuffle(self, key: TensorLike, buffer: int | None = None) -> Placed:
        """Return the dataset in another order each epoch."""
        if buffer is not None:
            raise SettingError("shuffle: all elements have places, and need no buffer")
        order = shuffled_by(key)
        return Placed(
            self.table, lambda epoch: self.order(epoch)[order(epoch, self._count)], self._count
        )

    def shard(self, rank: int, ranks: int, *, even: bool = True) -> Placed:
        """Return one process's part."""
        check_rank(rank, ranks)
        end = self._count // ranks * ranks if even else self._count
        return Placed(
            self.table,
            lambda epoch: self.order(epoch)[rank:end:ranks],
            len(range(rank, end, ranks)),
        )

    def take(self, number: int) -> Placed:
        """Return the dataset of an epoch's first elements."""
        number = min(positive("take", "number", number, least=0), self._count)
        return Placed(self.table, lambda epoch: self.order(epoch)[:number], number)


class Passing(Dataset):
    """Elements that come by, one after the other."""

    def map(self, function: Callable[[Any], Any]) -> Dataset:
        """Return the dataset of a function of each element."""
        safe = ending_nothing("map", function)
        return Changed(
            self, lambda elements, epoch: outcomes(map(safe, raising(elements))), self._length()
        )

    def shuffle(self, key: TensorLike, buffer: int | None = None) -> Dataset:
        """Return the dataset with so many elements at a time in another order."""
        if buffer is None:
            raise SettingError(
                "shuffle: these elements have no places; say with buffer= how many to shuffle "
                "at a time"
            )
        size = positive("shuffle", "buffer", buffer)
        order = shuffled_by(key)

        def shuffled(elements: Iterator[Any], epoch: int) -> Iterator[Any]:
            for number in count():
                waiting = list(islice(elements, size))
                if not waiting:
                    return
                for place in order(epoch, len(waiting), number):
                    yield waiting[place]

        return Changed(self, shuffled, self._length(), skips=False)

    def shard(self, rank: int, ranks: int, *, even: bool = True) -> Dataset:
        """Return one process's part."""
        check_rank(rank, ranks)

        def part(elements: Iterator[Any], epoch: int) -> Iterator[Any]:
            while len(some := list(islice(elements, ranks))) == ranks or (some and not even):
                if rank < len(some):
                    yield some[rank]

        whole = self._length()
        length = None
        if whole is not None:
            length = len(range(rank, whole // ranks * ranks if even else whole, ranks))
        return Changed(self, part, length, skips=False)

    def take(self, number: int) -> Dataset:
        """Return the dataset of an epoch's first elements."""
        number = positive("take", "number", number, least=0)
        whole = self._length()
        return Changed(
            self,
            lambda elements, epoch: islice(elements, number),
            None if whole is None else min(whole, number),
            skips=False,
        )


class Changed(Passing):
    """A function of the iterator over another dataset's epoch.

    Both are of outcomes (`unigrad.data.outcomes`): what failed is an element, and keeps its place.

    Args:
        dataset: the other one.
        change: the function, of the iterator and the epoch.
        length: how many elements an epoch has.
        skips: whether the first elements need not be read to leave them out.
    """

    def __init__(
        self,
        dataset: Dataset,
        change: Callable[[Iterator[Any], int], Iterator[Any]],
        length: int | None,
        *,
        skips: bool = True,
    ) -> None:
        self._dataset = dataset
        self._change = change
        self._count = length
        self._skips = skips

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ones."""
        first = start if self._skips else 0
        found = self._change(outcomes(self._dataset.elements(epoch, first)), epoch)
        return raising(islice(found, start - first, None))

    def _length(self) -> int | None:
        return self._count


def shuffled_by(given: TensorLike) -> Callable[..., Places]:
    """Return the function of an epoch, a size and the number of a part that shuffles places."""
    # Kept as numbers: the dataset may be read on another backend than it was made on.
    own = (key(given) if isinstance(given, int) else as_tensor(given)).numpy()

    def order(epoch: int, size: int, part: int | None = None) -> Places:
        now = fold_in(as_tensor(own), epoch)
        places: Places = permutation(now if part is None else fold_in(now, part), size).numpy()
        return places

    return order


def positive(owner: str, name: str, value: Any, *, least: int = 1) -> int:
    """Return a setting that is an integer, from ``least`` on.

    Raises:
        SettingError: when it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SettingError(f"{owner}: {name}={value!r}: expected an integer, at least {least}")
    return int(value)


def check_rank(rank: int, ranks: int) -> None:
    """Check that a rank is one of so many."""
    positive("shard", "ranks", ranks)
    if positive("shard", "rank", rank, least=0) >= ranks:
        raise SettingError(f"shard: rank={rank} of {ranks}: ranks count from 0")
