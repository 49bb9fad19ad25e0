"""Which backends there are to be tried: whatever the entry points name and can be loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import unigrad as ug
from unigrad.core.errors import BackendNotInstalledError
from unigrad.core.registry import available_backends, load_backend
from unigrad_conformance.levels import Level


def why_absent(name: str) -> str | None:
    """Return why a backend cannot be loaded, or None when it can."""
    try:
        load_backend(name)
    except BackendNotInstalledError as error:
        return str(error)
    return None


def why_unplaced(name: str) -> str | None:
    """Return why a backend makes no tensor on the device that was asked for, or None."""
    with ug.use_backend(name):
        try:
            ug.asarray(0.0)
        except Exception as error:
            return f"{name}: no tensor can be made: {error}"
    return None


@contextmanager
def beside(name: str) -> Iterator[None]:
    """Compute on another backend than the one under test, which alone is asked for a device."""
    wanted = os.environ.pop("UNIGRAD_DEVICE", None)
    try:
        with ug.use_backend(name):
            yield
    finally:
        if wanted is not None:
            os.environ["UNIGRAD_DEVICE"] = wanted


def load_all(names: Sequence[str]) -> dict[str, str | None]:
    """Load backends; return by name why one is absent, or None."""
    return {name: why_absent(name) for name in names}


def installed() -> list[str]:
    """Return the names of the backends that can be loaded, loading them."""
    return [name for name, reason in load_all(available_backends()).items() if reason is None]


#: Seconds that no library needs for an elementwise op unless it compiles something.
_COMPILING = 0.004


#: Families of ops of many steps, and of functions that are compiled.
_LONG = frozenset(
    {"control flow", "decoding", "distributions", "interop", "jit", "matrices", "optimizers",
     "special", "statistics"}
)  # fmt: skip


@cache
def compiles_for_every_shape(name: str) -> bool:
    """Tell whether a backend compiles an op anew for every shape that it has not seen."""
    return _takes_longer_at_first(name, ug.exp)


@cache
def _traces_long_ops(name: str) -> bool:
    """Tell whether a backend makes a program of an op of many steps, for every shape anew."""
    optimizer = ug.optimizers.Adam()

    def step(x: ug.Tensor) -> None:
        optimizer.update([x], optimizer.init([x]), [x])

    return _takes_longer_at_first(name, step)


def _takes_longer_at_first(name: str, function: Callable[[ug.Tensor], object]) -> bool:
    """Tell whether calls with a new shape take much longer than the next ones."""
    first, again = list[float](), list[float]()
    with ug.use_backend(name):
        try:
            function(ug.asarray([0.0]))
        except ug.UnigradError:
            # It lacks the op, which its samples will say.
            return False
        # Lengths of this process alone: what others have compiled may be read from a disk.
        for length in range(101 + 4 * (os.getpid() % 4999), 105 + 4 * (os.getpid() % 4999)):
            x = ug.asarray([0.0] * length)
            for spent in (first, again):
                start = time.perf_counter()
                function(x)
                spent.append(time.perf_counter() - start)
    # The fastest of them, and beside the same call again: a busy machine is no compiler.
    return min(first) > max(_COMPILING, 4.0 * min(again))


def compiles(name: str, family: str) -> bool:
    """Tell whether a backend compiles the ops of a family anew for every shape."""
    return compiles_for_every_shape(name) or (family in _LONG and _traces_long_ops(name))


def families_spared(name: str, families: Iterable[str]) -> frozenset[str]:
    """Return the families of which a backend compiles what is tried."""
    return frozenset(family for family in families if compiles(name, family))


def spares_programs(level: Level, name: str | None = None, family: str = "") -> bool:
    """Tell whether a run does with few compilations: a brief one of a backend that needs many.

    The backend is the current one unless it is named; the family is that of what is tried.
    """
    return level.brief and compiles(name or ug.get_backend(), family)
