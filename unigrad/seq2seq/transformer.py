"""`TransformerEncoder` and `TransformerDecoder`, the two sides of a Transformer."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.settings import check_sizes
from unigrad.core.tensor import Tensor
from unigrad.initializers import Normal
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.embedding import Embedding
from unigrad.layers.module import Module
from unigrad.layers.normalization import LayerNorm
from unigrad.layers.positions import sinusoidal
from unigrad.layers.transformer import TransformerDecoderBlock, TransformerEncoderBlock
from unigrad.ops.comparison import not_equal, where
from unigrad.ops.filling import zeros
from unigrad.ops.indexing import take
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.seq2seq.encoder import Encoded
from unigrad.seq2seq.stepping import StepDecoder

__all__ = ["TransformerDecoder", "TransformerEncoder"]


class _Side(Module):
    """What both sides have: embeddings with positions, blocks, and a normalisation behind them.

    Args:
        vocabulary: the number of tokens.
        units: the length of embeddings and states.
        heads: of each attention.
        hidden: the units inside of the blocks' networks.
        blocks: how many.
        dropout: the rate, while training.
        norm_first: see `TransformerEncoderBlock`.
        name: see `Module`.
    """

    #: The class of the blocks.
    block: Any

    def __init__(
        self,
        vocabulary: int,
        units: int = 256,
        heads: int = 4,
        hidden: int = 1024,
        blocks: int = 3,
        dropout: float = 0.1,
        norm_first: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        check_sizes(
            type(self).__name__,
            vocabulary=vocabulary,
            units=units,
            heads=heads,
            hidden=hidden,
            blocks=blocks,
        )
        if units % heads:
            raise SettingError(f"{self.name}: {units} units are not {heads} heads")
        self.units = units
        # Times √units, elements are as large as the waves that are added.
        draw = Normal(stddev=units**-0.5)
        self.embedding = Embedding(vocabulary, units, initializer=draw, name="embedding")
        self.embedding.ensure_built(())
        self.blocks = [
            self.block(heads, hidden, dropout=dropout, norm_first=norm_first) for _ in range(blocks)
        ]
        for block in self.blocks:
            block.ensure_built((1, 1, units))
        self.norm: LayerNorm | None = None
        if norm_first:
            self.norm = LayerNorm(1e-5, name="norm")
            self.norm.ensure_built((1, 1, units))
        self.dropout = Dropout(dropout) if dropout else None

    def _embedded(self, tokens: Tensor, waves: Tensor | None = None) -> Tensor:
        """Return embeddings (batch, time, units) with those of the places, from the first on."""
        x = self.embedding(tokens) * math.sqrt(self.units)
        if waves is None:
            waves = self._waves(tokens.shape[1], x)
        x = x + waves
        out: Tensor = x if self.dropout is None else self.dropout(x)
        return out

    def _waves(self, length: int, like: Tensor) -> Tensor:
        return as_tensor(sinusoidal(length, self.units).astype(like.dtype), like)

    def _normed(self, x: Tensor) -> Tensor:
        out: Tensor = x if self.norm is None else self.norm(x)
        return out


class TransformerEncoder(_Side):
    """Read a sequence: each place attends to all places that are not padding.

    Args:
        vocabulary, units, heads, hidden, blocks, dropout, norm_first: see `TransformerSeq2Seq`.
        padding: the token that stands for nothing.
        name: see `Module`.

    Example:
        >>> encoded = TransformerEncoder(10, 8, 2, 16, 1)([[3, 5, 0]])
        >>> encoded.memory.shape, encoded.mask.tolist()
        ((1, 3, 8), [[True, True, False]])
    """

    block = TransformerEncoderBlock

    def __init__(
        self,
        vocabulary: int,
        units: int = 256,
        heads: int = 4,
        hidden: int = 1024,
        blocks: int = 3,
        dropout: float = 0.1,
        norm_first: bool = True,
        padding: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(vocabulary, units, heads, hidden, blocks, dropout, norm_first, name)
        self.padding = padding

    def call(self, source: Any) -> Encoded:
        """Encode tokens (batch, time); the memory is zero at padding.

        Raises:
            ShapeError: when they are not (batch, time), or there is no place.
        """
        source = as_tensor(source)
        if source.ndim != 2 or not source.shape[1]:
            raise ShapeError(
                f"{self.name}: a source is (batch, time) with at least one place, not "
                f"{source.shape}"
            )
        mask = not_equal(source, self.padding)
        x = self._embedded(source)
        for block in self.blocks:
            x = block(x, key_mask=mask)
        memory = where(expand_dims(mask, axis=-1), self._normed(x), 0.0)
        return Encoded(memory, mask, ())


class Memory(NamedTuple):
    """What a search's steps share, of each sequence."""

    #: Of each block: the keys and values of the memory.
    projected: list[tuple[Tensor, Tensor]]
    #: Where there is no padding: (batch, time).
    mask: Tensor


class TransformerDecoder(StepDecoder, _Side):
    """Write a sequence: each place attends to those before it and to the memory.

    In a search a step computes the last place alone, beside the keys and values that are kept of
    those before.

    Args:
        vocabulary, units, heads, hidden, blocks, dropout, norm_first: see `TransformerSeq2Seq`.
        name: see `Module`.
    """

    block = TransformerDecoderBlock

    def __init__(
        self,
        vocabulary: int,
        units: int = 256,
        heads: int = 4,
        hidden: int = 1024,
        blocks: int = 3,
        dropout: float = 0.1,
        norm_first: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(vocabulary, units, heads, hidden, blocks, dropout, norm_first, name)
        self.output = Dense(vocabulary, name="output")
        self.output.ensure_built((units,))

    def call(self, tokens: Any, encoded: Encoded) -> Tensor:
        """Return the logits (batch, time, vocabulary) of what follows each token."""
        x = self._embedded(self._checked(tokens))
        for block in self.blocks:
            x = block(x, encoded.memory, memory_mask=encoded.mask)
        logits: Tensor = self.output(self._normed(x))
        return logits

    def remember(self, encoded: Encoded, rows: int) -> Memory:
        """Return the blocks' keys and values of the memory."""
        projected = [block.memory_attention.remember(encoded.memory) for block in self.blocks]
        return Memory(projected, encoded.mask)

    def first(self, encoded: Encoded, length: int) -> Any:
        """Return the state before the first step: room for keys and values, and the place."""
        batch = encoded.memory.shape[0]
        caches = []
        for block in self.blocks:
            cache = block.cache(batch, length)
            caches.append((cache["keys"], cache["values"]))
        return {"caches": caches, "place": zeros((batch,), dtype="int64", like=encoded.memory)}

    def step(self, last: Any, state: Any, memory: Memory) -> tuple[Tensor, Any, Tensor]:
        """Take one step; see `StepDecoder.step`. The attention is that of the last block."""
        place = state["place"]
        rows = place.shape[0]
        # All rows are at the same place.
        count = place[0] if rows else as_tensor(np.asarray(0), place)
        length = state["caches"][0][0].shape[2]
        x = expand_dims(as_tensor(last, place), axis=1)
        table = self._waves(length, memory.projected[0][0])
        x = self._embedded(x, take(table, count, axis=0))
        after = []
        for block, (keys, values), projected in zip(
            self.blocks, state["caches"], memory.projected, strict=True
        ):
            cache = {"keys": keys, "values": values, "count": count}
            x, cache, weights = block.step(x, projected, memory.mask, cache)
            after.append((cache["keys"], cache["values"]))
        logits = self.output(squeeze(self._normed(x), axis=1))
        return logits, {"caches": after, "place": place + 1}, weights
