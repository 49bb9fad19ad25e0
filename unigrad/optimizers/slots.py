"""Which slots belong to which Variable: by reference, never by a number that could come again.

Nothing here keeps a Variable alive: its slots go when it goes. Copies and pickles keep the link.
Together with its model, an optimizer's copy has slots of the model's copy, in whichever order the
two are copied; alone, it has slots of the Variables that the first one has.
"""

from __future__ import annotations

import copy
import os
import uuid
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from unigrad.core.variable import Variable

#: The Variables of this process that have slots, by identity.
_owners: weakref.WeakValueDictionary[int, Variable] = weakref.WeakValueDictionary()
#: Tells the Variables of this process from those of others in pickles; see `_process`.
_START = uuid.uuid4().hex


class _Entry:
    """The slots of one Variable."""

    __slots__ = ("number", "origin", "owner", "slots")

    def __init__(
        self,
        number: int,
        owner: weakref.ref[Variable],
        slots: tuple[Variable, ...],
        origin: weakref.ref[Variable] | None,
    ) -> None:
        #: Its place in the order in which Variables came.
        self.number = number
        self.owner = owner
        self.slots = slots
        #: Whose the slots are if nobody keeps the owner, which was made for this copy.
        self.origin = origin


class Slots:
    """A tuple of Variables per Variable. See the module's docstring."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._count = 0
        #: The columns of the variables that were asked for last, by the identities of these.
        self._latest: dict[tuple[int, ...], list[list[Variable]]] = {}
        #: How the arrays of a step look that went well: see `Descent`. Copies find out themselves.
        self.looks: Any = None
        #: The owners that came with these slots, copied or out of a pickle: see `settle`.
        self._came: list[Variable] | None = None

    def __contains__(self, variable: Variable) -> bool:
        return variable.uid in self._entries

    def __iter__(self) -> Iterator[tuple[Variable, ...]]:
        """Give the slots in the order in which the Variables came."""
        return iter([entry.slots for entry in self._ordered()])

    def of(self, variable: Variable) -> tuple[Variable, ...]:
        """Return a Variable's slots.

        Raises:
            KeyError: when it has none.
        """
        return self._entries[variable.uid].slots

    def columns(self, variables: Sequence[Variable]) -> list[list[Variable]]:
        """Return the first slots of some Variables, their second ones, and so on.

        A step asks for those of the step before: to find them again takes as long as 2 % of Adam's
        step over a hundred parameters.

        Raises:
            KeyError: when one has none.
        """
        key = tuple([variable.uid for variable in variables])
        found = self._latest.get(key)
        if found is None:
            slots = [self._entries[uid].slots for uid in key]
            found = [*map(list, zip(*slots, strict=True))]
            self._latest.clear()
            self._latest[key] = found
        return found

    def add(self, variable: Variable, slots: Iterable[Variable]) -> None:
        """Give a Variable slots."""
        self._put(variable, tuple(slots), None)

    def settle(self) -> None:
        """Before the first step of a copy: decide for good whose the slots are.

        An owner that came with them must by now be kept by somebody else.
        """
        if self._came is not None:
            self._came = None
            for entry in self._ordered():
                entry.origin = None

    def _put(
        self, variable: Variable, slots: tuple[Variable, ...], origin: Variable | None
    ) -> None:
        self._count += 1
        self._latest.clear()
        _owners[variable.uid] = variable
        self._entries[variable.uid] = _Entry(
            self._count,
            _reference(variable, self._entries, self._latest),
            slots,
            None if origin is None else weakref.ref(origin),
        )

    def _ordered(self) -> list[_Entry]:
        return sorted(self._entries.values(), key=lambda entry: entry.number)

    def _owned(self) -> list[tuple[Variable, tuple[Variable, ...]]]:
        pairs = [(entry.owner(), entry.slots) for entry in self._ordered()]
        return [(owner, slots) for owner, slots in pairs if owner is not None]

    def __deepcopy__(self, memo: dict[int, Any]) -> Slots:
        other = Slots()
        for variable, slots in self._owned():
            other._put(copy.deepcopy(variable, memo), copy.deepcopy(slots, memo), variable)
        other._came = []
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        entries = [(variable, variable.uid, slots) for variable, slots in self._owned()]
        return _restored, (_process(), entries)


def _reference(
    variable: Variable, entries: dict[int, _Entry], latest: dict[Any, Any]
) -> weakref.ref[Variable]:
    """Return a weak reference that takes a Variable's entry away, or hands it on, when it goes."""
    uid = variable.uid

    def gone(_: object) -> None:
        latest.clear()
        entry = entries.pop(uid, None)
        heir = None if entry is None or entry.origin is None else entry.origin()
        if entry is not None and heir is not None and heir.uid not in entries:
            entry.owner, entry.origin = _reference(heir, entries, latest), None
            entries[heir.uid] = entry

    return weakref.ref(variable, gone)


def _process() -> str:
    """Return a name that no other process has, not even one that is forked from this one."""
    return f"{os.getpid()} {_START}"


def _restored(process: str, entries: list[tuple[Variable, int, tuple[Variable, ...]]]) -> Slots:
    """Return slots out of a pickle, with the Variables that were pickled with them."""
    slots = Slots()
    for variable, uid, own in entries:
        slots._put(variable, own, _owners.get(uid) if process == _process() else None)
    slots._came = [variable for variable, _, _ in entries]
    return slots
