"""What ops have worked out of their arguments, remembered for the next call.

Normalising a shape, an axis or a key takes longer than many a kernel. It depends on shapes and
plain arguments only, so it is done once. Keys hold ``int``, ``None``, strings and tuples of these:
``1``, ``1.0`` and ``True`` are equal to a dictionary, and the callers let only the first through.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from operator import index
from typing import Any

from unigrad.core.dispatch import dispatch
from unigrad.core.op import Op
from unigrad.core.tensor import Tensor

#: How many plans an op keeps. A plan is some hundred bytes.
MOST_PLANS = 4096


class Plans(dict[Any, Any]):
    """A bounded dictionary of plans."""

    def keep(self, key: Hashable, plan: Any) -> Any:
        """Remember a plan and return it; all are forgotten when there are too many."""
        if len(self) >= MOST_PLANS:
            self.clear()
        self[key] = plan
        return plan


def planned(op: Op, plan: Callable[..., Mapping[str, Any]]) -> Callable[..., Tensor]:
    """Return a function of a tensor and plain arguments that runs an op of one tensor.

    ``plan(shape, *arguments)`` gives the op's settings, or raises.

    Example:
        >>> from unigrad.core.op import OPS
        >>> import unigrad as ug
        >>> columns = planned(OPS["reshape"], lambda shape, n: {"shape": (shape[0] // n, n)})
        >>> columns(ug.asarray([1, 2, 3, 4]), 2).shape
        (2, 2)
    """
    plans = Plans()

    def run(x: Tensor, *arguments: Any) -> Tensor:
        backend = x.backend
        native = x.native
        key = (backend.shape(native), arguments)
        try:
            settings = plans[key]
        except KeyError:
            settings = plans.keep(key, plan(*key[:1], *arguments))
        out: Tensor = dispatch(op, backend, (x,), (native,), settings)
        return out

    return run


def plain_ints(values: Any) -> tuple[int, ...]:
    """Return a sequence of integers as Python's own.

    Raises:
        TypeError: when one is no integer.
    """
    return tuple(map(index, values))
