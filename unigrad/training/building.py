"""A run's parts, made of what a file says."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unigrad import optimizers
from unigrad.layers import set_seed
from unigrad.optimizers import Optimizer, schedules
from unigrad.training import callbacks
from unigrad.training.callbacks import Callback
from unigrad.training.config import Table, check_keys, check_kind, settings_for
from unigrad.training.errors import ConfigError
from unigrad.training.tasks import Task
from unigrad.training.trainer import Trainer

#: Tables that are callbacks; those that wrap the optimizer in this order, from the inside.
CALLBACKS: Mapping[str, Callable[..., Callback]] = {
    "clip_gradients": callbacks.ClipGradients,
    "accumulate_gradients": callbacks.AccumulateGradients,
    "average_weights": callbacks.AverageWeights,
    "reduce_on_plateau": callbacks.ReduceOnPlateau,
    "early_stopping": callbacks.EarlyStopping,
    "best_checkpoints": callbacks.BestCheckpoints,
    "average_checkpoints": callbacks.AverageCheckpoints,
    "tensorboard": callbacks.TensorBoard,
}
#: Keys outside of tables, and of the table of the run itself, with their kinds.
PLAIN = {"task": "str", "backend": "str", "seed": "int", "folder": "str"}
RUN = {
    "epochs": "int",
    "steps": "int",
    "save_every": "int",
    "keep": "int",
    "jit": "bool",
    "precision": "str",
    "unit": "str",
}
#: What may differ between a run and the one that goes on with it.
MAY_DIFFER = ("backend", "folder")
RUN_MAY_DIFFER = ("epochs", "steps", "save_every", "keep", "jit", "unit")


def check_outline(config: Mapping[str, Any]) -> None:
    """Check the names of all tables and of the keys outside of them, and the run's own table.

    Raises:
        ConfigError: when one is unknown or of another kind; it names the key.

    Example:
        >>> check_outline({"task": "spirals", "training": {"epochs": 3}})
    """
    check_keys("", config, [*PLAIN, "settings", "optimizer", "schedule", "training", *CALLBACKS])
    for key, kind in PLAIN.items():
        if key in config:
            check_kind(key, config[key], kind)
    run = config.get("training", {})
    if not isinstance(run, Mapping):
        raise ConfigError(f"training: expected a table, not {json.dumps(run, default=str)}")
    check_keys("training", run, [*RUN])
    for key, value in run.items():
        check_kind(f"training.{key}", value, RUN[key])


def task_of(function: Callable[..., Any], config: Mapping[str, Any]) -> Task:
    """Return the model, loss and data that a task's function makes of its settings.

    Raises:
        ConfigError: when a setting is none of its, or it returns something else.
    """
    seed = config.get("seed", 0)
    set_seed(seed)
    settings = settings_for("settings", function, config.get("settings", {}))
    if "seed" in inspect.signature(function).parameters:
        settings.setdefault("seed", seed)
    found = function(**settings)
    if not isinstance(found, tuple) or not 3 <= len(found) <= 4:
        raise ConfigError(
            "task: its function returns model, loss, training data and validation data, not a "
            f"{type(found).__name__}"
        )
    return Task(*found)


def optimizer_of(config: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer of a config's tables ``optimizer`` and ``schedule``.

    Raises:
        ConfigError: when there is no such optimizer, or a setting is none of its.

    Example:
        >>> optimizer_of({"optimizer": {"name": "SGD", "learning_rate": 0.5}}).learning_rate
        0.5
    """
    name, settings = _named("optimizer", config.get("optimizer", {"name": "Adam"}))
    known = {
        one: getattr(optimizers, one)
        for one in optimizers.__all__
        if isinstance(getattr(optimizers, one), type)
        and issubclass(getattr(optimizers, one), optimizers.Optimizer)
        and one != "Optimizer"
    }
    if name not in known:
        raise ConfigError(
            f"optimizer.name: {name!r} is no optimizer; there are {', '.join(sorted(known))}"
        )
    found: Optimizer = known[name](**settings_for("optimizer", known[name], settings))
    if "schedule" in config:
        name, settings = _named("schedule", config["schedule"])
        if name not in schedules.__all__:
            raise ConfigError(
                f"schedule.name: {name!r} is no schedule; there are {', '.join(schedules.__all__)}"
            )
        function = getattr(schedules, name)
        found.learning_rate = function(**settings_for("schedule", function, settings))
    return found


def _named(where: str, table: Any) -> tuple[str, Table]:
    """Return a table's ``name`` and the rest of it."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: expected a table, not {json.dumps(table, default=str)}")
    if "name" not in table:
        raise ConfigError(f"{where}.name: is missing")
    check_kind(f"{where}.name", table["name"], "str")
    return table["name"], {key: value for key, value in table.items() if key != "name"}


def callbacks_of(config: Mapping[str, Any]) -> list[Callback]:
    """Return the callbacks of a config's tables.

    Raises:
        ConfigError: when a setting is none of theirs.

    Example:
        >>> [type(one).__name__ for one in callbacks_of({"early_stopping": {"patience": 5}})]
        ['EarlyStopping']
    """
    return [
        make(**settings_for(name, make, config[name]))
        for name, make in CALLBACKS.items()
        if name in config
    ]


def trainer_of(
    task: Task, config: Mapping[str, Any], folder: Path, more: Sequence[Callback]
) -> Trainer:
    """Return the trainer of a config."""
    run = config.get("training", {})
    must_share = {key: value for key, value in _flat(config).items() if key not in MAY_DIFFER}
    for key in RUN_MAY_DIFFER:
        must_share.pop(f"training.{key}", None)
    return Trainer(
        task.model,
        task.loss,
        optimizer_of(config),
        callbacks=[*callbacks_of(config), *more],
        folder=folder,
        keep=run.get("keep", 2),
        jit=run.get("jit", True),
        precision=run.get("precision"),
        settings=must_share,
    )


def _flat(config: Mapping[str, Any]) -> Table:
    """Return a config's values by their dotted names."""
    found: Table = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            # A table may be there with nothing in it.
            found |= {f"{key}.{name}": one for name, one in value.items()} or {key: {}}
        else:
            found[key] = value
    return found
