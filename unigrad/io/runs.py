"""Which run wrote which numbered file of a folder.

A file says which run wrote it and after which files of earlier runs: a run that is restored from
``checkpoint-90`` goes on from files up to 90, and one with a higher number is another's. So two
runs may share a folder: neither removes the other's files or is taken for it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unigrad.io.files import header_metadata

#: The line of metadata that holds an `Origin`.
KEY = "unigrad.run"
_NUMBERED = re.compile(r"checkpoint-(0|[1-9][0-9]*)\.safetensors")


@dataclass(frozen=True)
class Origin:
    """Where a file comes from."""

    #: The run that wrote it.
    run: str
    #: Its number; of a file without one, that of the numbered file before it, or −1.
    number: int
    #: When it was written, in nanoseconds since 1970.
    written: int
    #: Earlier runs that this one goes on from, each with the number of the last file that counts.
    before: Mapping[str, int]

    def includes(self, other: Origin) -> bool:
        """Tell whether another file is of the same run, or of one that it goes on from."""
        return other.run == self.run or self.before.get(other.run, -1) >= other.number

    def as_text(self) -> str:
        """Return it as a line of metadata."""
        return json.dumps(vars(self))

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Origin:
        """Return the origin in a file's metadata.

        Raises:
            ValueError: when it says something else than a run does.
            KeyError: when it says nothing.
        """
        found = json.loads(metadata[KEY])
        kinds = {"run": str, "number": int, "written": int, "before": dict}
        if not isinstance(found, dict) or {k: type(v) for k, v in found.items()} != kinds:
            raise ValueError(f"{KEY!r} is {found!r}")
        if any(type(number) is not int for number in found["before"].values()):
            raise ValueError(f"{KEY!r} is {found!r}")
        return cls(**found)


@dataclass
class Lineage:
    """The run that a `Checkpoint` belongs to, in this process."""

    run: str = ""
    process: int = 0
    newest: int = -1
    before: dict[str, int] = field(default_factory=dict)

    def origin(self, number: int | None) -> Origin:
        """Return the origin of a file that is written now."""
        if self.process != os.getpid():
            # The first file, or the first one in a forked process: that is another run.
            if self.run:
                self.before[self.run] = self.newest
            self.run, self.process = secrets.token_hex(8), os.getpid()
        if number is not None:
            self.newest = number
        return Origin(self.run, self.newest, time.time_ns(), dict(self.before))

    def follow(self, origin: Origin) -> None:
        """Go on, as a new run, from a file."""
        self.run, self.process, self.newest = "", 0, origin.number
        self.before = {**origin.before, origin.run: origin.number}


@dataclass(frozen=True)
class Numbered:
    """A numbered file in a folder."""

    number: int
    path: Path
    #: None when no run wrote it there: it is another program's, or a copy by another name.
    origin: Origin | None
    #: Whether a run's header is there that cannot be read.
    damaged: bool = False


def numbered(folder: Path) -> list[Numbered]:
    """Return a folder's numbered files, by number."""
    if not folder.is_dir():
        return []
    matches = ((_NUMBERED.fullmatch(path.name), path) for path in folder.iterdir())
    found = (_read(int(match[1]), path) for match, path in matches if match and path.is_file())
    return sorted((one for one in found if one), key=lambda one: one.number)


def _read(number: int, path: Path) -> Numbered | None:
    """Return what a file's header says, or None if it has been removed meanwhile."""
    header = b""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            # More than the header, should it be the length that is damaged.
            header = file.read(min(max(length, 4096), path.stat().st_size))
        origin = Origin.of(header_metadata(header[:length]))
    except FileNotFoundError:
        return None
    except KeyError:
        return Numbered(number, path, None)
    except (OSError, ValueError, RecursionError):
        return Numbered(number, path, None, damaged=b'"unigrad' in header)
    return Numbered(number, path, origin if origin.number == number else None)


def latest(folder: str | os.PathLike[str]) -> Path | None:
    """Return the path of the newest checkpoint in a folder, or None if there is none.

    That is the one with the highest number among those of the run that wrote last and of the runs
    that it was restored from. A damaged file of a run counts as one of them: restoring it then says
    so, where an older one would be taken without a word.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     latest(folder) is None
        True
    """
    found = numbered(Path(folder))
    origins = [one.origin for one in found if one.origin]
    if origins:
        last = max(origins, key=lambda origin: origin.written)
        found = [one for one in found if one.damaged or (one.origin and last.includes(one.origin))]
    return found[-1].path if found else None


def outdated(folder: Path, newest: Origin, keep: int) -> list[Path]:
    """Return the files of a run that are beyond the ``keep`` with the highest numbers.

    The one that it has just written is never among them, whatever its number.
    """
    own = [one for one in numbered(folder) if one.origin and newest.includes(one.origin)]
    return [one.path for one in own[:-keep] if one.origin != newest]
