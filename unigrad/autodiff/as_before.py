"""`AsBefore`: what variables hold while a function runs once more to be differentiated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unigrad.core.errors import TracingError
from unigrad.core.registry import current_backend
from unigrad.core.tensor import Tensor
from unigrad.core.traces import NoDependencies, tracing
from unigrad.core.variable import Variable


class AsBefore:
    """Gives a function that runs once more the variables' values of the first time."""

    def __init__(self, values: Mapping[int, Tensor]) -> None:
        self._values = values
        self._outer = tracing.trace
        self.backend = current_backend() if self._outer is None else self._outer.backend
        self.dependencies: Any = getattr(self._outer, "dependencies", NoDependencies())
        self.closes: bool = getattr(self._outer, "closes", False)

    def read(self, variable: Variable) -> Tensor:
        """Return the value that a variable had, if anybody was told that it was read."""
        found = self._values.get(variable.uid)
        if found is not None:
            return found
        return variable._tensor if self._outer is None else self._outer.read(variable)

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """Refuse an assignment: it has been made.

        Raises:
            TracingError: always.
        """
        raise TracingError(
            f"{variable.name}: the pullback of a function that assigns to a variable takes no "
            "batch of cotangents here, since the function would have to run once more: call ug.vjp "
            "inside of the function that is mapped"
        )

    def outside(self, make: Callable[..., Tensor], value: Any, dtype: Any) -> Tensor:
        """Refuse a new variable, as an assignment.

        Raises:
            TracingError: always.
        """
        raise TracingError("a function that makes a variable takes no batch of cotangents here")
