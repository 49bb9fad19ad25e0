"""How torch's functions ask arguments that are no tensors of theirs. See `unigrad.core.foreign`.

Source: PyTorch's ``__torch_function__``.
"""

from __future__ import annotations

from typing import Any

from unigrad.core import tree
from unigrad.core.foreign import array_for, is_ours


def torch_function(
    cls: type, function: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
) -> Any:
    """Call a function of torch on native arrays."""
    import torch  # It is there: it calls.

    def native(one: Any) -> Any:
        return array_for(one, torch.Tensor, torch.as_tensor) if is_ours(one) else one

    args, kwargs = tree.map(native, (list(args), dict(kwargs or {})))
    return function(*args, **kwargs)


PROTOCOLS: dict[str, Any] = {"__torch_function__": classmethod(torch_function)}
