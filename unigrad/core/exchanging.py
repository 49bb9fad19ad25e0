"""Values of variables that are exchanged as if no other thread ran meanwhile.

An update computes freely, and is done again if another thread was quicker; a program, and an update
that writes into values, hold the lock while they take and put them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

from unigrad.core.dispatch import wrap_all
from unigrad.core.errors import UnigradError
from unigrad.core.references import LISTED, counts_of
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing

if TYPE_CHECKING:
    from unigrad.core.variable import Variable

#: Held while values are put into variables that were computed from what they held, and by programs
#: while they take and put values. Never while a program's own code runs, but see `exchange`.
exchanging = threading.RLock()
#: How often an update is computed freely before it is computed with all others waiting.
FREE_RUNS = 4
_backend_of, _native_of, _uid_of = map(attrgetter, ("backend", "_native", "uid"))
#: The leaf of a variable whose value no tape has met.
NO_LEAF = (None, None, None)


def exchange(
    variables: Sequence[Variable],
    compute: Callable[[Sequence[Tensor]], tuple[Sequence[Any], Any]],
) -> Any:
    """Assign to variables what is computed from their values, as if no other thread ran meanwhile.

    ``compute`` takes the values in the variables' own handles, to look at only, and returns a value
    per variable and anything else, which is returned. If another thread has assigned to one of the
    variables in between, it is called again. Other threads wait only when that has happened a few
    times.
    """
    if tracing.trace is None:
        for _ in range(FREE_RUNS):
            before = [one._tensor for one in variables]
            values, result = compute(before)
            fitting = _all_fitting(before, values) or [
                one._quickly_fitting(v) for one, v in zip(variables, values, strict=True)
            ]
            if put(variables, before, fitting):
                return result
    # A trace has values of its own. Compiling waits for nothing that is held here.
    with exchanging if tracing.trace is None else nullcontext():
        values, result = compute([one.current() for one in variables])
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return result


def put(variables: Sequence[Variable], before: Sequence[Tensor], after: Sequence[Tensor]) -> bool:
    """Assign values that fit to variables, if these still hold what they held before."""
    with exchanging:
        if not all(map(is_, before, [one._tensor for one in variables])):
            return False
        replace_all(variables, after)
        return True


def _all_fitting(before: Sequence[Tensor], values: Sequence[Any]) -> list[Tensor] | None:
    """Return `Variable._quickly_fitting` of all at once; ``None`` where it is to ask of each.

    Handles that nobody else holds are kept. Of Adam's step over a hundred parameters on JAX a
    second handle of each of its 300 results takes a tenth, and to ask one by one half a tenth.
    """
    if {*map(type, values)} != {Tensor} or len(values) != len(before):
        return None
    backend = before[0].backend
    if {*map(_backend_of, before), *map(_backend_of, values)} != {backend}:
        return None
    natives, like = [*map(_native_of, values)], backend.likeness
    if (
        [*map(like, natives)] != [*map(like, map(_native_of, before))]
        or {*map(type, natives)} != {backend.array_type}
        or any(map(backend.is_traced, natives))
    ):
        return None
    detached = [*map(backend.detach, natives)]
    alone = max(counts_of(values)) <= LISTED and {*map(_uid_of, values)} == {0}
    if alone and all(map(is_, natives, detached)):
        return [*values]
    return wrap_all(backend, detached)


def replace_all(variables: Sequence[Variable], tensors: Sequence[Tensor]) -> None:
    """`Variable.replace` for each of some variables, while `exchanging` is held.

    There may be more tensors than variables.
    """
    for variable, tensor in zip(variables, tensors, strict=False):
        variable._tensor = tensor
        variable.leaf = NO_LEAF


@contextmanager
def taken(variables: Sequence[Variable]) -> Iterator[list[Tensor]]:
    """Take the values out of variables for a block; what the list holds at its end is put in.

    Meanwhile nobody else comes by a value, since who reads a variable waits. So the memory of a
    value that nobody holds already may be written into: see `unigrad.core.references`. Nothing of
    a user's may run in the block.

    Example:
        >>> from unigrad.core.variable import Variable
        >>> v = Variable(1.0)
        >>> with taken([v]) as values:
        ...     values[0] = values[0] + 1.0
        >>> v.numpy().item()
        2.0
    """
    with exchanging:
        values = [variable._tensor for variable in variables]
        for variable in variables:
            del variable._tensor
            variable.leaf = NO_LEAF
        try:
            yield values
        finally:
            replace_all(variables, values)


def returned(variable: Variable) -> Tensor:
    """Return the value of a variable from which it was `taken`, once it is back."""
    with exchanging:
        try:
            return object.__getattribute__(variable, "_tensor")  # type: ignore[no-any-return]
        except AttributeError:
            raise UnigradError(
                f"{variable.name} is read within an update that writes into it"
            ) from None
