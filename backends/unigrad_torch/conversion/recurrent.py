"""Recurrent modules: gates reset, update, new or i, f, g, o, as unigrad's."""

from __future__ import annotations

from typing import Any

from torch import nn

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad_torch.conversion.registry import array, filled, inside, need, reads, under, writes

#: What every module of a kind is made with.
_SETTINGS: dict[str, dict[str, Any]] = {
    "SimpleRNN": {"two_biases": True},
    "GRU": {"reset_after": True},
    "LSTM": {"two_biases": True},
}


def _weights(module: Any, suffix: str) -> dict[str, Any]:
    """Return one direction of one layer; a cell's weights have no suffix."""
    names = {"kernel": "weight_ih", "recurrent_kernel": "weight_hh"}
    state = {name: array(getattr(module, f"{own}{suffix}")).T for name, own in names.items()}
    if module.bias:
        state["bias"] = array(getattr(module, f"bias_ih{suffix}"))
        state["recurrent_bias"] = array(getattr(module, f"bias_hh{suffix}"))
    return state


def _settings(kind: str, module: Any) -> dict[str, Any]:
    found = {"units": module.hidden_size, "use_bias": bool(module.bias), **_SETTINGS[kind]}
    if not module.bias:
        found["two_biases"] = False
    return found | ({"activation": module.nonlinearity} if kind == "SimpleRNN" else {})


def _layer(kind: str, module: Any, number: int) -> LayerData:
    settings = _settings(kind, module) | {"return_sequences": True, "return_state": True}
    width = module.hidden_size * (2 if module.bidirectional else 1)
    shape = (1, 1, width if number else module.input_size)
    state = _weights(module, f"_l{number}")
    if not module.bidirectional:
        return LayerData(kind, settings, shape, state)
    back = _weights(module, f"_l{number}_reverse")
    both = under("forward/", state) | under("backward/", back)
    return LayerData("Bidirectional", {"layer": LayerData(kind, settings)}, shape, both)


@reads(nn.RNN, nn.GRU, nn.LSTM)
def _recurrent(module: Any) -> LayerData:
    if getattr(module, "proj_size", 0):
        raise DTypeError("unigrad has no LSTM with proj_size")
    kind = "SimpleRNN" if isinstance(module, nn.RNN) else type(module).__name__
    layers = [_layer(kind, module, number) for number in range(module.num_layers)]
    if len(layers) == 1:
        return layers[0]
    settings = {
        "layers": layers,
        "dropout": module.dropout,
        "return_sequences": True,
        "return_state": True,
    }
    return LayerData("StackedRNN", settings)


@reads(nn.RNNCell, nn.GRUCell, nn.LSTMCell)
def _cell(module: Any) -> LayerData:
    kind = "SimpleRNN" if isinstance(module, nn.RNNCell) else type(module).__name__[:-4]
    shape = (1, module.input_size)
    return LayerData(f"{kind}Cell", _settings(kind, module), shape, _weights(module, ""))


_MODULES: dict[str, Any] = {"SimpleRNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
_CELLS: dict[str, Any] = {
    "SimpleRNNCell": nn.RNNCell,
    "GRUCell": nn.GRUCell,
    "LSTMCell": nn.LSTMCell,
}


def _to_settings(data: LayerData) -> dict[str, Any]:
    """Return torch's settings, which knows one way of each kind."""
    settings = data.settings
    if data.kind.startswith("GRU"):
        need(data, reset_after=True)
    found = {"bias": bool(settings["use_bias"])}
    if data.kind.startswith("SimpleRNN"):
        if settings["activation"] not in ("tanh", "relu"):
            raise DTypeError(f"torch has no RNN with activation={settings['activation']!r}")
        found["nonlinearity"] = settings["activation"]
    return found


def _to_weights(state: dict[str, Any], suffix: str) -> dict[str, Any]:
    """Return one direction's weights; torch has a second bias, zero where there is none."""
    found = {
        f"weight_ih{suffix}": state["kernel"].T,
        f"weight_hh{suffix}": state["recurrent_kernel"].T,
    }
    if "bias" in state:
        found[f"bias_ih{suffix}"] = state["bias"]
        found[f"bias_hh{suffix}"] = state.get("recurrent_bias", 0.0 * state["bias"])
    return found


@writes(*_CELLS)
def _to_cell(data: LayerData) -> Any:
    inputs, units = data.state["kernel"].shape[0], data.settings["units"]
    module = _CELLS[data.kind](inputs, units, **_to_settings(data))
    return filled(module, _to_weights(dict(data.state), ""))


@writes(*_MODULES, "Bidirectional")
def _to_layer(data: LayerData) -> Any:
    return _to_stack([data], 0.0)


@writes("StackedRNN")
def _to_recurrent(data: LayerData) -> Any:
    return _to_stack(list(data.settings["layers"]), data.settings["dropout"])


def _to_stack(layers: list[LayerData], dropout: float) -> Any:
    """Return one module of layers that are alike."""
    both = layers[0].kind == "Bidirectional"
    if both:
        for one in layers:
            if one.kind == "Bidirectional":
                need(one, merge="concat")
    plain = [one.settings["layer"] if one.kind == "Bidirectional" else one for one in layers]
    first = plain[0]
    alike = {(one.kind, one.settings["units"], repr(_to_settings(one))) for one in plain}
    if len(alike) > 1 or len({one.kind for one in layers}) > 1:
        raise DTypeError("torch has no recurrent module of layers that differ")
    need(first, go_backwards=False, dropout=0.0, recurrent_dropout=0.0)
    weights: dict[str, Any] = {}
    for number, one in enumerate(layers):
        state = dict(one.state)
        weights |= _to_weights(inside("forward/", state) if both else state, f"_l{number}")
        if both:
            weights |= _to_weights(inside("backward/", state), f"_l{number}_reverse")
    module = _MODULES[first.kind](
        weights["weight_ih_l0"].shape[1],
        first.settings["units"],
        len(layers),
        batch_first=True,
        dropout=dropout,
        bidirectional=both,
        **_to_settings(first),
    )
    return filled(module, weights)
