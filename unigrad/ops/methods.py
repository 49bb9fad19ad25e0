"""Attach the ops to `Tensor` and `Variable` as operators and methods."""

from __future__ import annotations

from typing import Any

from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops import arithmetic, comparison, creation, linear, reductions, shaping


def _reflected(op: Any) -> Any:
    def method(self: Any, other: Any) -> Any:
        return op(other, self)

    return method


_BINARY = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "matmul": linear.matmul,
}
_ONE_WAY = {
    "neg": arithmetic.negative,
    "gt": comparison.greater,
}
_METHODS = {
    "sum": reductions.sum,
    "reshape": shaping.reshape,
    "astype": creation.astype,
}


def attach() -> None:
    """Give both classes their operators and methods."""
    for cls in (Tensor, Variable):
        for name, op in _BINARY.items():
            setattr(cls, f"__{name}__", op)
            setattr(cls, f"__r{name}__", _reflected(op))
        for name, op in _ONE_WAY.items():
            setattr(cls, f"__{name}__", op)
    for name, op in _METHODS.items():
        setattr(Tensor, name, op)
