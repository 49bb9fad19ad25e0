"""`Vocabulary`: symbols as tokens, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from unigrad.core.errors import SettingError


class Vocabulary:
    """Symbols, such as letters or words, and the integers that stand for them.

    Special symbols come first, in the order padding, start, end, unknown, as far as there are any.

    Args:
        symbols: the others, each once, in the order of their tokens.
        padding, start, end, unknown: special symbols; None for none.

    Attributes:
        symbols: all of them, by token.

    Raises:
        SettingError: when a symbol comes twice.

    Example:
        >>> letters = Vocabulary("abc", end="<end>")
        >>> letters.encode("cab"), letters.decode([4, 2, 3, 1, 0])
        ([4, 2, 3, 1], ['c', 'a', 'b'])
    """

    def __init__(
        self,
        symbols: Iterable[str],
        *,
        padding: str | None = "<pad>",
        start: str | None = None,
        end: str | None = None,
        unknown: str | None = None,
    ) -> None:
        special = [one for one in (padding, start, end, unknown) if one is not None]
        self.symbols: tuple[str, ...] = (*special, *symbols)
        self._tokens = {symbol: token for token, symbol in enumerate(self.symbols)}
        if len(self._tokens) < len(self.symbols):
            twice = [symbol for symbol, times in Counter(self.symbols).items() if times > 1]
            raise SettingError(f"Vocabulary: {', '.join(map(repr, twice))} comes twice")
        self.padding = self._special(padding)
        self.start = self._special(start)
        self.end = self._special(end)
        self.unknown = self._special(unknown)

    def _special(self, symbol: str | None) -> int | None:
        return None if symbol is None else self._tokens[symbol]

    @classmethod
    def of(
        cls,
        sequences: Iterable[Iterable[str]],
        *,
        least: int = 1,
        size: int | None = None,
        **special: Any,
    ) -> Vocabulary:
        """Return the vocabulary of what occurs, the most frequent first; ties in Unicode's order.

        Args:
            sequences: texts as sequences of symbols.
            least: how often a symbol must occur.
            size: at most so many, the special ones not counted.
            special: see `Vocabulary`.

        Example:
            >>> Vocabulary.of(["banana", "bob"], least=2).symbols
            ('<pad>', 'a', 'b', 'n')
        """
        times = Counter(symbol for sequence in sequences for symbol in sequence)
        for one in special.values():
            times.pop(one, None)
        found = sorted(times, key=lambda symbol: (-times[symbol], symbol))
        return cls([one for one in found if times[one] >= least][:size], **special)

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._tokens

    def token(self, symbol: str) -> int:
        """Return a symbol's token, or that of the unknown one.

        Raises:
            SettingError: when the symbol is unknown and there is no token for such.
        """
        found = self._tokens.get(symbol, self.unknown)
        if found is None:
            raise SettingError(f"Vocabulary: {symbol!r} is none of the {len(self)} known symbols")
        return found

    def encode(self, sequence: Iterable[str]) -> list[int]:
        """Return a sequence's tokens, between start and end if there are such.

        Raises:
            SettingError: as `token`.
        """
        before = [] if self.start is None else [self.start]
        after = [] if self.end is None else [self.end]
        return [*before, *map(self.token, sequence), *after]

    def decode(self, tokens: Iterable[Any]) -> list[str]:
        """Return the symbols of tokens up to the end, without start and padding.

        Raises:
            SettingError: when a token is none of the vocabulary.
        """
        found = []
        for one in tokens:
            token = int(one)
            if token == self.end:
                break
            if not 0 <= token < len(self):
                raise SettingError(f"Vocabulary: {token} is none of the {len(self)} tokens")
            if token not in (self.padding, self.start):
                found.append(self.symbols[token])
        return found

    def encode_all(self, sequences: Sequence[Iterable[str]]) -> list[list[int]]:
        """Return the tokens of many sequences, to be padded.

        Example:
            >>> Vocabulary("ab").encode_all(["ab", "b"])
            [[1, 2], [2]]
        """
        return [self.encode(sequence) for sequence in sequences]
