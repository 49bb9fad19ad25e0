"""What a derivative closes over, while it runs on arrays that a library's own graph follows.

A rule that a bridge runs gets bare arrays, which stand in the library's graph unseen. A variable
that the rule reads, or a tensor from around it, may be one that a tape of this thread tracks. That
tape keeps its values in a map of its own, and what it runs it cuts off from all that it does not
know: the way through the bare arrays would end there. So in its place a lender listens, which gives
such a value as the array that the tape's graph knows, and takes no notes: the graph has them.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.dispatch import Recording
from unigrad.core.native_tape import Kernel
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


class _Lender:
    """A recorder, and the graph behind it, in the place of tapes with graphs of a library's."""

    needs_rules = False
    forward = False

    def __init__(self, backend: Backend, tapes: Sequence[Any]) -> None:
        self._backend = backend
        self._tapes = tapes
        self.native_tapes: Mapping[Backend, Any] = {backend: self}
        self.tracked: Any = ChainMap({}, *[one.tracked for one in tapes])

    # -- the recorder

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        """Let the tapes watch a variable, all by one handle."""
        for one in self._tapes:
            handle = one.read(variable, value, handle)
        assert handle is not None
        return handle

    def watches(self, variable: Variable) -> bool:
        """Tell whether a tape does."""
        return any(one.watches(variable) for one in self._tapes)

    def handle_of(self, variable: Variable, value: Tensor) -> Tensor | None:
        """Return the handle under which a tape knows a variable's value."""
        found = (one.handle_of(variable, value) for one in self._tapes)
        return next((one for one in found if one is not None), None)

    def holds(self, native: Any) -> bool:
        """Tell whether a tape does."""
        return any(one.holds(native) for one in self._tapes)

    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Take no notes."""

    def track(self, tensor: Tensor, native: Any) -> None:
        """Take no notes."""

    # -- the graph

    def run(
        self,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
        others: Sequence[Any] = (),
        uid: int = 0,
    ) -> Any:
        """Run a kernel on the arrays that the tapes' graphs know."""
        return kernel(*self.seen(natives, uids), **settings)

    def seen(
        self, natives: Sequence[Any], uids: Sequence[int], others: Sequence[Any] = ()
    ) -> list[Any]:
        """Return these arrays; those that no tape tracks as they are."""
        found = []
        for native, uid in zip(natives, uids, strict=True):
            graphs = [
                graph
                for one in self._tapes
                if uid in one.tracked and (graph := one.native_tapes.get(self._backend))
            ]
            found.append(graphs[0].seen([native], [uid], graphs[1:])[0] if graphs else native)
        return found

    def lend(self, handle: Tensor, others: Sequence[Any] = ()) -> Any:
        """Return what `seen` does of one handle."""
        [native] = self.seen([handle._native], [handle.uid])
        return native

    def keep(self, uid: int, result: Any, plain: Any = None) -> Any:
        """Leave a result as it is: in the library's graph."""
        return result

    def tracks(self, native: Any) -> bool:
        """Tell whether the library's graph leads from an array to anything."""
        return any(one.native_tapes[self._backend].tracks(native) for one in self._tapes)


@contextmanager
def lent(backend: Backend) -> Iterator[None]:
    """Let what this thread's tapes track be arrays of the library's graph inside the block.

    Example:
        >>> from unigrad.core.registry import load_backend
        >>> with lent(load_backend("numpy")):
        ...     pass
    """
    outer = recorders.active()
    tapes = [one for one in outer if not one.needs_rules and one.native_tapes.get(backend, one)]
    if not tapes:
        yield
        return
    others = [one for one in outer if all(one is not tape for tape in tapes)]
    with recorders.only(others, [_Lender(backend, tapes)]):
        yield
