"""How often values come: histograms and counts of integers.

Counts have derivative zero; sums of weights are differentiable by the weights, and the edges of a
histogram by the least and the greatest element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, whole
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    checked,
    common_tensors,
    constant,
    to_floating,
)
from unigrad.core.errors import (
    DTypeError,
    OutOfBoundsError,
    SettingError,
    ShapeError,
    TracingError,
)
from unigrad.core.op import OPS, together
from unigrad.core.operands import in_dtype, single
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal, greater_equal, less_equal, logical_and, where
from unigrad.ops.cumulative import diff
from unigrad.ops.filling import ones_like
from unigrad.ops.reductions import max, min, sum, widened
from unigrad.ops.shaping import as_integer, ravel
from unigrad.ops.sorting import searchsorted

__all__ = ["bincount", "histogram", "histogram_bin_edges"]

#: The number of bins of equal width, or their edges.
Bins = int | TensorLike


@whole.as_one_op(looks=True)
def histogram(
    x: TensorLike,
    /,
    bins: Bins = 10,
    *,
    range: Sequence[TensorLike] | None = None,
    weights: TensorLike | None = None,
    density: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return how many elements lie in each bin (int64), and the edges of the bins.

    A bin holds its lower edge, the last one also its upper edge. What lies outside, or is NaN, is
    not counted. ``weights`` are added up instead, in their dtype, and ``density`` divides by the
    whole and by the widths of the bins.

    Args:
        x: real numbers of any shape.
        bins: the number of bins of equal width, or increasing edges.
        range: the least and the greatest edge; by default the least and the greatest element.
        weights: one per element.
        density: return the density in the floating dtype of the edges.

    Raises:
        SettingError: when edges are seen not to increase, or a range to be infinite or NaN.
        ShapeError: when there are no bins, or weights do not fit.
        DTypeError: for complex numbers.

    Example:
        >>> counts, edges = histogram([1.0, 2.0, 1.0, 4.0], 3)
        >>> counts.tolist(), edges.tolist()
        ([2, 1, 1], [1.0, 2.0, 3.0, 4.0])
    """
    name = "histogram"
    x = _real(name, x)
    edges = _edges(name, x, bins, range)
    count = edges.shape[0] - 1
    flat = ravel(x)
    flat, sought = common_tensors(name, (flat, edges))
    last = sought[-1]
    place = searchsorted(sought, flat, side="right") - 1
    place = where(equal(flat, last), count - 1, place)
    inside = logical_and(greater_equal(flat, sought[0]), less_equal(flat, last))
    # One more place takes what is in no bin.
    place = where(inside, place, count)
    if weights is None:
        heights = _added(ones_like(place), place, count + 1)[:-1]
    else:
        given = as_tensor(weights, x)
        if given.shape != x.shape:
            raise ShapeError(f"{name}: weights of shape {given.shape} for elements of {x.shape}")
        heights = _added(ravel(_summable(given)), place, count + 1)[:-1]
    shown = cast(edges, x.dtype if x.dtype in dtypes.INEXACT else dtypes.default_dtype())
    if isinstance(bins, Tensor) and bins.ndim:
        shown = edges
    if density:
        heights = cast(heights, edges.dtype) if heights.dtype in dtypes.INTEGER else heights
        parts = heights / sum(heights)
        heights = cast(parts / cast(diff(edges), parts.dtype), shown.dtype)
    return heights, shown


def histogram_bin_edges(
    x: TensorLike, /, bins: Bins = 10, *, range: Sequence[TensorLike] | None = None
) -> Tensor:
    """Return the edges of the bins of `histogram`.

    Example:
        >>> histogram_bin_edges([1.0, 4.0, 2.0], 3).tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    x = _real("histogram_bin_edges", x)
    edges = _edges("histogram_bin_edges", x, bins, range)
    if isinstance(bins, Tensor) and bins.ndim:
        return edges
    return cast(edges, x.dtype if x.dtype in dtypes.INEXACT else dtypes.default_dtype())


def _real(name: str, x: TensorLike) -> Tensor:
    x = as_tensor(x)
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({x.dtype.name})")
    return cast(x, dtypes.uint8) if x.dtype == dtypes.bool_ else x


def _summable(weights: Tensor) -> Tensor:
    """Return weights as numbers that add up."""
    return to_floating(weights) if weights.dtype == dtypes.bool_ else weights


def _added(values: Tensor, place: Tensor, length: int) -> Tensor:
    """Return the sums of values at places, half precision added up in float32."""
    found: Tensor = OPS["scatter_add"](widened(values), place, axis=0, length=length)
    return cast(found, values.dtype)


def _edges(name: str, x: Tensor, bins: Bins, range: Sequence[TensorLike] | None) -> Tensor:
    """Return the edges of bins: of integers in float64, which holds what they are compared with."""
    if isinstance(bins, str) or not (isinstance(bins, int) or hasattr(bins, "__len__")):
        bins = as_integer(name, bins)
    if not isinstance(bins, int):
        return _given_edges(name, as_tensor(bins, x))
    if bins < 1:
        raise ShapeError(f"{name}: {bins} bins")
    dtype = x.dtype if x.dtype in dtypes.INEXACT else dtypes.float64
    wide = dtypes.float64 if dtype == dtypes.float64 else dtypes.float32
    if range is not None:
        if len(range) != 2:
            raise ShapeError(f"{name}: a range has two ends, not {len(range)}")
        ends = [single(name, one) for one in range]
        low, high = (
            in_dtype(one, wide) if isinstance(one, Tensor) else constant(x, one, wide)
            for one in ends
        )
        low, high = together(OPS["add"], low, high)
        x, low = together(OPS["add"], x, low)
    elif x.size:
        low, high = cast(min(x), wide), cast(max(x), wide)
    else:
        low, high = constant(x, 0.0, wide), constant(x, 1.0, wide)

    def check(least: npt.NDArray[Any], greatest: npt.NDArray[Any]) -> None:
        if not (np.isfinite(least).all() and np.isfinite(greatest).all()):
            raise SettingError(f"{name}: the range {least} to {greatest} is not finite")
        if (least > greatest).any():
            raise SettingError(f"{name}: the range {least} to {greatest} does not ascend")

    checked(check, low, high)
    single_value = equal(low, high)
    low, high = where(single_value, low - 0.5, low), where(single_value, high + 0.5, high)
    part = constant(x, np.linspace(0.0, 1.0, bins + 1), wide)
    # Of products, so that both ends are what they are.
    return cast(low * (1.0 - part) + high * part, dtype)


def _given_edges(name: str, edges: Tensor) -> Tensor:
    if edges.ndim != 1 or edges.shape[0] < 2:
        raise ShapeError(f"{name}: edges of shape {edges.shape} make no bin")

    def check(known: npt.NDArray[Any]) -> None:
        if not (known[..., 1:] >= known[..., :-1]).all():
            raise SettingError(f"{name}: the edges do not increase: {known.tolist()}")

    checked(check, edges)
    return edges


@whole.as_one_op("native_integers", looks=True)
def bincount(
    x: TensorLike,
    /,
    weights: TensorLike | None = None,
    minlength: int = 0,
    *,
    length: int | None = None,
) -> Tensor:
    """Return how often each integer from 0 on comes in a vector (int64), or sums of weights.

    The result is as long as the greatest integer asks for, and at least ``minlength``. A traced
    function cannot know that, and names the ``length``; what is not below it is out of bounds, as
    negative integers are: dropped where nobody can look at values.

    Raises:
        TracingError: inside a traced function without a ``length``.
        OutOfBoundsError: when an integer is seen to be out of bounds.
        ShapeError: when ``x`` is no vector, or weights do not fit.
        DTypeError: when ``x`` has no integers.

    Example:
        >>> bincount([1, 3, 1]).tolist()
        [0, 2, 0, 1]
        >>> bincount([1, 0, 1], weights=[0.5, 1.0, 2.0]).tolist()
        [1.0, 2.5]
    """
    name = "bincount"
    x = as_tensor(np.zeros(0, np.int64) if isinstance(x, list) and not x else x)
    if x.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: integers are counted, not {x.dtype.name}")
    if x.ndim != 1:
        raise ShapeError(f"{name}: shape {x.shape} is no vector")
    least = as_integer(name, minlength)
    if length is None:
        found = length_of(name, x, "length")
        count = found if found > least else least
    else:
        count = as_integer(name, length)
    if least < 0 or count < 0:
        raise ShapeError(f"{name}: a length is not negative")
    place, places = within(name, x, count)
    if weights is None:
        ones = ones_like(cast(place, dtypes.int64))
        return first_rows(_added(ones, place, places), count)
    given = to_floating(as_tensor(weights, x))
    if given.shape != x.shape:
        raise ShapeError(f"{name}: weights of shape {given.shape} for integers of {x.shape}")
    return first_rows(_added(given, place, places), count)


def length_of(name: str, ids: Tensor, setting: str) -> int:
    """Return one more than the greatest id.

    Raises:
        TracingError: where nobody can look at ids. It says which setting to name.
    """
    if ids.backend.is_traced(ids._native):
        raise TracingError(
            f"{name}: the shape of its result depends on values, which do not exist while the "
            f"function is traced: name {setting}="
        )
    known = ids.numpy()
    return int(known.max()) + 1 if known.size else 0


def first_rows(x: Tensor, count: int) -> Tensor:
    """Return so many slices along the first axis."""
    out: Tensor = x if x.shape[0] == count else x[:count]
    return out


def within(name: str, ids: Tensor, count: int) -> tuple[Tensor, int]:
    """Return ids in [0, count), and how many places they need.

    That is one more where nobody can look at them: the last one takes what is out of bounds, and is
    to be left out of the result.

    Raises:
        OutOfBoundsError: when one is seen to be outside. A negative one does not count from the
            end: an id is no index.
    """

    def check(known: npt.NDArray[Any]) -> None:
        wrong = (known < 0) | (known >= count)
        if wrong.any():
            raise OutOfBoundsError(f"{name}: {known[wrong].flat[0]} is not in [0, {count})")

    if not checked(check, ids):
        wide = cast(ids, dtypes.int64)
        return where(logical_and(wide >= 0, wide < count), wide, count), count + 1
    return ids if ids.dtype in (dtypes.int64, dtypes.int32) else cast(ids, dtypes.int64), count
