"""The numbers of an optimizer (its rate, its shares, ε): operands of its updates, not constants.

A change holds from the next step on, in programs of `ug.jit` as well: each has a Variable in
float64 that they take as an input. Where nothing is traced, backends get Python's number.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import float32, float64
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.core.variable import Variable
from unigrad.tracing.scope import init_scope

if TYPE_CHECKING:
    from unigrad.optimizers.descent import Descent


class Number:
    """A number and, for programs, the Variables that hold it, one per backend."""

    __slots__ = ("_seen", "_value", "_variables")

    def __init__(self, value: float) -> None:
        self._value = value
        self._variables: dict[Backend, Variable] = {}
        #: The Tensors that hold `_value`: a Variable with another was assigned by a program.
        self._seen: dict[Backend, Tensor] = {}

    def get(self) -> float | Tensor:
        """Return the number; inside a trace the traced one, a 0-d Tensor."""
        if tracing.trace is not None:
            return self.variable(tracing.trace.backend)._untaped()
        for backend, variable in self._variables.items():
            if variable._tensor is not self._seen[backend]:
                self.set(float(variable._tensor))
        return self._value

    def operand(self, backend: Backend) -> float | Tensor:
        """Return the number as an update on a backend takes it."""
        value = self.get()
        if backend.keeps_numbers and not isinstance(value, Tensor):
            return self.variable(backend)._tensor
        return value

    def set(self, value: float | Tensor) -> None:
        """Take another number; inside a trace the program will, whenever it runs."""
        if tracing.trace is not None:
            own = self.variable(tracing.trace.backend)
            own.assign(value.astype(own.dtype) if isinstance(value, Tensor) else value)
            return
        self._value = float(value)
        for backend, variable in self._variables.items():
            tensor = self._seen[backend] = self._tensor(backend)
            variable.replace(tensor)

    def variable(self, backend: Backend) -> Variable:
        """Return the Variable that holds the number on a backend."""
        if backend not in self._variables:
            with init_scope():
                variable = Variable(self._tensor(backend), trainable=False, name="number")
                self._seen[backend] = variable.current()
                self._variables[backend] = variable
        return self._variables[backend]

    def _tensor(self, backend: Backend) -> Tensor:
        # Where the library puts it: beside arrays on an accelerator a number need not be there.
        try:
            native = backend.from_numpy(np.asarray(self._value, float64), None)
        except DTypeError:  # It holds no 64 bits.
            native = backend.from_numpy(np.asarray(self._value, float32), None)
        return wrap(backend, native)

    def __reduce__(self) -> tuple[type[Number], tuple[float]]:
        """Copies and pickles have the number alone: no program has met them."""
        value = self.get()
        assert isinstance(value, float)
        return Number, (value,)


def plain_number(value: Any) -> float:
    """Return a number as a float, and NaN for what is none: a bool or a string, say.

    Example:
        >>> plain_number(1), plain_number("1")
        (1.0, nan)
    """
    if isinstance(value, (bool, np.bool_, str, bytes)):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


class Hyperparameter:
    """Declares a number of an optimizer as an attribute.

    Args:
        least: the least value it may have.
        below: what it must lie below.
        default: what it reads as while nobody has set it.
        name: which of the optimizer's numbers it is, if not the one of its own name.

    Raises:
        SettingError: when it is assigned another one, or a number that the optimizer's formula does
            without.
    """

    def __init__(
        self,
        least: float = -math.inf,
        below: float = math.inf,
        default: float | None = None,
        name: str = "",
    ) -> None:
        self._least = least
        self._below = below
        self._default = default
        self._name = name

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = self._name or name

    @overload
    def __get__(self, optimizer: None, owner: type) -> Hyperparameter: ...
    @overload
    def __get__(self, optimizer: Descent, owner: type) -> Any: ...
    def __get__(self, optimizer: Descent | None, owner: type) -> Any:
        if optimizer is None:
            return self
        if self._name in optimizer.left_out:
            return optimizer.left_out[self._name]
        number = optimizer.numbers.get(self._name)
        return self._default if number is None else number.get()

    def __set__(self, optimizer: Descent, value: float | Tensor) -> None:
        if self._name in optimizer.left_out:
            self._require_unchanged(optimizer, value)
            return
        if not (isinstance(value, Tensor) and tracing.trace is not None):
            value = self._checked(type(optimizer).__name__, value)
        number = optimizer.numbers.get(self._name)
        if number is None:
            # Another dictionary: programs that read the first one are traced again.
            optimizer.numbers = {**optimizer.numbers, self._name: Number(float(value))}
        else:
            number.set(value)

    def _require_unchanged(self, optimizer: Descent, value: Any) -> None:
        """Refuse a new value of a number that the formula does without."""
        kept = optimizer.left_out[self._name]
        if isinstance(value, Tensor) or value != kept:
            owner = type(optimizer).__name__
            raise SettingError(
                f"{owner}: {self._name}={value}: it was made with {self._name}={kept}, and its "
                f"formula does without this number; make another {owner} with it"
            )

    def _checked(self, owner: str, value: Any) -> float:
        """Return a number in its range; infinities are in none."""
        number = plain_number(value)
        if not (self._least <= number < self._below and math.isfinite(number)):
            raise SettingError(
                f"{owner}: {self._name}={value}: expected a finite number in "
                f"[{self._least:.16g}, {self._below:.16g})"
            )
        return number
