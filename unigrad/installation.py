"""What is installed: each backend's version and devices, asked of it in a process of its own.

Frameworks take seconds to import, so they are imported all at once, and those that are late are
not waited for. One that takes its process down does not take ours.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator
from importlib import metadata
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from unigrad.core.errors import BackendNotInstalledError
from unigrad.core.registry import (
    available_backends,
    install_command,
    load_backend,
    loaded_backends,
)

#: How long after its start a process should have its answers, and the least that it waits.
_IN_ALL, _LEAST = 2.0, 0.7


def patience() -> float:
    """Return how many seconds frameworks are given to load, so that all is said within three."""
    try:
        # Field 22: when the process started, in ticks after the system did.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(_LEAST, _IN_ALL - (time.clock_gettime(time.CLOCK_BOOTTIME) - started))
    except (OSError, AttributeError):  # Not on Linux.
        return _IN_ALL - _LEAST


def describe(name: str) -> str:
    """Return a backend's version and devices, how to install it, or why it is broken.

    Example:
        >>> describe("numpy").split()[1]
        'cpu'
    """
    try:
        backend = load_backend(name)
        return f"{backend.version:12} {', '.join(backend.devices())}"
    except BackendNotInstalledError as error:
        absent = isinstance(error.__cause__, ImportError)
        return f"not installed: {install_command(name)}" if absent else str(error)
    except Exception as error:
        # A backend that cannot say what it is does not keep the others from it.
        return f"broken: {type(error).__name__}: {error}"


def describe_all(patience: float | None) -> Iterator[tuple[str, str]]:
    """Give each backend's name with what `describe` says.

    In a process that has loaded a backend already, all are loaded there.

    Args:
        patience: after so many seconds, give no more than the versions of those that have not
            answered; None to wait for all.
    """
    names = available_backends()
    if loaded_backends():
        # Frameworks have threads, which a forked process would lack; and here nobody is waiting.
        yield from ((name, describe(name)) for name in names)
        return
    asked = {name: _ask(name) for name in names}
    deadline = None if patience is None else time.monotonic() + patience
    for name in names:
        yield name, _answer(name, *asked[name], deadline)


def _ask(name: str) -> tuple[Any, Connection]:
    """Start a process that describes a backend."""
    # A forked process need not import anew; elsewhere than on Linux, forking is not safe.
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_description, args=(name, sender), daemon=True)
    process.start()
    sender.close()
    return process, receiver


def _send_description(name: str, sender: Connection) -> None:
    # What frameworks print while they look for accelerators is in the list of devices too.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    warnings.simplefilter("ignore")
    sender.send(describe(name))


def _answer(name: str, process: Any, receiver: Connection, deadline: float | None) -> str:
    """Return what a process says, what is known without it, or how it ended."""
    left = None if deadline is None else max(0.0, deadline - time.monotonic())
    try:
        if wait([receiver], left):
            return str(receiver.recv())
        return f"{_version(name):12} takes long to load: --wait lists its devices"
    except EOFError:
        process.join()
        return f"broken: its process ended with status {process.exitcode}"
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()


def _version(name: str) -> str:
    """Return the version of the package of that name, or nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
