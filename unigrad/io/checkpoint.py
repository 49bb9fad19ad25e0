"""`Checkpoint`: a training run's state, and numbered files of it.

What is saved is everything with ``state_dict`` and ``named_variables`` (models, optimizers, random
generators), and Variables, and plain numbers, under the names that the caller gives.
"""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad.core.errors import SettingError, UnigradError
from unigrad.core.state import load_into
from unigrad.core.variable import Variable
from unigrad.io import runs
from unigrad.io.files import Arrays, CheckpointError, load, save
from unigrad.io.replacing import sync_folder

#: What is written as a number or a word; NumPy's scalars become Python's.
_PLAIN = (bool, int, float, str, np.bool_, np.integer, np.floating)
#: The line of metadata that holds them.
_KEY = "unigrad"


class Checkpoint:
    """The state of a training run: models, optimizers, generators, Variables, numbers by name.

    Args:
        keep: how many numbered files of this run `save` leaves in a folder; None for all. Files
            of the run that this one was restored from count as its own, up to the restored one.
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
        if keep is not None and (type(keep) is not int or keep < 1):
            raise SettingError(f"Checkpoint: keep is an integer and at least 1, not {keep!r}")
        self.keep = keep
        self._lineage = runs.Lineage()
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
                ``checkpoint-<number>.safetensors``, and older ones of this run beyond ``keep``
                are removed after it is safely there. Other runs' files stay.
            number: the number, from 0 on.

        Raises:
            CheckpointError: as `ug.io.save`, or when an attribute is no number, string or bool,
                or ``number`` is none that a file can have.
        """
        target = Path(path)
        if number is not None:
            number = _checked(number)
            target = target / f"checkpoint-{number}.safetensors"
        arrays, plain = self._state()
        origin = self._lineage.origin(number)
        save(target, arrays, {_KEY: json.dumps(plain), runs.KEY: origin.as_text()})
        if number is not None and self.keep is not None:
            self._remove_outdated(target.parent, origin)
        return target

    def _state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the parts' arrays and the plain values by name."""
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
        return arrays, plain

    def _remove_outdated(self, folder: Path, origin: runs.Origin) -> None:
        """Remove this run's oldest files beyond `keep`."""
        try:
            for path in runs.outdated(folder, origin, self.keep or 1):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise CheckpointError(f"save: an old file cannot be removed: {error}") from error
        sync_folder(folder)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Take over the state in a file. Models must have been built, optimizers as well.

        Raises:
            CheckpointError: when the file is missing, damaged, foreign or of another run; then
                nothing is changed.
        """
        arrays, metadata = load(path)
        try:
            plain = json.loads(metadata[_KEY])
            origin = runs.Origin.of(metadata)
        except (KeyError, ValueError, RecursionError) as error:
            raise CheckpointError(f"restore: {path} was not written by Checkpoint") from error
        named: dict[str, Variable] = {}
        wanted = {}
        for name in self._names:
            part = getattr(self, name)
            if _stateful(part):
                named |= {f"{name}/{key}": one for key, one in part.named_variables().items()}
            elif isinstance(part, Variable):
                named[name] = part
            else:
                wanted[name] = part
        _check_plain(path, plain, wanted)
        try:
            load_into(named, arrays, f"the checkpoint's parts, from {path}")
        except CheckpointError:
            raise
        except UnigradError as error:
            raise CheckpointError(f"restore: {error}") from error
        for name, value in plain.items():
            setattr(self, name, value)
        self._lineage.follow(origin)


def _checked(number: Any) -> int:
    """Return a file's number as Python's int."""
    try:
        checked = -1 if isinstance(number, (bool, np.bool_)) else operator.index(number)
    except TypeError:
        checked = -1
    if checked < 0:
        raise CheckpointError(f"save: a checkpoint's number is 0, 1, 2, …, not {number!r}")
    return checked


def _check_plain(path: object, plain: Any, wanted: Mapping[str, Any]) -> None:
    """Check that a file's plain values are those of this run: names, and words or numbers."""
    if not isinstance(plain, dict):
        raise CheckpointError(f"restore: {path} has {plain!r} in place of values by name")
    if sorted(wanted) != sorted(plain):
        raise CheckpointError(
            f"restore: {path} has the values {sorted(plain)}, this run {sorted(wanted)}"
        )
    for name, value in plain.items():
        if not isinstance(value, _PLAIN) or isinstance(value, str) != isinstance(wanted[name], str):
            raise CheckpointError(
                f"restore: {path} has {name} = {value!r}, this run {wanted[name]!r}"
            )


def _stateful(part: Any) -> bool:
    return hasattr(part, "state_dict") and hasattr(part, "named_variables")
