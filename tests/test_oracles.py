"""The suite's own oracles, against numbers from elsewhere."""

import pytest

from unigrad_conformance import threefry


# The known answers that come with the authors' Random123 (threefry2x32, 20 rounds).
@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        ((0, 0), 0, (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), 2**64 - 1, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), 0x243F6A8885A308D3, (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry(key: tuple[int, int], counter: int, words: tuple[int, int]) -> None:
    assert threefry.block(key, counter) == words
