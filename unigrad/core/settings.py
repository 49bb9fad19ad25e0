"""Settings that are numbers, looked at where they come in."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.errors import SettingError


def count(name: str, what: str, value: Any, least: int) -> int:
    """Return a setting that is an integer.

    Raises:
        SettingError: when it is none, or too small.

    Example:
        >>> count("dense", "units", 3, 1)
        3
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise SettingError(f"{name}: {what} is an integer of at least {least}, not {value!r}")
    return int(value)


def check_sizes(name: str, **sizes: Any) -> None:
    """Check settings that are integers of at least 1.

    Raises:
        SettingError: when one is none.
    """
    for what, one in sizes.items():
        count(name, what, one, 1)
