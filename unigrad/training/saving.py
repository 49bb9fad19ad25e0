"""What of a run is in its checkpoints, beside weights: counts, sums, callbacks' states."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unigrad.core.dtypes import FLOATING
from unigrad.core.variable import Variable
from unigrad.io import Checkpoint, CheckpointError, latest, load
from unigrad.training.callbacks import Callback

#: Raised when a checkpoint holds what older programs cannot go on with.
VERSION = 2


@dataclass
class Progress:
    """Where a run is. All of it is what JSON can hold."""

    #: How many steps were done.
    step: int = 0
    #: The epoch, from 0 on, and how many of its batches were given.
    epoch: int = 0
    position: int = 0
    #: How many batches that has, if it is known.
    batches: int | None = None
    #: Of the epoch so far, by name: Σ weight of the steps that gave a value, and Σ weight · value.
    weights: dict[str, float] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    #: The logs of the epochs that are over.
    epochs: list[dict[str, float]] = field(default_factory=list)
    #: Why it was stopped early, if it was.
    reason: str | None = None

    def add(self, logs: Mapping[str, float], weight: float) -> None:
        """Take in a step's numbers."""
        for name, value in logs.items():
            self.weights[name] = self.weights.get(name, 0.0) + weight
            self.totals[name] = self.totals.get(name, 0.0) + weight * value

    def means(self) -> dict[str, float]:
        """Return the epoch's means so far; NaN of nothing."""
        return {
            name: total / self.weights[name] if self.weights[name] else math.nan
            for name, total in self.totals.items()
        }

    def next_epoch(self) -> None:
        """Begin another epoch."""
        self.epoch, self.position, self.weights, self.totals = self.epoch + 1, 0, {}, {}


@dataclass
class History:
    """What a call of `Trainer.fit` did.

    Attributes:
        first: how many steps were done before.
        losses: the loss of each step of the call.
        epochs: the logs of all epochs that are over, those before the call included.
        reason: why training stopped early; None if it did not.
    """

    first: int = 0
    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, float]] = field(default_factory=list)
    reason: str | None = None


class Saver:
    """Writes and reads a run's checkpoints.

    Args:
        folder: where they are.
        keep: how many stay.
        parts: what is saved with its variables, by name.
        settings: numbers and words that two runs must share for one to go on with the other.
    """

    def __init__(
        self,
        folder: Path,
        keep: int | None,
        parts: Mapping[str, Any],
        settings: Mapping[str, Any],
    ) -> None:
        self.folder = folder
        self._settings = dict(settings)
        self._checkpoint = Checkpoint(keep=keep, run="", **parts)

    def save(self, progress: Progress, callbacks: Sequence[Callback]) -> Path:
        """Write a checkpoint, numbered by the step.

        Raises:
            CheckpointError: when it cannot be written; older ones are still there.
        """
        states = {name: one.state_dict() for name, one in by_name(callbacks).items()}
        self._checkpoint.run = json.dumps(
            {
                "version": VERSION,
                "progress": asdict(progress),
                "callbacks": {name: state for name, state in states.items() if state},
                "settings": self._settings,
            }
        )
        return self._checkpoint.save(self.folder, progress.step)

    def restore(
        self, path: Path, callbacks: Sequence[Callback], batches: int | None = None
    ) -> Progress:
        """Take over a checkpoint; return where its run was.

        Args:
            path: the checkpoint.
            callbacks: take over their states.
            batches: how many batches an epoch has now, if it is known.

        Raises:
            CheckpointError: when it is none of a run like this; then nothing is changed.
        """
        _, metadata = load(path)
        try:
            run = json.loads(json.loads(metadata["unigrad"])["run"])
            version = int(run["version"])
            if version > VERSION:
                raise CheckpointError(
                    f"fit: {path} is of version {version}, this unigrad goes on from {VERSION}: "
                    "install a newer one"
                )
            progress = Progress(**run["progress"])
            states, settings = dict(run["callbacks"]), dict(run["settings"])
        except (KeyError, ValueError, TypeError) as error:
            raise CheckpointError(f"fit: {path} was not written by a Trainer") from error
        self._check_settings(path, settings)
        if progress.position and batches is not None and progress.batches not in (None, batches):
            raise CheckpointError(
                f"fit: {path} is from the middle of an epoch of {progress.batches} batches, the "
                f"data has {batches}: the rest of that epoch would be other examples"
            )
        named = by_name(callbacks)
        if unknown := sorted({*states} - {*named}):
            raise CheckpointError(
                f"fit: {path} is of a run with the callbacks {', '.join(unknown)}, this one has "
                f"{', '.join(named) or 'none'}"
            )
        self._checkpoint.restore(path)
        for name, state in states.items():
            named[name].load_state_dict(state)
        return progress

    def _check_settings(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Check that another run's settings are this one's."""
        own = json.loads(json.dumps(self._settings))
        differ = [
            f"{name} is {own.get(name)!r}, there {settings.get(name)!r}"
            for name in sorted({*settings, *own})
            if settings.get(name) != own.get(name)
        ]
        if differ:
            raise CheckpointError(
                f"fit: {path} is of a run with other settings: {'; '.join(differ)}"
            )


def by_name(callbacks: Sequence[Callback]) -> dict[str, Callback]:
    """Return callbacks by class, numbered where there are several.

    Example:
        >>> [*by_name([Callback(), Callback()])]
        ['Callback', 'Callback 2']
    """
    named: dict[str, Callback] = {}
    for callback in callbacks:
        name = type(callback).__name__
        count = sum(one.split()[0] == name for one in named)
        named[f"{name} {count + 1}" if count else name] = callback
    return named


def remove_all(folder: Path) -> None:
    """Remove the checkpoints that runs have left in a folder."""
    while (stale := latest(folder)) is not None:
        stale.unlink()


def not_finite(variables: Sequence[Variable]) -> str | None:
    """Return the name of a variable with an infinity or a NaN, if there is one.

    Example:
        >>> not_finite([Variable(1.0), Variable(float("nan"), name="w")])
        'w'
    """
    for variable in variables:
        if variable.dtype in FLOATING and not np.isfinite(variable._untaped().numpy()).all():
            return variable.name
    return None
