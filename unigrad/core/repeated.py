"""Composites that are called again and again: on arrays alike, as a row of kernels.

A body runs op by op, each with a handle and the checks of its arguments, which takes longer than
the kernels on small arrays. What it does follows from shapes, dtypes and settings, so at a later
call of a kind it is captured, and from then on its kernels run one after the other: the same ones
on the same arrays, so the values are those of the first calls, bit for bit.

A body that looks at values is never a row: what it does may be something else next time. Checks
of values that it hands to `unigrad.core.arguments.checked` are made in the row, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any

from unigrad.core.dtypes import default_dtype

if TYPE_CHECKING:
    from unigrad.core.backend import Backend
    from unigrad.core.op import Op
    from unigrad.core.plans import Planned

#: At which call of a kind a row is made: that takes as long as some twenty calls.
CALLS = 12
#: How many kinds of calls of a backend are remembered.
KINDS = 1024
#: Of more elements an op takes so long that what surrounds it does not count.
LARGEST = 2**14

_PLAIN = frozenset((int, bool, str, type(None), float, tuple))
#: Returns a function of a composite's arrays that gives its handles, or ``None``: set by
#: `unigrad.tracing.rows`.
make_row: Any = None


class Repeated(dict[Hashable, Any]):
    """How often a backend was asked for each kind of call, then its row, or ``False``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def row(
        self, op: Op | Planned, natives: tuple[Any, ...], settings: Mapping[str, Any]
    ) -> Callable[..., Any] | None:
        """Return the row of a call; ``None`` where the body is to run."""
        # What becomes of integers depends on the default.
        key: Hashable = op, default_dtype()
        if not op.one_kind:
            shape_of = self._backend.shape_key
            kind: list[Any] = [key]
            for x in natives:
                kind += x.dtype, shape_of(x)
            for name, value in settings.items():
                if type(value) not in _PLAIN:
                    return None
                # 1, 1.0 and True are one key to a dictionary, and so are 0.0 and -0.0.
                kind += name, repr(value)
            key = tuple(kind)
        found = self.get(key, 0)
        if type(found) is int:
            if found < CALLS:
                self._keep(key, found + 1)
                return None
            try:
                made = self._made(op, natives, settings)
            except Exception:
                # Not with these values: the body says what is wrong with them.
                return None
            found = self._keep(key, made)
        return found or None

    def _made(
        self, op: Op | Planned, natives: tuple[Any, ...], settings: Mapping[str, Any]
    ) -> Callable[..., Any] | bool:
        declared = op.declared
        if declared.by_value or declared.opaque or declared.foreign:
            return False
        if any(math.prod(self._backend.shape(x)) > LARGEST for x in natives):
            return False
        return make_row(self._backend, op, natives, settings) or False

    def _keep(self, key: Hashable, found: Any) -> Any:
        if len(self) >= KINDS:
            self.clear()
        self[key] = found
        return found
