"""What ops have worked out of their arguments, remembered for the next call.

Normalising a shape, an axis or a key takes longer than many a kernel. It depends on shapes and
plain arguments only, so it is done once. Keys hold ``int``, ``None``, strings and tuples of these:
``1``, ``1.0`` and ``True`` are equal to a dictionary, and the callers let only the first through.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from inspect import signature
from operator import index
from typing import Any

from unigrad.core.backend import Backend
from unigrad.core.dispatch import dispatch
from unigrad.core.native_tape import Kernel
from unigrad.core.op import OPS, Op
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


class _Bound(dict[Backend, Kernel | None]):
    """An op's kernels with settings in them, by backend, bound when it first runs the op."""

    def __init__(self, op: Op, settings: Mapping[str, Any], scalars: tuple[Any, ...]) -> None:
        self._given = op, settings, scalars

    def __missing__(self, backend: Backend) -> Kernel | None:
        kernel = self[backend] = backend.bound(*self._given)
        return kernel


class Planned:
    """An op with its settings in it: what plans keep and `dispatch` runs.

    Args:
        op: the op.
        settings: its normalised settings.
        scalars: the Python scalars that it gets behind its tensors.
        one_kind: it is run on arrays of the same shapes and dtypes each time.
    """

    __slots__ = (
        "__weakref__", "body", "declared", "kernels", "one_kind", "scalars", "settings",
    )  # fmt: skip

    def __init__(
        self,
        op: Op,
        settings: Mapping[str, Any],
        scalars: tuple[Any, ...] = (),
        one_kind: bool = False,
    ) -> None:
        self.declared = op
        self.one_kind = one_kind
        self.settings = settings
        self.scalars = scalars
        self.kernels = _Bound(op, settings, scalars)
        assert op.body is None or not scalars, op.name
        self.body = None if op.body is None else partial(op.body, **settings)
        op.planned.add(self)


class BySetting(dict[Any, Planned]):
    """An op, named, planned by the value of its one setting, of which there are few."""

    def __init__(self, op: str, setting: str) -> None:
        self._op = op
        self._setting = setting

    def __missing__(self, value: Any) -> Planned:
        found = self[value] = Planned(OPS[self._op], {self._setting: value})
        return found


class ByNumbers(Plans):
    """An op, named, planned by settings that are floats, bools or ``None``.

    Example:
        >>> import unigrad as ug
        >>> slopes = ByNumbers("leaky_relu", "negative_slope")
        >>> slopes.of(0.5) is slopes.of(0.5), slopes.of(0.0) is slopes.of(-0.0)
        (True, False)
    """

    def __init__(self, op: str, *settings: str) -> None:
        self._op = op
        self._settings = settings

    def of(self, *values: float | None) -> Planned:
        """Return the op with these values for its settings, each always of one type.

        A number that is not zero may be asked for by `get` first, which is the shorter way.
        """
        key: Any = values if len(values) > 1 else values[0]
        found = self.get(key)
        if found is None:
            if any(type(one) is float and one == 0.0 for one in values):
                # Zeros are equal to a dictionary, whatever their sign: they are never kept as such.
                key = tuple(map(str, values))
                found = self.get(key)
            if found is None:
                settings = dict(zip(self._settings, values, strict=True))
                found = self.keep(key, Planned(OPS[self._op], settings))
        planned_one: Planned = found
        return planned_one


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
    plans = _PlansOf(op, plan)

    def alone(x: Tensor) -> Tensor:
        backend, native = x.backend, x._native
        found = plans[(backend.shape_key(native),)]
        out: Tensor = dispatch(found, backend, (x,), (native,))
        return out

    def with_one(x: Tensor, argument: Any) -> Tensor:
        backend, native = x.backend, x._native
        found = plans[backend.shape_key(native), argument]
        out: Tensor = dispatch(found, backend, (x,), (native,))
        return out

    def with_two(x: Tensor, first: Any, second: Any) -> Tensor:
        backend, native = x.backend, x._native
        found = plans[backend.shape_key(native), first, second]
        out: Tensor = dispatch(found, backend, (x,), (native,))
        return out

    def with_many(x: Tensor, *arguments: Any) -> Tensor:
        backend, native = x.backend, x._native
        found = plans[(backend.shape_key(native), *arguments)]
        out: Tensor = dispatch(found, backend, (x,), (native,))
        return out

    # Arguments that are named are handed on in 0.1 µs less than those that are gathered.
    return (alone, with_one, with_two, with_many)[min(len(signature(plan).parameters), 4) - 1]


class _PlansOf(Plans):
    """The plans of an op, by shape and plain arguments."""

    def __init__(self, op: Op, plan: Callable[..., Mapping[str, Any]]) -> None:
        self._op = op
        self._plan = plan

    def __missing__(self, key: tuple[Any, ...]) -> Any:
        shape, *arguments = key
        return self.keep(key, Planned(self._op, self._plan(tuple(shape), *arguments)))


def plain_ints(values: Any) -> tuple[int, ...]:
    """Return a sequence of integers as Python's own.

    Raises:
        TypeError: when one is no integer. A bool is none, though Python would count with it.
    """
    if type(values) is tuple:
        for one in values:
            if type(one) is not int:
                break
        else:
            return values
    whole = tuple(map(index, values))
    if (1 in whole or 0 in whole) and bool in map(type, values):
        raise TypeError("a bool is no integer")
    return whole
