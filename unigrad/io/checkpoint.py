"""`Checkpoint`: a training run's state, numbered files of it, and the newest whole one.

What is saved is everything with ``state_dict`` and ``load_state_dict`` (models, optimizers, random
generators), and Variables, and plain numbers, under the names that the caller gives.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad.core.errors import SettingError, UnigradError
from unigrad.core.state import load_into
from unigrad.core.variable import Variable
from unigrad.io.files import Arrays, CheckpointError, load, save, sync_folder

#: What is written as a number or a word; NumPy's scalars become Python's.
_PLAIN = (bool, int, float, str, np.bool_, np.integer, np.floating)
_NUMBERED = re.compile(r"checkpoint-(\d+)\.safetensors")


def latest(folder: str | os.PathLike[str]) -> Path | None:
    """Return the path of the checkpoint with the highest number, or None if there is none.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     latest(folder) is None
        True
    """
    found = _numbered(Path(folder))
    return found[-1][1] if found else None


def _numbered(folder: Path) -> list[tuple[int, Path]]:
    """Return a folder's checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    matches = ((_NUMBERED.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in matches if match)


class Checkpoint:
    """The state of a training run: models, optimizers, generators, Variables, numbers by name.

    Args:
        keep: how many numbered files `save` leaves in a folder; None for all.
        **parts: what belongs to the run. Numbers, strings and bools are held as attributes:
            ``checkpoint.step`` is set by `restore` and may be assigned.

    Raises:
        CheckpointError: when a part is something else, or its name is taken or has a ``/``.

    Example:
        >>> import tempfile
        >>> import unigrad as ug
        >>> weight = ug.Variable(1.0)
        >>> checkpoint = Checkpoint(weight=weight, step=7)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = checkpoint.save(folder, 7)
        ...     _ = weight.assign(2.0)
        ...     checkpoint.step = 8
        ...     checkpoint.restore(path)
        >>> path.name, weight.item(), checkpoint.step
        ('checkpoint-7.safetensors', 1.0, 7)
    """

    def __init__(self, keep: int | None = None, **parts: Any) -> None:
        if keep is not None and keep < 1:
            raise SettingError(f"Checkpoint: keep is at least 1, not {keep}")
        self.keep = keep
        self._names = tuple(parts)
        for name, part in parts.items():
            if hasattr(type(self), name) or name in vars(self) or "/" in name:
                raise CheckpointError(f"Checkpoint: {name!r} cannot be the name of a part")
            if not (_stateful(part) or isinstance(part, (Variable, *_PLAIN))):
                raise CheckpointError(f"Checkpoint: {name} is a {type(part).__name__}")
            setattr(self, name, part)

    if TYPE_CHECKING:  # The parts are attributes, of whatever names the caller gives.

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def save(self, path: str | os.PathLike[str], number: int | None = None) -> Path:
        """Write the state; return the file's path.

        Args:
            path: the file, or with ``number`` the folder: then the file is
                ``checkpoint-<number>.safetensors``, and older ones beyond ``keep`` are removed
                after it is safely there.
            number: the number.

        Raises:
            CheckpointError: as `ug.io.save`, or when an attribute is no number, string or bool.
        """
        target = Path(path)
        folder = target
        if number is not None:
            target = folder / f"checkpoint-{int(number)}.safetensors"
        arrays: Arrays = {}
        plain = {}
        for name in self._names:
            part = getattr(self, name)
            if _stateful(part):
                arrays |= {f"{name}/{key}": value for key, value in part.state_dict().items()}
            elif isinstance(part, Variable):
                arrays[name] = part._untaped().numpy()
            elif isinstance(part, _PLAIN):
                plain[name] = part.item() if isinstance(part, np.generic) else part
            else:
                raise CheckpointError(f"save: {name} is a {type(part).__name__}")
        save(target, arrays, {"unigrad": json.dumps(plain)})
        if number is not None and self.keep is not None:
            self._remove_old(folder, target)
        return target

    def _remove_old(self, folder: Path, newest: Path) -> None:
        """Remove the oldest numbered files beyond `keep`, never the one just written."""
        for _, path in _numbered(folder)[: -self.keep if self.keep else None]:
            if path != newest:
                path.unlink()
        sync_folder(folder)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Take over the state in a file. Models must have been built, optimizers as well.

        Raises:
            CheckpointError: when the file is missing, truncated, foreign or of another run; then
                nothing is changed.
        """
        arrays, metadata = load(path)
        try:
            plain = json.loads(metadata["unigrad"])
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"restore: {path} was not written by Checkpoint") from error
        named: dict[str, Variable] = {}
        wanted = []
        for name in self._names:
            part = getattr(self, name)
            if _stateful(part):
                named |= {f"{name}/{key}": one for key, one in part.named_variables().items()}
            elif isinstance(part, Variable):
                named[name] = part
            else:
                wanted.append(name)
        if sorted(wanted) != sorted(plain):
            raise CheckpointError(
                f"restore: {path} has the values {sorted(plain)}, this run {sorted(wanted)}"
            )
        try:
            load_into(named, arrays, f"the checkpoint's parts, from {path}")
        except CheckpointError:
            raise
        except UnigradError as error:
            raise CheckpointError(f"restore: {error}") from error
        for name, value in plain.items():
            setattr(self, name, value)


def _stateful(part: Any) -> bool:
    return hasattr(part, "state_dict") and hasattr(part, "named_variables")
