"""Which function turns which layer into data, and which data into a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

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


def layer_data(layer: Any) -> LayerData:
    """Return a layer as data, one that comes twice as the same data.

    Raises:
        DTypeError: when unigrad has no such layer, or layers share weights in another way.
    """
    found: LayerData = _read(layer)
    return found


def _data_of(layer: Any) -> LayerData:
    found = _READERS.get(type(layer))
    if found is None:
        raise DTypeError(f"unigrad has no layer like Keras's {type(layer).__qualname__}")
    if not layer.built and not isinstance(layer, keras.Sequential):
        layer_needs_no_weights(layer)
    return found(layer) if type(layer) is keras.Sequential else read_with_marks(found, layer)


def _refuse_tied(layers: list[Any]) -> None:
    """Refuse weights that several layers have."""
    leaves = [one for one in layers if type(one) is not keras.Sequential]
    refuse_tied(one for leaf in leaves for one in leaf.weights)


_read = once(_data_of, _refuse_tied)


#: Those without weights need not be built.
_ALONE: set[type] = set()


def layer_needs_no_weights(layer: Any) -> None:
    """Refuse a layer that has weights and lacks them yet."""
    if type(layer) not in _ALONE:
        raise DTypeError(f"the layer {layer.name!r} of Keras is not built yet")


def layer_from(data: LayerData) -> Any:
    """Return a built layer made of data. Raises `DTypeError` when Keras has no such layer."""
    return _write(data)


def new_layer_from(data: LayerData) -> Any:
    """Return a layer of its own that is made of data."""
    found = _WRITERS.get(data.kind)
    if found is None:
        raise DTypeError(f"Keras has no layer like unigrad's {data.kind}")
    layer = found(data)
    if data.kind != "Sequential" and any_frozen(data):
        marks = found(marks_of(data)).weights
        for one, mark in zip(layer.weights, marks, strict=True):
            if is_frozen(data.kind, mark.numpy()):
                one.trainable = False
    return layer


_write = once(new_layer_from)


def reads(*kinds: type, alone: bool = False) -> Callable[[Reader], Reader]:
    """Name the layers that a function takes (a decorator); ``alone`` of those without weights."""

    def note(reader: Reader) -> Reader:
        _READERS.update(dict.fromkeys(kinds, reader))
        if alone:
            _ALONE.update(kinds)
        return reader

    return note


def writes(*kinds: str) -> Callable[[Writer], Writer]:
    """Name the layers whose data a function takes (a decorator)."""

    def note(writer: Writer) -> Writer:
        _WRITERS.update(dict.fromkeys(kinds, writer))
        return writer

    return note


def refuse(layer: Any, **defaults: Any) -> None:
    """Refuse settings of a layer of Keras that unigrad lacks."""
    for name, default in defaults.items():
        if getattr(layer, name) != default:
            raise DTypeError(
                f"unigrad has no {type(layer).__name__} with {name}={getattr(layer, name)!r}"
            )


def need(data: LayerData, **wanted: Any) -> None:
    """Refuse settings of a layer of unigrad that Keras lacks."""
    for name, value in wanted.items():
        if data.settings[name] != value:
            raise DTypeError(f"Keras has no {data.kind} with {name}={data.settings[name]!r}")


def array(variable: Any) -> Any:
    """Return a copy of a variable's values, or its mark: see `unigrad.core.conversions`."""
    return value_or_mark(np.array(variable.numpy()), getattr(variable, "trainable", True))


def built(layer: Any, shape: Sequence[int | None], weights: Sequence[Any]) -> Any:
    """Return a layer, built for a shape, with these weights."""
    layer.build(shape)
    layer.set_weights(weights)
    return layer


#: Activations whose names differ, from Keras's.
_NAMES = {"leaky_relu": None, "exponential": "exp", "hard_sigmoid": None, "softmax": None}


def name_of(activation: Any) -> str:
    """Return unigrad's name of an activation of Keras."""
    name = keras.activations.serialize(activation)
    found = _NAMES.get(name, name) if isinstance(name, str) else None
    if found is None or found not in _KNOWN:
        raise DTypeError(f"unigrad has no layer like Keras's with the activation {name!r}")
    return found


_KNOWN = {
    "linear", "relu", "relu6", "tanh", "sigmoid", "silu", "gelu", "elu", "selu", "softplus",
    "softsign", "mish", "exp",
}  # fmt: skip


def of_name(data: LayerData, name: str = "activation") -> str:
    """Return Keras's name of an activation of unigrad."""
    given = data.settings[name] or "linear"
    if given not in _KNOWN:
        raise DTypeError(f"Keras has no {data.kind} with {name}={given!r}")
    return "exponential" if given == "exp" else str(given)
