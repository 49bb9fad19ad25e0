"""Attention of Keras: a projection's heads have an axis of their own there."""

from __future__ import annotations

from typing import Any

import keras

from unigrad.core.native_code import LayerData
from unigrad_tensorflow.conversion.registry import array, need, reads, refuse, writes


@reads(keras.layers.MultiHeadAttention)
def _attention(layer: Any) -> LayerData:
    parts = ("query", "key", "value", "output")
    state = {}
    for part in parts:
        dense = getattr(layer, f"_{part}_dense")
        kernel = array(dense.kernel)
        joined = (
            kernel.reshape(-1, kernel.shape[-1])
            if part == "output"
            else kernel.reshape(kernel.shape[0], -1)
        )
        state[f"{part}_kernel"] = joined
        if dense.bias is not None:
            state[f"{part}_bias"] = array(dense.bias).reshape(-1)
    settings = {
        "heads": layer.num_heads,
        "head_size": layer.key_dim,
        "value_size": layer.value_dim,
        "units": state["output_kernel"].shape[1],
        "use_bias": "query_bias" in state,
        "dropout": layer.dropout,
        "memory_sizes": (state["key_kernel"].shape[0], state["value_kernel"].shape[0]),
    }
    shape = (1, 1, state["query_kernel"].shape[0])
    return LayerData("MultiHeadAttention", settings, shape, state)


@writes("MultiHeadAttention")
def _to_attention(data: LayerData) -> Any:
    need(data, use_rotary=False)
    state, heads = data.state, data.settings["heads"]
    size = state["query_kernel"].shape[1] // heads
    values, units = state["output_kernel"].shape
    layer = keras.layers.MultiHeadAttention(
        heads,
        size,
        values // heads,
        dropout=data.settings["dropout"],
        use_bias=data.settings["use_bias"],
        output_shape=(units,),
    )
    sizes = {"query": size, "key": size, "value": values // heads}
    weights = []
    for part, one in sizes.items():
        kernel = state[f"{part}_kernel"]
        weights.append(kernel.reshape(kernel.shape[0], heads, one))
        if f"{part}_bias" in state:
            weights.append(state[f"{part}_bias"].reshape(heads, one))
    weights.append(state["output_kernel"].reshape(heads, values // heads, units))
    weights += [state["output_bias"]] if "output_bias" in state else []
    shapes = {part: (None, None, state[f"{part}_kernel"].shape[0]) for part in sizes}
    layer.build(shapes["query"], shapes["value"], shapes["key"])
    layer.set_weights(weights)
    return layer


@reads(keras.layers.Attention)
def _luong(layer: Any) -> LayerData:
    refuse(layer, score_mode="dot", dropout=0.0)
    state = {"scale": array(layer.scale)} if layer.use_scale else {}
    return LayerData("LuongAttention", {"use_scale": layer.use_scale}, (1, 1), state)


@writes("LuongAttention")
def _to_luong(data: LayerData) -> Any:
    need(data, score="dot")
    layer = keras.layers.Attention(use_scale=data.settings["use_scale"])
    layer.build([(None, None, 1), (None, None, 1)])
    layer.set_weights(list(data.state.values()))
    return layer
