"""`LayerNorm`: zero mean and unit variance per example."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor, cast
from unigrad.core.tensor import Tensor
from unigrad.layers.module import Module
from unigrad.ops.elementary import sqrt
from unigrad.ops.reductions import mean, widened


class LayerNorm(Module):
    """y = γ (x - mean) / √(variance + ε) + β over the last axis.

    Half precision is normalised in float32, whose range holds its squares.

    Source: Ba, Kiros & Hinton, "Layer normalization" (2016).

    Args:
        epsilon: ε.
        name: see `Module`.
    """

    def __init__(self, epsilon: float = 1e-5, name: str | None = None) -> None:
        super().__init__(name=name)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make γ and β."""
        self.scale = self.add_weight("scale", input_shape[-1:], "ones")
        self.offset = self.add_weight("offset", input_shape[-1:], "zeros")

    def call(self, x: Any) -> Tensor:
        """Normalise."""
        x = as_tensor(x)
        wide = widened(x)
        centred = wide - mean(wide, axis=-1, keepdims=True)
        variance = mean(centred * centred, axis=-1, keepdims=True)
        normal = cast(centred / sqrt(variance + self.epsilon), x.dtype)
        out: Tensor = normal * self.scale + self.offset
        return out
