"""How often a pronouncer is wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from unigrad.core.errors import SettingError
from unigrad.metrics import edit_distance, error_rate, word_error_rate
from unigrad.pronunciation.dictionary import Word
from unigrad.pronunciation.pronouncer import Pronouncer
from unigrad.pronunciation.vocabulary import Pronunciation

__all__ = ["Rates", "error_rates", "evaluate"]


@dataclass(frozen=True)
class Rates:
    """What an evaluation found."""

    #: Phoneme and word error rate, and words per second.
    per: float
    wer: float
    speed: float


def error_rates(words: Sequence[Word], answers: Sequence[Pronunciation]) -> tuple[float, float]:
    """Return PER and WER of answers, each against the nearest right pronunciation of its word.

    Example:
        >>> live = Word("live", (("L", "AY", "V"), ("L", "IH", "V")))
        >>> error_rates([live, live], [("L", "IH", "V"), ("L", "IY", "V")])
        (0.16666666666666666, 0.5)
    """
    nearest = [
        min(word.pronunciations, key=lambda one: edit_distance(one, answer))
        for word, answer in zip(words, answers, strict=True)
    ]
    return error_rate(nearest, answers), word_error_rate(nearest, answers)


def evaluate(pronouncer: Pronouncer, words: Sequence[Word], beam: int = 5) -> Rates:
    """Return how often a pronouncer's likeliest answers to words are wrong.

    Args:
        pronouncer: what answers.
        words: what is asked, with the right answers.
        beam: see `pronounce`; 1 is greedy.

    Raises:
        SettingError: when there is no word.
        WordError: as `pronounce`.
    """
    if not words:
        raise SettingError("evaluate: there is no word to pronounce")
    start = time.perf_counter()
    found = pronouncer([word.spelling for word in words], beam=beam)
    seconds = time.perf_counter() - start
    per, wer = error_rates(words, [answers[0].phonemes for answers in found])
    return Rates(per, wer, len(words) / seconds)
