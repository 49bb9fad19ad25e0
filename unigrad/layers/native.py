"""Layers of other libraries as modules of unigrad: `from_torch`, `from_keras`.

The library computes, in one op (`native_call`) of the inputs and of all arrays of the layer, which
are Variables of the module. So tapes, optimizers, checkpoints and `jit` treat it as any module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unigrad.core.dispatch import wrap
from unigrad.core.errors import DTypeError, UnigradError
from unigrad.core.native_code import NativeLayer
from unigrad.core.registry import load_backend
from unigrad.core.variable import Variable
from unigrad.layers.module import Module
from unigrad.layers.training import is_training


class NativeModule(Module):
    """A library's own layer; made by `from_torch` and `from_keras`."""

    def __init__(
        self,
        backend: str,
        layer: NativeLayer,
        name: str,
        build: Callable[[tuple[int, ...]], None] | None = None,
    ) -> None:
        super().__init__(name=name)
        self._backend = backend
        self._layer = layer
        self._build_layer = build
        self.weights: dict[str, Variable] = {}
        if build is None:
            self._take_weights()
            self._built = True

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Have the library make the layer's arrays."""
        assert self._build_layer is not None
        self._build_layer(input_shape)
        self._take_weights()

    def _take_weights(self) -> None:
        home = load_backend(self._backend)
        self.weights = {
            # Copies: the library may change its own arrays in place.
            name: Variable(
                wrap(home, home.from_numpy(home.to_numpy(native), home.beside(native))),
                trainable=trainable,
                name=f"{self.name}/{name}",
            )
            for name, (native, trainable) in self._layer.weights().items()
        }

    def call(self, *inputs: Any, **settings: Any) -> Any:
        """Run the layer; in training, keep what it changes (moving averages, for example)."""
        # Here, since the rules come last: they look at the ops that everything else declares.
        from unigrad.native.call import native_call

        training = is_training()

        def run(
            weights: Mapping[str, Any], inputs: Sequence[Any], settings: Mapping[str, Any]
        ) -> tuple[Any, Mapping[str, Any]]:
            return self._layer.call(weights, inputs, settings, training)

        run.__qualname__ = self.name
        result, changed = native_call(run, self.weights, inputs, settings)
        for name, value in changed.items():
            self.weights[name].assign(value)
        return result


def from_torch(module: Any, *, name: str | None = None) -> Module:
    """Return a ``torch.nn.Module`` as a module of unigrad, on the torch backend.

    Its parameters and buffers are copied into Variables under their names; parameters that require
    a gradient are trainable. The module itself, which goes on being called, is not changed, and
    what is done to its own parameters afterwards does not count. Inputs and results are pytrees of
    Tensors of the torch backend.

    Args:
        module: the module.
        name: for the names of variables; the module's class by default.

    Raises:
        DTypeError: when it is no ``torch.nn.Module``.
        BackendNotInstalledError: when torch is not there.

    Example:
        >>> import torch
        >>> model = from_torch(torch.nn.Linear(3, 1))
        >>> [(name, v.shape) for name, v in model.named_variables().items()]
        [('weights/weight', (1, 3)), ('weights/bias', (1,))]
        >>> import keras
        >>> from_keras(keras.layers.Dense(1, name="head"))
        NativeModule(name='head')
    """
    layer = load_backend("torch").layer(module)
    return NativeModule("torch", layer, name or type(module).__name__)


def from_keras(layer: Any, *, name: str | None = None) -> Module:
    """Return a Keras layer or model as a module of unigrad, on the backend that Keras runs on.

    Its variables are copied into Variables under their paths. A layer that is not built yet is
    built at the first call. Losses that it adds to itself (regularizers) are left out. The rest is
    as for `from_torch`; on NumPy it has no derivative.

    Args:
        layer: a layer of Keras 3.
        name: for the names of variables; the layer's name by default.

    Raises:
        DTypeError: when it is no layer of Keras 3.
    """
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(layer, keras.layers.Layer):
        raise DTypeError(f"expected a layer of Keras 3, not a {type(layer).__qualname__}")
    build = None if layer.built else layer.build
    return NativeModule(keras.config.backend(), _KerasLayer(layer), name or layer.name, build)


class _KerasLayer(NativeLayer):
    """A layer of Keras, by ``stateless_call``."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def weights(self) -> dict[str, tuple[Any, bool]]:
        trainable = {id(one) for one in self._layer.trainable_variables}
        named = {one.path: (one.value, id(one) in trainable) for one in self._layer.variables}
        if len(named) != len(self._layer.variables):
            raise UnigradError(f"from_keras: two variables of {self._layer.name} have one path")
        return named

    def call(
        self,
        weights: Mapping[str, Any],
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
        training: bool,
    ) -> tuple[Any, dict[str, Any]]:
        layer = self._layer
        trained = [weights[one.path] for one in layer.trainable_variables]
        kept = [weights[one.path] for one in layer.non_trainable_variables]
        result, changed = layer.stateless_call(
            trained, kept, *inputs, training=training, **settings
        )
        if not training:
            return result, {}
        paths = [one.path for one in layer.non_trainable_variables]
        return result, dict(zip(paths, changed, strict=True))
