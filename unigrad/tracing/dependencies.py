"""What a traced program took from Python: attributes, structure, rebindable names.

A trace bakes in what it reads from Python objects. It notes where each of these came from, and a
program may only run while all of them are as they were when its trace ended:

* every attribute of a `watched` object (modules, optimizers) that the trace read, lists, tuples
  and dicts in it included,
* the structure of the modules whose variables it listed, and of other objects within reach of the
  function: which variables, modules and optimizers they hold,
* the global and closure variables that the function, and functions of its file that it calls, name,
* whether the variables that it met are trainable.

Containers of more than `LARGEST` elements are told apart by identity and length alone.
"""

from __future__ import annotations

import operator
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from unigrad.core.context import structure, structure_changed
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.core.variable import Variable
from unigrad.tracing.names import Name, names_of

#: Containers with more elements are not looked into.
LARGEST = 1000

T = TypeVar("T")

_SCALARS = (bool, int, float, complex, str, bytes)
_CONTAINERS = (list, tuple, dict)
_ABSENT = object()
_watched: tuple[type, ...] = ()
_installing = threading.Lock()
_observers = 0


def watched(cls: type[T]) -> type[T]:
    """Let traces note which attributes of a class's instances they read (a class decorator).

    Setting one afterwards re-traces the programs that depend on it.
    """
    global _watched
    setting: Callable[..., None] = cls.__setattr__
    deleting: Callable[..., None] = cls.__delattr__

    def __setattr__(self: Any, name: str, value: Any) -> None:
        setting(self, name, value)
        structure_changed()

    def __delattr__(self: Any, name: str) -> None:
        deleting(self, name)
        structure_changed()

    for method in (__setattr__, __delattr__):
        setattr(cls, method.__name__, method)
    _watched = (*_watched, cls)
    return cls


@contextmanager
def observed() -> Iterator[None]:
    """Look at the attributes of watched objects inside the block; it costs nothing outside.

    Example:
        >>> with observed():
        ...     pass
    """
    global _observers
    with _installing:
        _observers += 1
        if _observers == 1:
            for cls in _watched:
                cls.__getattribute__ = _noted  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        with _installing:
            _observers -= 1
            if not _observers:
                for cls in _watched:
                    del cls.__getattribute__


def _noted(self: Any, name: str) -> Any:
    trace = tracing.trace
    if trace is not None and not name.startswith("__"):
        trace.dependencies.on_attribute(self, name)
    return object.__getattribute__(self, name)


class Dependencies:
    """What one trace depends on: gathered while it runs, settled at its end, then asked."""

    def __init__(self, roots: Iterable[Any]) -> None:
        self._attributes: dict[tuple[int, str], tuple[Any, str]] = {}
        self._structures: dict[int, Any] = {}
        self._variables: dict[int, Variable] = {}
        self._roots = list(roots)
        #: The structure's version when all was last as it was.
        self.version = -1
        #: Comparisons that need to be made only when that has changed.
        self._counted: list[Callable[[], bool]] = []
        #: Names and what they stood for; other comparisons that nobody counts the changes of.
        self.names: list[tuple[Name, Any]] = []
        self.others: list[Callable[[], bool]] = []

    # -- while the trace runs

    def on_attribute(self, owner: Any, name: str) -> None:
        """Note that an attribute of a watched object was read."""
        self._attributes.setdefault((id(owner), name), (owner, name))

    def on_structure(self, owner: Any) -> None:
        """Note that somebody listed what an object holds."""
        self._structures.setdefault(id(owner), owner)

    def on_trainable(self, variable: Variable) -> None:
        """Note that it mattered whether a variable is trainable."""
        self._variables.setdefault(variable.uid, variable)

    # -- afterwards

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that the function and those that it calls name."""
        return [value for _, value in self.names if type(value) is Tensor]

    def settle(self) -> None:
        """Remember everything as it is now: what the trace itself changed is no change."""
        self.version = structure.version
        for owner, name in self._attributes.values():
            if _is_data(type(owner), name):
                self._expect(owner, name, _attribute(owner, name))
        for variable in self._variables.values():
            self._counted.append(_trainable(variable))
        names, reached = names_of(self._roots)
        for one in names:
            value = one.value()
            self.names.append((one, value))
            if type(value) is Tensor:
                self.others.append(_array_stays(value))
        for owner in (*self._structures.values(), *reached):
            if not isinstance(owner, _watched) or id(owner) in self._structures:
                self._expect_structure(owner)

    def hold(self) -> bool:
        """Tell whether everything is as it was."""
        for name, before in self.names:
            if not is_same(name.value(), before):
                return False
        for same in self.others:
            if not same():
                return False
        version = structure.version
        if version != self.version:
            for same in self._counted:
                if not same():
                    return False
            self.version = version
        return True

    def _expect(self, owner: Any, name: str, value: Any) -> None:
        """Expect an attribute to be what it is, containers element by element."""

        def same() -> bool:
            return is_same(_attribute(owner, name), value)

        self._counted.append(same)
        if type(value) is Tensor:
            self.others.append(_array_stays(value))
        for container in _containers(value):
            self.others.append(_elements(container))

    def _expect_structure(self, owner: Any) -> None:
        """Expect an object to hold the variables and modules that it holds."""
        container = owner if type(owner) in _CONTAINERS else vars(owner)
        # Setting an attribute is counted only where the class is watched.
        checks = self._counted if isinstance(owner, _watched) else self.others
        if type(container) is not tuple:
            checks.append(_members_stay(container))
        for inner in _containers(container, inside=True):
            self.others.append(_members_stay(inner))


def is_same(now: Any, before: Any) -> bool:
    """Tell whether a value is the one it was; numbers and strings go by value and type."""
    return now is before or (
        type(now) is type(before) and type(now) in _SCALARS and bool(now == before)
    )


def _is_data(cls: type, name: str) -> bool:
    """Tell whether a name stands for a value kept in instances, not for a method or property."""
    for base in cls.__mro__:
        if name in base.__dict__:
            kind = base.__dict__[name]
            return isinstance(kind, types.MemberDescriptorType) or not hasattr(kind, "__get__")
    return True


def _attribute(owner: Any, name: str) -> Any:
    try:
        return object.__getattribute__(owner, name)
    except AttributeError:
        return _ABSENT


def _trainable(variable: Variable) -> Callable[[], bool]:
    before = variable._trainable
    return lambda: variable._trainable is before


def _array_stays(tensor: Tensor) -> Callable[[], bool]:
    """Expect the same array in a handle: assigning to a handle's elements rebinds it."""
    native = tensor._native
    return lambda: tensor._native is native


def _containers(value: Any, inside: bool = False) -> list[Any]:
    """Return the lists and dicts in a value, itself included unless ``inside``; each once."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = [value] if type(value) in _CONTAINERS else []
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if type(one) is not tuple:
            found[id(one)] = one
        if len(one) <= LARGEST:
            waiting += [element for element in _values(one) if type(element) in _CONTAINERS]
    if inside:
        found.pop(id(value), None)
    return list(found.values())


def _values(container: Any) -> Iterable[Any]:
    return container.values() if type(container) is dict else container


def _elements(container: Any) -> Callable[[], bool]:
    """Return the comparison of a container's elements with those it has now."""
    size = len(container)
    if size > LARGEST:
        return lambda: len(container) == size
    if type(container) is dict:
        before = (*container, *container.values())
        return lambda: (
            len(container) == size and _identical((*container, *container.values()), before)
        )
    elements = tuple(container)
    return lambda: _identical(container, elements)


def _identical(now: Any, before: Any) -> bool:
    return len(now) == len(before) and (
        all(map(operator.is_, now, before)) or all(map(is_same, now, before))
    )


def _is_member(value: Any) -> bool:
    """Tell whether a value is a variable, a watched object, or a container that holds one."""
    if type(value) not in _CONTAINERS:
        return isinstance(value, (Variable, *_watched))
    inner = [value, *_containers(value, inside=True)]
    return any(
        isinstance(element, (Variable, *_watched))
        for one in inner
        if len(one) <= LARGEST
        for element in _values(one)
    )


def _members_stay(container: Any) -> Callable[[], bool]:
    """Return the comparison of the members of a list or dict with those it has now."""
    if len(container) > LARGEST:
        return lambda: True
    raw = tuple(_values(container))
    held = list(filter(_is_member, raw))

    def same() -> bool:
        nonlocal raw
        now = tuple(_values(container))
        if len(now) == len(raw) and all(map(operator.is_, now, raw)):
            return True
        if len(now) > LARGEST:
            return not held
        if not _identical(list(filter(_is_member, now)), held):
            return False
        raw = now
        return True

    return same
