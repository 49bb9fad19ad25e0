"""The error classes. A bad call raises the same class on every backend.

Each class also derives from the built-in that a NumPy user would expect, so
``except ValueError`` keeps working in code that has never heard of unigrad.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "AxisError",
    "BackendMismatchError",
    "BackendNotInstalledError",
    "DTypeError",
    "DeviceMismatchError",
    "GradientWarning",
    "LinAlgError",
    "NotDifferentiableError",
    "OutOfBoundsError",
    "RetracingWarning",
    "SettingError",
    "ShapeError",
    "TapeError",
    "TracingError",
    "UnigradError",
    "UnsupportedError",
]


#: What to do when two backends meet, for messages.
HOW_TO_MOVE = (
    "move one with ug.asarray(x.numpy()) on the other's backend, or make it there: creation "
    "functions take like=x, as in ug.zeros(n, like=x)"
)


#: What is wrong with a Tensor of a trace that is over, for messages.
LEAKED = (
    "a Tensor of a function that ug.jit traced was kept and used after its trace was over: it "
    "never has a value; let the function return it"
)


class UnigradError(Exception):
    """Root of every error that unigrad raises on purpose."""


class ShapeError(UnigradError, ValueError):
    """Shapes or axes do not fit: a failed broadcast, a bad axis, a wrong number of dimensions."""


class AxisError(ShapeError, IndexError):
    """An axis is outside of those that a tensor has (also an ``IndexError``, as NumPy's is)."""


class DTypeError(UnigradError, TypeError):
    """A dtype is unknown, does not promote with another, or is not one that the op takes."""


class SettingError(UnigradError, ValueError):
    """A setting is none of the values that it may take."""


class LinAlgError(UnigradError, np.linalg.LinAlgError):
    """A matrix has no such inverse or factor: it is singular, or not positive definite."""


class OutOfBoundsError(UnigradError, IndexError):
    """An index points outside of the axis it indexes."""


class BackendMismatchError(UnigradError, TypeError):
    """Tensors of two backends met in one op."""


class DeviceMismatchError(UnigradError, ValueError):
    """Tensors on two devices met in one op, and the library copies none of them by itself."""


class BackendNotInstalledError(UnigradError, ImportError):
    """A backend's package or its framework is absent, or no backend has that name."""


class TapeError(UnigradError, RuntimeError):
    """A tape was used in a way its life cycle does not allow."""


class TracingError(UnigradError, TypeError):
    """Python asked for the value of a Tensor that has none yet, inside a traced function."""


class NotDifferentiableError(UnigradError, TypeError):
    """A derivative was asked of something that has none."""


class UnsupportedError(UnigradError, NotImplementedError):
    """A backend has no such op, or no such dtype, and says so; the message says why."""


class CloserLookError(Exception):
    """A check of values wants a closer look, which may find nothing wrong.

    Nobody else sees it: a row of kernels, or a program, leaves such a call to the body.
    """


class GradientWarning(UserWarning):
    """A gradient is ``None``, or a path to it is lost; the message says why."""


class RetracingWarning(UserWarning):
    """A compiled function is traced again and again; the message says what changes."""
