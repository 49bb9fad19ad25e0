"""Public functions that are one op where a backend can make one of them.

Such a function is written in other ops. A backend that compiles, or brings a kernel for it, runs it
whole: one call instead of many. What the function checks depends on shapes, dtypes and plain
arguments alone, so that one call of each kind goes the long way, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from itertools import islice
from typing import Any, TypeAlias, TypeVar, cast

from unigrad.core.backend import Backend
from unigrad.core.dispatch import dispatch
from unigrad.core.op import Op, composite
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

#: Plain arguments: what a key may hold beside its type, as it may tuples of ints.
_PLAIN = frozenset((int, bool, str, type(None)))


def as_one_op(
    takes: str = "native_floats", looks: bool = False, name: str | None = None
) -> Callable[[F], F]:
    """Make a function of tensors an op, for calls with tensors and plain arguments.

    Args:
        takes: the table of a backend with the dtypes whose results depend on no default dtype.
        looks: it checks values (`unigrad.core.arguments.checked`), which a program that a library
            compiles could not.
        name: of the op, where the function's is that of another one.

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
        def body(
            *tensors: Tensor,
            layout: _Layout | None = None,
            named: tuple[str, ...] = (),
            **settings: Any,
        ) -> Any:
            count = len(tensors) - len(named)
            given = dict(zip(named, tensors[count:], strict=True))
            args = tensors[:count] if layout is None else _arguments(layout, tensors)
            return function(*args, **given, **settings)

        body.__name__ = name or function.__name__
        op = composite(body)
        op.looks = looks
        plans = _PlansByBackend(op, looks)

        @wraps(function)
        def run(*args: Any, **settings: Any) -> Any:
            first = args[0] if args else None
            if type(first) is tuple and first:
                first = first[0]
            if type(first) is not Tensor:
                return function(*args, **settings)
            backend = first.backend
            root = backend.root
            found = plans[root]
            if found is None or (backend.depth and (looks or op.kernels[root] is None)):
                return function(*args, **settings)
            if not settings and len(args) == 1 and first is args[0]:
                # The commonest call, without what any number of arguments takes.
                native = first._native
                plan = found.get((native.dtype, backend.shape_key(native)))
                if plan:
                    one, make = plan
                    made = dispatch(one, backend, args, (native,))
                    return made if make is None else make(made)
            inputs: tuple[Any, ...] = args
            named: tuple[str, ...] = ()
            layout: _Layout | None = None
            key: list[Any] = []
            if settings:
                for one_name, one in settings.items():
                    kind = type(one)
                    if kind is Tensor:
                        inputs, named = (*inputs, one), (*named, one_name)
                    elif kind in _PLAIN or (
                        root.composes_rows
                        and (
                            (kind is tuple and _INTS.issuperset(map(type, one)))
                            # Zeros of both signs are one key to a dictionary, and a NaN is none.
                            or (kind is float and (one > 0.0 or one < 0.0))
                        )
                    ):
                        key += one_name, one, kind
                    else:
                        return function(*args, **settings)
                key += named
            if not _TENSORS.issuperset(map(type, args)):
                if not root.composes_rows or (layout := _layout(args)) is None:
                    return function(*args, **settings)
                inputs = (*_tensors(args), *inputs[len(args) :])
                key += layout, tuple([type(one[0]) for one in layout if type(one) is tuple])
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
                if looks and backend.is_traced(natives[0]):
                    # Checks are those of the program that is being made.
                    return function(*args, **settings)
                # One program may round otherwise than the long way: a call is to give what the next
                # one will.
                plain = {key: one for key, one in settings.items() if key not in named}
                if layout is not None:
                    plain["layout"] = layout
                if named:
                    plain["named"] = named
                as_planned = Planned(op, plain)
                dtypes = getattr(backend, takes)
                fits = all(native.dtype in dtypes for native in natives)
                arrays = tuple(natives)
                gives: Any = backend.gives(as_planned, arrays) if fits and looks else None
                if gives is None:
                    result = function(*args, **settings)
                    gives = type(result)
                    if fits and looks and backend.composes_checked and backend.are_plain(arrays):
                        # It looks at values in a way of its own, and will again.
                        plans[root] = None
                        return result
                    if not fits or not (gives is Tensor or issubclass(gives, tuple)):
                        found.keep(kept, False)
                        return result
                # A named tuple is made of what the op gives.
                make = None if gives is Tensor or gives is tuple else gives._make
                plan = found.keep(kept, (as_planned, make))
            if plan:
                one, make = plan
                made = dispatch(one, backend, inputs, tuple(natives))
                return made if make is None else make(made)
            return function(*args, **settings)

        op.public = run
        return cast(F, run)

    return declare


#: How a call's tensors stand among its arguments: ``None`` for a tensor, a number for a tuple of so
#: many, and what is plain in a tuple of its own.
_Layout: TypeAlias = tuple[Any, ...]
_TENSORS = frozenset((Tensor,))
_INTS = frozenset((int,))


def _layout(args: tuple[Any, ...]) -> _Layout | None:
    """Return the layout of arguments; ``None`` where one is something else."""
    found: list[Any] = []
    for one in args:
        kind = type(one)
        if kind is Tensor:
            found.append(None)
        elif kind is tuple and one and _TENSORS.issuperset(map(type, one)):
            found.append(len(one))
        elif (
            kind in _PLAIN
            or (kind is tuple and _INTS.issuperset(map(type, one)))
            or (kind is float and (one > 0.0 or one < 0.0))
        ):
            found.append((one,))
        else:
            return None
    return tuple(found)


def _tensors(args: tuple[Any, ...]) -> Iterator[Tensor]:
    """Yield the tensors among arguments that have a layout."""
    for one in args:
        if type(one) is Tensor:
            yield one
        elif type(one) is tuple and one and type(one[0]) is Tensor:
            yield from one


def _arguments(layout: _Layout, tensors: Sequence[Tensor]) -> Iterator[Any]:
    """Yield the arguments of a layout."""
    rest = iter(tensors)
    for one in layout:
        if one is None:
            yield next(rest)
        else:
            yield one[0] if type(one) is tuple else tuple(islice(rest, one))


class _PlansByBackend(dict[Backend, Plans | None]):
    """The plans of an op, by root backend; ``None`` for one that would only run its formula."""

    def __init__(self, op: Op, looks: bool) -> None:
        self._op = op
        self._looks = looks

    def __missing__(self, backend: Backend) -> Plans | None:
        if self._looks:
            runs_whole = backend.composes_rows or backend.composes_checked
        else:
            runs_whole = (
                backend.composes_rows
                or backend.composes_whole
                or self._op.kernels[backend] is not None
            )
        found = self[backend] = Plans() if runs_whole else None
        return found
