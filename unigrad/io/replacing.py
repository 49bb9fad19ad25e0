"""Put a file under its name, all of it or nothing, whatever happens meanwhile.

A file is written beside its place under a name of its own, synchronised, and renamed. The writer
holds a lock on it until then. The kernel drops the lock when the writer ends, however it ends, so
an unfinished file that can be locked was left by a dead process: the next save removes it. Where
the system has no such locks, nothing is removed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway.
    fcntl = None  # type: ignore[assignment]

_PREFIX, _SUFFIX = ".unigrad-", ".tmp"


def replace(path: Path, parts: Sequence[bytes | memoryview]) -> None:
    """Write the parts, one after the other, as a file, in place of what has its name.

    A link stays a link: the file it leads to is replaced, or made.

    Raises:
        OSError: when that cannot be done; then what was there before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    target = _behind_links(path)
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "no regular file"
        raise OSError(f"there is {kind} of that name")
    remove_abandoned(target.parent)
    handle, unfinished = _new_locked(target.parent)
    try:
        for part in parts:
            _write(handle, part)
        os.fsync(handle)
        os.replace(unfinished, target)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    finally:
        os.close(handle)
    sync_folder(target.parent)


def _behind_links(path: Path) -> Path:
    """Return where a path leads, though there may be no such file yet."""
    if not path.is_symlink():
        return path
    target = Path(os.path.realpath(path))
    if target.is_symlink() or not target.parent.is_dir():
        raise OSError(f"it is a link to {os.readlink(path)}, where no file can be")
    return target


def _new_locked(folder: Path) -> tuple[int, Path]:
    """Make a file that nobody else has, and lock it."""
    while True:
        path = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, 0o666)
        if fcntl is not None:
            # Without locks nobody removes it either: see `remove_abandoned`.
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            if not os.fstat(handle).st_nlink:
                # Another process found it before it was locked.
                os.close(handle)
                continue
        return handle, path


def _write(handle: int, data: bytes | memoryview) -> None:
    """Write all of the data: the system may take less at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished files of processes that are no more."""
    if fcntl is None:
        return
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        # Busy, gone meanwhile, or not ours to remove.
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Systems that cannot open a folder do so by themselves."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
