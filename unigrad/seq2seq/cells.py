"""Recurrent cells and layers by name."""

from __future__ import annotations

from typing import Any

from unigrad.core.errors import SettingError
from unigrad.layers.recurrent import GRU, LSTM, GRUCell, LSTMCell

_CELLS: dict[str, tuple[Any, Any]] = {"gru": (GRUCell, GRU), "lstm": (LSTMCell, LSTM)}


def cell_of(name: str) -> Any:
    """Return the class of a cell.

    Raises:
        SettingError: for another name than "gru" and "lstm".
    """
    return _found(name)[0]


def layer_of(name: str) -> Any:
    """Return the class of a cell's layer; see `cell_of`."""
    return _found(name)[1]


def _found(name: str) -> tuple[Any, Any]:
    if not isinstance(name, str) or name not in _CELLS:
        raise SettingError(f"a cell is one of {', '.join(_CELLS)}, not {name!r}")
    return _CELLS[name]
