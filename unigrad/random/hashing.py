"""The hash behind all draws as an elementwise op: every counter under a key of its own.

The other primitives hash many counters under one key. This one serves batches of keys.
"""

from __future__ import annotations

from unigrad.core.op import composite
from unigrad.core.tensor import Tensor

__all__: list[str] = []

WORD = 0xFFFFFFFF
_PARITY = 0x1BD11BDA  # Skein's constant: it keeps an all-zero key from giving an all-zero schedule
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


@composite
def _random_hash(first_key: Tensor, second_key: Tensor, counter: Tensor) -> tuple[Tensor, Tensor]:
    """Return both words of Threefry-2x32 with 20 rounds; all are int64 and broadcast.

    Words are in [0, 2³²); the counter counts modulo 2⁶⁴.

    Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
    """
    keys = (first_key, second_key, first_key ^ second_key ^ _PARITY)
    first = (((counter >> 32) & WORD) + keys[0]) & WORD
    second = ((counter & WORD) + keys[1]) & WORD
    for step in range(1, 6):
        for rotation in _ROTATIONS[(step - 1) % 2]:
            first = (first + second) & WORD
            second = first ^ ((second << rotation) & WORD | second >> (32 - rotation))
        first = (first + keys[step % 3]) & WORD
        second = (second + keys[(step + 1) % 3] + step) & WORD
    return first, second
