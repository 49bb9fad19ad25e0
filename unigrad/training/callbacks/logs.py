"""Write down how a run goes: lines of JSON, and curves for TensorBoard."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from unigrad.core.errors import UnigradError
from unigrad.io.replacing import replace
from unigrad.training.callbacks.callback import Callback, Logs
from unigrad.training.callbacks.keeping import folder_of

if TYPE_CHECKING:
    from unigrad.training.trainer import Trainer


class JSONLines(Callback):
    """Write a line of JSON per step and per epoch; numbers that are not finite are ``null``.

    A line has ``step`` (how many were done), ``epoch``, ``seconds`` (what the step took, or since
    the run was begun or gone on with), and the logs; those of epochs have ``"kind": "epoch"``, the
    others ``"step"``. Lines that a run has written after its last checkpoint are removed when it
    goes on, so that each step is there once.

    Args:
        name: the file, in the run's folder.

    Raises:
        SettingError: when the run has no folder.
        UnigradError: when the file cannot be read or written.

    Example:
        >>> JSONLines().name
        'log.jsonl'
    """

    def __init__(self, name: str = "log.jsonl") -> None:
        self.name = name
        self._file: TextIO | None = None
        self._begun = 0.0

    def on_start(self, trainer: Trainer) -> None:
        """Open the file, without what is no longer true."""
        path = folder_of(self, trainer) / self.name
        self._begun = time.perf_counter()
        try:
            kept = [] if not trainer.step else _kept(path, trainer.step, trainer.epoch)
            replace(path, ["".join(kept).encode()])
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise self._failed(trainer, error) from error

    def on_step(self, trainer: Trainer, logs: Logs) -> None:
        """Write a step's line."""
        self._write("step", trainer, trainer.seconds, logs)

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Write an epoch's line."""
        self._write("epoch", trainer, time.perf_counter() - self._begun, logs)

    def _write(self, kind: str, trainer: Trainer, seconds: float, logs: Logs) -> None:
        line: dict[str, Any] = {"kind": kind, "step": trainer.step, "epoch": trainer.epoch}
        line["seconds"] = round(seconds, 6)
        for name, value in logs.items():
            line[name] = value if math.isfinite(value) else None
        try:
            if self._file is not None:
                self._file.write(json.dumps(line, allow_nan=False) + "\n")
        except OSError as error:
            raise self._failed(trainer, error) from error

    def _failed(self, trainer: Trainer, error: OSError) -> UnigradError:
        return UnigradError(
            f"after step {trainer.step}: JSONLines: {self.name} cannot be written: {error}; "
            f"{trainer.last_checkpoint()}"
        )

    def on_save(self, trainer: Trainer) -> None:
        """Bring the lines to the disk: a checkpoint must not be ahead of them."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(trainer, error) from error

    def on_end(self, trainer: Trainer) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                raise self._failed(trainer, error) from error


def read_log(path: str | Path, kind: str = "step") -> list[dict[str, Any]]:
    r"""Return the lines that `JSONLines` has written of one kind; a last one cut short is left out.

    Raises:
        OSError: when there is no such file.

    Example:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "log.jsonl"
        ...     _ = path.write_text('{"kind": "step", "step": 1, "loss": 2.0}\n{"kind": "st')
        ...     read_log(path)
        [{'kind': 'step', 'step': 1, 'loss': 2.0}]
    """
    return [line for line, _ in _lines(Path(path)) if line.get("kind") == kind]


def _lines(path: Path) -> list[tuple[dict[str, Any], str]]:
    found = []
    for text in path.read_text().splitlines(keepends=True):
        try:
            line = json.loads(text)
        except ValueError:  # The process ended while it was written.
            break
        if not text.endswith("\n") or not isinstance(line, dict):
            break
        found.append((line, text))
    return found


def _kept(path: Path, step: int, epoch: int) -> list[str]:
    """Return the lines up to a step; those of epochs that are over."""
    if not path.exists():
        return []
    return [
        text
        for line, text in _lines(path)
        if (line["epoch"] < epoch if line["kind"] == "epoch" else line["step"] <= step)
    ]


class TensorBoard(Callback):
    """Write curves that TensorBoard shows, through the package ``tensorboardX``.

    Args:
        folder: where, in the run's folder.
        every: write every so many steps.

    Raises:
        SettingError: when the run has no folder.
        ImportError: when the package is not installed.

    Example:
        >>> TensorBoard(every=10).every
        10
    """

    def __init__(self, folder: str = "tensorboard", every: int = 1) -> None:
        self.folder = folder
        self.every = every
        self._writer: Any = None

    def on_start(self, trainer: Trainer) -> None:
        """Begin a file; of one that is gone on with, what came after the checkpoint is hidden."""
        path = folder_of(self, trainer) / self.folder
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                f"TensorBoard: {error}; install it with: pip install 'unigrad[tensorboard]'"
            ) from error
        # Files of one second would have one name.
        self._writer = SummaryWriter(
            str(path), purge_step=trainer.step + 1, filename_suffix=f".{trainer.step}"
        )

    def on_step(self, trainer: Trainer, logs: Logs) -> None:
        """Write a step's numbers, and the learning rate if it is a plain number."""
        if trainer.step % self.every:
            return
        for name, value in logs.items():
            self._writer.add_scalar(f"step/{name}", value, trainer.step)
        rate = trainer.optimizer.learning_rate
        if isinstance(rate, float):
            self._writer.add_scalar("step/learning_rate", rate, trainer.step)

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Write an epoch's numbers."""
        for name, value in logs.items():
            self._writer.add_scalar(f"epoch/{name}", value, trainer.step)

    def on_save(self, trainer: Trainer) -> None:
        """Bring the curves to the disk."""
        self._writer.flush()

    def on_end(self, trainer: Trainer) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
