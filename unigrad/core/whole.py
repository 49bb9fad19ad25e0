"""Public functions that are one op where a backend can make one of them.

Such a function is written in other ops. A backend that compiles, or brings a kernel for it, runs it
whole: one call instead of many. What the function checks depends on shapes, dtypes and plain
arguments alone, so that one call of each kind goes the long way, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from unigrad.core.backend import Backend
from unigrad.core.dispatch import dispatch
from unigrad.core.op import Op, composite
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

#: Plain arguments: what a key may hold beside its type.
_PLAIN = frozenset((int, bool, str, type(None)))


def as_one_op(takes: str = "native_floats") -> Callable[[F], F]:
    """Make a function of tensors an op, for calls with tensors and plain arguments by name.

    Args:
        takes: the table of a backend with the dtypes whose results depend on no default dtype.

    Example:
        >>> import unigrad as ug
        >>> @as_one_op()
        ... def twice_and_once(x):
        ...     return 2.0 * x, x
        >>> twice_and_once(ug.asarray(3.0))[0].item()
        6.0
    """

    def declare(function: F) -> F:
        @wraps(function)
        def body(*tensors: Tensor, named: tuple[str, ...] = (), **settings: Any) -> Any:
            count = len(tensors) - len(named)
            given = dict(zip(named, tensors[count:], strict=True))
            return function(*tensors[:count], **given, **settings)

        op = composite(body)
        plans = _PlansByBackend(op)

        @wraps(function)
        def run(*args: Any, **settings: Any) -> Any:
            if not args or type(args[0]) is not Tensor:
                return function(*args, **settings)
            backend = args[0].backend
            found = plans[backend.root]
            if found is None or (backend.depth and backend.root.composes_whole):
                return function(*args, **settings)
            inputs: tuple[Any, ...] = args
            named: tuple[str, ...] = ()
            key: list[Any] = []
            if settings:
                for name, one in settings.items():
                    kind = type(one)
                    if kind is Tensor:
                        inputs, named = (*inputs, one), (*named, name)
                    elif kind in _PLAIN:
                        key += name, one, kind
                    else:
                        return function(*args, **settings)
                key += named
            shape_of = backend.shape_key
            natives = []
            for x in inputs:
                if type(x) is not Tensor or x.backend is not backend:
                    return function(*args, **settings)
                native = x._native
                natives.append(native)
                key += native.dtype, shape_of(native)
            kept = tuple(key)
            plan = found.get(kept)
            if plan is None:
                result = function(*args, **settings)
                fits = type(result) is Tensor or type(result) is tuple
                dtypes = getattr(backend, takes)
                if not fits or any(native.dtype not in dtypes for native in natives):
                    found.keep(kept, False)
                    return result
                # The result was the long way's. One program may round otherwise: a call is to give
                # what the next one will.
                plain = {name: one for name, one in settings.items() if name not in named}
                plan = Planned(op, {"named": named, **plain} if named else plain)
                found.keep(kept, plan)
            if plan:
                return dispatch(plan, backend, inputs, tuple(natives))
            return function(*args, **settings)

        op.public = run
        return cast(F, run)

    return declare


class _PlansByBackend(dict[Backend, Plans | None]):
    """The plans of an op, by root backend; ``None`` for one that would only run its formula."""

    def __init__(self, op: Op) -> None:
        self._op = op

    def __missing__(self, backend: Backend) -> Plans | None:
        runs_whole = backend.composes_whole or self._op.kernels[backend] is not None
        found = self[backend] = Plans() if runs_whole else None
        return found
