"""Feeding data: batches of arrays, in an order that is the same on every backend.

Data stays in NumPy until a batch is cut, which is then placed on the current backend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.tensor import Tensor
from unigrad.core.tree import Tree
from unigrad.random import fold_in, permutation

__all__ = ["batches", "bucket_batches"]


def batches(
    arrays: Tree,
    batch_size: int,
    *,
    key: TensorLike | None = None,
    drop_remainder: bool = False,
    epochs: int | None = 1,
) -> Iterator[Tree]:
    """Return an iterator over batches of arrays that share their first axis.

    Each batch has the structure of ``arrays`` (a tuple, a dict, …), with Tensors of ``batch_size``
    rows on the current backend; the last one of an epoch may be shorter.

    Args:
        arrays: a pytree of arrays. Lists are containers, not arrays.
        batch_size: the number of rows of a batch.
        key: shuffles the rows, epoch ``i`` by ``fold_in(key, i)``; else they keep their order.
        drop_remainder: leave out the shorter batch.
        epochs: how many times to go through the data; ``None`` is for ever.

    Raises:
        ShapeError: when there is no array, one has no axis, their lengths differ, or
            ``batch_size`` is not positive, or there is no batch to give for ever.
        DTypeError: when one is a masked array.

    Example:
        >>> for x, y in batches((np.arange(3), np.arange(3) * 10), 2):
        ...     print(x.tolist(), y.tolist())
        [0, 1] [0, 10]
        [2] [20]
    """
    leaves, structure = tree.flatten(arrays)
    for leaf in leaves:
        refuse_mask(leaf)
    columns = [leaf.numpy() if hasattr(leaf, "numpy") else np.asarray(leaf) for leaf in leaves]
    _check_size("batches", batch_size)
    if not columns:
        raise ShapeError("batches: there is no array")
    if any(column.ndim == 0 for column in columns):
        raise ShapeError("batches: an array without axes has no rows (lists are containers here)")
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise ShapeError(f"batches: the arrays differ in length: {sorted(lengths)}")
    rows = lengths.pop()
    if epochs is None and rows < (batch_size if drop_remainder else 1):
        raise ShapeError(f"batches: {rows} rows make no batch of {batch_size} to go on for ever")
    # A generator would make these checks only at its first step.
    return _batches(columns, structure, batch_size, key, drop_remainder, epochs)


def _batches(
    columns: list[npt.NDArray[Any]],
    structure: Any,
    size: int,
    key: TensorLike | None,
    drop_remainder: bool,
    epochs: int | None,
) -> Iterator[Tree]:
    rows = len(columns[0])
    for epoch in count() if epochs is None else range(epochs):
        order = None if key is None else permutation(fold_in(key, epoch), rows).numpy()
        for start in range(0, rows - size + 1 if drop_remainder else rows, size):
            some: Any = slice(start, start + size)
            if order is not None:
                some = order[some]
            yield tree.unflatten(structure, [as_tensor(column[some]) for column in columns])


def bucket_batches(
    lengths: Sequence[int] | npt.NDArray[Any],
    batch_size: int,
    *,
    key: TensorLike | None = None,
    drop_remainder: bool = False,
) -> list[npt.NDArray[np.int64]]:
    """Return batches of positions of sequences that are about equally long, to pad little.

    The sequences are sorted by length and cut into batches. A key shuffles those of one length
    among each other, and the batches.

    Raises:
        ShapeError: when ``lengths`` has not one axis, or ``batch_size`` is not positive.
        DTypeError: when ``lengths`` are no integers.

    Example:
        >>> [batch.tolist() for batch in bucket_batches([5, 1, 4, 2], 2)]
        [[1, 3], [2, 0]]
    """
    _check_size("bucket_batches", batch_size)
    sizes = np.asarray(lengths)
    if sizes.ndim != 1:
        raise ShapeError(f"bucket_batches: lengths have one axis, not {sizes.ndim}")
    if sizes.size and sizes.dtype.kind not in "iu":
        raise DTypeError(f"bucket_batches: lengths are integers, not {sizes.dtype}")
    order = np.arange(len(sizes)) if key is None else _shuffled(key, 0, len(sizes))
    order = order[np.argsort(sizes[order], kind="stable")]
    found = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    if drop_remainder and found and len(found[-1]) < batch_size:
        found.pop()
    return found if key is None else [found[i] for i in _shuffled(key, 1, len(found))]


def _shuffled(key: TensorLike, purpose: int, size: int) -> npt.NDArray[np.int64]:
    order: Tensor = permutation(fold_in(key, purpose), size)
    return order.numpy()


def _check_size(name: str, batch_size: int) -> None:
    if batch_size < 1:
        raise ShapeError(f"{name}: a batch has at least one row, not {batch_size}")
