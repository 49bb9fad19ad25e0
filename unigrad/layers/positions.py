"""Where in a sequence a step is, told to layers that do not see it: encodings of positions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import as_tensor, cast
from unigrad.core.dtypes import float32, result_dtype
from unigrad.core.errors import ShapeError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.nn.embedding import rows_of
from unigrad.ops.elementary import cos, sin
from unigrad.ops.joining import concat
from unigrad.ops.shaping import expand_dims


def sinusoidal(length: int, units: int, base: float = 10000.0) -> npt.NDArray[np.float64]:
    """Return sin(p / base^(2i / units)) and its cosine as elements 2i and 2i + 1 of row p.

    Source: Vaswani et al., "Attention is all you need" (2017).

    Example:
        >>> sinusoidal(2, 2).round(3).tolist()
        [[0.0, 1.0], [0.841, 0.54]]
    """
    rates = base ** (-2.0 * np.arange((units + 1) // 2) / units)
    angles = np.arange(length)[:, None] * rates
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, -1)[:, :units]


def rotary(x: Any, positions: Any, base: float = 10000.0) -> Tensor:
    """Turn the pairs (xᵢ, xᵢ₊ₙ), n half of the last axis, by the angles p / base^(i / n).

    So products of two turned vectors depend on how far apart their positions are.

    Args:
        x: (…, time, units), units even.
        positions: integers (time,).
        base: what the angles are divided by at most.

    Raises:
        ShapeError: when the number of units is odd.

    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding" (2021), with
    the halves paired as in GPT-NeoX.

    Example:
        >>> import unigrad as ug
        >>> rotary(ug.asarray([[1.0, 0.0]]), [0]).tolist()
        [[1.0, 0.0]]
    """
    x = as_tensor(x)
    units = x.shape[-1]
    if units % 2:
        raise ShapeError(f"rotary: the length {units} of the last axis is odd")
    half = units // 2
    wide = result_dtype(x.dtype, float32)
    rates = as_tensor((base ** (-np.arange(half) / half)).astype(wide), x)
    angles = expand_dims(cast(as_tensor(positions, x), rates.dtype), axis=-1) * rates
    cosine, sine = cast(cos(angles), x.dtype), cast(sin(angles), x.dtype)
    first, second = x[..., :half], x[..., half:]
    return concat([first * cosine - second * sine, first * sine + second * cosine], axis=-1)


class SinusoidalPositions(Module):
    """Add fixed waves to (batch, time, units): see `sinusoidal`.

    Args:
        base: the longest wave is 2π times as long.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> SinusoidalPositions()(ug.zeros((1, 1, 4))).tolist()
        [[[0.0, 1.0, 0.0, 1.0]]]
    """

    def __init__(self, base: float = 10000.0, name: str | None = None) -> None:
        super().__init__(name=name)
        self.base = base

    def call(self, x: Any, *, start: int = 0) -> Tensor:
        """Add the waves of the positions from ``start`` on.

        Raises:
            SettingError: when ``start`` is no integer of at least 0.
        """
        x = as_tensor(x)
        start = count(self.name, "start", start, 0)
        length, units = x.shape[-2:]
        waves = sinusoidal(start + length, units, self.base)[start:]
        out: Tensor = x + as_tensor(waves.astype(x.dtype), x)
        return out


class LearnedPositions(Module):
    """Add a row of a table to each step of (batch, time, units).

    Args:
        length: how many rows: the greatest number of steps.
        initializer: how the table is drawn.
        key, name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> LearnedPositions(10)(ug.zeros((1, 2, 3))).shape
        (1, 2, 3)
    """

    def __init__(
        self,
        length: int,
        initializer: Initializer = "uniform",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.length = count(self.name, "length", length, 1)
        self.initializer = initializer

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the table."""
        shape = (self.length, input_shape[-1])
        self.table = self.add_weight("table", shape, self.initializer)

    def call(self, x: Any, *, start: Any = 0) -> Tensor:
        """Add the rows from ``start`` on.

        Raises:
            ShapeError: when there are more steps than rows.
            SettingError: when ``start`` is a negative number.
            OutOfBoundsError: for a tensor ``start`` outside of the table; compiled programs and
                accelerators give NaN.
        """
        x = as_tensor(x)
        steps = x.shape[-2]
        if isinstance(start, int):
            start = count(self.name, "start", start, 0)
        if steps > self.length or (isinstance(start, int) and start + steps > self.length):
            raise ShapeError(
                f"{self.name}: {steps} steps from {start} on are more than {self.length}"
            )
        places = as_tensor(np.arange(steps), x) + start
        out: Tensor = x + rows_of(self.name, places, as_tensor(self.table))
        return out
