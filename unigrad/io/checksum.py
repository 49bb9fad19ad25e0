"""A checksum of a whole safetensors file, kept in the file's own metadata.

It is the SHA-256 of all bytes of the file (header, metadata and data) with zeros in place of the
checksum itself. Any reader of the format takes it for one more line of metadata.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

#: The name of the line of metadata.
KEY = "unigrad.checksum"
#: The line's value before the checksum is known.
BLANK = "sha256:" + "0" * 64

_LINE = re.compile(rb'"unigrad\.checksum":"sha256:([0-9a-f]{64})"')
_VALUE = re.compile("sha256:[0-9a-f]{64}")


def sealed(data: bytes) -> tuple[memoryview, bytes, memoryview]:
    """Return a file with the checksum in place of `BLANK`, in three parts.

    Raises:
        ValueError: when its header has no such line.
    """
    line = _find(data)
    if line is None:
        raise ValueError("the header has no place for a checksum")
    start, end = line.span(1)
    return memoryview(data)[:start], _digest(data, start, end), memoryview(data)[end:]


def verify(data: bytes, metadata: Mapping[str, str]) -> None:
    """Check a file against its checksum. Only a file that another program wrote may have none.

    Raises:
        ValueError: when they do not agree.
    """
    # Either of the line's halves tells that there was one, should the other be damaged.
    if not any(
        name.startswith("unigrad.") or _VALUE.fullmatch(value) for name, value in metadata.items()
    ):
        return
    line = _find(data)
    if line is None or line[1] != _digest(data, *line.span(1)):
        raise ValueError("its contents do not match its checksum")


def _find(data: bytes) -> re.Match[bytes] | None:
    """Find the checksum in the header, behind the 8 bytes of its length."""
    return _LINE.search(data, 8, 8 + int.from_bytes(data[:8], "little"))


def _digest(data: bytes, start: int, end: int) -> bytes:
    """Return the digest of a file in which the bytes from start to end are zeros."""
    view = memoryview(data)
    found = hashlib.sha256(view[:start])
    found.update(b"0" * (end - start))
    found.update(view[end:])
    return found.hexdigest().encode()
