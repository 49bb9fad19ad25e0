"""`Pronouncer`: a trained model that takes words and gives phonemes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unigrad.core.arguments import as_tensor
from unigrad.core.registry import get_backend
from unigrad.core.settings import count
from unigrad.core.tensor import Tensor
from unigrad.data import pad_sequences
from unigrad.decoding.padding import padded_width
from unigrad.pronunciation.checkpoint import load_model, shipped
from unigrad.pronunciation.errors import WordError
from unigrad.pronunciation.vocabulary import (
    LONGEST_ANSWER,
    PADDING,
    Pronunciation,
    letter_tokens,
    phonemes,
)
from unigrad.seq2seq import EncoderDecoder, Ensemble

__all__ = ["Alignment", "Answer", "Pronouncer", "load_pronouncer", "pronounce"]

#: So many words are decoded at a time, missing ones are padding: a compiler then has few shapes.
_TOGETHER = (1, 8, 64)


class Answer(NamedTuple):
    """A pronunciation, and how likely the model finds it."""

    phonemes: Pronunciation
    #: The sum of the phonemes' and the end's log-probabilities.
    score: float


class Alignment(NamedTuple):
    """Where the model looked while it pronounced a word."""

    #: The letters, and the phonemes with the end.
    letters: tuple[str, ...]
    phonemes: tuple[str, ...]
    #: The attention of each phoneme to each letter, (phonemes, letters); rows sum to 1.
    weights: NDArray[Any]


class Pronouncer:
    """A trained model from letters to phonemes.

    Args:
        model: the model, on the backend that it was made on.

    Example:
        >>> pronouncer = load_pronouncer()
        >>> pronouncer(["lecture"])[0][0].phonemes
        ('L', 'EH', 'K', 'CH', 'ER')
    """

    def __init__(self, model: EncoderDecoder) -> None:
        self.model = model
        self._like = model.variables[0]

    def __call__(self, words: Sequence[str], n: int = 1, *, beam: int = 5) -> list[list[Answer]]:
        """Return the likeliest pronunciations of each word; see `pronounce`."""
        best_of, hypotheses = count("pronounce", "n", n, 1), count("pronounce", "beam", beam, 1)
        rows = _checked(words)
        found: list[list[Answer]] = [[] for _ in rows]
        for places in _parts(rows):
            source = self._source([rows[place] for place in places])
            if best_of == hypotheses == 1:
                one = self.model.greedy(source, max_length=LONGEST_ANSWER)
                tokens, scores = one.tokens.numpy()[:, None], one.scores.numpy()[:, None]
            else:
                best = self.model.beam(
                    source,
                    max_length=LONGEST_ANSWER,
                    beam=max(hypotheses, best_of),
                    n_best=best_of,
                )
                tokens, scores = best.tokens.numpy(), best.scores.numpy()
            # Rows of padding are behind those of words.
            for place, lines, values in zip(places, tokens, scores, strict=False):
                found[place] = [
                    Answer(phonemes(line), float(value))
                    for line, value in zip(lines, values, strict=True)
                    if np.isfinite(value)
                ]
        return found

    def align(self, word: str, *, beam: int = 5) -> Alignment:
        """Return where the model looks for each phoneme of a word's likeliest pronunciation.

        Raises:
            WordError: as `pronounce`.
        """
        source = self._source(_checked([word]))
        best = self.model.beam(source, max_length=LONGEST_ANSWER, beam=beam, alignments=True)
        assert best.alignments is not None
        length = int(best.lengths.numpy()[0, 0])
        sounds = phonemes(best.tokens.numpy()[0, 0])
        names = (*sounds, "end")[:length]
        letters = tuple(word.lower())
        weights = best.alignments.numpy()[0, 0, :length, : len(letters)]
        return Alignment(letters, names, weights)

    def _source(self, rows: list[list[int]]) -> Tensor:
        """Return words' tokens, padded to one of few shapes, on the model's backend."""
        together = next(most for most in _TOGETHER if len(rows) <= most)
        filled = [*rows, *[[]] * (together - len(rows))]
        tokens = pad_sequences(filled, padded_width(max(map(len, rows))), PADDING)
        return as_tensor(tokens, self._like.read())


def _checked(words: Sequence[str]) -> list[list[int]]:
    """Return the words' tokens."""
    if isinstance(words, str):
        raise WordError(f"pronounce takes a list of words: [{words!r}]")
    if not isinstance(words, Iterable):
        raise WordError(f"pronounce takes a list of words, not {words!r}")
    return [letter_tokens(word) for word in words]


def _parts(rows: list[list[int]]) -> list[list[int]]:
    """Return the places of words that are decoded together: those that one width takes."""
    by_width: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        by_width.setdefault(padded_width(len(row)), []).append(place)
    most = _TOGETHER[-1]
    return [
        places[start : start + most]
        for places in by_width.values()
        for start in range(0, len(places), most)
    ]


def load_pronouncer(*paths: str | os.PathLike[str]) -> Pronouncer:
    """Return the pronouncer of a file, or of several together, on the current backend.

    Args:
        paths: the file, or what a run of the task ``g2p`` has left (see `load_model`); the one that
            comes with the package by default. Of several, the models answer as an `Ensemble`, by
            the mean of their log-probabilities.

    Raises:
        CheckpointError: when the file is missing, damaged, foreign, of a newer version, or has
            other letters, phonemes or shapes.

    Example:
        >>> load_pronouncer()(["cat"])[0][0].phonemes
        ('K', 'AE', 'T')
    """
    models = [load_model(path) for path in paths or [shipped()]]
    # Of the development words two models miss 25.50 % by this mean, and 25.70 % by that of their
    # probabilities.
    together = models[0] if len(models) == 1 else Ensemble(models, space="logarithm")
    return Pronouncer(together)


@cache
def _shipped_on(backend: str) -> Pronouncer:
    """Return the pronouncer that comes with the package, once for each backend.

    Example:
        >>> _shipped_on("numpy") is _shipped_on("numpy")
        True
    """
    return load_pronouncer()


def pronounce(words: Sequence[str], n: int = 1, *, beam: int = 5) -> list[list[Answer]]:
    """Return the likeliest pronunciations of English words, best first, on the current backend.

    The model comes with the package: it was trained on the CMU dictionary and knows no word by
    heart. Capital letters are read as small ones. The tokens are the same on every backend.

    Args:
        words: of letters from a to z and apostrophes.
        n: how many pronunciations of each.
        beam: how many hypotheses the search follows, at least n; 1 is greedy.

    Raises:
        WordError: when a word is empty, too long, or has another symbol; or ``words`` is a string.
        SettingError: when ``n`` or ``beam`` is no positive integer.

    Example:
        >>> [[best]] = pronounce(["phone"])
        >>> " ".join(best.phonemes)
        'F OW N'
    """
    return _shipped_on(get_backend())(words, n, beam=beam)
