"""Running a function unseen, and hearing of it if it uses what somebody differentiates by.

A derivative that is given by hand says nothing of values that the function takes from around it,
nor does that of a captured graph: to whoever records they would be constants, and the gradient
silently zero.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from unigrad.core import recorders
from unigrad.core.dispatch import Recording
from unigrad.core.leaks import warn_program
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


class _Lookout:
    """A recorder that tells, once, that a value is used which the recorders outside track."""

    needs_rules = True
    forward = False
    native_tapes: Mapping[Any, Any] = {}

    def __init__(self, outer: Sequence[Any], tell: Callable[[str], Any]) -> None:
        self._outer = outer
        self._tell: Callable[[str], Any] | None = tell
        self.tracked: Any = ChainMap(*[dict(one.tracked) for one in outer])

    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Tell of it."""
        self._notice("a tensor")

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        """Tell of it if anybody differentiates by the variable."""
        if self.watches(variable):
            self._notice(f"the Variable {variable.name!r}")
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

    def _notice(self, what: str) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(what)


def is_followed(x: Tensor) -> bool:
    """Tell whether somebody who records differentiates by a tensor.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray(1.0)
        >>> with ug.GradientTape() as tape:
        ...     tape.watch(x)
        ...     is_followed(x), is_followed(x * x), is_followed(ug.stop_gradient(x))
        (True, True, False)
    """
    if x.uid and recorders.watchers((x.uid,), x.backend.depth):
        return True
    return recorders.thread.borrowed and x.backend.follows(x._native)


def warn_of_closure(name: str, what: str) -> None:
    """Warn that a function with a derivative of its own closes over a value that is followed."""
    warn_program(
        f"{name}: the function uses {what} from outside that is being differentiated by; its own "
        "derivative says nothing of it, so that the gradient is zero: give it as an argument"
    )


def unseen(name: str) -> AbstractContextManager[None]:
    """Let no recorder listen inside a block; ``name`` is the function's, for warnings.

    Example:
        >>> with unseen("f"):
        ...     pass
    """
    return told_of_closures(partial(warn_of_closure, name))


@contextmanager
def told_of_closures(tell: Callable[[str], Any]) -> Iterator[None]:
    """Let no recorder listen inside the block, and tell, once, that they would have.

    ``tell`` is given a name for what they follow and an op inside takes, or a variable read there.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray(1.0)
        >>> with ug.GradientTape() as tape:
        ...     tape.watch(x)
        ...     with told_of_closures(print):
        ...         _ = x * x
        a tensor
    """
    outer = recorders.active()
    with recorders.only([], [_Lookout(outer, tell)] if outer else []):
        yield
