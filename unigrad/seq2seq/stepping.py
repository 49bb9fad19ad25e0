"""`StepDecoder`: what a search and scheduled sampling ask of a decoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.control import scan
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.dtypes import int64
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.layers.module import Module
from unigrad.ops.comparison import where
from unigrad.ops.reductions import argmax
from unigrad.ops.shaping import permute_dims
from unigrad.random.uniforms import uniform
from unigrad.seq2seq.encoder import Encoded

__all__ = ["StepDecoder"]


class StepDecoder(Module):
    """A decoder: all steps at once where the right tokens are known, or step by step.

    A subclass writes `call`, `remember`, `first` and `step`.
    """

    def call(self, tokens: Any, encoded: Encoded) -> Tensor:
        """Teacher forcing: the logits (batch, time, vocabulary) of what follows each token.

        Args:
            tokens: the right tokens (batch, time), the start first.
            encoded: the encoder's result.

        Raises:
            ShapeError: when there is no token.
        """
        raise NotImplementedError(f"{type(self).__name__} has no call")

    def remember(self, encoded: Encoded, rows: int) -> Any:
        """Return what all steps of a search share, for so many rows in all."""
        raise NotImplementedError(f"{type(self).__name__} has no remember")

    def first(self, encoded: Encoded, length: int) -> Any:
        """Return the state before the first of at most so many steps: a pytree, a row each."""
        return encoded.state

    def step(self, last: Any, state: Any, memory: Any) -> tuple[Tensor, Any, Tensor]:
        """One step: the logits (rows, vocabulary) of the next token, the new state, the attention.

        Args:
            last: the last tokens (rows,), several rows in a row for each sequence of the memory.
            state: the state before, with so many rows.
            memory: what `remember` returned.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def _checked(self, tokens: Any) -> Tensor:
        tokens = as_tensor(tokens)
        if tokens.ndim != 2 or not tokens.shape[1]:
            raise ShapeError(
                f"{self.name}: expected (batch, time) with at least one token, not {tokens.shape}"
            )
        checked: Tensor = tokens
        return checked

    def sampled(
        self, tokens: Any, encoded: Encoded, key: TensorLike, teacher_forcing: float
    ) -> Tensor:
        """Scheduled sampling: teacher forcing, but some of the tokens fed are the model's own.

        At each step every sequence is fed the right token with the probability ``teacher_forcing``,
        else the likeliest one of the step before. The choice has no derivative.

        Source: Bengio et al., "Scheduled sampling for sequence prediction with recurrent neural
        networks" (2015).

        Args:
            tokens: the right tokens (batch, time), the start first.
            encoded: the encoder's result.
            key: a key of `ug.random`.
            teacher_forcing: the probability of a right token.

        Returns:
            The logits (batch, time, vocabulary) of what follows.

        Raises:
            SettingError: when the probability is none.
            ShapeError: when there is no token.
        """
        tokens = self._checked(tokens)
        if isinstance(teacher_forcing, bool) or not 0.0 <= teacher_forcing <= 1.0:
            raise SettingError(
                f"{self.name}: teacher_forcing is a probability, not {teacher_forcing!r}"
            )
        batch, time = tokens.shape
        memory = self.remember(encoded, batch)
        right = uniform(key, (time, batch)) < teacher_forcing
        # The start is always right.
        right = right | as_tensor(np.arange(time)[:, None] == 0, right)

        def step(carry: tuple[Tensor, Any], row: tuple[Tensor, Tensor]) -> Any:
            own, state = carry
            token, is_right = row
            logits, state, _ = self.step(where(is_right, token, own), state, memory)
            return (argmax(logits, axis=-1), state), logits

        columns = permute_dims(cast(tokens, int64), (1, 0))
        _, logits = scan(step, (columns[0], self.first(encoded, time)), (columns, right))
        return permute_dims(logits, (1, 0, 2))
