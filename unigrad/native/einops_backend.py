"""Tensors in einops' functions: ``rearrange``, ``reduce``, ``repeat``, ``einsum``, ``pack``.

einops finds a library by the subclasses of its ``AbstractBackend``, whose methods are here lines of
a table. It is told once it is imported, and asks for nothing but ops, so that its results are
recorded, traced and differentiated as theirs.

Source: einops' ``_backends.py``.
"""

from __future__ import annotations

from typing import Any

from unigrad.core.arrivals import when_imported
from unigrad.core.dtypes import FLOATING
from unigrad.core.errors import SettingError
from unigrad.core.foreign import is_ours
from unigrad.ops import (
    creation,
    einsum,
    joining,
    ranges,
    reductions,
    repeating,
    shaping,
)

#: The reductions that einops has a name for.
_REDUCTIONS: dict[str, Any] = {
    "all": reductions.all,
    "any": reductions.any,
    "max": reductions.max,
    "mean": reductions.mean,
    "min": reductions.min,
    "prod": reductions.prod,
    "sum": reductions.sum,
}


def _layers(self: Any) -> Any:
    raise SettingError(
        "einops has no layers for unigrad's tensors: call einops.rearrange and its like in a Module"
    )


#: The methods by name.
_METHODS: dict[str, Any] = {
    "framework_name": "unigrad",
    "is_appropriate_type": lambda self, tensor: is_ours(tensor),
    "from_numpy": lambda self, x: creation.asarray(x),
    "to_numpy": lambda self, x: x.numpy(),
    "arange": lambda self, start, stop: ranges.arange(start, stop),
    "reshape": lambda self, x, shape: shaping.reshape(x, shape),
    "transpose": lambda self, x, axes: shaping.permute_dims(x, axes),
    "reduce": lambda self, x, operation, axes: _REDUCTIONS[operation](x, axis=tuple(axes)),
    "stack_on_zeroth_dimension": lambda self, tensors: joining.stack(tensors),
    "add_axis": lambda self, x, new_position: shaping.expand_dims(x, new_position),
    "tile": lambda self, x, repeats: repeating.tile(x, repeats),
    "concat": lambda self, tensors, axis: joining.concat(tensors, axis=axis),
    "is_float_type": lambda self, x: x.dtype in FLOATING,
    "einsum": lambda self, pattern, *x: einsum.einsum(pattern, *x),
    "layers": _layers,
}
#: einops holds its backends by their class, which somebody must keep.
_registered: list[type] = []


def _register() -> None:
    from einops._backends import AbstractBackend

    _registered.append(type("UnigradBackend", (AbstractBackend,), _METHODS))


when_imported("einops", _register)
