"""Choosing elements by conditions, and between tensors.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, common_tensors, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import DTypeError, OutOfBoundsError, SettingError, ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import not_equal, where
from unigrad.ops.indexing import _has_tensor as has_tensor
from unigrad.ops.indexing import boolean_mask, take, take_along_axis
from unigrad.ops.joining import concat, stack
from unigrad.ops.limits import clip
from unigrad.ops.rounding import remainder
from unigrad.ops.shaping import broadcast_arrays, broadcast_to, expand_dims, ravel, squeeze

__all__ = ["choose", "compress", "extract", "select"]


@operands("default")
def select(
    condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], /, default: TensorLike = 0
) -> Tensor:
    """Return, for each place, the choice whose condition is the first that holds, else a default.

    Conditions (bools) and choices broadcast against each other; choices promote to one dtype.

    Raises:
        ShapeError: when there are not as many conditions as choices, or none.
        DTypeError: when a condition is not made of bools.

    Example:
        >>> select([[True, False, False], [True, True, False]], [[1, 2, 3], [4, 5, 6]]).tolist()
        [1, 5, 0]
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ShapeError(f"select: {len(condlist)} conditions for {len(choicelist)} choices")
    *choices, found = common_tensors("select", [*choicelist, default])
    conditions = [as_tensor(one, found) for one in condlist]
    for one in conditions:
        if one.dtype != dtypes.bool_:
            raise DTypeError(f"select: conditions are bools, not {one.dtype.name}")
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        found = where(condition, choice, found)
    return found


Mode = Literal["raise", "wrap", "clip"]


@whole.as_one_op("native_dtypes", looks=True)
def choose(
    indices: TensorLike, choices: Sequence[TensorLike], /, *, mode: Mode = "raise"
) -> Tensor:
    """Return, for each place, the element of the choice whose number ``indices`` has there.

    Indices and choices broadcast against each other. ``mode`` says what becomes of a number that no
    choice has: "raise" counts negative ones from the end and treats others as any index out of
    bounds, "wrap" takes it modulo their number, "clip" the nearest.

    Raises:
        OutOfBoundsError: when a number is out of bounds.
        DTypeError: when the indices are no integers.
        ShapeError: when there are no choices.
        SettingError: for another ``mode``.

    Example:
        >>> choose([1, 0, 1], [[1, 2, 3], [4, 5, 6]]).tolist()
        [4, 2, 6]
    """
    if mode not in get_args(Mode):
        raise SettingError(f"choose: mode is one of {get_args(Mode)}, not {mode!r}")
    given = list(choices)
    if not given:
        raise ShapeError("choose: there are no choices")
    tensors = common_tensors("choose", given, indices if type(indices) is Tensor else None)
    index = as_tensor(indices, tensors[0])
    if index.dtype not in dtypes.INTEGER:
        raise DTypeError(f"choose: indices are integers, not {index.dtype.name}")
    index = cast(index, dtypes.int64)
    if mode == "wrap":
        index = remainder(index, len(tensors))
    elif mode == "clip":
        index = clip(index, 0, len(tensors) - 1)
    index, *tensors = broadcast_arrays(index, *tensors)
    found = take_along_axis(stack(tensors), expand_dims(index, axis=0), axis=0)
    return squeeze(found, axis=0)


def compress(condition: TensorLike, x: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return the slices of ``x`` along an axis where a vector is true; ``None`` flattens it first.

    A vector that is shorter than the axis is false for the rest. How many there are depends on its
    values, so it cannot be traced.

    Raises:
        ShapeError: when ``condition`` is no vector.
        OutOfBoundsError: when it is longer than the axis.
        TracingError: when it is traced.

    Example:
        >>> compress([False, True], [[1, 2, 3], [4, 5, 6]], axis=0).tolist()
        [[4, 5, 6]]
    """
    x = as_tensor(x, condition if type(condition) is Tensor else None)
    x, along = (ravel(x), 0) if axis is None else (x, normalize_axis("compress", axis, x.ndim))
    mask = _mask(condition)
    if mask.ndim != 1:
        raise ShapeError(f"compress: the condition has shape {mask.shape}, not one axis")
    length, given = x.shape[along], mask.shape[0]
    if given > length:
        raise OutOfBoundsError(f"compress: {given} conditions for length {length}")
    return _where(mask, x, along)


def _mask(condition: TensorLike) -> Any:
    """Return truths: of Python's values and NumPy's as an ndarray, which no map takes apart."""
    if isinstance(condition, (list, tuple, np.ndarray, bool, int)) and not has_tensor(condition):
        refuse_mask(condition)
        return np.asarray(condition) != 0
    found = as_tensor(condition)
    return found if found.dtype == dtypes.bool_ else not_equal(found, 0)


def _where(mask: Any, x: Tensor, axis: int) -> Tensor:
    """Return the slices along an axis where a vector that is not longer is true."""
    if isinstance(mask, np.ndarray):
        return take(x, np.flatnonzero(mask), axis=axis)
    missing = x.shape[axis] - mask.shape[0]
    if missing:
        mask = concat([mask, broadcast_to(constant(mask, False), (missing,))])
    return boolean_mask(x, mask, axis=axis)


def extract(condition: TensorLike, x: TensorLike, /) -> Tensor:
    """Return the elements of ``x``, in row-major order, where a condition of its size is true.

    Raises:
        ShapeError: when the condition has another size.
        TracingError: when it is traced.

    Example:
        >>> extract([[True, False], [False, True]], [[1, 2], [3, 4]]).tolist()
        [1, 4]
    """
    x = as_tensor(x, condition if type(condition) is Tensor else None)
    mask = _mask(condition)
    if mask.size != x.size:
        raise ShapeError(f"extract: a condition of shape {mask.shape} for {x.shape}")
    if type(mask) is Tensor and mask.shape == x.shape and x.ndim:
        return boolean_mask(x, mask)
    flat = mask.reshape(-1) if isinstance(mask, np.ndarray) else ravel(mask)
    return _where(flat, ravel(x), 0)
