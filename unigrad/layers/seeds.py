"""Where layers get their keys from: a seed and a count, the same on every backend.

A layer takes a number when it is made, so its weights depend on the order in which layers are
made and not on when they are first called.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from unigrad.core.tensor import Tensor
from unigrad.random import fold_in, key

#: What is folded into the key of a layer's twin: no layer has so many variables.
_TWIN = 2**32 - 1

_lock = threading.Lock()
_seed = 0
_count = 0


def set_seed(seed: int) -> None:
    """Start the layers' keys afresh: layers made after this get the same weights every time.

    Example:
        >>> import unigrad as ug
        >>> def weights():
        ...     set_seed(3)
        ...     layer = ug.layers.Dense(2)
        ...     layer.build((4, 2))
        ...     return layer.kernel.numpy().tolist()
        >>> weights() == weights()
        True
    """
    global _seed, _count
    with _lock:
        _seed, _count = int(seed), 0


class LayerKey:
    """One layer's key, made on the current backend when it is needed.

    Args:
        given: a key, an int to seed one with, or None to take the next from the module's seed.
    """

    def __init__(self, given: Any = None) -> None:
        global _count
        self._given = int(given) if isinstance(given, np.integer) else given
        self._is_twin = False
        with _lock:
            self._seed, self._number = _seed, _count
            if given is None:
                _count += 1

    def make(self, number: int) -> Tensor:
        """Return the key of the layer's variable of this number."""
        if self._given is None:
            own = fold_in(key(self._seed), self._number)
        else:
            own = key(self._given) if isinstance(self._given, int) else self._given
            if self._is_twin:
                own = fold_in(own, _TWIN)
        return fold_in(own, number)

    def twin(self) -> LayerKey:
        """Return the key of a second layer that is made like this one's.

        It follows from a key that was given; else it is the next from the module's seed.
        """
        other = LayerKey(self._given)
        other._is_twin = self._given is not None
        return other

    def as_seed(self) -> int:
        """Return an int to seed a generator with, for a layer that has no key of its own."""
        return (self._seed * 1_000_003 + self._number + self._is_twin * (_TWIN // 3)) % 2**31
