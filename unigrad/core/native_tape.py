"""What a framework's own derivatives offer: the pullback of one op, and tapes behind ours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    pass

#: An array of a backend's library.
Native: TypeAlias = Any
#: A function of such arrays that computes an op.
Kernel: TypeAlias = Callable[..., Any]


class Pullback(ABC):
    """A backend's own derivative of one op that was run: cotangents of outputs to inputs."""

    @abstractmethod
    def __call__(self, cotangents: Sequence[Native]) -> Sequence[Native | None]:
        """Return the inputs' cotangents; ``None`` for those that were not tracked."""

    def op(self, position: int) -> Callable[..., Any] | None:
        """Return the op of (inputs…, cotangents…) that gives one input's cotangent, bound to the
        settings of the op that was run.

        It is used when the backward pass is itself being recorded; ``None`` leaves that to the
        rule.
        """
        return None


class NativeTape(ABC):
    """What a framework's own autograd must offer to stand behind one `GradientTape`.

    *Which* values count is decided by the front end's tape, alike on every backend; a native tape
    only says how much. It keeps a private map from a value's identity to the array that its
    library's graph knows. The native of a handle is never exchanged, and no graph hangs on it.
    """

    @abstractmethod
    def watch(self, handle: Any) -> None:
        """Make the handle's value a source of this tape."""

    @abstractmethod
    def read(self, uid: int, variable: Any, value: Any) -> None:
        """Make a variable's value a source under an identity that no tape has met.

        What stands for it is noted in ``variable.leaf``: the value, that, and what else the tape
        wants to know. It is used again for the same value, if nothing that other tapes noted of it
        can be seen from here.
        """

    @abstractmethod
    def run(
        self,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
        others: Sequence[Any] = (),
        uid: int = 0,
    ) -> Any:
        """Run a kernel on tracked values so that the library's graph takes note.

        Each result is an array of its own, none of the inputs. ``others`` are the tapes of this
        kind that see it besides this one. With a ``uid``, an only result that is of the library's
        class is kept under it at once (see `keep`), and what is returned is without graph.
        """

    @abstractmethod
    def keep(self, uid: int, result: Native, plain: Native | None = None) -> Native:
        """Note the identity of what `run` returned; return the array without graph for its handle.

        ``plain`` is that array where another tape has made it.
        """

    @abstractmethod
    def seen(
        self, natives: Sequence[Any], uids: Sequence[int], others: Sequence[Any] = ()
    ) -> list[Any]:
        """Return the arrays that the graphs of this tape and the others know of handles' values."""

    @abstractmethod
    def lend(self, handle: Any, others: Sequence[Any] = ()) -> Native:
        """Return what `seen` does of one handle, for functions of the library's own."""

    @abstractmethod
    def tracks(self, native: Native) -> bool:
        """Tell whether the graph leads from an array to anything watched."""

    def holds(self, native: Native) -> bool:
        """Tell whether an array without graph is the one of a result's handle (see `keep`)."""
        return False

    @abstractmethod
    def pause(self) -> None:
        """Stop recording. Other recorders may go on."""

    @abstractmethod
    def resume(self) -> None:
        """Record again."""

    @abstractmethod
    def gradient(
        self,
        targets: Sequence[tuple[Any, Native | None]],
        sources: Sequence[Any],
        *,
        keep: bool,
        differentiable: bool,
    ) -> Sequence[Native | None]:
        """Return the sources' gradients; ``None`` where no native path exists.

        With each target comes its cotangent, as other recorders see it; ``None`` stands for ones.
        A target whose dtype has no derivative adds nothing.

        ``keep`` leaves the tape usable; ``differentiable`` asks that other recorders can see
        through the result, which then is none of the cotangents.
        """
