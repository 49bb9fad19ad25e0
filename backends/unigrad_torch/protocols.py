"""How torch's functions ask arguments that are no tensors of theirs. See `unigrad.core.foreign`.

Source: PyTorch's ``__torch_function__``.
"""

from __future__ import annotations

from types import FunctionType
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


def mark(function: Any) -> None:
    """Have ``torch.compile`` run a function as it traces instead of reading its code.

    Source: ``torch.compiler.nonstrict_trace``, put where Dynamo looks for what to read in place of
    a function, so that torch need not be there yet.
    """
    plain = FunctionType(
        function.__code__, function.__globals__, function.__name__, None, function.__closure__
    )

    def traced(*args: Any, **kwargs: Any) -> Any:
        from unigrad_torch.private import let_constants_in

        let_constants_in()
        return plain(*args, **kwargs)

    def inlined(*args: Any, **kwargs: Any) -> Any:
        from unigrad_torch.private import nonstrict_trace

        return nonstrict_trace(traced)(*args, **kwargs)

    function._torchdynamo_inline = inlined


MARK = mark
PROTOCOLS: dict[str, Any] = {"__torch_function__": classmethod(torch_function)}
