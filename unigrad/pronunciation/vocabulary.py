"""Letters and phonemes as tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from unigrad.pronunciation.errors import WordError

__all__ = [
    "END",
    "LETTERS",
    "LETTER_TOKENS",
    "LONGEST_ANSWER",
    "LONGEST_WORD",
    "PADDING",
    "PHONEMES",
    "PHONEME_TOKENS",
    "START",
    "Pronunciation",
    "letter_tokens",
    "phoneme_tokens",
    "phonemes",
]

#: Phonemes, as the CMU dictionary writes them, without stress.
Pronunciation = tuple[str, ...]

PADDING, START, END = 0, 1, 2
LETTERS = "'abcdefghijklmnopqrstuvwxyz"
PHONEMES = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH",
    "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH",
    "UH", "UW", "V", "W", "Y", "Z", "ZH",
]  # fmt: skip
#: Tokens of a word's letters (0 is padding) and of its phonemes (after padding, start and end).
LETTER_TOKENS = 1 + len(LETTERS)
PHONEME_TOKENS = 3 + len(PHONEMES)
#: The most letters of a word, and the most phonemes of an answer, the end included: what the
#: dictionary has, so that nothing longer was ever trained on.
LONGEST_WORD = 28
LONGEST_ANSWER = 29

_LETTER_TOKENS = {letter: 1 + place for place, letter in enumerate(LETTERS)}
_PHONEME_TOKENS = {phoneme: 3 + place for place, phoneme in enumerate(PHONEMES)}


def letter_tokens(word: str) -> list[int]:
    """Return the tokens of a word's letters; capital letters are as small ones.

    Raises:
        WordError: when the word is no string, is empty, has more than `LONGEST_WORD` letters, or
            another symbol than a letter from a to z or an apostrophe.

    Example:
        >>> letter_tokens("Ab's")
        [2, 3, 1, 20]
    """
    if not isinstance(word, str):
        raise WordError(f"a word is a string, not {word!r}")
    lowered = word.lower()
    if not lowered:
        raise WordError("a word is empty: there is nothing to pronounce")
    for symbol in lowered:
        if symbol not in _LETTER_TOKENS:
            raise WordError(
                f"{word!r} has the symbol {symbol!r}; known are the letters a to z and the "
                "apostrophe (')"
            )
    if len(lowered) > LONGEST_WORD:
        raise WordError(
            f"{word!r} has {len(lowered)} letters; the model reads at most {LONGEST_WORD}"
        )
    return [_LETTER_TOKENS[symbol] for symbol in lowered]


def phoneme_tokens(pronunciation: Sequence[str]) -> list[int]:
    """Return the tokens of phonemes between start and end.

    Raises:
        WordError: when one is not among `PHONEMES`.

    Example:
        >>> phoneme_tokens(("AA", "AE"))
        [1, 3, 4, 2]
    """
    for phoneme in pronunciation:
        if phoneme not in _PHONEME_TOKENS:
            raise WordError(f"{phoneme!r} is no phoneme; there are {' '.join(PHONEMES)}")
    return [START, *(_PHONEME_TOKENS[phoneme] for phoneme in pronunciation), END]


def phonemes(tokens: Iterable[int] | NDArray[np.int64]) -> Pronunciation:
    """Return the phonemes that a decoded row of tokens spells, up to its end.

    Example:
        >>> phonemes([3, 4, 2, 0])
        ('AA', 'AE')
    """
    sounds = []
    for token in tokens:
        if token == END:
            break
        if token > END:
            sounds.append(PHONEMES[token - 3])
    return tuple(sounds)
