"""Tasks: functions that give a model, its loss and its data, found by name."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from unigrad.training.errors import ConfigError

#: The functions of tasks with a name of their own, and what else a run of theirs is made of.
REGISTERED = {
    "g2p": "unigrad.pronunciation.task:task",
    "spirals": "unigrad.training.spirals:task",
}


class Task(NamedTuple):
    """What a task's function returns; a plain tuple of the same will do.

    Example:
        >>> Task("model", "loss", "batches").validation is None
        True
    """

    #: A model, and its loss: see `Trainer`.
    model: Any
    loss: Callable[[Any, Any], Any]
    #: Batches to train on, and to evaluate on after each epoch: see `Trainer.fit`.
    training: Any
    validation: Any = None


def registered_tasks() -> list[str]:
    """Return the names of tasks that are there.

    Example:
        >>> "spirals" in registered_tasks()
        True
    """
    return [name for name, place in REGISTERED.items() if _is_there(place.partition(":")[0])]


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # Not even its package.
        return False


def function_of(name: str) -> tuple[Callable[..., Any], Mapping[str, Any]]:
    """Return a task's function and its module's ``DEFAULTS``: tables for what a file leaves open.

    Args:
        name: a registered one, or ``package.module:function``.

    Raises:
        ConfigError: when there is no such task.

    Example:
        >>> function, defaults = function_of("spirals")
        >>> function.__name__, defaults["optimizer"]["name"]
        ('task', 'Adam')
    """
    module, colon, function = REGISTERED.get(name, name).partition(":")
    if not colon or not module or not function:
        raise ConfigError(
            f"task: {name!r} is none of {', '.join(registered_tasks())}, and no "
            "package.module:function"
        )
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(f"task: {module} of {name!r} cannot be imported: {error}") from error
    if not callable(getattr(found, function, None)):
        raise ConfigError(f"task: {module} has no function {function!r}")
    return getattr(found, function), getattr(found, "DEFAULTS", {})
