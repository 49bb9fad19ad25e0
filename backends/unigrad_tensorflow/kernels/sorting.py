"""Sorting and searching."""

from collections.abc import Callable
from typing import Any

TABLE: dict[str, Callable[..., Any]] = {}
