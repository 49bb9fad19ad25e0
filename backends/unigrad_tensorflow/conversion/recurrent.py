"""Recurrent layers of Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad_tensorflow.conversion.registry import (
    array,
    built,
    name_of,
    of_name,
    reads,
    refuse,
    writes,
)

#: Keras's update, reset, new as unigrad's reset, update, new, and back.
_ORDERS = {"GRU": (1, 0, 2)}
_GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


def _ordered(kind: str, weight: Any) -> Any:
    """Put the gates along the last axis in the other library's order."""
    order = _ORDERS.get(kind)
    if order is None:
        return weight
    parts = np.split(weight, len(order), axis=-1)
    return np.concatenate([parts[i] for i in order], axis=-1)


def _state(kind: str, layer: Any) -> dict[str, Any]:
    cell = layer.cell
    state = {"kernel": array(cell.kernel), "recurrent_kernel": array(cell.recurrent_kernel)}
    if cell.use_bias:
        bias = array(cell.bias)
        if bias.ndim == 2:
            state["bias"], state["recurrent_bias"] = bias
        else:
            state["bias"] = bias
    return {name: _ordered(kind, one) for name, one in state.items()}


def _settings(kind: str, layer: Any) -> dict[str, Any]:
    refuse(layer, stateful=False)
    settings: dict[str, Any] = {
        "units": layer.units,
        "use_bias": layer.use_bias,
        "return_sequences": layer.return_sequences,
        "return_state": layer.return_state,
        "go_backwards": layer.go_backwards,
        "dropout": layer.dropout,
        "recurrent_dropout": layer.recurrent_dropout,
    }
    if kind == "SimpleRNN":
        return settings | {"activation": name_of(layer.activation)}
    if (name_of(layer.activation), name_of(layer.recurrent_activation)) != ("tanh", "sigmoid"):
        raise DTypeError(f"unigrad has no {kind} with activations other than tanh and sigmoid")
    return settings | ({"reset_after": layer.reset_after} if kind == "GRU" else {})


@reads(keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM)
def _recurrent(layer: Any) -> LayerData:
    kind = type(layer).__name__
    state = _state(kind, layer)
    shape = (1, 1, state["kernel"].shape[0])
    return LayerData(kind, _settings(kind, layer), shape, state)


_MERGES = {"concat": "concat", "sum": "sum", "ave": "mean", "mul": "product"}


@reads(keras.layers.Bidirectional)
def _bidirectional(layer: Any) -> LayerData:
    forward, backward = layer.forward_layer, layer.backward_layer
    kind = type(forward).__name__
    if type(backward) is not type(forward) or layer.merge_mode not in _MERGES:
        raise DTypeError(f"unigrad has no Bidirectional like {layer.name!r}")
    settings = _settings(kind, forward)
    if _settings(kind, backward) != settings | {"go_backwards": True}:
        raise DTypeError("unigrad has no Bidirectional of layers that differ")
    state = {f"forward/{name}": one for name, one in _state(kind, forward).items()}
    state |= {f"backward/{name}": one for name, one in _state(kind, backward).items()}
    shape = (1, 1, state["forward/kernel"].shape[0])
    given = {"layer": LayerData(kind, settings), "merge": _MERGES[layer.merge_mode]}
    return LayerData("Bidirectional", given, shape, state)


def _to_weights(kind: str, state: dict[str, Any]) -> list[Any]:
    """Return the arrays in Keras's order."""
    state = {name: _ordered(kind, one) for name, one in state.items()}
    found = [state["kernel"], state["recurrent_kernel"]]
    if "bias" not in state:
        return found
    if "recurrent_bias" not in state:
        return [*found, state["bias"]]
    if kind != "GRU":
        return [*found, state["bias"] + state["recurrent_bias"]]
    return [*found, np.stack([state["bias"], state["recurrent_bias"]])]


def _to_layer(data: LayerData) -> Any:
    settings = dict(data.settings)
    given = {
        name: settings[name]
        for name in (
            "units",
            "use_bias",
            "return_sequences",
            "return_state",
            "go_backwards",
            "dropout",
            "recurrent_dropout",
        )
    }
    if data.kind == "SimpleRNN":
        given["activation"] = of_name(data)
    if data.kind == "GRU":
        given["reset_after"] = settings["reset_after"]
    return getattr(keras.layers, data.kind)(**given)


@writes(*_GATES)
def _to_recurrent(data: LayerData) -> Any:
    shape = (None, None, data.state["kernel"].shape[0])
    return built(_to_layer(data), shape, _to_weights(data.kind, dict(data.state)))


@writes("Bidirectional")
def _to_bidirectional(data: LayerData) -> Any:
    inner = data.settings["layer"]
    modes = {own: name for name, own in _MERGES.items()}
    layer = keras.layers.Bidirectional(_to_layer(inner), merge_mode=modes[data.settings["merge"]])
    weights: list[Any] = []
    for side in ("forward/", "backward/"):
        own = {k[len(side) :]: one for k, one in data.state.items() if k.startswith(side)}
        weights += _to_weights(inner.kind, own)
    return built(layer, (None, None, data.state["forward/kernel"].shape[0]), weights)
