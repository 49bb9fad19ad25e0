"""`ug.jit`: one compiled program per signature, Variables included.

At the first call with a signature (the structure of the arguments, their shapes and dtypes, the
values of static ones, and the context values) the function is traced once. A Variable becomes an
input of the program when the trace first reads it, and an output when it is written, so the whole
training step, tape and optimizer included, is one pure program. Of Python objects the trace takes
what they hold; when that changes, the function is traced again (`unigrad.tracing.dependencies`).
What a trace means is the backend's business; one without a compiler just calls the function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from unigrad.core import dtypes, recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.context import context_values
from unigrad.core.copying import own_handles
from unigrad.core.errors import BackendMismatchError, SettingError, TracingError
from unigrad.core.op import another_handle
from unigrad.core.registry import current_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable, tracing
from unigrad.tracing.program import Program, TracedInitialValue, compiled
from unigrad.tracing.scope import making
from unigrad.tracing.signature import Static, given_value, is_input

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
Options = Mapping[str, Mapping[str, Any]]

#: How many programs of one signature are kept, whose traces took different things from Python.
_MOST_PROGRAMS = 8


@overload
def jit(function: Callable[P, R], /) -> Compiled[P, R]: ...
@overload
def jit(
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    options: Options | None = None,
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...
def jit(
    function: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    options: Options | None = None,
) -> Any:
    """Compile a function of Tensors (pytrees of them) and Variables, on any backend.

    Tensors, arrays and Python numbers are inputs; bools, strings, ``None`` and everything else
    is static: another value is another program, and must be hashable. A number comes in as a 0-d
    tensor of the default dtype of its kind, or of 64 bits if a tensor among the arguments is so;
    to have it absorbed as Python numbers are, make it static. Variables may be read,
    assigned and made at the first call. Printing and other effects of Python happen only while
    the function is traced. Under a recording tape the function is simply called, so that it can
    be differentiated.

    Args:
        function: what to compile; it returns a pytree.
        static_argnums: positions of arguments that are static whatever their type, however they
            are given.
        static_argnames: names of arguments that are.
        options: settings for a backend's compiler by the backend's name, for example
            ``{"torch": {"compiler": "inductor"}}``.

    Raises:
        TracingError: when the function asks for the value of a traced Tensor, or makes new
            Variables at every call.

    Example:
        >>> import unigrad as ug
        >>> count = ug.Variable(0.0)
        >>> @ug.jit
        ... def step(x):
        ...     count.assign_add(1.0)
        ...     return x * count
        >>> float(step(ug.asarray(2.0))), float(step(ug.asarray(2.0)))
        (2.0, 4.0)
    """
    if function is None:
        return functools.partial(
            jit,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            options=options,
        )
    places = {static_argnums} if isinstance(static_argnums, int) else set(static_argnums)
    names = {static_argnames} if isinstance(static_argnames, str) else set(static_argnames)
    _match(function, places, names)
    compiled: Compiled[..., Any] = Compiled(function, places, names, options or {})
    return functools.wraps(function)(compiled)


def _match(function: Callable[..., Any], places: set[int], names: set[str]) -> None:
    """Add to the places of static arguments those of their names, and the other way round."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # Some functions written in C do not tell.
        return
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    order = [one.name for one in parameters if one.kind in positional]
    named = {i for i, name in enumerate(order) if name in names}
    names.update(order[i] for i in places if 0 <= i < len(order))
    places |= named


class Compiled(Generic[P, R]):
    """A function under `jit`: call it, or ask `programs` how often it was compiled."""

    def __init__(
        self, function: Callable[P, R], static: set[int], names: set[str], options: Options
    ) -> None:
        self._function: Callable[..., Any] = function
        self._static = static
        self._names = names
        self._options = options
        #: By signature, the latest first; ``None`` where the backend just calls the function.
        self._programs: dict[Any, tuple[Program, ...] | None] = {}
        #: Signatures with which the function has been called uncompiled.
        self._called: set[Any] = set()

    @property
    def programs(self) -> int:
        """The number of programs: one per signature, and one more for each change of what a trace
        took from Python objects (of which the latest few are kept).
        """
        return sum([1 if found is None else len(found) for found in self._programs.values()])

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Compiled[P, R]: ...
    @overload
    def __get__(
        self: Compiled[Concatenate[S, Q], R], instance: S, owner: Any = None
    ) -> Callable[Q, R]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        given: tuple[Any, ...] = args
        named: dict[str, Any] = kwargs
        if self._static or self._names:
            given = tuple(
                Static(one) if i in self._static or i - len(args) in self._static else one
                for i, one in enumerate(args)
            )
            named = {k: Static(v) if k in self._names else v for k, v in kwargs.items()}
        leaves, structure = tree.flatten((given, named))
        if tracing.trace is not None or recorders.active():
            return self._plain(structure, leaves)
        backend = _backend_of(leaves)
        several = _has_several_devices(backend)
        dynamic: list[Tensor] = []
        key: list[Any] = []
        for leaf in leaves:
            if isinstance(leaf, Tensor):
                tensor = leaf
            elif is_input(leaf):
                tensor = as_tensor(leaf, _widest(leaves))
            else:
                key.append((type(leaf), leaf))
                continue
            dynamic.append(tensor)
            place = tensor.device if several else None
            key.append((Tensor, tensor.shape, tensor.dtype, type(leaf) is Tensor, place))
        signature = (backend, structure, tuple(key), context_values(), backend.context())
        try:
            program = self._program(signature, structure, leaves, dynamic)
        except TracedInitialValue as error:
            # For once the function is called as it is: then the variable is there.
            if signature in self._called:
                raise TracingError(str(error)) from None
            self._called.add(signature)
            return self._plain(structure, leaves)
        if program is None:
            return self._plain(structure, leaves)
        result: R = program(dynamic)
        return result

    def _program(
        self, signature: Any, structure: Any, leaves: Sequence[Any], dynamic: list[Tensor]
    ) -> Program | None:
        """Return the program of a signature, traced now if there is none that fits."""
        try:
            found = self._programs.get(signature, ())
        except TypeError:
            kinds = sorted({type(leaf).__name__ for leaf in leaves if not is_input(leaf)})
            raise SettingError(
                "jit: an argument that is no tensor, array or number is static and must be "
                f"hashable; one of these is not: {', '.join(kinds)}"
            ) from None
        for program in found or ():
            if program.dependencies.hold():
                return program
        if found is None:
            return None
        with making:
            # Another thread may have traced it meanwhile.
            now = self._programs.get(signature, ())
            if now is not found and now:
                for program in now:
                    if program.dependencies.hold():
                        return program
            backend: Backend = signature[0]
            options = dict(self._options.get(backend.name, {}))
            traced = compiled(backend, self._function, structure, leaves, dynamic, options)
            self._programs[signature] = (
                None if traced is None else (traced, *(now or ()))[:_MOST_PROGRAMS]
            )
            return traced

    def _plain(self, structure: Any, leaves: Sequence[Any]) -> R:
        """Call the function as it is, with what a compiled one would get and give."""
        given = [
            another_handle(as_tensor(leaf, _widest(leaves)))
            if is_input(leaf)
            else given_value(leaf)
            for leaf in leaves
        ]
        args, kwargs = tree.unflatten(structure, given)
        result: R = own_handles(self._function(*args, **kwargs))
        return result


def _widest(leaves: Sequence[Any]) -> Tensor | None:
    """Return an argument of 64 bits beside which Python's numbers are to keep their digits."""
    for leaf in leaves:
        if isinstance(leaf, Tensor) and leaf.dtype in (dtypes.float64, dtypes.complex128):
            return leaf
    return None


@functools.cache
def _has_several_devices(backend: Backend) -> bool:
    """Tell whether arguments may be on different devices.

    Example:
        >>> _has_several_devices(current_backend()) in (False, True)
        True
    """
    return len(backend.devices()) > 1


def _backend_of(leaves: Sequence[Any]) -> Backend:
    """Return the backend of the Tensors and Variables, else the current one.

    Raises:
        BackendMismatchError: when there are two.
    """
    found: Backend | None = None
    for leaf in leaves:
        if isinstance(leaf, (Tensor, Variable)):
            backend = leaf.backend
            if found is not None and backend is not found:
                raise BackendMismatchError(
                    f"jit: an argument of backend {found.name!r} met one of {backend.name!r}"
                )
            found = backend
    return found or current_backend()
