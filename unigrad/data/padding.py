"""Sequences of different lengths as one array: padding, and masks of what is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.dtypes import DTypeLike, as_dtype
from unigrad.core.errors import DTypeError, SettingError, ShapeError

__all__ = ["pad_sequences", "sequence_mask"]


_NUMBERS = (bool, int, float, complex, np.bool_, np.number, np.ndarray)


def check_padding(owner: str, padding: Any, dtype: Any = None) -> None:
    """Check that what fills up is a number, and one that a dtype can hold if there is one.

    Floats are rounded; nothing else may change.

    Raises:
        SettingError: when it is none.

    Example:
        >>> check_padding("batch", float("nan"), np.dtype("float32"))
        >>> check_padding("batch", 0.5, np.dtype("int64"))
        Traceback (most recent call last):
        ...
        unigrad.core.errors.SettingError: batch: padding 0.5 is no number that int64 can hold
    """
    if np.ndim(padding) or not isinstance(padding, _NUMBERS):
        raise SettingError(f"{owner}: padding is a number, not {padding!r}")
    if dtype is None:
        return
    given = padding.item() if isinstance(padding, np.generic | np.ndarray) else padding
    same = not isinstance(given, complex) or dtype.kind == "c"
    try:
        with np.errstate(all="ignore"):
            held: Any = np.asarray(given).astype(dtype).item() if same else None
        if same and given == given:
            rounds = dtype.kind not in "biu" and not isinstance(held, str | bytes)
            same = held == given or (rounds and bool(np.isfinite(held) and np.isfinite(given)))
        elif same:
            same = held != held
    except (TypeError, ValueError, OverflowError):
        same = False
    if not same:
        raise SettingError(f"{owner}: padding {padding!r} is no number that {dtype} can hold")


def pad_sequences(
    sequences: Sequence[Sequence[int]],
    length: int | None = None,
    value: int = 0,
    dtype: DTypeLike = "int64",
) -> npt.NDArray[Any]:
    """Return sequences as the rows of one ndarray, filled up on the right.

    Args:
        sequences: lists of numbers.
        length: the rows' length; that of the longest sequence by default.
        value: what fills up.
        dtype: the array's dtype.

    Raises:
        ShapeError: when a sequence is longer than ``length``, or is not flat.
        SettingError: when the dtype cannot hold ``value``.
        DTypeError: when a dtype of integers or bools cannot hold what a sequence has.

    Example:
        >>> pad_sequences([[1, 2, 3], [4]]).tolist()
        [[1, 2, 3], [4, 0, 0]]
    """
    longest = max((len(one) for one in sequences), default=0)
    width = longest if length is None else length
    if longest > width:
        raise ShapeError(f"pad_sequences: a sequence of {longest} does not fit into {width}")
    kind = as_dtype(dtype)
    check_padding("pad_sequences", value, kind)
    padded = np.full((len(sequences), width), value, kind)
    for row, one in zip(padded, sequences, strict=True):
        given = np.asarray(one)
        if given.ndim != 1:
            raise ShapeError(f"pad_sequences: sequences are flat, this one is not: {one!r}")
        with np.errstate(invalid="ignore"):
            row[: len(given)] = given
        if kind.kind in "biu" and not np.array_equal(row[: len(given)], given):
            raise DTypeError(f"pad_sequences: {kind} cannot hold all of {one!r}")
    return padded


def sequence_mask(
    lengths: Sequence[int] | npt.NDArray[Any], width: int | None = None
) -> npt.NDArray[np.bool_]:
    """Return which places of padded sequences hold one of their elements: (sequences, width).

    Args:
        lengths: how many elements each sequence has.
        width: what they are padded to; the longest one's length by default.

    Raises:
        ShapeError: when ``lengths`` has not one axis, or one of them lies outside of the width.
        DTypeError: when ``lengths`` are no integers.

    Example:
        >>> sequence_mask([3, 1]).tolist()
        [[True, True, True], [True, False, False]]
    """
    sizes = np.asarray(lengths)
    if sizes.ndim != 1:
        raise ShapeError(f"sequence_mask: lengths have one axis, not {sizes.ndim}")
    if sizes.size and sizes.dtype.kind not in "iu":
        raise DTypeError(f"sequence_mask: lengths are integers, not {sizes.dtype}")
    longest = int(sizes.max(initial=0))
    columns = longest if width is None else width
    if longest > columns or int(sizes.min(initial=0)) < 0:
        raise ShapeError(f"sequence_mask: lengths lie between 0 and the width of {columns}")
    return np.asarray(np.arange(columns)[None, :] < sizes[:, None])
