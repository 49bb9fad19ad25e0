"""Keep the weights of the best epochs, and the mean of the last ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unigrad.core.errors import SettingError
from unigrad.io import CheckpointError, load, save
from unigrad.training.callbacks.callback import Callback, Logs, monitored

if TYPE_CHECKING:
    from unigrad.training.trainer import Trainer


class BestCheckpoints(Callback):
    """Keep the weights of the best epochs, in files ``best/step-<step>.safetensors``.

    Args:
        number: how many.
        monitor: the name of the number to compare, in the epoch's logs.
        maximize: whether more is better.
        folder: where, in the run's folder.

    Attributes:
        kept: pairs of the number and the step, the best first; of equal ones the earlier.

    Raises:
        SettingError: when the number is not positive, the run has no folder, or there is no such
            number to compare.

    Example:
        >>> BestCheckpoints(2, "val_accuracy", maximize=True).kept
        []
    """

    def __init__(
        self,
        number: int = 1,
        monitor: str = "val_loss",
        *,
        maximize: bool = False,
        folder: str = "best",
    ) -> None:
        if number < 1:
            raise SettingError(f"BestCheckpoints: number={number} is at least 1")
        self.number = number
        self.monitor = monitor
        self.maximize = maximize
        self.folder = folder
        self.kept: list[tuple[float, int]] = []

    def on_start(self, trainer: Trainer) -> None:
        """See that there is a folder; forget what a run that was begun anew had kept."""
        path = folder_of(self, trainer)
        # A run that was killed before its checkpoint may have removed what that one still lists.
        there = set(_steps_in(path / self.folder) if trainer.step else ())
        self.kept = [(value, step) for value, step in self.kept if step in there]
        _remove_others(path / self.folder, [step for _, step in self.kept])

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Write the weights if the epoch is among the best."""
        value = monitored(self, self.monitor, logs)
        if math.isnan(value):
            return
        entry = (value, trainer.step)
        sign = -1.0 if self.maximize else 1.0
        kept = sorted([*self.kept, entry], key=lambda one: (sign * one[0], one[1]))[: self.number]
        if entry not in kept:
            return
        path = folder_of(self, trainer) / self.folder
        with trainer.evaluating():
            save(
                path / f"step-{trainer.step}.safetensors",
                trainer.model,
                {self.monitor: repr(value), "step": str(trainer.step)},
            )
        self.kept = kept
        _remove_others(path, [step for _, step in kept])

    def state_dict(self) -> dict[str, Any]:
        """Return which epochs are kept."""
        return {"kept": [list(one) for one in self.kept]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.kept = [(float(value), int(step)) for value, step in state["kept"]]


class AverageCheckpoints(Callback):
    """Keep the weights of the last epochs, and their mean in ``average.safetensors``.

    Source: Vaswani et al., "Attention is all you need" (2017), section 6.1.

    Args:
        number: how many epochs.
        folder: where the epochs' weights are, in the run's folder.

    Raises:
        SettingError: when the number is not positive or the run has no folder.

    Example:
        >>> AverageCheckpoints(5).number
        5
    """

    def __init__(self, number: int = 5, *, folder: str = "last") -> None:
        if number < 1:
            raise SettingError(f"AverageCheckpoints: number={number} is at least 1")
        self.number = number
        self.folder = folder
        self.steps: list[int] = []

    def on_start(self, trainer: Trainer) -> None:
        """See that there is a folder; forget what a run that was begun anew had kept."""
        path = folder_of(self, trainer)
        there = set(_steps_in(path / self.folder) if trainer.step else ())
        self.steps = [step for step in self.steps if step in there]
        _remove_others(path / self.folder, self.steps)

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Write the epoch's weights, and the mean of the last ones."""
        path = folder_of(self, trainer)
        with trainer.evaluating():
            save(path / self.folder / f"step-{trainer.step}.safetensors", trainer.model)
        self.steps = [*self.steps, trainer.step][-self.number :]
        files = [path / self.folder / f"step-{step}.safetensors" for step in self.steps]
        steps = " ".join(map(str, self.steps))
        save(path / "average.safetensors", average_checkpoints(files), {"steps": steps})
        _remove_others(path / self.folder, self.steps)

    def state_dict(self) -> dict[str, Any]:
        """Return which epochs are kept."""
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.steps = [int(step) for step in state["steps"]]


def average_checkpoints(paths: Sequence[str | Path]) -> dict[str, npt.NDArray[Any]]:
    """Return the means of the arrays in files of weights; of integers, those of the last file.

    Args:
        paths: the files, as `ug.io.save` writes them, all with the same names and shapes.

    Raises:
        SettingError: when there is no file.
        CheckpointError: when one cannot be read, or names, shapes or dtypes differ.

    Example:
        >>> import tempfile, pathlib
        >>> import unigrad as ug
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = [pathlib.Path(folder) / name for name in "ab"]
        ...     for path, value in zip(paths, (1.0, 2.0)):
        ...         ug.io.save(path, {"w": np.float32([value])})
        ...     average_checkpoints(paths)["w"].tolist()
        [1.5]
    """
    if not paths:
        raise SettingError("average_checkpoints: there is no file")
    outline: dict[str, Any] = {}
    totals: dict[str, npt.NDArray[Any]] = {}
    for path in paths:
        arrays, _ = load(path)
        shapes = {name: (one.shape, one.dtype) for name, one in arrays.items()}
        if outline and shapes != outline:
            raise CheckpointError(f"average_checkpoints: {path} does not fit {paths[0]}")
        outline = shapes
        for name, one in arrays.items():
            if one.dtype.kind in "iub":
                totals[name] = one
            else:
                totals[name] = totals.get(name, np.float64(0.0)) + one.astype(np.float64)
    return {
        name: one if outline[name][1].kind in "iub" else (one / len(paths)).astype(outline[name][1])
        for name, one in totals.items()
    }


def folder_of(owner: Callback, trainer: Trainer) -> Path:
    """Return the run's folder.

    Raises:
        SettingError: when it has none.
    """
    if trainer.folder is None:
        raise SettingError(f"{type(owner).__name__}: needs a folder; give Trainer a folder=")
    return trainer.folder


def _steps_in(folder: Path) -> list[int]:
    """Return the steps whose weights are in a folder."""
    numbers = [path.stem.removeprefix("step-") for path in folder.glob("step-*.safetensors")]
    return [int(number) for number in numbers if number.isdecimal()]


def _remove_others(folder: Path, steps: Sequence[int]) -> None:
    """Remove the weights of other steps: of a run that has left them, or that came further."""
    for step in _steps_in(folder):
        if step not in steps:
            (folder / f"step-{step}.safetensors").unlink(missing_ok=True)
