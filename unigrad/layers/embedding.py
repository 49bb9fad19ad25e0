"""`Embedding`: a row of a table per integer."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.arguments import described, visible
from unigrad.core.errors import OutOfBoundsError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.ops.indexing import as_index, pick
from unigrad.ops.labels import behind_if_negative


class Embedding(Module):
    """Look up integers (…) in a table (vocabulary, units); the result is (…, units).

    Args:
        vocabulary: how many rows; integers are in [0, vocabulary).
        units: the length of a row.
        initializer: how the table is drawn: uniform in ±0.05 by default.
        key, name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> Embedding(10, 4)(ug.asarray([[1, 2, 3]])).shape
        (1, 3, 4)
    """

    def __init__(
        self,
        vocabulary: int,
        units: int,
        initializer: Initializer = "uniform",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.vocabulary = vocabulary
        self.units = units
        self.initializer = initializer
        self.table: Variable | None = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the table."""
        self.table = self.add_weight("table", (self.vocabulary, self.units), self.initializer)

    def call(self, indices: Any) -> Tensor:
        """Look up.

        Raises:
            OutOfBoundsError: for an integer outside of [0, vocabulary); compiled programs and
                accelerators give NaN.
        """
        assert self.table is not None
        table = self.table.read()
        indices = as_index(self.name, indices, table, 0)
        found = pick(self.name, table, behind_if_negative(indices, self.vocabulary), 0)
        _refuse_negative(self.name, indices, table)
        return found


def _refuse_negative(name: str, indices: Tensor, table: Tensor) -> None:
    """Refuse what `take` would count from the end, on a CPU and in eager mode only."""
    values = visible(indices)
    if values is not None and values.size and (least := np.minimum.reduce(values, None)) < 0:
        raise OutOfBoundsError(
            f"{name}({described(table)}, {described(indices)}): index {least} is negative"
        )
