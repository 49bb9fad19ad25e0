"""Attach the ops to `Tensor` and `Variable` as operators and methods.

`unigrad.ops.declarations` tells type checkers of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from unigrad.core import foreign, recorders
from unigrad.core.arguments import TensorLike
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import SettingError, TapeError
from unigrad.core.exchanging import exchange
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops import (
    arithmetic,
    comparison,
    creation,
    cumulative,
    indexing,
    interop,
    joining,
    limits,
    linear,
    reductions,
    repeating,
    rounding,
    shaping,
    statistics,
    updating,
)

_Functions: TypeAlias = dict[str, Callable[..., Any]]


def _reflected(op: Any) -> Any:
    def method(self: Any, other: Any, /) -> Any:
        return op(other, self)

    return method


def _equal(self: Any, other: Any, /) -> Any:
    # Nothing is no tensor's value. Lists are searched and optional arguments tested that way.
    return False if other is None else comparison.equal(self, other)


def _not_equal(self: Any, other: Any, /) -> Any:
    return True if other is None else comparison.not_equal(self, other)


def _assigning(name: str, op: Any) -> Any:
    """Make ``v += x`` and its like assign to the Variable, as ``v[i] = x`` does."""

    def method(self: Any, other: Any, /) -> Any:
        if recorders.active():
            # It reads like arithmetic that a tape follows, and no assignment is differentiated.
            raise TapeError(
                f"{self.name} is assigned to in place ({name}) while a tape records, which would "
                "not follow that: use assign, assign_add or assign_sub, or write to another name "
                "(w2 = w - x) for a new Tensor"
            )
        exchange([self], lambda _: ([op(self._untaped(), other)], None))
        return self

    return method


def _spread(op: Any) -> Any:
    """Let lengths or axes come one by one or as a tuple, as NumPy's methods do."""

    def method(self: Any, *numbers: Any) -> Any:
        if len(numbers) == 1 and not isinstance(numbers[0], int):
            return op(self, numbers[0])
        return op(self, numbers) if numbers else op(self)

    return method


def _iterate(self: Any) -> Iterator[Tensor]:
    if not self.shape:
        raise TypeError("a 0-d tensor has no elements to iterate over")
    return iter(joining.unstack(self))


def _to_device(self: Any, device: str, /, *, stream: Any = None) -> Tensor:
    if stream is not None:
        raise SettingError("to_device: backends order their own work, there is no stream to name")
    return creation.to_device(self, device)


def _divided(x1: Any, x2: Any, /) -> tuple[Tensor, Tensor]:
    """Return what Python's `divmod` does: the quotient's floor, and what is left."""
    return rounding.floor_divide(x1, x2), rounding.remainder(x1, x2)


def _rounded(self: Any, digits: int | None = None) -> Tensor:
    """Return what Python's `round` does: halves to even, to so many digits after the point."""
    if not digits or (digits > 0 and self.dtype not in INEXACT):
        return rounding.round(self)
    if self.dtype not in INEXACT:
        tens = rounding.round(creation.astype(self, "float64") / 10.0**-digits)
        return creation.astype(tens * 10.0**-digits, self.dtype)
    unit = 10.0 ** abs(digits)
    if digits > 0:
        return rounding.round(self * unit) / unit
    return rounding.round(self / unit) * unit


_BINARY: _Functions = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": rounding.floor_divide,
    "mod": rounding.remainder,
    "pow": arithmetic.pow,
    "and": comparison.bitwise_and,
    "or": comparison.bitwise_or,
    "xor": comparison.bitwise_xor,
    "lshift": comparison.bitwise_left_shift,
    "rshift": comparison.bitwise_right_shift,
    "matmul": linear.matmul,
}
_ONE_WAY: _Functions = {
    "neg": arithmetic.negative,
    "pos": arithmetic.positive,
    "abs": arithmetic.abs,
    "invert": comparison.bitwise_invert,
    "lt": comparison.less,
    "le": comparison.less_equal,
    "gt": comparison.greater,
    "ge": comparison.greater_equal,
    "eq": _equal,
    "ne": _not_equal,
}
_ROUNDING: _Functions = {
    "__round__": _rounded,
    "__trunc__": rounding.trunc,
    "__floor__": rounding.floor,
    "__ceil__": rounding.ceil,
    "__divmod__": _divided,
    "__rdivmod__": _reflected(_divided),
}
_INDEXING: _Functions = {
    "__getitem__": indexing.getitem,
    "__iter__": _iterate,
}
_METHODS: _Functions = {
    "clip": limits.clip,
    "expand_dims": shaping.expand_dims,
    "flatten": shaping.ravel,
    "ravel": shaping.ravel,
    "squeeze": shaping.squeeze,
    "swapaxes": shaping.swapaxes,
    "take": indexing.take,
    "dot": linear.dot,
    "trace": linear.trace,
    "repeat": repeating.repeat,
    "reshape": _spread(shaping.reshape),
    "transpose": _spread(shaping.transpose),
    "nonzero": indexing.nonzero,
    "astype": creation.astype,
    "to_device": _to_device,
}


def _along(op: Any) -> Any:
    """Let a reduction's axis come by position, and NumPy's functions call it.

    Those hand on ``dtype`` and ``out`` also when nobody gave them.
    """

    def method(
        self: Any, axis: Any = None, dtype: Any = None, out: None = None, **settings: Any
    ) -> Any:
        if out is not None:
            raise TypeError(f"{op.__name__}: a tensor is a value; nothing is written into out=")
        if dtype is not None:
            settings["dtype"] = dtype
        return op(self, axis=axis, **settings)

    return method


def _deviation(op: Any) -> Any:
    """Let the correction come by NumPy's name for it too."""

    def along(self: Any, *, ddof: TensorLike = 0, **settings: Any) -> Any:
        return op(self, **{"correction": ddof, **settings})

    along.__name__ = op.__name__
    return along


_REDUCTIONS: _Functions = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": reductions.argmax,
    "argmin": reductions.argmin,
    "cumulative_prod": cumulative.cumulative_prod,
    "cumulative_sum": cumulative.cumulative_sum,
    "max": reductions.max,
    "mean": reductions.mean,
    "min": reductions.min,
    "prod": reductions.prod,
    "std": _deviation(statistics.std),
    "sum": reductions.sum,
    "var": _deviation(statistics.var),
}
_PROPERTIES: _Functions = {
    "T": shaping.reverse_axes,
    "mT": lambda x: shaping.swapaxes(x, -1, -2),
    "at": updating.At,
}
_ASSIGNMENT: dict[type, _Functions] = {
    Tensor: {"__setitem__": updating.assign_item},
    Variable: {"__setitem__": updating.assign_variable_item},
}


def attach() -> None:
    """Give both classes their operators and methods."""
    protocols = {**interop.PROTOCOLS, **foreign.protocols()}
    for cls in (Tensor, Variable):
        for name, op in _BINARY.items():
            setattr(cls, f"__{name}__", op)
            setattr(cls, f"__r{name}__", _reflected(op))
            if cls is Variable:
                setattr(cls, f"__i{name}__", _assigning(f"__i{name}__", op))
        for name, op in _ONE_WAY.items():
            setattr(cls, f"__{name}__", op)
        for name, op in (*_INDEXING.items(), *_ROUNDING.items()):
            setattr(cls, name, op)
        for name, method in protocols.items():
            setattr(cls, name, method)
        for name, assign in _ASSIGNMENT[cls].items():
            setattr(cls, name, assign)
    for name, op in _METHODS.items():
        setattr(Tensor, name, op)
    for name, getter in _PROPERTIES.items():
        setattr(Tensor, name, property(getter))
    for name, op in _REDUCTIONS.items():
        setattr(Tensor, name, _along(op))
