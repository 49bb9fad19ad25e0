"""Keys that are used twice: a report of both source lines, for `UNIGRAD_DEBUG_KEYS=1`.

A draw, and `split`, use a key up; `fold_in` does not. Without the variable nothing of this runs.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
import weakref
from typing import Any

from unigrad.core.arguments import visible
from unigrad.core.leaks import program_frame
from unigrad.core.tensor import Tensor

__all__ = ["KeyReuseWarning", "note", "watch", "watching"]


class KeyReuseWarning(UserWarning):
    """A key was used for a second time: both draws are the same numbers, or depend on them."""


#: Whether uses are noted.
watching = os.environ.get("UNIGRAD_DEBUG_KEYS", "") not in ("", "0")

_lock = threading.Lock()
#: Where a key was used: by its two words or, in a trace, by the identity of its array.
_uses: dict[Any, str] = {}
_traced: dict[int, tuple[weakref.ref[Any], str]] = {}
_last: tuple[str, str] | None = None


def watch(on: bool = True) -> None:
    """Begin or end to note uses; those noted before are forgotten."""
    global watching, _last
    with _lock:
        watching, _last = on, None
        _uses.clear()
        _traced.clear()


def note(name: str, key: Tensor) -> None:
    """Note the use of a key, and warn of its second.

    One warning is given for a draw, though it uses up the keys that are made of its own.
    """
    global _last
    frame = program_frame(sys._getframe(1))
    file, number = frame.f_code.co_filename, frame.f_lineno
    here = f"{file}:{number} (random.{name})"
    with _lock:
        before = _earlier(key, here)
        pair = None if before is None else (before.partition(" ")[0], f"{file}:{number}")
        if pair is None or pair == _last:
            return
        _last = pair
    warnings.warn_explicit(
        f"a key is used twice: first at {before}, now at {here}; make new keys with "
        "ug.random.split or ug.random.fold_in",
        KeyReuseWarning,
        file,
        number,
        frame.f_globals.get("__name__", "<string>"),
    )


def _earlier(key: Tensor, here: str) -> str | None:
    """Return where a key was used before, and note that it is used here."""
    values = visible(key)
    if values is not None:
        words = values.tobytes()
        before = _uses.setdefault(words, here)
        return None if before is here else before
    native = key._native
    seen = _traced.get(id(native))
    if seen is not None and seen[0]() is native:
        return seen[1]
    _traced[id(native)] = (weakref.ref(native), here)
    return None
