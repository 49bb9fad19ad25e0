"""Maps, embeddings, normalisations, convolutions, pooling and what has no weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad_torch.conversion.registry import (
    array,
    filled,
    layer_data,
    layer_from,
    need,
    reads,
    refuse,
    writes,
)

_FIRST = {"data_format": "channels_first"}


def _pair(scale: Any, offset: Any) -> tuple[dict[str, bool], dict[str, Any]]:
    """Return the settings and the weights of a normalisation."""
    settings = {"use_scale": scale is not None, "use_offset": offset is not None}
    weights = {"scale": scale, "offset": offset}
    return settings, {name: array(one) for name, one in weights.items() if one is not None}


@reads(nn.Linear)
def _linear(module: nn.Linear) -> LayerData:
    state = {"kernel": array(module.weight).T}
    settings = {"units": module.out_features, "use_bias": module.bias is not None}
    return LayerData("Dense", settings, (module.in_features,), state | _bias(module.bias))


def _bias(bias: Any) -> dict[str, Any]:
    return {} if bias is None else {"bias": array(bias)}


@reads(nn.Embedding)
def _embedding(module: nn.Embedding) -> LayerData:
    refuse(module, max_norm=None, scale_grad_by_freq=False)
    settings: dict[str, Any] = {
        "vocabulary": module.num_embeddings,
        "units": module.embedding_dim,
        "padding": module.padding_idx,
        "train_padding": module.padding_idx is None,
    }
    return LayerData("Embedding", settings, (1,), {"table": array(module.weight)})


@reads(nn.LayerNorm)
def _layer_norm(module: nn.LayerNorm) -> LayerData:
    settings, state = _pair(module.weight, module.bias)
    shape = module.normalized_shape
    given = {"epsilon": module.eps, "axes": len(shape), **settings}
    return LayerData("LayerNorm", given, tuple(shape), state)


@reads(nn.RMSNorm)
def _rms_norm(module: nn.RMSNorm) -> LayerData:
    if len(module.normalized_shape) != 1:
        raise DTypeError("unigrad has no RMSNorm over several axes")
    state = {} if module.weight is None else {"scale": array(module.weight)}
    dtype = torch.float32 if module.weight is None else module.weight.dtype
    epsilon = torch.finfo(dtype).eps if module.eps is None else module.eps
    settings = {"epsilon": epsilon, "use_scale": module.weight is not None}
    return LayerData("RMSNorm", settings, tuple(module.normalized_shape), state)


@reads(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
def _batch_norm(module: Any) -> LayerData:
    refuse(module, track_running_stats=True)
    if module.momentum is None:
        raise DTypeError("unigrad has no BatchNorm with a cumulative average")
    settings, state = _pair(module.weight, module.bias)
    moments = {
        "running_mean": array(module.running_mean),
        "running_variance": array(module.running_var),
    }
    given = {
        "momentum": 1.0 - module.momentum,
        "epsilon": module.eps,
        "unbiased": True,
        **settings,
        **_FIRST,
    }
    return LayerData("BatchNorm", given, (1, module.num_features), state | moments)


@reads(nn.GroupNorm)
def _group_norm(module: nn.GroupNorm) -> LayerData:
    settings, state = _pair(module.weight, module.bias)
    given = {"groups": module.num_groups, "epsilon": module.eps, **settings, **_FIRST}
    return LayerData("GroupNorm", given, (1, module.num_channels), state)


@reads(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
def _instance_norm(module: Any) -> LayerData:
    refuse(module, track_running_stats=False)
    settings, state = _pair(module.weight, module.bias)
    given = {"groups": module.num_features, "epsilon": module.eps, **settings, **_FIRST}
    return LayerData("GroupNorm", given, (1, module.num_features), state)


def _of_convolution(module: Any) -> dict[str, Any]:
    refuse(module, padding_mode="zeros")
    padding = module.padding
    return {
        "filters": module.out_channels,
        "window": tuple(module.kernel_size),
        "strides": tuple(module.stride),
        "padding": padding if isinstance(padding, str) else tuple(padding),
        "dilation": tuple(module.dilation),
        "groups": module.groups,
        "use_bias": module.bias is not None,
        **_FIRST,
    }


def _kernel(weight: torch.Tensor) -> Any:
    return np.ascontiguousarray(np.moveaxis(array(weight), (0, 1), (-1, -2)))


@reads(nn.Conv1d, nn.Conv2d, nn.Conv3d)
def _convolution(module: Any) -> LayerData:
    rank = len(module.kernel_size)
    state = {"kernel": _kernel(module.weight)} | _bias(module.bias)
    shape = (1, module.in_channels, *[1] * rank)
    return LayerData(f"Conv{rank}D", _of_convolution(module), shape, state)


@reads(nn.ConvTranspose1d, nn.ConvTranspose2d)
def _transposed(module: Any) -> LayerData:
    rank = len(module.kernel_size)
    settings = _of_convolution(module) | {"output_padding": tuple(module.output_padding)}
    state = {"kernel": _kernel(module.weight)} | _bias(module.bias)
    shape = (1, module.in_channels, *[1] * rank)
    return LayerData(f"Conv{rank}DTranspose", settings, shape, state)


@reads(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
def _max_pool(module: Any) -> LayerData:
    refuse(module, ceil_mode=False, dilation=1, return_indices=False)
    return LayerData("MaxPool", _of_pool(module))


@reads(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
def _average_pool(module: Any) -> LayerData:
    refuse(module, ceil_mode=False)
    if not isinstance(module, nn.AvgPool1d):
        refuse(module, divisor_override=None)
    settings = _of_pool(module) | {"count_padding": module.count_include_pad}
    return LayerData("AveragePool", settings)


def _of_pool(module: Any) -> dict[str, Any]:
    def lengths(value: Any) -> Any:
        found = tuple(value) if isinstance(value, (tuple, list)) else value
        # One axis has its number in a tuple of its own.
        return found[0] if type(module).__name__.endswith("1d") and found != value else found

    return {
        "window": lengths(module.kernel_size),
        "strides": lengths(module.stride),
        "padding": lengths(module.padding),
        **_FIRST,
    }


#: Modules without weights or settings, by the name of the activation.
_ACTIVATIONS: dict[type, str] = {
    nn.ReLU: "relu",
    nn.Tanh: "tanh",
    nn.Sigmoid: "sigmoid",
    nn.SiLU: "silu",
    nn.ReLU6: "relu6",
    nn.SELU: "selu",
    nn.Softsign: "softsign",
    nn.LogSigmoid: "log_sigmoid",
    nn.Mish: "mish",
    nn.Identity: "linear",
}


@reads(*_ACTIVATIONS)
def _activation(module: Any) -> LayerData:
    return LayerData("Activation", {"function": _ACTIVATIONS[type(module)]})


@reads(nn.GELU)
def _gelu(module: nn.GELU) -> LayerData:
    refuse(module, approximate="none")
    return LayerData("Activation", {"function": "gelu"})


@reads(nn.Dropout)
def _dropout(module: nn.Dropout) -> LayerData:
    return LayerData("Dropout", {"rate": module.p})


@reads(nn.Flatten)
def _flatten(module: nn.Flatten) -> LayerData:
    refuse(module, start_dim=1, end_dim=-1)
    return LayerData("Flatten", {})


@reads(nn.Sequential)
def _sequential(module: nn.Sequential) -> LayerData:
    return LayerData("Sequential", {"layers": [layer_data(one) for one in module]})


@writes("Dense")
def _to_linear(data: LayerData) -> Any:
    kernel = data.state["kernel"]
    module = nn.Linear(*kernel.shape, bias=data.settings["use_bias"])
    made = filled(module, {"weight": kernel.T} | _own_bias(data))
    return _activated(made, data)


def _own_bias(data: LayerData) -> dict[str, Any]:
    return {"bias": data.state["bias"]} if "bias" in data.state else {}


def _activated(module: Any, data: LayerData) -> Any:
    """Return a module with the activation behind it that its layer has."""
    given = data.settings["activation"]
    if given in (None, "linear"):
        return module
    return nn.Sequential(module, _to_activation(LayerData("Activation", {"function": given})))


@writes("Embedding")
def _to_embedding(data: LayerData) -> Any:
    table, padding = data.state["table"], data.settings["padding"]
    index = None if data.settings["train_padding"] else padding
    return filled(nn.Embedding(*table.shape, padding_idx=index), {"weight": table})


def _to_pair(data: LayerData) -> dict[str, Any]:
    names = {"scale": "weight", "offset": "bias"}
    return {own: data.state[name] for name, own in names.items() if name in data.state}


def _affine(data: LayerData) -> bool:
    """Return whether there are scale and offset; torch has both or none."""
    scale = bool(data.settings["use_scale"])
    need(data, use_offset=scale)
    return scale


@writes("LayerNorm")
def _to_layer_norm(data: LayerData) -> Any:
    need(data, use_scale=True)
    shape, offset = data.state["scale"].shape, bool(data.settings["use_offset"])
    module = nn.LayerNorm(shape, data.settings["epsilon"], bias=offset)
    return filled(module, _to_pair(data))


@writes("RMSNorm")
def _to_rms_norm(data: LayerData) -> Any:
    need(data, use_scale=True)
    module = nn.RMSNorm(data.state["scale"].shape, data.settings["epsilon"])
    return filled(module, _to_pair(data))


@writes("BatchNorm")
def _to_batch_norm(data: LayerData) -> Any:
    need(data, unbiased=True, **_FIRST)
    settings = data.settings
    # It has no axes of its own: any of the three takes its inputs, the second most of them.
    module = _AnyBatchNorm(
        data.state["running_mean"].shape[0],
        settings["epsilon"],
        1.0 - settings["momentum"],
        _affine(data),
    )
    moments = {
        "running_mean": data.state["running_mean"],
        "running_var": data.state["running_variance"],
    }
    return filled(module, _to_pair(data) | moments)


class _AnyBatchNorm(nn.BatchNorm2d):
    """Takes inputs of any number of axes."""

    def _check_input_dim(self, input: torch.Tensor) -> None:
        return


@writes("GroupNorm")
def _to_group_norm(data: LayerData) -> Any:
    need(data, use_scale=True, use_offset=True, **_FIRST)
    channels = data.state["scale"].shape[0]
    module = nn.GroupNorm(data.settings["groups"], channels, data.settings["epsilon"])
    return filled(module, _to_pair(data))


def _weight(kernel: Any) -> Any:
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _to_lengths(data: LayerData, name: str, rank: int) -> Any:
    value = data.settings[name]
    if isinstance(value, str):
        return value
    found: Any = (value,) * rank if isinstance(value, int) else tuple(value)
    if any(not isinstance(one, int) for one in found):
        if any(before != after for before, after in found):
            raise DTypeError(f"torch has no {data.kind} with {name}={value!r}")
        return tuple([before for before, _ in found])
    return found


_CONVOLUTIONS: dict[str, Any] = {
    "Conv1D": nn.Conv1d,
    "Conv2D": nn.Conv2d,
    "Conv3D": nn.Conv3d,
    "Conv1DTranspose": nn.ConvTranspose1d,
    "Conv2DTranspose": nn.ConvTranspose2d,
}


@writes(*_CONVOLUTIONS)
def _to_convolution(data: LayerData) -> Any:
    need(data, **_FIRST)
    kernel, groups = data.state["kernel"], data.settings["groups"]
    rank = kernel.ndim - 2
    transposed = data.kind.endswith("Transpose")
    channels = [kernel.shape[-2] * groups, kernel.shape[-1]]
    padding = _to_lengths(data, "padding", rank)
    if transposed and isinstance(padding, str):
        raise DTypeError(f"torch has no {data.kind} with padding={padding!r}")
    further: dict[str, Any] = {}
    if transposed:
        channels.reverse()
        further = {"output_padding": _to_lengths(data, "output_padding", rank)}
    module = _CONVOLUTIONS[data.kind](
        *channels,
        kernel.shape[:-2],
        stride=_to_lengths(data, "strides", rank),
        padding=padding,
        dilation=_to_lengths(data, "dilation", rank),
        groups=groups,
        bias=data.settings["use_bias"],
        **further,
    )
    return _activated(filled(module, {"weight": _weight(kernel)} | _own_bias(data)), data)


@writes("DepthwiseConv1D", "DepthwiseConv2D")
def _to_depthwise(data: LayerData) -> Any:
    kernel = data.state["kernel"]
    inputs = kernel.shape[-2]
    grouped = kernel.reshape(*kernel.shape[:-2], 1, -1)
    settings = {**data.settings, "groups": inputs}
    return _to_convolution(
        LayerData(data.kind[len("Depthwise") :], settings, (), {**data.state, "kernel": grouped})
    )


@writes("Activation")
def _to_activation(data: LayerData) -> Any:
    name = data.settings["function"] or "linear"
    if name == "gelu":
        return nn.GELU()
    for kind, own in _ACTIVATIONS.items():
        if own == name:
            return kind()
    raise DTypeError(f"torch has no module like the activation {name!r}")


@writes("Dropout")
def _to_dropout(data: LayerData) -> Any:
    return nn.Dropout(data.settings["rate"])


@writes("Flatten")
def _to_flatten(data: LayerData) -> Any:
    return nn.Flatten()


@writes("Sequential")
def _to_sequential(data: LayerData) -> Any:
    return nn.Sequential(*[layer_from(one) for one in data.settings["layers"]])
