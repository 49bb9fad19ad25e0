"""Reading and writing by index."""

from collections.abc import Callable
from typing import Any

TABLE: dict[str, Callable[..., Any]] = {}
