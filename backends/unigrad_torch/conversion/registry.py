"""Which function turns which module into data, and which data into a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from unigrad.core.conversions import (
    any_frozen,
    is_frozen,
    marks_of,
    once,
    read_with_marks,
    refuse_tied,
    value_or_mark,
)
from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData

Reader = Callable[[Any], LayerData]
Writer = Callable[[LayerData], Any]
_READERS: dict[type, Reader] = {}
_WRITERS: dict[str, Writer] = {}


def layer_data(module: Any) -> LayerData:
    """Return a module as data, one that comes twice as the same data.

    Raises:
        DTypeError: when unigrad has no such layer, or modules share weights in another way.
    """
    found: LayerData = _read(module)
    return found


def _data_of(module: Any) -> LayerData:
    found = _READERS.get(type(module))
    if found is None:
        raise DTypeError(f"unigrad has no layer like torch's {type(module).__qualname__}")
    return found(module) if type(module) is nn.Sequential else read_with_marks(found, module)


def _refuse_tied(modules: list[Any]) -> None:
    """Refuse weights that several modules have, or one module in several places."""
    leaves = [one for one in modules if type(one) is not nn.Sequential]
    named = [leaf.named_parameters(remove_duplicate=False) for leaf in leaves]
    refuse_tied(one for parameters in named for _, one in parameters)


_read = once(_data_of, _refuse_tied)


def layer_from(data: LayerData) -> Any:
    """Return a module made of data. Raises `DTypeError` when torch has no such module."""
    return _write(data)


def _module_from(data: LayerData) -> Any:
    found = _WRITERS.get(data.kind)
    if found is None:
        raise DTypeError(f"torch has no module like unigrad's {data.kind}")
    module = found(data)
    if data.kind != "Sequential" and any_frozen(data):
        marks = found(marks_of(data)).parameters()
        for one, mark in zip(module.parameters(), marks, strict=True):
            if is_frozen(data.kind, mark.detach().numpy()):
                one.requires_grad_(False)
    return module


_write = once(_module_from)


def reads(*kinds: type) -> Callable[[Reader], Reader]:
    """Name the modules that a function takes (a decorator)."""

    def note(reader: Reader) -> Reader:
        _READERS.update(dict.fromkeys(kinds, reader))
        return reader

    return note


def writes(*kinds: str) -> Callable[[Writer], Writer]:
    """Name the layers whose data a function takes (a decorator)."""

    def note(writer: Writer) -> Writer:
        _WRITERS.update(dict.fromkeys(kinds, writer))
        return writer

    return note


def array(x: torch.Tensor | None) -> Any:
    """Return a copy of a weight's values, or its mark: see `unigrad.core.conversions`."""
    assert x is not None
    return value_or_mark(x.detach().cpu().numpy().copy(), x.requires_grad)


def refuse(module: Any, **defaults: Any) -> None:
    """Refuse settings of a module that are not torch's default."""
    for name, default in defaults.items():
        if getattr(module, name) != default:
            raise DTypeError(
                f"unigrad has no {type(module).__name__} with {name}={getattr(module, name)!r}"
            )


def need(data: LayerData, **wanted: Any) -> None:
    """Refuse settings of a layer that torch's module does not have."""
    for name, value in wanted.items():
        if data.settings[name] != value:
            raise DTypeError(f"torch has no {data.kind} with {name}={data.settings[name]!r}")


def filled(module: Any, weights: Mapping[str, Any]) -> Any:
    """Return a module with these weights, in their dtype."""
    dtypes = {torch.from_numpy(np.asarray(one)).dtype for one in weights.values()}
    if dtypes:
        module = module.to(dtypes.pop())
    named = dict(module.named_parameters()) | dict(module.named_buffers())
    with torch.no_grad():
        for name, value in weights.items():
            named[name].copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return module


def under(path: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return names with a path before them."""
    return {f"{path}{name}": one for name, one in state.items()}


def inside(path: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is under a path, by the rest of the names."""
    return {name[len(path) :]: one for name, one in state.items() if name.startswith(path)}
