"""`TransformerEncoderBlock` and `TransformerDecoderBlock`."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.settings import check_sizes
from unigrad.core.tensor import Tensor
from unigrad.layers.activations import Activation
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.module import Module
from unigrad.layers.multihead import Cache, MultiHeadAttention, real_steps
from unigrad.layers.normalization import LayerNorm
from unigrad.ops.comparison import where
from unigrad.ops.reductions import mean
from unigrad.ops.shaping import reshape


class _Block(Module):
    """Attention and a network for each step, each beside a shortcut and with a normalisation.

    Args:
        heads: of the attention.
        hidden: the units between the two maps of the network.
        activation: the network's, between the maps.
        dropout: the rate, while training, of weights, hidden units and what joins a shortcut.
        norm_first: whether a part's input is normalised, or the sum after it.
        epsilon: the normalisations'.
        use_bias: whether maps and projections have biases, and normalisations offsets.
        name: see `Module`.
    """

    def __init__(
        self,
        heads: int,
        hidden: int,
        activation: Activation = "relu",
        dropout: float = 0.0,
        norm_first: bool = False,
        epsilon: float = 1e-5,
        use_bias: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        check_sizes(type(self).__name__, heads=heads, hidden=hidden)
        self.norm_first = norm_first
        self.use_bias = use_bias
        self.epsilon = epsilon
        self.hidden = hidden
        self.self_attention = MultiHeadAttention(heads, use_bias=use_bias, dropout=dropout)
        self.expand = Dense(hidden, activation=activation, use_bias=use_bias)
        self.norms = [self._norm()]
        self.dropout = Dropout(dropout) if dropout else None

    def _drop(self, x: Tensor) -> Tensor:
        dropped: Tensor = x if self.dropout is None else self.dropout(x)
        return dropped

    def _norm(self) -> LayerNorm:
        return LayerNorm(self.epsilon, use_offset=self.use_bias)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Build all parts for (batch, time, units)."""
        units = input_shape[-1]
        self.contract = Dense(units, use_bias=self.use_bias)
        for layer in (self.self_attention, self.expand, *self.norms):
            layer.ensure_built(input_shape)
        self.contract.ensure_built((*input_shape[:-1], self.hidden))

    def _beside(self, x: Tensor, number: int, part: Any) -> Tensor:
        """Return a shortcut past a part."""
        norm = self.norms[number]
        if self.norm_first:
            out: Tensor = x + self._drop(part(norm(x)))
            return out
        total: Tensor = norm(x + self._drop(part(x)))
        return total

    def _real(self, x: Tensor, key_mask: Any, cache: Cache | None) -> Tensor:
        """Return steps with zeros at padding, which has a way past the attention."""
        if key_mask is None:
            return x
        # Chosen before the formulas: 0 times what is infinite or NaN in padding is NaN.
        return where(real_steps(self.name, x, key_mask, cache), x, 0.0)

    def _network(self, x: Tensor) -> Tensor:
        out: Tensor = self.contract(self._drop(self.expand(x)))
        return out


class TransformerEncoderBlock(_Block):
    """Self-attention, then a network of two maps for each step of (batch, time, units).

    Source: Vaswani et al., "Attention is all you need" (2017); ``norm_first`` is that of Xiong et
    al., "On layer normalization in the transformer architecture" (2020).

    Args:
        heads: of the attention.
        hidden: the units between the two maps.
        activation: the network's, between the maps.
        dropout: the rate, while training, of weights, hidden units and what joins a shortcut.
        norm_first: whether a part's input is normalised, or the sum after it.
        epsilon: the normalisations'.
        use_bias: whether maps and projections have biases, and normalisations offsets.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> TransformerEncoderBlock(2, 16)(ug.ones((3, 5, 8))).shape
        (3, 5, 8)
    """

    def __init__(self, heads: int, hidden: int, **settings: Any) -> None:
        super().__init__(heads, hidden, **settings)
        self.norms.append(self._norm())

    def call(
        self, x: Any, *, mask: Any = None, key_mask: Any = None, causal: bool = False
    ) -> Tensor:
        """Run the block; masks are those of `MultiHeadAttention`.

        What a ``key_mask`` leaves out is taken as 0, beside the attention as well.
        """
        x = self._beside(
            self._real(as_tensor(x), key_mask, None),
            0,
            lambda y: self.self_attention(y, mask=mask, key_mask=key_mask, causal=causal),
        )
        return self._beside(x, 1, self._network)


class TransformerDecoderBlock(_Block):
    """Causal self-attention, attention to a memory, then a network for each step.

    Args:
        **settings: those of `TransformerEncoderBlock`.

    Example:
        >>> import unigrad as ug
        >>> TransformerDecoderBlock(2, 16)(ug.ones((3, 5, 8)), ug.ones((3, 4, 8))).shape
        (3, 5, 8)
    """

    def __init__(self, heads: int, hidden: int, **settings: Any) -> None:
        super().__init__(heads, hidden, **settings)
        rate = 0.0 if self.dropout is None else self.dropout.rate
        self.memory_attention = MultiHeadAttention(heads, use_bias=self.use_bias, dropout=rate)
        self.norms += [self._norm(), self._norm()]

    def __call__(self, *inputs: Any, training: bool | None = None, **settings: Any) -> Any:
        """Build at the first call from both shapes, then run `call`."""
        memory = inputs[1] if len(inputs) > 1 else settings.get("memory")
        if not self.built and memory is not None:
            size = as_tensor(memory).shape[-1]
            self.memory_attention.memory_sizes = (size, size)
        return super().__call__(*inputs, training=training, **settings)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Build all parts for (batch, time, units)."""
        super().build(input_shape)
        self.memory_attention.ensure_built(input_shape)

    def cache(self, batch: int, length: int) -> Cache:
        """Return an empty cache of the self-attention for so many steps, for `call`."""
        return self.self_attention.cache(batch, length)

    def step(
        self, x: Tensor, remembered: tuple[Tensor, Tensor], memory_mask: Any, cache: Cache
    ) -> tuple[Tensor, Cache, Tensor]:
        """Run one step, of several rows for each memory.

        Args:
            x: (rows, 1, units), the rows of one memory side by side.
            remembered: keys and values of the memories, by the attention's `remember`.
            memory_mask: bools (batch, time), False where a memory is padding.
            cache: of the steps before, with so many rows.

        Returns:
            The result, the new cache, and the attention (rows, time) to the memory, the mean over
            the heads.
        """
        rows, _, units = x.shape
        batch, time = memory_mask.shape
        found: list[Any] = []

        def look_back(y: Tensor) -> Tensor:
            out, after = self.self_attention(y, cache=cache)
            found.append(after)
            result: Tensor = out
            return result

        def look_up(y: Tensor) -> Tensor:
            # They do not see each other, so they are as many queries to one memory.
            queries = reshape(y, (batch, rows // batch if batch else 0, units))
            out, weights = self.memory_attention.attend(queries, remembered, memory_mask)
            found.append(reshape(mean(weights, axis=1), (rows, time)))
            return reshape(out, (rows, 1, units))

        x = self._beside(x, 0, look_back)
        x = self._beside(x, 1, look_up)
        x = self._beside(x, 2, self._network)
        return x, found[0], found[1]

    def call(
        self,
        x: Any,
        memory: Any,
        *,
        mask: Any = None,
        key_mask: Any = None,
        memory_mask: Any = None,
        causal: bool = True,
        cache: Cache | None = None,
    ) -> Any:
        """Run the block.

        Args:
            x: (batch, steps, units).
            memory: (batch, time, …).
            mask, key_mask, causal: of the self-attention: see `MultiHeadAttention`. What a
                ``key_mask`` leaves out is taken as 0, beside the attention as well.
            memory_mask: bools (batch, time), False where the memory is padding.
            cache: of the steps before; then the new one is returned as well.

        Raises:
            ShapeError: as `MultiHeadAttention`, for a cache that is full and a mask that does not
                fit it.
        """
        found: list[Cache] = []

        def look_back(y: Tensor) -> Tensor:
            out: Any = self.self_attention(
                y, mask=mask, key_mask=key_mask, causal=causal, cache=cache
            )
            if cache is not None:
                out, after = out
                found.append(after)
            result: Tensor = out
            return result

        x = self._beside(self._real(as_tensor(x), key_mask, cache), 0, look_back)
        x = self._beside(x, 1, lambda y: self.memory_attention(y, memory, key_mask=memory_mask))
        x = self._beside(x, 2, self._network)
        return (x, found[0]) if found else x
