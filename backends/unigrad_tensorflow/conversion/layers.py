"""Maps, embeddings, normalisations, convolutions, pooling, and what has no weights."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import keras

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad_tensorflow.conversion.registry import (
    array,
    built,
    layer_data,
    layer_from,
    name_of,
    need,
    new_layer_from,
    of_name,
    reads,
    refuse,
    writes,
)


def _affine(layer: Any) -> dict[str, Any]:
    state = {"kernel": array(layer.kernel)}
    return state | ({"bias": array(layer.bias)} if layer.use_bias else {})


@reads(keras.layers.Dense)
def _dense(layer: Any) -> LayerData:
    settings = {
        "units": layer.units,
        "activation": name_of(layer.activation),
        "use_bias": layer.use_bias,
    }
    state = _affine(layer)
    return LayerData("Dense", settings, (1, state["kernel"].shape[0]), state)


@writes("Dense")
def _to_dense(data: LayerData) -> Any:
    kernel = data.state["kernel"]
    layer = keras.layers.Dense(
        kernel.shape[1], activation=of_name(data), use_bias=data.settings["use_bias"]
    )
    return built(layer, (None, kernel.shape[0]), _weights(data))


def _weights(data: LayerData, *names: str) -> list[Any]:
    """Return those weights that a layer has, by default kernel and bias."""
    return [data.state[name] for name in names or ("kernel", "bias") if name in data.state]


@reads(keras.layers.Embedding)
def _embedding(layer: Any) -> LayerData:
    settings = {
        "vocabulary": layer.input_dim,
        "units": layer.output_dim,
        "padding": 0 if layer.mask_zero else None,
    }
    return LayerData("Embedding", settings, (1,), {"table": array(layer.embeddings)})


@writes("Embedding")
def _to_embedding(data: LayerData) -> Any:
    padding = data.settings["padding"]
    if padding not in (None, 0) or (padding == 0 and not data.settings["train_padding"]):
        raise DTypeError(f"Keras has no Embedding with padding={padding!r}")
    table = data.state["table"]
    layer = keras.layers.Embedding(*table.shape, mask_zero=padding == 0)
    return built(layer, (None, None), [table])


_PARTS = {"scale": "gamma", "offset": "beta"}


def _normalized(layer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings and the weights of a normalisation."""
    settings = {"epsilon": layer.epsilon, "use_scale": layer.scale, "use_offset": layer.center}
    state = {
        name: array(getattr(layer, own)) for name, own in _PARTS.items() if settings[f"use_{name}"]
    }
    return settings, state


def _last(axis: Any) -> bool:
    """Tell whether an axis, or a list of one, is the last."""
    return axis in (-1, [-1])


@reads(keras.layers.LayerNormalization)
def _layer_norm(layer: Any) -> LayerData:
    refuse(layer, rms_scaling=False)
    settings, state = _normalized(layer)
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    given = (layer.get_build_config() or {}).get("input_shape") or ()
    last = [*range(-len(axes), 0)]
    if [one - len(given) if one >= 0 else one for one in axes] != last:
        raise DTypeError(f"unigrad has no LayerNormalization with axis={layer.axis!r}")
    weight = next(iter(state.values()), None)
    shape = () if weight is None else weight.shape
    return LayerData("LayerNorm", settings | {"axes": len(axes)}, shape, state)


def _with_pair(layer: Any, data: LayerData) -> Any:
    """Return a normalisation with its weights; one that has none builds itself."""
    weights = _weights(data, "scale", "offset")
    return built(layer, (None, *weights[0].shape), weights) if weights else layer


@writes("LayerNorm")
def _to_layer_norm(data: LayerData) -> Any:
    settings = data.settings
    axes = list(range(-settings["axes"], 0))
    layer = keras.layers.LayerNormalization(
        axis=axes if len(axes) > 1 else -1,
        epsilon=settings["epsilon"],
        scale=settings["use_scale"],
        center=settings["use_offset"],
    )
    return _with_pair(layer, data)


@reads(keras.layers.RMSNormalization)
def _rms_norm(layer: Any) -> LayerData:
    if not _last(layer.axis):
        raise DTypeError(f"unigrad has no RMSNormalization over the axes {layer.axis}")
    scale = array(layer.scale)
    return LayerData("RMSNorm", {"epsilon": layer.epsilon}, scale.shape, {"scale": scale})


@writes("RMSNorm")
def _to_rms_norm(data: LayerData) -> Any:
    need(data, use_scale=True)
    layer = keras.layers.RMSNormalization(epsilon=data.settings["epsilon"])
    return built(layer, (None, *data.state["scale"].shape), [data.state["scale"]])


@reads(keras.layers.BatchNormalization)
def _batch_norm(layer: Any) -> LayerData:
    settings, state = _normalized(layer)
    first = layer.axis == 1
    if not first and layer.axis != -1:
        raise DTypeError(f"unigrad has no BatchNormalization of axis {layer.axis}")
    settings |= {"momentum": layer.momentum, "data_format": _FORMATS[first]}
    state |= {
        "running_mean": array(layer.moving_mean),
        "running_variance": array(layer.moving_variance),
    }
    return LayerData("BatchNorm", settings, (1, *state["running_mean"].shape), state)


_FORMATS = ("channels_last", "channels_first")


@writes("BatchNorm")
def _to_batch_norm(data: LayerData) -> Any:
    settings = data.settings
    need(data, unbiased=False)
    layer = keras.layers.BatchNormalization(
        axis=-1 if settings["data_format"] == "channels_last" else 1,
        momentum=settings["momentum"],
        epsilon=settings["epsilon"],
        scale=settings["use_scale"],
        center=settings["use_offset"],
    )
    names = ("scale", "offset", "running_mean", "running_variance")
    return built(layer, (None, *data.state["running_mean"].shape), _weights(data, *names))


@reads(keras.layers.GroupNormalization)
def _group_norm(layer: Any) -> LayerData:
    settings, state = _normalized(layer)
    if layer.axis != -1:
        raise DTypeError(f"unigrad has no GroupNormalization of axis {layer.axis}")
    weight = next(iter(state.values()), None)
    if weight is None and layer.groups == -1:
        raise DTypeError("unigrad has no GroupNormalization with groups=-1 and no weights")
    shape: tuple[int, ...] = () if weight is None else weight.shape
    groups = shape[0] if layer.groups == -1 else layer.groups
    return LayerData("GroupNorm", settings | {"groups": groups}, (1, *shape), state)


@writes("GroupNorm")
def _to_group_norm(data: LayerData) -> Any:
    settings = data.settings
    need(data, data_format="channels_last")
    layer = keras.layers.GroupNormalization(
        groups=settings["groups"],
        epsilon=settings["epsilon"],
        scale=settings["use_scale"],
        center=settings["use_offset"],
    )
    return _with_pair(layer, data)


_CONVOLUTIONS = {
    "Conv1D": keras.layers.Conv1D,
    "Conv2D": keras.layers.Conv2D,
    "Conv3D": keras.layers.Conv3D,
    "Conv1DTranspose": keras.layers.Conv1DTranspose,
    "Conv2DTranspose": keras.layers.Conv2DTranspose,
    "DepthwiseConv1D": keras.layers.DepthwiseConv1D,
    "DepthwiseConv2D": keras.layers.DepthwiseConv2D,
}
_KINDS = {kind: name for name, kind in _CONVOLUTIONS.items()}


@reads(*_KINDS)
def _convolution(layer: Any) -> LayerData:
    kind, state = _KINDS[type(layer)], _affine(layer)
    kernel = state["kernel"]
    rank = kernel.ndim - 2
    settings = {
        "window": tuple(layer.kernel_size),
        "strides": tuple(layer.strides),
        "padding": layer.padding,
        "dilation": tuple(layer.dilation_rate),
        "activation": name_of(layer.activation),
        "use_bias": layer.use_bias,
        "data_format": layer.data_format,
    }
    channels = kernel.shape[-2]
    if kind.startswith("Depthwise"):
        settings["multiplier"] = layer.depth_multiplier
    elif kind.endswith("Transpose"):
        refuse(layer, output_padding=None)
        settings["filters"], channels = layer.filters, kernel.shape[-1]
    else:
        settings |= {"filters": layer.filters, "groups": layer.groups}
        channels *= layer.groups
    first = layer.data_format == "channels_first"
    shape = (1, channels, *[1] * rank) if first else (1, *[1] * rank, channels)
    return LayerData(kind, settings, shape, state)


@writes(*_CONVOLUTIONS)
def _to_convolution(data: LayerData) -> Any:
    settings, kernel = data.settings, data.state["kernel"]
    if not isinstance(settings["padding"], str):
        raise DTypeError(f"Keras has no {data.kind} with padding={settings['padding']!r}")
    given = {
        "kernel_size": kernel.shape[:-2],
        "strides": settings["strides"],
        "padding": settings["padding"],
        "dilation_rate": settings["dilation"],
        "activation": of_name(data),
        "use_bias": settings["use_bias"],
        "data_format": settings["data_format"],
    }
    channels = kernel.shape[-2]
    if data.kind.startswith("Depthwise"):
        given["depth_multiplier"] = kernel.shape[-1]
    elif data.kind.endswith("Transpose"):
        need(data, groups=1, output_padding=0)
        given["filters"], channels = kernel.shape[-2], kernel.shape[-1]
    else:
        given |= {"filters": kernel.shape[-1], "groups": settings["groups"]}
        channels *= settings["groups"]
    places = [None] * (kernel.ndim - 2)
    first = settings["data_format"] == "channels_first"
    shape = [None, channels, *places] if first else [None, *places, channels]
    return built(_CONVOLUTIONS[data.kind](**given), tuple(shape), _weights(data))


_POOLS: dict[type, str] = {
    keras.layers.MaxPooling1D: "MaxPool",
    keras.layers.MaxPooling2D: "MaxPool",
    keras.layers.MaxPooling3D: "MaxPool",
    keras.layers.AveragePooling1D: "AveragePool",
    keras.layers.AveragePooling2D: "AveragePool",
    keras.layers.AveragePooling3D: "AveragePool",
}


@reads(*_POOLS, alone=True)
def _pool(layer: Any) -> LayerData:
    settings = {
        "window": tuple(layer.pool_size),
        "strides": tuple(layer.strides),
        "padding": layer.padding,
        "data_format": layer.data_format,
    }
    return LayerData(_POOLS[type(layer)], settings)


@reads(keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D, alone=True)
def _global_max(layer: Any) -> LayerData:
    refuse(layer, keepdims=False)
    return LayerData("GlobalMaxPool", {"data_format": layer.data_format})


@reads(keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D, alone=True)
def _global_average(layer: Any) -> LayerData:
    refuse(layer, keepdims=False)
    return LayerData("GlobalAveragePool", {"data_format": layer.data_format})


@reads(keras.layers.Activation, alone=True)
def _activation(layer: Any) -> LayerData:
    return LayerData("Activation", {"function": name_of(layer.activation)})


@reads(keras.layers.ReLU, alone=True)
def _relu(layer: Any) -> LayerData:
    refuse(layer, max_value=None, negative_slope=0.0, threshold=0.0)
    return LayerData("Activation", {"function": "relu"})


@writes("Activation")
def _to_activation(data: LayerData) -> Any:
    return keras.layers.Activation(of_name(data, "function"))


@reads(keras.layers.Dropout, alone=True)
def _dropout(layer: Any) -> LayerData:
    refuse(layer, noise_shape=None)
    return LayerData("Dropout", {"rate": layer.rate})


@writes("Dropout")
def _to_dropout(data: LayerData) -> Any:
    return keras.layers.Dropout(data.settings["rate"])


@reads(keras.layers.Flatten, alone=True)
def _flatten(layer: Any) -> LayerData:
    refuse(layer, data_format="channels_last")
    return LayerData("Flatten", {})


@writes("Flatten")
def _to_flatten(data: LayerData) -> Any:
    return keras.layers.Flatten()


@reads(keras.layers.Reshape, alone=True)
def _reshape(layer: Any) -> LayerData:
    return LayerData("Reshape", {"shape": tuple(layer.target_shape)})


@writes("Reshape")
def _to_reshape(data: LayerData) -> Any:
    return keras.layers.Reshape(data.settings["shape"])


@reads(keras.Sequential)
def _sequential(layer: Any) -> LayerData:
    _refuse_mask(layer.layers, "unigrad", "that passes its mask on")
    return LayerData("Sequential", {"layers": [layer_data(one) for one in layer.layers]})


def _refuse_mask(layers: Any, library: str, how: str) -> None:
    """Refuse an embedding that makes a mask before a layer that looks at masks.

    Keras passes masks from layer to layer, unigrad's `Sequential` does not.
    """
    masked = False
    for layer in _flat(layers):
        if masked and "mask" in inspect.signature(layer.call).parameters:
            raise DTypeError(
                f"{library} has no Sequential with an Embedding(mask_zero=True) {how} to "
                f"{type(layer).__name__}"
            )
        masked = masked and layer.supports_masking
        masked |= isinstance(layer, keras.layers.Embedding) and layer.mask_zero


def _flat(layers: Any) -> Iterator[Any]:
    for one in layers:
        if isinstance(one, keras.Sequential):
            yield from _flat(one.layers)
        else:
            yield one


@writes("Sequential")
def _to_sequential(data: LayerData) -> Any:
    layers, seen = [], set()
    for one in data.settings["layers"]:
        if id(one) in seen and one.state:
            raise DTypeError(f"Keras has no Sequential with one {one.kind} twice")
        # Those without weights are as good as others of their kind.
        layers.append(new_layer_from(one) if id(one) in seen else layer_from(one))
        seen.add(id(one))
    _refuse_mask(layers, "Keras", "that passes no mask on")
    return keras.Sequential(layers)
