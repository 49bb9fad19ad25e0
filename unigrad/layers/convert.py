"""Layers of torch and Keras as layers of unigrad with the same weights, and back.

Unlike `unigrad.layers.from_torch`, which has the library compute, what comes out here is made of
unigrad's own layers and runs on every backend. Settings and weights pass as data; gates, biases and
axes are put in order by the backend that knows the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.conversions import once, refuse_tied
from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData
from unigrad.core.registry import load_backend
from unigrad.core.variable import Variable
from unigrad.layers.module import Module, settings_of, weights_in
from unigrad.layers.sequential import Sequential

__all__ = ["from_keras", "from_torch", "to_keras", "to_torch"]


def from_torch(module: Any) -> Module:
    """Return the layer of unigrad that computes what a ``torch.nn`` module does.

    Convolutions, pooling and normalisation of batches and groups keep torch's order of axes, with
    the channels first. Recurrent modules take (batch, time, inputs) whatever ``batch_first`` says,
    return ``(outputs, state)`` in unigrad's structure, and take masks in place of packed sequences.
    Masks of attention are True where a step may look. A module that comes twice is one layer, and
    parameters without ``requires_grad`` are not trained.

    Raises:
        DTypeError: when it is no module of torch's, or one with settings that unigrad lacks, or
            modules share weights without being one.
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
        DTypeError: when torch has no module that computes the same, a variable is in two layers, or
            what is one parameter there is frozen in part.
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
    masked give zeros. A layer that comes twice is one layer, and variables that are not trainable
    are not trained; a frozen ``BatchNormalization`` goes by the batch while training, all the same.

    Raises:
        DTypeError: when it is no layer of Keras 3, is not built, or has settings that unigrad
            lacks, among them an ``Embedding(mask_zero=True)`` before a layer that takes masks, or
            layers share weights without being one.
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
        DTypeError: when Keras has no layer that computes the same, a variable is in two layers, or
            what is one variable there is frozen in part.
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
    """Make a layer of unigrad from data, one for the same data."""
    module: Module = _once_made(data)
    return module


def _new(data: LayerData) -> Module:
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
    named = module.named_variables()
    frozen = frozenset(path for path in data.frozen if named[path].trainable)
    for path in frozen:
        named[path].trainable = False
    # So that `unfreeze` gives them back.
    module.__dict__["_frozen"] = module.__dict__.get("_frozen", frozenset()) | frozen
    return module


_once_made = once(_new)


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
    parts = [module, *module.submodules]
    own = [one for part in parts for one in vars(part).values()]
    refuse_tied(one for one in own if isinstance(one, Variable))
    data: LayerData = _once_read(module)
    return data


def _read(module: Module) -> LayerData:
    made = {"layers": module.layers} if isinstance(module, Sequential) else settings_of(module)
    settings = {name: _as_data(value) for name, value in made.items()}
    variables = module.named_variables()
    state = {name: one.numpy() for name, one in variables.items() if not _is_drawn(name)}
    frozen = tuple([name for name in state if not variables[name].trainable])
    if isinstance(module, Sequential):
        if not all(isinstance(one, Module) for one in module.layers):
            raise DTypeError("no conversion of a Sequential with a function among its layers")
    else:
        within = [one for value in made.values() for one in _modules_in(value)]
        if len(set(map(id, within))) < len(within):
            raise DTypeError(f"no conversion of a {type(module).__name__} with one layer twice")
    return LayerData(type(module).__name__, settings, (), state, frozen)


_once_read = once(_read)


def _modules_in(value: Any) -> list[Module]:
    return [
        one
        for one in (value if isinstance(value, (list, tuple)) else [value])
        if isinstance(one, Module)
    ]


def _as_data(value: Any) -> Any:
    if isinstance(value, Module):
        return _once_read(value)
    if isinstance(value, (list, tuple)) and any(isinstance(one, Module) for one in value):
        return [_as_data(one) for one in value]
    return value
