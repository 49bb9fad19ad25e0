"""`Embedding`: a row of a table per integer."""

from __future__ import annotations

from typing import Any

from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.ops.indexing import take


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
        """Look up. Raises `OutOfBoundsError` for an integer outside of the vocabulary."""
        return take(self.table, indices, axis=0)
