"""`reduce_window`: any associative function of two, over the windows of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.calls import check_function
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.convolution import _counts, paddings
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import broadcast_to


def reduce_window(
    x: TensorLike,
    initial: TensorLike,
    f: Callable[[Tensor, Tensor], Any],
    window: int | Sequence[int],
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] | Sequence[Sequence[int]] = "valid",
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return f over the elements of each window of a tensor, over all its axes.

    f is called on tensors of all windows at once, as many times as a window has elements, from the
    first of them to the last; the compiled program has so many calls of it.

    Args:
        x: the elements.
        initial: a number that f leaves alone, as 0 is for a sum: what padding consists of.
        f: an elementwise, associative function of two tensors.
        window: the window's length along each axis, or one for all; 1 along axes to be left alone.
        strides: steps between windows.
        padding: "valid", "same", widths or pairs for each axis, as for `conv`.
        dilation: steps inside of a window.

    Raises:
        ShapeError: when a window is longer than a padded axis, or f gives another shape.
        SettingError: for another padding, or lengths below 1.

    Example:
        >>> import unigrad as ug
        >>> reduce_window([1.0, 2.0, 4.0, 8.0], 0.0, ug.add, 2, strides=2).tolist()
        [3.0, 12.0]
    """
    name = "reduce_window"
    check_function(f"{name}: f", f)
    x = as_tensor(x)
    if not x.ndim:
        return as_tensor(f(as_tensor(initial, x, x.dtype), x))
    if padding == "causal":
        raise SettingError(f"{name}: no padding is called 'causal'")
    sizes, steps, inside = (
        _counts(name, what, value, x.ndim)
        for what, value in (("window", window), ("strides", strides), ("dilation", dilation))
    )
    widths = paddings(name, x.shape, sizes, steps, padding, inside)
    if any(map(any, widths)):
        x = pad(x, widths, constant_values=initial)
    spans = [(k - 1) * d + 1 for k, d in zip(sizes, inside, strict=True)]
    counts = [(n - r) // s + 1 for n, r, s in zip(x.shape, spans, steps, strict=True)]
    if any(n < r for n, r in zip(x.shape, spans, strict=True)):
        raise ShapeError(f"{name}: a window {sizes} is longer than the padded axes {x.shape}")
    total = broadcast_to(as_tensor(initial, x, x.dtype), tuple(counts))
    for place in product(*map(range, sizes)):
        key = tuple(
            [
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, n, s, d in zip(place, counts, steps, inside, strict=True)
            ]
        )
        total = as_tensor(f(total, x[key]))
        if total.shape != tuple(counts):
            raise ShapeError(f"{name}: the function gave shape {total.shape}, not {tuple(counts)}")
    return total
