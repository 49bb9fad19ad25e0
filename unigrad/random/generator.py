"""`Generator`: a key that splits itself, for code that would rather not carry keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import TensorLike
from unigrad.core.dtypes import DTypeLike
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable, exchange
from unigrad.random import continuous, discrete, keys, shuffling, uniforms

__all__ = ["Generator"]


class Generator:
    """Draws without keys: each call splits the generator's key in two and uses the second.

    Its key is a Variable, so `ug.jit` sees that a compiled function draws from it, and a
    checkpoint or a module that holds the generator saves its state. It lives where it was made,
    and so do the draws.

    Example:
        >>> generator = Generator(0)
        >>> first, second = generator.uniform((2,)), generator.uniform((2,))
        >>> first.tolist() == second.tolist()
        False
    """

    __slots__ = ("key",)

    def __init__(self, seed: int) -> None:
        self.key = Variable(keys.key(seed), trainable=False, name="Generator.key")

    def named_variables(self) -> dict[str, Variable]:
        """Return the state by name: the key."""
        return {"key": self.key}

    def state_dict(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return a copy of the state as an ndarray by name."""
        return state_of(self.named_variables())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state: the draws go on as they did where it came from.

        Raises:
            UnigradError: when names, shapes or dtypes differ; then nothing is changed.

        Example:
            >>> first, second = Generator(1), Generator(2)
            >>> second.load_state_dict(first.state_dict())
            >>> first.uniform().item() == second.uniform().item()
            True
        """
        load_into(self.named_variables(), state, type(self).__name__)

    def next_key(self) -> Tensor:
        """Return a key that no other draw of this generator uses, in any thread."""
        return exchange([self.key], self._halves)  # type: ignore[no-any-return]

    def _halves(self) -> tuple[list[Tensor], Tensor]:
        rest, key = keys.halves(self.key.read())
        return [rest], key

    def split(self, num: int = 2) -> Tensor:
        """Return new keys, as `ug.random.split`."""
        return keys.split(self.next_key(), num)

    def bits(self, shape: int | Sequence[int] = (), dtype: DTypeLike = "uint32") -> Tensor:
        """Draw as `ug.random.bits`."""
        return keys.bits(self.next_key(), shape, dtype)

    def uniform(
        self,
        shape: int | Sequence[int] = (),
        dtype: DTypeLike | None = None,
        minval: TensorLike = 0.0,
        maxval: TensorLike = 1.0,
    ) -> Tensor:
        """Draw as `ug.random.uniform`."""
        return uniforms.uniform(self.next_key(), shape, dtype, minval, maxval)

    def normal(self, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Tensor:
        """Draw as `ug.random.normal`."""
        return continuous.normal(self.next_key(), shape, dtype)

    def truncated_normal(
        self,
        lower: TensorLike,
        upper: TensorLike,
        shape: int | Sequence[int] | None = None,
        dtype: DTypeLike | None = None,
    ) -> Tensor:
        """Draw as `ug.random.truncated_normal`."""
        return continuous.truncated_normal(self.next_key(), lower, upper, shape, dtype)

    def gumbel(self, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Tensor:
        """Draw as `ug.random.gumbel`."""
        return continuous.gumbel(self.next_key(), shape, dtype)

    def exponential(
        self, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None
    ) -> Tensor:
        """Draw as `ug.random.exponential`."""
        return continuous.exponential(self.next_key(), shape, dtype)

    def randint(
        self,
        shape: int | Sequence[int],
        minval: TensorLike,
        maxval: TensorLike,
        dtype: DTypeLike = "int64",
    ) -> Tensor:
        """Draw as `ug.random.randint`."""
        return discrete.randint(self.next_key(), shape, minval, maxval, dtype)

    def bernoulli(self, p: TensorLike = 0.5, shape: int | Sequence[int] | None = None) -> Tensor:
        """Draw as `ug.random.bernoulli`."""
        return discrete.bernoulli(self.next_key(), p, shape)

    def categorical(
        self,
        logits: TensorLike,
        axis: int = -1,
        shape: int | Sequence[int] | None = None,
    ) -> Tensor:
        """Draw as `ug.random.categorical`."""
        return discrete.categorical(self.next_key(), logits, axis, shape)

    def permutation(self, x: TensorLike, axis: int = 0, independent: bool = False) -> Tensor:
        """Draw as `ug.random.permutation`."""
        return shuffling.permutation(self.next_key(), x, axis, independent)

    def choice(
        self,
        a: TensorLike,
        shape: int | Sequence[int] = (),
        replace: bool = True,
        p: TensorLike | None = None,
        axis: int = 0,
    ) -> Tensor:
        """Draw as `ug.random.choice`."""
        return shuffling.choice(self.next_key(), a, shape, replace, p, axis)
