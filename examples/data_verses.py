"""English verses and their Spanish translations, from two Debian packages in the public domain.

    apt-get download sword-text-web sword-text-sparv
    for package in sword-text-*.deb; do dpkg -x "$package" sword; done
    pip install pysword

The World English Bible and the Reina-Valera of 1909, read with pysword. Both number their verses;
a chapter in which they count differently is left out, as are notes and headings.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

PADDING, START, END, UNKNOWN = 0, 1, 2, 3
ENGLISH, SPANISH = "engWEB2015eb", "spaRV1909eb"
#: The most words of a verse, on either side.
LONGEST = 20
#: A word is kept if the training verses have it so often.
FREQUENT = 3


@dataclass(frozen=True)
class Verse:
    """A verse in both languages, as words and marks."""

    place: str
    english: tuple[str, ...]
    spanish: tuple[str, ...]


class Vocabulary:
    """Words as numbers, the most frequent first, behind the four tokens that are none."""

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        counts = Counter(word for sentence in sentences for word in sentence)
        frequent = [one for one in counts.items() if one[1] >= FREQUENT]
        self.words = [word for word, _ in sorted(frequent, key=lambda one: (-one[1], one[0]))]
        self._numbers = {word: 4 + place for place, word in enumerate(self.words)}

    def __len__(self) -> int:
        return 4 + len(self.words)

    def numbers(self, sentence: Sequence[str]) -> list[int]:
        """Return a sentence's tokens."""
        return [self._numbers.get(word, UNKNOWN) for word in sentence]

    def text(self, tokens: Iterable[int]) -> list[str]:
        """Return the words of tokens, up to the end."""
        found = []
        for token in tokens:
            if token == END:
                break
            if token > END:
                found.append("?" if token == UNKNOWN else self.words[token - 4])
        return found


def words_of(markup: str) -> tuple[str, ...]:
    """Return the words and marks of a verse's OSIS markup, in small letters."""
    markup = re.sub(r"<(note|title)\b[^>]*?(/>|>.*?</\1>)", " ", markup, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", "", markup)
    return tuple(re.findall(r"\w+(?:['\u2019]\w+)*|[^\w\s]", text.lower()))


def read_verses(folder: Path) -> tuple[list[Verse], list[Verse]]:
    """Return the verses to train on and those to test on, 5 %, chosen by a hash of their places.

    Args:
        folder: where ``dpkg -x`` has put the packages.
    """
    english, spanish = _bibles(folder / "usr" / "share" / "sword")
    training: list[Verse] = []
    test: list[Verse] = []
    of_both = (_books(english), _books(spanish))
    for name in (one for one in of_both[0] if one in of_both[1]):
        lengths = zip(*(books[name].chapter_lengths for books in of_both))
        for chapter, (length, length_too) in enumerate(lengths, 1):
            if length != length_too:
                continue
            texts = _chapter(english, name, chapter), _chapter(spanish, name, chapter)
            if not len(texts[0]) == len(texts[1]) == length:
                continue
            for number, (one, other) in enumerate(zip(*texts), 1):
                verse = Verse(f"{name} {chapter}:{number}", words_of(one), words_of(other))
                sizes = len(verse.english), len(verse.spanish)
                if min(sizes) > 0 and max(sizes) <= LONGEST:
                    held_out = sha256(verse.place.encode()).digest()[0] < 13
                    (test if held_out else training).append(verse)
    return training, test


def _books(bible: Any) -> dict[str, Any]:
    """Return the books by name."""
    testaments = bible.get_structure().get_books().values()
    return {book.name: book for books in testaments for book in books}


def _chapter(bible: Any, book: str, chapter: int) -> list[str]:
    """Return the markup of a chapter's verses."""
    text: str = bible.get(books=[book.lower()], chapters=[chapter], clean=False, join="\0")
    return text.split("\0")


def _bibles(folder: Path) -> tuple[Any, Any]:
    try:
        modules = import_module("pysword.modules").SwordModules(str(folder))
    except ImportError:
        sys.exit("This example reads the texts with pysword: pip install pysword")
    try:
        modules.parse_modules()
        bibles = modules.get_bible_from_module(ENGLISH), modules.get_bible_from_module(SPANISH)
    except (OSError, KeyError) as error:
        sys.exit(f"--sword: the two packages are not in {folder}: {error!r}; see data_verses.py")
    for bible in bibles:
        # A whole book is decompressed for each of its verses: minutes, unless it is kept.
        bible._decompressed_text = lru_cache(1)(bible._decompressed_text)
    return bibles
