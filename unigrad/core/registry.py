"""Which backends exist and which one is current.

Backends are found only through the entry-point group ``unigrad.backends`` and loaded at first
use. The current backend decides where creation functions put their arrays; every other op runs
where its Tensors live.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from importlib import metadata
from typing import Any, TypeVar

from unigrad.core.backend import Backend
from unigrad.core.context import register_context
from unigrad.core.errors import BackendNotInstalledError

GROUP = "unigrad.backends"

_loaded: dict[str, Backend] = {}
_loading = threading.RLock()
_process_default: str | None = None
_current: ContextVar[Backend | None] = ContextVar("unigrad_backend", default=None)
_device: ContextVar[str | None] = ContextVar("unigrad_device", default=None)


def available_backends() -> list[str]:
    """Return the names of all registered backends, whether their framework is there or not.

    Example:
        >>> get_backend() in available_backends()
        True
    """
    return sorted({entry.name for entry in metadata.entry_points(group=GROUP)} | set(_loaded))


def register_backend(backend: Backend) -> None:
    """Make a backend known under its name without an entry point (for trying one out)."""
    _loaded[backend.name] = backend


def load_backend(name: str) -> Backend:
    """Return a backend by name, importing its framework at the first call.

    Raises:
        BackendNotInstalledError: when no backend has that name, its framework is absent, or its
            package is broken; the message names the known ones, the command that installs it, or
            what went wrong.
    """
    try:
        return _loaded[name]
    except KeyError:
        pass
    with _loading:
        if name in _loaded:
            return _loaded[name]
        entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
        if name not in entries:
            known = ", ".join(sorted(entries)) or "none; is unigrad itself installed?"
            raise BackendNotInstalledError(f"no backend is called {name!r}; known are: {known}")
        try:
            backend: Backend = entries[name].load()
        except ImportError as error:
            raise BackendNotInstalledError(
                f"the backend {name!r} cannot be loaded ({error}); "
                f"install it with: {install_command(name)}"
            ) from error
        except Exception as error:
            # A stranger's mistake, whatever it is, is his backend's and nobody else's.
            raise BackendNotInstalledError(
                f"the backend {name!r} ({_origin(entries[name])}) is broken: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not isinstance(backend, Backend):
            raise BackendNotInstalledError(
                f"the backend {name!r} ({_origin(entries[name])}) is broken: "
                f"it is a {type(backend).__name__}, not an instance of Backend"
            )
        if backend.name != name:
            raise BackendNotInstalledError(
                f"the backend {name!r} ({_origin(entries[name])}) is broken: "
                f"it calls itself {backend.name!r}, its entry point {name!r}"
            )
        _loaded[name] = backend
        return backend


#: The distribution whose extras are named after the backends that it brings.
_OWN = "unigrad"


def _package(entry: metadata.EntryPoint) -> str:
    """Return the name of the distribution that an entry point comes from."""
    return _OWN if entry.dist is None else entry.dist.name


def _origin(entry: metadata.EntryPoint) -> str:
    return f"{entry.value} of {_package(entry)}"


def install_command(name: str) -> str:
    """Return the pip command that installs a backend's framework.

    Of a package that is there already, pip installs what it needs and lacks.
    """
    for entry in metadata.entry_points(group=GROUP, name=name):
        if (package := _package(entry)) != _OWN:
            return f"pip install {package}"
    return f"pip install '{_OWN}[{name}]'"


def loaded_backends() -> list[Backend]:
    """Return the backends in use so far."""
    return list(_loaded.values())


def current_backend() -> Backend:
    """Return the backend on which creation functions make arrays."""
    chosen = _current.get()
    if chosen is not None:
        return chosen
    name = _process_default or setting("UNIGRAD_BACKEND") or "numpy"
    return _loaded[name] if name in _defaults else _chosen(name)


#: The backends that have been the default.
_defaults: set[str] = set()


def _chosen(name: str) -> Backend:
    """Return a backend that somebody chooses, rather than meets in an array of theirs."""
    backend = load_backend(name)
    backend.chosen()
    _defaults.add(name)
    return backend


def get_backend() -> str:
    """Return the current backend's name.

    Example:
        >>> with use_backend("numpy"):
        ...     get_backend()
        'numpy'
    """
    return current_backend().name


def set_backend(name: str) -> None:
    """Choose the backend for the whole process, over ``UNIGRAD_BACKEND``.

    Raises:
        BackendNotInstalledError: when it cannot be loaded.

    Example:
        >>> set_backend(get_backend())
    """
    global _process_default
    _chosen(name)
    _process_default = name


@contextmanager
def use_backend(name: str) -> Iterator[Backend]:
    """Choose the backend inside a ``with`` block, for this thread or task only.

    A thread starts from the process's default. A generator shares its caller's choice: do not yield
    inside the block.

    Raises:
        BackendNotInstalledError: when it cannot be loaded.

    Example:
        >>> with use_backend("numpy") as backend:
        ...     backend.name
        'numpy'
    """
    token = _current.set(_chosen(name))
    try:
        yield load_backend(name)
    finally:
        restore(_current, token)


class at_home:
    """A ``with`` block in which creation functions put arrays where a caller's are.

    A class, since entering a generator costs a microsecond.

    Example:
        >>> with at_home(load_backend("numpy"), "cpu"):
        ...     get_backend(), default_device()
        ('numpy', 'cpu')
    """

    __slots__ = ("_backend", "_place", "_tokens")

    def __init__(self, backend: Backend, device: str | None) -> None:
        self._backend = backend
        self._place = device

    def __enter__(self) -> None:
        self._tokens = _current.set(self._backend), _device.set(self._place)

    def __exit__(self, *_: object) -> None:
        backend, device = self._tokens
        restore(_current, backend)
        restore(_device, device)


#: No `functools.cache`: torch's Dynamo looks through one, and warns of it.
_choices: dict[Backend, bool] = {}


def has_choice(backend: Backend) -> bool:
    """Tell whether a backend has several devices.

    Example:
        >>> has_choice(load_backend("numpy"))
        False
    """
    found = _choices.get(backend)
    if found is None:
        found = _choices[backend] = len(backend.devices()) > 1
    return found


_T = TypeVar("_T")


def restore(variable: ContextVar[_T], token: Token[_T]) -> None:
    """Give a context variable its former value where it was set.

    A generator that was started in another thread or task may be closed in this one, where the
    variable was never set: there is nothing to restore then.
    """
    try:
        variable.reset(token)
    except ValueError:
        if token.var is not variable:
            raise


def owner_of(value: Any) -> Backend | None:
    """Return the backend whose native array a value is, among those in use.

    A framework that is imported but not yet used through unigrad is loaded for it.
    """
    # Another thread may be loading one.
    for backend in tuple(_loaded.values()):
        if backend.owns(value):
            return backend
    root = type(value).__module__.partition(".")[0]
    if root in ("builtins", "numpy"):
        return None
    for name in available_backends():
        # Array classes live in the framework's package, or in its compiled part ("jaxlib").
        if name not in _loaded and root in (name, f"{name}lib") and load_backend(name).owns(value):
            return load_backend(name)
    return None


def default_device() -> str | None:
    """Return the device of a caller's arrays (`at_home`), or what ``UNIGRAD_DEVICE`` asks for."""
    chosen = _device.get()
    if chosen is None and _DEVICE in environment:
        return setting("UNIGRAD_DEVICE")
    return chosen


#: The dictionary behind ``os.environ``, which looks a name up thirty times faster, and a name as a
#: key of it. Python does not promise them (``tests/test_private_api.py`` tries them).
environment: Any = getattr(os.environ, "_data", os.environ)
_encoded: Any = getattr(os.environ, "encodekey", str) if environment is not os.environ else str
KEYS = {name: _encoded(name) for name in ("UNIGRAD_BACKEND", "UNIGRAD_DEVICE", "UNIGRAD_JIT")}
_BACKEND, _DEVICE = KEYS["UNIGRAD_BACKEND"], KEYS["UNIGRAD_DEVICE"]


def setting(name: str) -> str | None:
    """Return an environment variable of unigrad's that is there and not empty.

    Example:
        >>> setting("UNIGRAD_JIT") in (None, "0", "1")
        True
    """
    return os.environ[name] or None if KEYS[name] in environment else None


def _choice() -> object:
    """Return what `current_backend` goes by."""
    chosen = _current.get() or _process_default
    if chosen is None and _BACKEND in environment:
        return setting("UNIGRAD_BACKEND")
    return chosen


register_context("current backend", _choice)
register_context("default device", default_device)
