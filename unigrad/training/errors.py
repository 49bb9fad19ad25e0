"""What goes wrong in training itself."""

from __future__ import annotations

from unigrad.core.errors import UnigradError


class TrainingError(UnigradError, RuntimeError):
    """Training cannot go on: the loss, or a weight, is no finite number.

    Attributes:
        step: the number of the step, from 1.
    """

    def __init__(self, message: str, step: int) -> None:
        super().__init__(message)
        self.step = step


class ConfigError(UnigradError, ValueError):
    """A training file has an unknown key, or a value of another type; the message names it."""
