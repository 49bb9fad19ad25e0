"""`dataset`: a `Dataset` of whatever holds data."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import optree

from unigrad.core import tree
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.data.datasets import Dataset, Passing, Placed
from unigrad.data.outcomes import outcomes, raising
from unigrad.data.places import Columns, Items


def dataset(source: Any) -> Dataset:
    """Return a dataset of whatever holds data.

    Args:
        source: one of

            * an array, or a tuple or dict (nested) of arrays that share their first axis: rows;
            * a list, or anything else with a length and elements by number (a Hugging Face
              dataset, a torch ``Dataset``): its elements;
            * anything that can be iterated over again (a torch ``DataLoader``, ``tf.data``, a
              streaming Hugging Face dataset): what it gives; if it has ``set_epoch``, or its
              sampler has, that is called;
            * a function of the epoch's number that returns something to iterate over, such as a
              generator;
            * a generator, for a single epoch.

            Arrays of other libraries become NumPy's. Elements are copies, so a function may work in
            place. The order of what other libraries shuffle is
            theirs: a run is repeated exactly only if they are seeded so that an epoch is.

    Raises:
        ShapeError: when an array has no axis, or they differ in length.
        SettingError: when it holds no data, or a generator is asked for its elements again.

    Example:
        >>> import numpy as np
        >>> [batch.tolist() for batch in dataset(np.arange(5)).batch(2)]
        [[0, 1], [2, 3], [4]]
        >>> squares = dataset(lambda epoch: (n * n + epoch for n in range(3)))
        >>> list(squares.stream(2))
        [0, 1, 4, 1, 2, 5]
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, np.ndarray | Tensor | Variable | dict | tuple):
        return _columns(source)
    if isinstance(source, str | bytes):
        raise SettingError(f"dataset: a {type(source).__name__} is no data: read the file first")
    if isinstance(source, Iterator):
        return Once(source)
    if hasattr(source, "__getitem__") and hasattr(source, "__len__"):
        if hasattr(source, "__array__") or hasattr(source, "__dlpack__"):
            return _columns(source)
        return Placed(Items(source, _row))
    if isinstance(source, Iterable) or hasattr(source, "__iter__"):
        return Repeated(source)
    if callable(source):
        return Called(source)
    raise SettingError(
        f"dataset: a {type(source).__name__} holds no data that can be iterated over"
    )


def _columns(arrays: Any) -> Dataset:
    leaves, structure = optree.tree_flatten(arrays, is_leaf=lambda one: isinstance(one, list))
    if any(isinstance(leaf, list) for leaf in leaves):
        # Lists are columns of elements that need not be alike.
        return _of_lists(leaves, structure)
    columns = [np.asarray(on_host(leaf)) for leaf in leaves]
    if not columns:
        raise ShapeError("dataset: there is no array")
    if any(column.ndim == 0 for column in columns):
        raise ShapeError("dataset: an array without axes has no rows")
    _check_lengths(columns)
    return Placed(Columns(columns, structure))


def _of_lists(leaves: list[Any], structure: Any) -> Dataset:
    columns = [leaf if isinstance(leaf, list) else np.asarray(on_host(leaf)) for leaf in leaves]
    _check_lengths(columns)
    places = Placed(Items(range(len(columns[0])), int))
    return places.map(
        lambda place: _row(tree.unflatten(structure, [column[place] for column in columns]))
    )


def _check_lengths(columns: list[Any]) -> None:
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise ShapeError(f"dataset: the arrays differ in length: {sorted(lengths)}")


def on_host(element: Any, copy: bool = False) -> Any:
    """Return an element with NumPy's arrays in place of other libraries'.

    Args:
        element: the element.
        copy: whether its arrays are copied, so that nothing is shared with the source.

    Example:
        >>> import unigrad as ug
        >>> on_host((ug.asarray([1.0, 2.0]), "word"))
        (array([1., 2.], dtype=float32), 'word')
    """
    if isinstance(element, dict):
        return {key: on_host(one, copy) for key, one in element.items()}
    if isinstance(element, tuple) and hasattr(element, "_fields"):
        return type(element)(*[on_host(one, copy) for one in element])
    if isinstance(element, tuple | list):
        return type(element)([on_host(one, copy) for one in element])
    if isinstance(element, np.ndarray | np.generic | str | bytes | int | float):
        refuse_mask(element)
        return element.copy() if copy and isinstance(element, np.ndarray) else element
    # In this order: out of a graph of derivatives, off a device, to NumPy.
    for step in ("detach", "cpu", "numpy"):
        method = getattr(element, step, None)
        if callable(method):
            element = method()
    if not isinstance(element, np.ndarray) and hasattr(element, "__array__"):
        element = np.asarray(element)
    return element.copy() if copy and isinstance(element, np.ndarray) else element


def _row(element: Any) -> Any:
    return on_host(element, copy=True)


def _from(source: Iterator[Any], start: int) -> Iterator[Any]:
    """Return an iterator over what a source gives, without the first ``start`` ones."""
    return map(_row, raising(islice(outcomes(source), start, None)))


class Repeated(Passing):
    """What something gives each time that it is iterated over."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ones."""
        for one in (self._source, getattr(self._source, "sampler", None)):
            begin = getattr(one, "set_epoch", None)
            if begin is not None:
                begin(epoch)
        return _from(iter(self._source), start)

    def _length(self) -> int | None:
        try:
            return len(self._source)
        except (TypeError, NotImplementedError):
            return None


class Called(Passing):
    """What a function of the epoch's number returns."""

    def __init__(self, function: Callable[[int], Iterable[Any]]) -> None:
        try:
            inspect.signature(function).bind(0)
        except TypeError as error:
            raise SettingError(
                f"dataset: a function of data takes the epoch's number: {error}"
            ) from error
        except ValueError:  # Some functions written in C do not tell.
            pass
        self._function = function

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ones."""
        return _from(iter(self._function(epoch)), start)

    def _length(self) -> None:
        return None


class Once(Passing):
    """An iterator: it has one epoch, and can be gone through once."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator: Iterator[Any] | None = iterator

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over the only epoch's elements, without the first ones."""
        if self._iterator is None or epoch:
            raise SettingError(
                "dataset: a generator gives its elements once; give a function of the epoch's "
                "number that returns a new one"
            )
        iterator, self._iterator = self._iterator, None
        return _from(iterator, start)

    def _length(self) -> None:
        return None
