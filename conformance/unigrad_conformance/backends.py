"""Which backends there are to be tried: whatever the entry points name and can be loaded."""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core.errors import BackendNotInstalledError
from unigrad.core.registry import available_backends, load_backend


def why_absent(name: str) -> str | None:
    """Return why a backend cannot be loaded, or None when it can."""
    try:
        load_backend(name)
    except BackendNotInstalledError as error:
        return str(error)
    return None


def load_all(names: Sequence[str]) -> dict[str, str | None]:
    """Load backends; return by name why one is absent, or None."""
    return {name: why_absent(name) for name in names}


def installed() -> list[str]:
    """Return the names of the backends that can be loaded, loading them."""
    return [name for name, reason in load_all(available_backends()).items() if reason is None]
