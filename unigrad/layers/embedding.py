"""`Embedding`: a row of a table per integer."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import SettingError
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.nn.embedding import rows_of
from unigrad.ops.comparison import not_equal, where
from unigrad.ops.identity import stop_gradient
from unigrad.ops.indexing import as_index
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.shaping import expand_dims


class Embedding(Module):
    """Look up integers (…) in a table (vocabulary, units); the result is (…, units).

    Args:
        vocabulary: how many rows; integers are in [0, vocabulary).
        units: the length of a row.
        initializer: how the table is drawn: uniform in ±0.05 by default.
        padding: the integer that stands for nothing: see `mask`.
        train_padding: whether its row has a gradient.
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
        padding: int | None = None,
        train_padding: bool = True,
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.vocabulary = count(self.name, "vocabulary", vocabulary, 1)
        self.units = count(self.name, "units", units, 1)
        self.initializer = initializer
        self.padding = padding
        self.train_padding = train_padding
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
        table = as_tensor(self.table)
        indices = as_index(self.name, indices, table, 0)
        found = rows_of(self.name, indices, table)
        if self.padding is None or self.train_padding:
            return found
        real = expand_dims(not_equal(indices, self.padding), axis=-1)
        return where(real, found, stop_gradient(found))

    def mask(self, indices: Any) -> Tensor:
        """Return bools of the integers' shape, False at padding, for the layers behind.

        Raises:
            SettingError: when nothing was said to be padding.
        """
        if self.padding is None:
            raise SettingError(f"{self.name}: made without padding=")
        return not_equal(indices, self.padding)

    def attend(self, x: Any) -> Tensor:
        """Return the products (…, vocabulary) of vectors (…, units) with all rows.

        So a model's last map shares its weights with the first.

        Source: Press & Wolf, "Using the output embedding to improve language models" (2017).
        """
        return matmul(x, matrix_transpose(as_tensor(self.table)))
