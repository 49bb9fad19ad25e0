"""``autograd.numpy``: unigrad's functions under NumPy's names.

A name is unigrad's if it has it, else the standard's name for the same function. What is neither is
missing: asking for it raises `Missing`, which the count of the tests goes by.
"""

import numpy as _np

import unigrad as _ug
from autograd.numpy import random
from autograd.numpy.names import OF_NUMPY, RENAMED, Missing
from autograd.numpy.signatures import ADAPTED

__all__ = ["random"]


class _Part:
    """A namespace, ``np.linalg`` or ``np.fft``."""

    def __init__(self, path):
        self._path = path

    def __getattr__(self, name):
        return _find(f"{self._path}.{name}")


def _find(path):
    if path in OF_NUMPY:
        found = _np
        for part in path.split("."):
            found = getattr(found, part)
        return found
    if path in ADAPTED:
        return ADAPTED[path]
    found = _ug
    for part in RENAMED.get(path, path).split("."):
        found = getattr(found, part, None)
    if found is None:
        raise Missing(f"unigrad has no {path}")
    return found


linalg = _Part("linalg")
fft = _Part("fft")


def __getattr__(name):
    if name.startswith("__") and name != "__version__":
        raise AttributeError(name)
    return _find(name)
