"""The state of a model as a pytree of Tensors with one row per hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.tensor import Tensor
from unigrad.ops.indexing import take
from unigrad.ops.shaping import reshape

__all__ = ["pick", "repeat_rows", "rows_of", "take_entries", "take_rows", "tensor_in"]


def tensor_in(state: Any) -> Tensor | None:
    """Return the first Tensor of a state, beside which new ones belong, if there is any."""
    return next((leaf for leaf in tree.leaves(state) if isinstance(leaf, Tensor)), None)


def take_rows(state: Any, rows: TensorLike) -> Any:
    """Return the state with its rows (first axis of every leaf) in the order of ``rows``.

    Example:
        >>> [leaf.tolist() for leaf in take_rows([as_tensor([1, 2]), as_tensor([3, 4])], [1, 1])]
        [[2, 2], [4, 4]]
    """
    return tree.map(lambda leaf: take(leaf, rows, axis=0), state)


def repeat_rows(state: Any, times: int) -> Any:
    """Return the state with every row several times in a row: one for each hypothesis of a beam.

    Example:
        >>> repeat_rows(as_tensor([1, 2]), 2).tolist()
        [1, 1, 2, 2]
    """

    def repeated(leaf: TensorLike) -> Tensor:
        return take(leaf, np.repeat(np.arange(as_tensor(leaf).shape[0]), times), axis=0)

    return tree.map(repeated, state)


def pick(values: Any, places: Tensor) -> Any:
    """Return for each sequence some of its entries: (batch, n, …) at ``places`` (batch, m).

    Example:
        >>> pick(as_tensor([[1, 2], [3, 4]]), as_tensor([[1, 1, 0], [0, 1, 0]])).tolist()
        [[2, 2, 1], [3, 4, 3]]
    """
    width = next(leaf.shape[1] for leaf in tree.leaves(values))
    return take_entries(values, rows_of(places, width))


def take_entries(values: Any, rows: Tensor) -> Any:
    """Return (batch, m, …) of the entries of all sequences (batch, n, …) at ``rows`` (batch, m).

    Example:
        >>> take_entries(as_tensor([[1, 2], [3, 4]]), as_tensor([[1, 0], [2, 3]])).tolist()
        [[2, 1], [3, 4]]
    """
    flat = reshape(rows, (-1,))

    def taken(leaf: Tensor) -> Tensor:
        batch, width, *rest = leaf.shape
        found = take(reshape(leaf, (batch * width, *rest)), flat, axis=0)
        return reshape(found, (*rows.shape, *rest))

    return tree.map(taken, values)


def rows_of(places: Tensor, width: int) -> Tensor:
    """Return ``places`` (batch, m) among so many entries each as places among those of all.

    Example:
        >>> rows_of(as_tensor([[1, 0], [0, 1]]), 2).tolist()
        [[1, 0], [2, 3]]
    """
    if places.shape[0] > 1:
        places = places + as_tensor(np.arange(places.shape[0])[:, None] * width, places)
    return places
