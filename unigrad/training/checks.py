"""What `Trainer` is given, looked at before anything is done."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.errors import SettingError
from unigrad.data import Dataset, dataset
from unigrad.data.datasets import Placed
from unigrad.data.places import Columns, Mapped, Table
from unigrad.io import latest
from unigrad.optimizers import Optimizer
from unigrad.training.callbacks import Callback


def check_kinds(model: Any, loss: Any, optimizer: Any, callbacks: Sequence[Any]) -> None:
    missing = [
        name
        for name in ("trainable_variables", "named_variables", "state_dict")
        if not hasattr(type(model), name)
    ]
    if missing:
        raise SettingError(f"Trainer: a {type(model).__name__} is no model: it has no {missing[0]}")
    if not callable(loss):
        raise SettingError(f"Trainer: a loss is a function of model and batch, not {loss!r}")
    if not isinstance(optimizer, Optimizer):
        raise SettingError(f"Trainer: expected an optimizer, not a {type(optimizer).__name__}")
    for one in callbacks:
        if not isinstance(one, Callback):
            raise SettingError(f"Trainer: {one!r} is no callback: give objects, not classes")


def _has_rows(table: Table) -> bool:
    """Tell whether a table has rows of arrays, or functions of rows that keep all shapes."""
    base = table
    while isinstance(base, Mapped):
        base = base.table
    if base is table or not isinstance(base, Columns) or not len(base):
        return isinstance(base, Columns)
    try:
        before, after = (tree.map(np.shape, one.element(0)) for one in (base, table))
        return bool(before == after)
    except Exception:
        # What is wrong with it is said where it is read.
        return False


def batches_of(what: str, data: Any) -> Dataset:
    """Return data as a dataset of batches.

    Raises:
        SettingError: when it has rows.
    """
    found = dataset(data)
    if isinstance(found, Placed) and (
        _has_rows(found.table) or not isinstance(data, Dataset | list)
    ):
        raise SettingError(
            f"Trainer: the {what} data has rows, not batches: say ug.data.dataset(data).batch(size)"
        )
    return found


def until(epochs: int | None, steps: int | None, save_every: int | None) -> tuple[float, float]:
    for name, value, least in (
        ("epochs", epochs, 0),
        ("steps", steps, 0),
        ("save_every", save_every, 1),
    ):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or value < least
        ):
            raise SettingError(f"fit: {name}={value!r}: expected an integer, at least {least}")
    most = math.inf if epochs is None else float(epochs)
    if epochs is None and steps is None:
        most = 1.0
    return most, math.inf if steps is None else float(steps)


def total_steps(data: Dataset, epochs: float, steps: float) -> int | None:
    """Return how many steps there are in all, or None if that is not known."""
    length = data._length()
    most = steps if length is None or math.isinf(epochs) else min(steps, epochs * length)
    return None if math.isinf(most) else int(most)


def newest_in(folder: Path | None, resume: bool) -> Path | None:
    """Make a run's folder; return the newest checkpoint in it.

    Raises:
        SettingError: when there is no folder to go on in, or it is none that can be written to.
    """
    if folder is None:
        if resume:
            raise SettingError("fit: there is no folder to go on in; give Trainer a folder=")
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise SettingError(f"fit: {folder} is no folder to write to: {error.strerror}") from error
    return latest(folder)
