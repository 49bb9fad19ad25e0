"""What a backend has to do with compiled functions: its programs, and its own fused ops."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from unigrad.core.dtypes import DType


class OtherContext(Exception):
    """Raised by a `Program.direct` function where the library is set as it was not in the trace."""


class Program(ABC):
    """A traced function of native arrays, ready to be compiled."""

    #: For each result a list that takes arrays like it, for a later run to write into, or ``None``.
    #: What is put there must be nobody else's any more.
    spares: Sequence[list[Any] | None] = ()

    @abstractmethod
    def compile(self) -> Callable[..., Sequence[Any]]:
        """Return the function of the examples and then of what was lifted, in that order."""

    def donating(self, places: Sequence[int]) -> Callable[..., Sequence[Any]] | None:
        """Return the function, to be given arguments at some places for good.

        It may write into them, and nobody looks at them again. ``None`` where it has no use for
        that.
        """
        return None

    def direct(self, natives: Sequence[Any]) -> Callable[..., Sequence[Any]] | None:
        """Return a shorter way to the compiled function, after a call with arrays like these.

        It is for calls that do not look at `Backend.context`: where that is not what it was in the
        trace, it raises `OtherContext`. ``None`` where there is no such way.
        """
        return None

    def show(self) -> str:
        """Return the program in the library's own language, as text."""
        return ""


def _are_alike(*shapes: tuple[int, ...]) -> bool:
    return len({*shapes}) == 1


@dataclass(frozen=True, slots=True)
class Fusion:
    """An op of a backend's own that stands for several in its programs.

    Attributes:
        name: the op's, unlike any other; `Backend.into` may have a kernel of this name as well.
        pattern: what it computes, see `unigrad.tracing.fusing`.
        inputs: the pattern's names, in the order in which the kernel takes their arrays, which
            have the dtype of the result but for ``masks``.
        kernel: runs it.
        dtypes: those that the kernel takes.
        elementwise: whether every element of the result depends on the inputs' there alone.
        fits: tells from the inputs' shapes, and then the result's, whether the kernel is to run; by
            default where all are the same.
        masks: names of inputs that are bools.
        over: whether the kernel writes the result over what is inside of the pattern: it runs only
            where nothing else uses that.
    """

    name: str
    pattern: tuple[Any, ...]
    inputs: tuple[str, ...]
    kernel: Callable[..., Any]
    dtypes: frozenset[DType]
    elementwise: bool = True
    fits: Callable[..., bool] = _are_alike
    masks: frozenset[str] = frozenset()
    over: bool = False


@dataclass(frozen=True, slots=True)
class Saving:
    """A kernel that leaves behind what another op of a program would compute again.

    Attributes:
        op: the name of the op that runs first, of one result.
        later: the name of the op that is to be quicker. It takes one more input, the first, and
            then the same inputs.
        kernel: ``kernel(*inputs)`` returns the op's result and what it saves, an object.
        later_kernel: ``later_kernel(first, saved)`` gives the other op's result.
    """

    op: str
    later: str
    kernel: Callable[..., Any]
    later_kernel: Callable[..., Any]
