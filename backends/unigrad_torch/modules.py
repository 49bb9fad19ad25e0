"""A ``torch.nn.Module`` as a function of its parameters and buffers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import NativeLayer


class TorchLayer(NativeLayer):
    """A module, by ``torch.func.functional_call``."""

    def __init__(self, module: Any) -> None:
        if not isinstance(module, torch.nn.Module):
            raise DTypeError(f"expected a torch.nn.Module, not a {type(module).__qualname__}")
        self._module = module

    def weights(self) -> dict[str, tuple[torch.Tensor, bool]]:
        module = self._module
        found = {name: (one, one.requires_grad) for name, one in module.named_parameters()}
        return found | {name: (one, False) for name, one in module.named_buffers()}

    def call(
        self,
        weights: Mapping[str, torch.Tensor],
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
        training: bool,
    ) -> tuple[Any, dict[str, torch.Tensor]]:
        module = self._module
        # Modules change their buffers in place, and torch differentiates by none.
        buffers = {name: weights[name].detach().clone() for name, _ in module.named_buffers()}
        modes = [(one, one.training) for one in module.modules()]
        module.train(training)
        try:
            result = torch.func.functional_call(
                module, {**weights, **buffers}, tuple(inputs), dict(settings)
            )
        finally:
            for one, mode in modes:
                one.training = mode
        return result, {k: one.detach() for k, one in buffers.items()} if training else {}
