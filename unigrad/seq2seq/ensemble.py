"""`Ensemble`: several trained models that write as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.decoding.ensembles import checked_shares, ensemble, mixture
from unigrad.decoding.steps import Step
from unigrad.seq2seq.base import EncoderDecoder

__all__ = ["Ensemble"]


class Ensemble(EncoderDecoder):
    """Models over the same tokens whose distributions of the next one are averaged.

    It decodes as any other model does, and its loss is that of the average. Models that were
    trained apart, from other first weights, are wrong in other places: their average is better
    than each (Sutskever, Vinyals & Le 2014, section 3.6).

    Args:
        models: the models; they need not have the same sizes.
        weights: their shares, made to add up to 1; equal ones by default.
        space: ``"probability"`` for the mean of the probabilities, ``"logarithm"`` for that of the
            log-probabilities.
        name: see `Module`.

    Raises:
        SettingError: when there is no model, models differ in the number of tokens that they
            write, or in their padding, start or end; or as `unigrad.decoding.ensemble`.

    Example:
        >>> from unigrad.seq2seq import Seq2Seq
        >>> sizes = {"embedding_size": 4, "encoder_units": 4, "decoder_units": 4}
        >>> both = Ensemble([Seq2Seq(10, 12, **sizes), Seq2Seq(10, 12, **sizes, cell="lstm")])
        >>> both.beam([[5, 6, 0]], max_length=4, beam=3).tokens.shape
        (1, 1, 4)
    """

    def __init__(
        self,
        models: Sequence[EncoderDecoder],
        weights: Sequence[float] | None = None,
        *,
        space: str = "probability",
        name: str | None = None,
    ) -> None:
        shares = checked_shares(len(models), weights, space)
        for what in ("vocabulary", "padding", "start", "end"):
            found = [getattr(one, what) for one in models]
            if len(set(found)) > 1:
                raise SettingError(f"Ensemble: the models differ in {what}: {found}")
        first = models[0]
        super().__init__(first.padding, first.start, first.end, name)
        self.models = list(models)
        self.vocabulary = first.vocabulary
        self.shares, self.space = tuple(shares.tolist()), space

    def call(self, source: Any, tokens: Any) -> Tensor:
        """Return the logits (batch, time, vocabulary) of what follows each right token."""
        logits = [one(source, tokens) for one in self.models]
        return mixture(logits, checked_shares(len(logits), self.shares, self.space), self.space)

    def loss(
        self, source: Any, target: Any, *, teacher_forcing: float = 1.0, **settings: Any
    ) -> Tensor:
        """Return the cross-entropy of the targets; see `EncoderDecoder.loss`.

        Raises:
            SettingError: also for ``teacher_forcing`` below 1: each model would be fed tokens of
                its own.
        """
        if teacher_forcing != 1.0:
            raise SettingError(
                f"{self.name}: models together are fed the right tokens: teacher_forcing is 1, "
                f"not {teacher_forcing!r}"
            )
        return super().loss(source, target, **settings)

    def _source(self, source: Any) -> Tensor:
        checked = [one._source(source) for one in self.models]
        return checked[0]

    def _decoding(self, source: Tensor, beam: int, length: int, aligned: bool) -> tuple[Step, Any]:
        found = [one._decoding(source, beam, length, aligned) for one in self.models]
        step = ensemble([step for step, _ in found], self.shares, space=self.space)
        return step, tuple([state for _, state in found])
