"""Running a function unseen, with a warning if it uses what somebody differentiates by.

A derivative that is given by hand says nothing of values that the function takes from around it:
to whoever records they would be constants, and the gradient silently zero.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from unigrad.core import recorders
from unigrad.core.dispatch import Recording
from unigrad.core.leaks import warn_program
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


class _Closure:
    """A recorder that only warns: of values from outside that the recorders outside track."""

    needs_rules = True
    forward = False
    native_tapes: Mapping[Any, Any] = {}

    def __init__(self, name: str, outer: list[Any]) -> None:
        self._name = name
        self._outer = outer
        self._warned = False
        self.tracked: Any = ChainMap(*[dict(one.tracked) for one in outer])

    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Warn."""
        self._warn("a tensor")

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        """Warn if anybody differentiates by the variable."""
        if self.watches(variable):
            self._warn(f"the Variable {variable.name!r}")
        return value if handle is None else handle

    def watches(self, variable: Variable) -> bool:
        """Tell whether anybody outside watches the variable."""
        return any(one.watches(variable) for one in self._outer)

    def handle_of(self, variable: Variable, value: Tensor) -> None:
        """Know no variable."""

    def holds(self, native: Any) -> bool:
        """Know no array."""
        return False

    def track(self, tensor: Tensor, native: Any) -> None:
        """Take no notes."""

    def _warn(self, what: str) -> None:
        if not self._warned:
            self._warned = True
            warn_of_closure(self._name, what)


def warn_of_closure(name: str, what: str) -> None:
    """Warn that a function with a derivative of its own closes over a value that is followed."""
    warn_program(
        f"{name}: the function uses {what} from outside that is being differentiated by; its own "
        "derivative says nothing of it, so that the gradient is zero: give it as an argument"
    )


@contextmanager
def unseen(name: str) -> Iterator[None]:
    """Let no recorder listen inside the block; ``name`` is the function's, for warnings.

    Example:
        >>> with unseen("f"):
        ...     pass
    """
    outer = recorders.active()
    with recorders.only([], [_Closure(name, outer)] if outer else []):
        yield
