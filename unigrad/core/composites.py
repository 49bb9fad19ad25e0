"""How a backend runs composites, the part of its contract that is about ops made of ops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unigrad.core.errors import CloserLookError
from unigrad.core.native_tape import Kernel
from unigrad.core.repeated import Repeated

if TYPE_CHECKING:
    from unigrad.core.op import Op
    from unigrad.core.plans import Planned
    from unigrad.core.tensor import Tensor


class Composites:
    """See the module's docstring; `unigrad.core.backend.Backend` is one."""

    array_type: type
    _repeated: Repeated
    #: True when it may run a composite as one program of its own: see `composed`.
    composes_whole: bool = False
    #: True when a composite called again and again runs as a row of kernels: see
    #: `unigrad.core.repeated`.
    composes_rows: bool = False
    #: How many kernels a row has at least that are run as `joined` makes them.
    fewest_joined: float = float("inf")
    #: True when what looks at values may be one program, of which `note` takes the checks.
    composes_checked: bool = False

    def note(self, check: Callable[..., None], tensors: Sequence[Tensor]) -> bool:
        """Take a check of values that is to be made later; tell whether."""
        return False

    def composed(
        self,
        op: Op | Planned,
        inputs: tuple[Any, ...],
        natives: tuple[Any, ...],
        settings: Mapping[str, Any],
    ) -> Any:
        """Run a composite that it has no kernel of, whose inputs nothing follows."""
        assert op.body is not None
        if self.composes_rows and self.are_plain(natives):
            row = self._repeated.row(op, natives, settings)
            if row is not None:
                try:
                    return row(*natives)
                except Exception as error:
                    failed = error
                # What is wrong the body says; if it finds nothing, the row is, unless it gave up.
                found = op.body(*inputs, **settings)
                if isinstance(failed, CloserLookError):
                    return found
                raise failed
        return op.body(*inputs, **settings)

    def gives(self, op: Planned, natives: tuple[Any, ...]) -> type | None:
        """Return the class of what a composite's body returns, where a program tells before it."""
        return None

    def forget_rows(self) -> None:
        """Forget the rows of kernels of composites."""
        self._repeated.clear()

    def are_plain(self, natives: tuple[Any, ...]) -> bool:
        """Tell whether inputs of a composite are arrays on the CPU that nobody follows."""
        return all(type(x) is self.array_type for x in natives)

    def unwatched(self, kernel: Kernel) -> Kernel:
        """Return a kernel for arrays that are `are_plain`: nothing hears of it."""
        return kernel

    def joined(
        self, function: Callable[..., tuple[Any, ...]], natives: Sequence[Any]
    ) -> Callable[[tuple[Any, ...]], Sequence[Any]] | None:
        """Return a row of kernels as one program of a tuple of arrays, like ``natives``.

        Its values are those of the kernels, bit for bit. ``None`` where it makes none.
        """
        return None
