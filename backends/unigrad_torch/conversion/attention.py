"""Attention and transformer layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad_torch.conversion.registry import array, filled, inside, need, reads, under, writes

_PARTS = ("query", "key", "value")


def _attention_state(module: nn.MultiheadAttention) -> dict[str, Any]:
    """Return the projections, which torch keeps in one matrix where it can."""
    if module.in_proj_weight is not None:
        kernels = np.split(array(module.in_proj_weight), 3)
    else:
        own = (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)
        kernels = [array(one) for one in own]
    state = {f"{part}_kernel": one.T for part, one in zip(_PARTS, kernels, strict=True)}
    state["output_kernel"] = array(module.out_proj.weight).T
    if module.in_proj_bias is not None:
        biases = np.split(array(module.in_proj_bias), 3)
        state |= {f"{part}_bias": one for part, one in zip(_PARTS, biases, strict=True)}
        state["output_bias"] = array(module.out_proj.bias)
    return state


@reads(nn.MultiheadAttention)
def _attention(module: nn.MultiheadAttention) -> LayerData:
    if module.bias_k is not None or module.add_zero_attn:
        raise DTypeError("unigrad has no MultiheadAttention with add_bias_kv or add_zero_attn")
    settings = {
        "heads": module.num_heads,
        "use_bias": module.in_proj_bias is not None,
        "dropout": module.dropout,
        "memory_sizes": (module.kdim, module.vdim),
    }
    shape = (1, 1, module.embed_dim)
    return LayerData("MultiHeadAttention", settings, shape, _attention_state(module))


_NAMES = {torch.nn.functional.relu: "relu", torch.nn.functional.gelu: "gelu", torch.relu: "relu"}


def _affine(module: Any) -> dict[str, Any]:
    state = {"kernel": array(module.weight).T}
    return state if module.bias is None else state | {"bias": array(module.bias)}


def _norm(module: Any) -> dict[str, Any]:
    state = {"scale": array(module.weight)}
    return state if module.bias is None else state | {"offset": array(module.bias)}


def _block(kind: str, module: Any, norms: list[Any]) -> LayerData:
    activation = _NAMES.get(module.activation)
    if isinstance(module.activation, nn.ReLU):
        activation = "relu"
    if activation is None:
        raise DTypeError(f"unigrad has no layer like torch's with {module.activation}")
    settings = {
        "heads": module.self_attn.num_heads,
        "hidden": module.linear1.out_features,
        "activation": activation,
        "dropout": module.dropout.p,
        "norm_first": module.norm_first,
        "epsilon": module.norm1.eps,
        "use_bias": module.linear1.bias is not None,
    }
    state = under("self_attention/", _attention_state(module.self_attn))
    state |= under("expand/", _affine(module.linear1))
    state |= under("contract/", _affine(module.linear2))
    for i, one in enumerate(norms):
        state |= under(f"norms/{i}/", _norm(one))
    return LayerData(kind, settings, (1, 1, module.linear1.in_features), state)


@reads(nn.TransformerEncoderLayer)
def _encoder(module: nn.TransformerEncoderLayer) -> LayerData:
    return _block("TransformerEncoderBlock", module, [module.norm1, module.norm2])


@reads(nn.TransformerDecoderLayer)
def _decoder(module: nn.TransformerDecoderLayer) -> LayerData:
    norms = [module.norm1, module.norm2, module.norm3]
    data = _block("TransformerDecoderBlock", module, norms)
    further = under("memory_attention/", _attention_state(module.multihead_attn))
    return LayerData(data.kind, data.settings, data.input_shape, {**data.state, **further})


def _to_attention_state(state: Any, together: bool = True) -> dict[str, Any]:
    kernels = [state[f"{part}_kernel"].T for part in _PARTS]
    if together:
        found = {"in_proj_weight": np.concatenate(kernels)}
    else:
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        found = dict(zip(names, kernels, strict=True))
    found["out_proj.weight"] = state["output_kernel"].T
    if "output_bias" in state:
        found["in_proj_bias"] = np.concatenate([state[f"{part}_bias"] for part in _PARTS])
        found["out_proj.bias"] = state["output_bias"]
    return found


@writes("MultiHeadAttention")
def _to_attention(data: LayerData) -> Any:
    need(data, use_rotary=False)
    state = data.state
    query, inner = state["query_kernel"].shape
    keys, values = state["key_kernel"].shape[0], state["value_kernel"].shape[0]
    outer, units = state["output_kernel"].shape
    if not query == inner == outer == units:
        raise DTypeError("torch has no MultiheadAttention whose heads are not parts of its units")
    module = nn.MultiheadAttention(
        query,
        data.settings["heads"],
        dropout=data.settings["dropout"],
        bias=data.settings["use_bias"],
        kdim=keys,
        vdim=values,
        batch_first=True,
    )
    return filled(module, _to_attention_state(state, module.in_proj_weight is not None))


def _to_affine(path: str, state: Any) -> dict[str, Any]:
    found = {"weight": state[f"{path}/kernel"].T}
    return found if f"{path}/bias" not in state else found | {"bias": state[f"{path}/bias"]}


def _to_block(kind: Any, data: LayerData) -> Any:
    if data.settings["activation"] not in ("relu", "gelu"):
        raise DTypeError(f"torch has no {kind.__name__} with {data.settings['activation']!r}")
    state, settings = data.state, data.settings
    units, hidden = state["expand/kernel"].shape
    module = kind(
        units,
        settings["heads"],
        hidden,
        settings["dropout"],
        settings["activation"],
        settings["epsilon"],
        batch_first=True,
        norm_first=settings["norm_first"],
        bias=settings["use_bias"],
    )
    weights = under("self_attn.", _to_attention_state(inside("self_attention/", state)))
    weights |= under("linear1.", _to_affine("expand", state))
    weights |= under("linear2.", _to_affine("contract", state))
    for i in range(sum(name.endswith("/scale") for name in state)):
        norm = inside(f"norms/{i}/", state)
        names = {"scale": "weight", "offset": "bias"}
        weights |= under(f"norm{i + 1}.", {names[name]: one for name, one in norm.items()})
    if isinstance(module, nn.TransformerDecoderLayer):
        memory = _to_attention_state(inside("memory_attention/", state))
        weights |= under("multihead_attn.", memory)
    return filled(module, weights)


@writes("TransformerEncoderBlock")
def _to_encoder(data: LayerData) -> Any:
    return _to_block(nn.TransformerEncoderLayer, data)


@writes("TransformerDecoderBlock")
def _to_decoder(data: LayerData) -> Any:
    return _to_block(nn.TransformerDecoderLayer, data)
