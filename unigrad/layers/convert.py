"""Layers of torch and Keras as layers of unigrad with the same weights, and back.

Unlike `unigrad.layers.from_torch`, which has the library compute, what comes out here is made of
unigrad's own layers and runs on every backend. Settings and weights pass as data; gates, biases and
axes are put in order by the backend that knows the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad.core.registry import load_backend
from unigrad.layers.module import Module, settings_of, weights_in
from unigrad.layers.sequential import Sequential

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]


def from_torch(module: Any) -> Module:
    """Return the layer of unigrad that computes what a ``torch.nn`` module does.

    Convolutions, pooling and normalisation of batches and groups keep torch's order of axes, with
    the channels first. Recurrent modules take (batch, time, inputs) whatever ``batch_first`` says,
    return ``(outputs, state)`` in unigrad's structure, and take masks in place of packed sequences.
    Masks of attention are True where a step may look.

    Raises:
        DTypeError: when it is no module of torch's, or one with settings that unigrad lacks.
        BackendNotInstalledError: when torch is not there.

    Example:
        >>> import torch
        >>> import unigrad as ug
        >>> linear = torch.nn.Linear(3, 2)
        >>> layer = from_torch(linear)
        >>> x = torch.ones(1, 3)
        >>> np.allclose(layer(ug.asarray(x.numpy())).numpy(), linear(x).detach().numpy())
        True
    """
    return _made(load_backend("torch").layer_data(module))


def to_torch(layer: Module) -> Any:
    """Return a ``torch.nn`` module with a built layer's weights: the way back of `from_torch`.

    Raises:
        DTypeError: when torch has no module that computes the same.
        BackendNotInstalledError: when torch is not there.

    Example:
        >>> import unigrad as ug
        >>> layer = ug.layers.Dense(2)
        >>> layer.build((1, 3))
        >>> to_torch(layer)
        Linear(in_features=3, out_features=2, bias=True)
    """
    return load_backend("torch").layer_from(_data_of(layer))


def from_keras(layer: Any) -> Module:
    """Return the layer of unigrad that computes what a built layer of Keras 3 does.

    Recurrent layers that go backwards keep the input's order in their outputs, and steps that are
    masked give zeros.

    Raises:
        DTypeError: when it is no layer of Keras 3, is not built, or has settings that unigrad
            lacks.
        BackendNotInstalledError: when TensorFlow is not there.

    Example:
        >>> import unigrad_tensorflow  # Before keras: see the page on backends.
        >>> import keras
        >>> dense = keras.layers.Dense(2)
        >>> dense.build((None, 3))
        >>> from_keras(dense)
        Dense(name='Dense')
    """
    return _made(load_backend("tensorflow").layer_data(layer))


def to_keras(layer: Module) -> Any:
    """Return a built layer of Keras 3 with a built layer's weights: the way back of `from_keras`.

    Raises:
        DTypeError: when Keras has no layer that computes the same.
        BackendNotInstalledError: when TensorFlow is not there.

    Example:
        >>> import unigrad as ug
        >>> layer = ug.layers.LayerNorm()
        >>> layer.build((1, 3))
        >>> type(to_keras(layer)).__name__
        'LayerNormalization'
    """
    return load_backend("tensorflow").layer_from(_data_of(layer))


def _made(data: LayerData) -> Module:
    """Make a layer of unigrad from data."""
    import unigrad.layers

    settings = {name: _with_layers(value) for name, value in data.settings.items()}
    if data.kind == "Sequential":
        return Sequential(settings["layers"])
    module: Module = getattr(unigrad.layers, data.kind)(**settings)
    if not data.state:
        return module
    floats = [np.asarray(one).dtype for one in data.state.values()]
    with weights_in(floats[0]):
        module.ensure_built(data.input_shape)
    kept = {name: one for name, one in module.state_dict().items() if _is_drawn(name)}
    module.load_state_dict({**kept, **data.state})
    return module


def _is_drawn(path: str) -> bool:
    """Tell whether a variable is the state of a generator, which no other library has."""
    return path.split("/")[-2:] == ["generator", "key"]


def _with_layers(value: Any) -> Any:
    if isinstance(value, LayerData):
        return _made(value)
    if isinstance(value, list):
        return [_with_layers(one) for one in value]
    return value


def _data_of(module: Module) -> LayerData:
    """Return a built layer as data."""
    if not isinstance(module, Module):
        raise DTypeError(f"expected a layer of unigrad, not a {type(module).__qualname__}")
    made = {"layers": module.layers} if isinstance(module, Sequential) else settings_of(module)
    settings = {name: _as_data(value) for name, value in made.items()}
    variables = module.named_variables()
    state = {name: one.numpy() for name, one in variables.items() if not _is_drawn(name)}
    return LayerData(type(module).__name__, settings, (), state)


def _as_data(value: Any) -> Any:
    if isinstance(value, Module):
        return _data_of(value)
    if isinstance(value, (list, tuple)) and any(isinstance(one, Module) for one in value):
        return [_as_data(one) for one in value]
    return value
