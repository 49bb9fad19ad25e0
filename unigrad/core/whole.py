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
            if not settings and first is args[0]:
                # The commonest calls, without what any number of arguments takes.
                native, count = first._native, len(args)
                if count == 1:
                    plan = found.get((native.dtype, backend.shape_key(native)))
                    if plan:
                        one, make = plan
                        made = dispatch(one, backend, args, (native,))
                        return made if make is None else make(made)
                elif count == 2 and type(second := args[1]) is Tensor:
                    other, shape_of = second._native, backend.shape_key
                    plan = second.backend is backend and found.get(
                        (native.dtype, shape_of(native), other.dtype, shape_of(other))
                    )
                    if plan:
                        one, make = plan
                        made = dispatch(one, backend, args, (native, other))
                        return made if make is None else make(made)
            rows, shape_of = root.composes_rows, backend.shape_key
            inputs: list[Any] = []
            natives: list[Any] = []
            key: list[Any] = []
            named: tuple[str, ...] = ()
            bare = True
            for arg in args:
                kind = type(arg)
                given = (arg,)
                if kind is not Tensor:
                    if not rows:
                        return function(*args, **settings)
                    bare = False
                    if kind is tuple and arg and _TENSORS.issuperset(map(type, arg)):
                        key += len(arg), kind
                        given = arg
                    elif _is_plain(arg, kind):
                        key += arg, kind
                        continue
                    else:
                        return function(*args, **settings)
                for x in given:
                    if x.backend is not backend:
                        return function(*args, **settings)
                    native = x._native
                    inputs.append(x)
                    natives.append(native)
                    key += native.dtype, shape_of(native)
            for one_name, value in settings.items():
                kind = type(value)
                if kind is Tensor:
                    if value.backend is not backend:
                        return function(*args, **settings)
                    native = value._native
                    inputs.append(value)
                    natives.append(native)
                    named = (*named, one_name)
                    key += one_name, native.dtype, shape_of(native)
                elif kind in _PLAIN or (rows and _is_plain(value, kind)):
                    key += one_name, value, kind
                else:
                    return function(*args, **settings)
            kept = tuple(key)
            plan = found.get(kept)
            if plan is None:
                if looks and backend.is_traced(natives[0]):
                    # Checks are those of the program that is being made.
                    return function(*args, **settings)
                # One program may round otherwise than the long way: a call is to give what the next
                # one will.
                plain = {key: one for key, one in settings.items() if key not in named}
                if not bare:
                    plain["layout"] = _layout(args)
                if named:
                    plain["named"] = named
                as_planned = Planned(op, plain, one_kind=True)
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
                made = dispatch(one, backend, tuple(inputs), tuple(natives))
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


def _layout(args: tuple[Any, ...]) -> _Layout:
    """Return the layout of arguments that may be those of a call run whole."""
    return tuple(
        [
            None
            if type(one) is Tensor
            else len(one)
            if type(one) is tuple and one and type(one[0]) is Tensor
            else (one,)
            for one in args
        ]
    )


def _is_plain(one: Any, kind: type) -> bool:
    """Tell whether a row's key may hold an argument of this type."""
    return (
        kind in _PLAIN
        or (kind is tuple and _INTS.issuperset(map(type, one)))
        # Zeros of both signs are one key to a dictionary, and a NaN is none.
        or (kind is float and (one > 0.0 or one < 0.0))
    )


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
