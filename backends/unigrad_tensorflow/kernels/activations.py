"""Activation functions and the softmax family."""

from collections.abc import Callable
from typing import Any

TABLE: dict[str, Callable[..., Any]] = {}
