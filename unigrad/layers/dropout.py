"""`Dropout`: set elements to zero at random while training."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.tensor import Tensor
from unigrad.layers.module import Module
from unigrad.layers.training import is_training
from unigrad.nn.embedding import check_rate, dropout
from unigrad.random import Generator


class Dropout(Module):
    """While training, zero each element with probability ``rate`` and scale the rest by
    1 / (1 - rate); otherwise return the input.

    Source: Srivastava et al., "Dropout" (2014), in the inverted form.

    Args:
        rate: the probability, in [0, 1).
        seed: for the stream of masks; by default drawn from the layer's key.
        name: see `Module`.

    Raises:
        SettingError: when the rate is outside of [0, 1).
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        check_rate("Dropout", rate)
        self.rate = rate
        self._seed = seed
        self.generator: Generator | None = None

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the generator, whose state is a Variable."""
        seed = self._key.as_seed() if self._seed is None else self._seed
        self.generator = Generator(seed)

    def call(self, x: Any) -> Tensor:
        """Drop, or not."""
        x = as_tensor(x)
        if not is_training() or self.rate == 0.0:
            unchanged: Tensor = x
            return unchanged
        assert self.generator is not None
        return dropout(x, self.generator.next_key(), self.rate)
