"""Who else holds a value: what nobody else can look at may be written into.

Python counts references, and a view, a tape's note or another library's array holds one to what it
looks at. Where a library has views that Python does not see, `Backend.may_be_written` counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount

from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.tensor import Tensor


def _references() -> int:
    """Return how many references `getrefcount` counts to what one name alone stands for."""
    alone = object()
    return getrefcount(alone)


def counts_of(values: Sequence[object]) -> list[int]:
    """Return how many references there are to each of a list's values while they are counted.

    Example:
        >>> counts_of([object()]) == [LISTED]
        True
    """
    return [*map(getrefcount, values)]


#: The count of what one name, or one attribute, alone stands for.
ALONE = _references()
#: The count that `counts_of` gives of what is in one list alone.
LISTED = counts_of([object()])[0]


def owned(backend: Backend, tensors: list[Tensor]) -> list[Tensor]:
    """Return handles whose arrays may be written into: of copies, where somebody else holds one.

    Args:
        backend: where they live.
        tensors: values that were `taken` from Variables: in the list of these, and in this one.

    Example:
        >>> from unigrad.core.exchanging import taken
        >>> from unigrad.core.variable import Variable
        >>> v = Variable([1.0])
        >>> held = v.read()
        >>> with taken([v]) as values:
        ...     found = owned(held.backend, values[:])
        ...     found[0].native is held.native
        False
    """
    handles = counts_of(tensors)
    natives = [tensor._native for tensor in tensors]
    free, arrays = backend.may_be_written(natives), counts_of(natives)
    if all(free) and max(handles) <= LISTED + 1 and max(arrays) <= LISTED + 1:
        return tensors
    alone = [
        handle <= LISTED + 1 and array <= LISTED + 1
        for handle, array in zip(handles, arrays, strict=True)
    ]
    return [
        tensor if mine and own else wrap(backend, backend.owned(tensor._native))
        for tensor, mine, own in zip(tensors, alone, free, strict=True)
    ]
