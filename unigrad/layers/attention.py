"""`BahdanauAttention`: which parts of a memory a query asks for."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.layers.dense import Initializer
from unigrad.layers.module import Module
from unigrad.ops.affine import linear
from unigrad.ops.comparison import where
from unigrad.ops.elementary import tanh
from unigrad.ops.linear import matmul
from unigrad.ops.nn.attention import lowest
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.ops.softmax import softmax


class BahdanauAttention(Module):
    """Additive attention: weights softmax(v · tanh(m Wₘ + b + q W_q)) over the memory.

    ``call`` takes a query (batch, q) and a memory (batch, time, m) and returns the context
    (batch, m), the memory's mean under the weights, and the weights (batch, time). Where the mask
    (batch, time) is False the weight is zero; if it is False everywhere, all weights are equal.

    Source: Bahdanau, Cho & Bengio, "Neural machine translation by jointly learning to align and
    translate" (2015).

    Args:
        units: the length of the hidden layer.
        kernel_initializer: how Wₘ, W_q and v are drawn.
        bias_initializer: how b is drawn.
        key, name: see `Module`.
    """

    memory_kernel: Variable
    query_kernel: Variable
    bias: Variable
    score: Variable

    def __init__(
        self,
        units: int,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        key: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, key=key)
        self.units = count(self.name, "units", units, 1)
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer

    def __call__(self, *inputs: Any, training: bool | None = None, **settings: Any) -> Any:
        """Build at the first call from both shapes, then run `call`."""
        query, memory = (as_tensor(one) for one in inputs)
        self.ensure_built((query.shape[-1], memory.shape[-1]))
        return super().__call__(query, memory, training=training, **settings)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights from the two lengths (of a query, of an entry of the memory)."""
        query, memory = input_shape[-2:]
        draw = self.kernel_initializer
        self.memory_kernel = self.add_weight("memory_kernel", (memory, self.units), draw)
        self.query_kernel = self.add_weight("query_kernel", (query, self.units), draw)
        self.bias = self.add_weight("bias", (self.units,), self.bias_initializer)
        self.score = self.add_weight("score", (self.units, 1), draw)

    def keys(self, memory: Any) -> Tensor:
        """Return m Wₘ + b, the part that all queries share, to be handed to `call`."""
        return linear(memory, self.memory_kernel, self.bias)

    def call(
        self, query: Tensor, memory: Tensor, *, mask: Any = None, keys: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the context and the weights.

        Args:
            query: (batch, q).
            memory: (batch, time, m).
            mask: bools (batch, time); None for all True. What it leaves out does not count,
                infinities and NaN included.
            keys: `keys` of the memory, if it was computed before. Padding is then taken as it is:
                it must be finite, as the zeros are that a masked `GRU` gives.
        """
        if keys is None:
            if mask is not None:
                # Chosen before the products: 0 times what is infinite or NaN in padding is NaN.
                memory = where(expand_dims(as_tensor(mask, memory), axis=-1), memory, 0.0)
            keys = self.keys(memory)
        hidden = tanh(keys + expand_dims(matmul(query, self.query_kernel), axis=1))
        scores = squeeze(matmul(hidden, self.score), axis=-1)
        if mask is not None:
            # The lowest finite number: its exponential is zero, and a row of them has no NaN.
            scores = where(mask, scores, lowest(scores.dtype))
        weights = softmax(scores, axis=-1)
        context = squeeze(matmul(expand_dims(weights, axis=1), memory), axis=1)
        return context, weights
