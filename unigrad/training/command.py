"""``unigrad train``: a run from a file, or of a task by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unigrad.core.registry import get_backend, use_backend
from unigrad.io.replacing import replace
from unigrad.training import config as files
from unigrad.training.building import check_outline, task_of, trainer_of
from unigrad.training.callbacks import Callback, JSONLines, Progress
from unigrad.training.errors import ConfigError
from unigrad.training.saving import History
from unigrad.training.tasks import REGISTERED, function_of


def resolved(source: str, overrides: Sequence[str] = ()) -> files.Table:
    """Return the config of a file or a task's name, with what it leaves open filled in.

    Args:
        source: a file, or a registered task's name.
        overrides: settings such as ``training.epochs=3``.

    Raises:
        ConfigError: when there is neither, or a key or value is wrong; it names the key.

    Example:
        >>> resolved("spirals", ["training.epochs=2"])["training"]
        {'epochs': 2}
    """
    given = {"task": source} if source in REGISTERED else files.read(Path(source))
    given = files.override(given, overrides)
    check_outline(given)
    if "task" not in given:
        raise ConfigError("task: is missing")
    _, defaults = function_of(given["task"])
    config = files.merged(defaults, given)
    config.setdefault("backend", get_backend())
    config.setdefault("seed", 0)
    word = given["task"].replace(":", ".")
    config.setdefault("folder", str(Path("runs") / f"{word}-{config['backend']}"))
    check_outline(config)
    return config


def train(
    source: str,
    overrides: Sequence[str] = (),
    *,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
    say: Callable[[str], Any] = print,
) -> History:
    """Do the run of a file, or of a task's name; leave log, checkpoints and its config in a folder.

    Args:
        source, overrides: see `resolved`.
        resume, overwrite: see `Trainer.fit`.
        quiet: show no bar.
        say: is given lines to print.

    Raises:
        ConfigError: when a key or value is wrong; it names the key.
        UnigradError: as `Trainer.fit`.
    """
    config = resolved(source, overrides)
    function, _ = function_of(config["task"])
    run = config.get("training", {})
    folder = Path(config["folder"])
    with use_backend(config["backend"]):
        task = task_of(function, config)
        more: list[Callback] = [JSONLines()]
        if not quiet:
            more.append(Progress(run.get("unit", "rows")))
        trainer = trainer_of(task, config, folder, more)
        settings = {name: run[name] for name in ("epochs", "steps", "save_every") if name in run}
        trainer.callbacks.append(_KeepConfig(files.as_toml(config)))
        history = trainer.fit(
            task.training,
            validation=task.validation,
            resume=resume,
            overwrite=overwrite,
            **settings,
        )
    if history.reason is not None:
        say(f"Stopped: {history.reason}")
    last = history.epochs[-1] if history.epochs else {}
    numbers = ", ".join(f"{name} {value:.4f}" for name, value in last.items())
    say(f"{trainer.step} steps, {trainer.epoch} epochs; {numbers or 'no epoch is over'}")
    say(f"Log, config and checkpoints are in {folder}")
    return history


class _KeepConfig(Callback):
    """Write the config beside the log: with it the run can be done again."""

    def __init__(self, text: str) -> None:
        self._text = text

    def on_start(self, trainer: Any) -> None:
        """Write it, in place of what an earlier part of the run has written."""
        path = trainer.folder / "config.toml"
        try:
            replace(path, [self._text.encode()])
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error}") from error
