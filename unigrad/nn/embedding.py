"""Rows of a table, and elements dropped at random, as functions."""

from __future__ import annotations

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor, described, to_floating, visible
from unigrad.core.errors import OutOfBoundsError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.indexing import as_index, pick
from unigrad.ops.labels import behind_if_negative
from unigrad.random import dropout_mask

__all__ = ["dropout", "embedding"]


def embedding(indices: TensorLike, table: TensorLike, /) -> Tensor:
    """Return the rows of a table (vocabulary, units) at integers (…), (…, units).

    Raises:
        OutOfBoundsError: for an integer outside of [0, vocabulary); compiled programs and
            accelerators give NaN.
        DTypeError: when the indices are no integers.
        ShapeError: when the table is no matrix.

    Example:
        >>> embedding([1, 0], [[1.0, 2.0], [3.0, 4.0]]).tolist()
        [[3.0, 4.0], [1.0, 2.0]]
    """
    rows = as_tensor(table)
    if rows.ndim != 2:
        raise ShapeError(f"embedding: a table is (vocabulary, units), not {rows.shape}")
    return rows_of("embedding", as_index("embedding", indices, rows, 0), rows)


def rows_of(name: str, indices: Tensor, table: Tensor) -> Tensor:
    """Return rows of a table; integers do not count from the end."""
    found = pick(name, table, behind_if_negative(indices, table.shape[0]), 0)
    # On a CPU and in eager mode only.
    values = visible(indices)
    if values is not None and values.size and (least := np.minimum.reduce(values, None)) < 0:
        raise OutOfBoundsError(
            f"{name}({described(table)}, {described(indices)}): index {least} is negative"
        )
    return found


def dropout(x: TensorLike, key: TensorLike, /, rate: float = 0.5) -> Tensor:
    """Return x with each element 0 with probability ``rate``, and the rest times 1 / (1 - rate).

    Source: Srivastava et al., "Dropout" (2014), in the inverted form.

    Args:
        x: integers and bools are computed in the default floating dtype.
        key: of `ug.random`; the same key drops the same elements.
        rate: the probability, in [0, 1).

    Raises:
        SettingError: when the rate is outside of [0, 1).
        DTypeError: when ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> dropout([1.0, 1.0, 1.0, 1.0], key(0), 0.5).tolist()
        [0.0, 0.0, 2.0, 2.0]
    """
    check_rate("dropout", rate)
    x = to_floating(as_tensor(x))
    return where(dropout_mask(key, rate, x.shape), x * (1.0 / (1.0 - rate)), 0.0)


def check_rate(name: str, rate: float) -> None:
    """Refuse a rate that is no probability, or drops everything."""
    try:
        good = 0.0 <= rate < 1.0
    except TypeError:
        good = False
    if not good:
        raise SettingError(f"{name}: the rate must be in [0, 1), not {rate!r}")
