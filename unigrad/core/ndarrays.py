"""Python values as ndarrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.errors import DTypeError, ShapeError


def as_ndarray(value: object) -> npt.NDArray[Any]:
    """Convert a Python value to an ndarray in the machine's byte order, or say that it is no array.

    Raises:
        DTypeError: when its elements are no numbers, or some may be masked.
        ShapeError: when it is ragged.
    """
    refuse_mask(value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"a nested sequence of uneven lengths is no array: {error}") from error
    if array.dtype.kind in "OUSMm":
        raise DTypeError(_why_no_array(value))
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def refuse_mask(value: object) -> None:
    """Check that a value is no masked array: as an array it would have numbers under its mask.

    Raises:
        DTypeError: when it is one.
    """
    if isinstance(value, _MASKED):
        raise DTypeError(
            "a masked array would lose its mask: give x.filled(number), or x.data and the mask "
            "beside it"
        )


_MASKED: type = np.ma.MaskedArray


def _why_no_array(value: object) -> str:
    """Say what a value is that was given in place of an array."""
    if hasattr(value, "trainable_variables"):
        return (
            f"a {type(value).__name__} is no array, but what holds some: differentiate by its "
            "trainable_variables, with ug.GradientTape"
        )
    if isinstance(value, int):
        return f"{value} is beyond the integers of 64 bits: give it as a float"
    named = "None" if value is None else f"a {type(value).__name__}"
    return f"{named} is no number, and no array of numbers"


def ends(array: npt.NDArray[Any]) -> tuple[Any, Any]:
    """Return the least and the greatest element of an array that has some.

    Example:
        >>> ends(np.array([2, 1, 3]))
        (1, 3)
    """
    if array.size <= _FEW:
        few = array.ravel().tolist()
        return min(few), max(few)
    return array.min(), array.max()


#: Of up to so many numbers Python finds the ends in less than the 3 µs that NumPy takes.
_FEW = 64
