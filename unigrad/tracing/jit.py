"""`ug.jit`: one compiled program per signature, Variables included.

At the first call with a signature (the structure of the arguments, their shapes and dtypes, the
values of static ones, and the context values) the function is traced once. A Variable becomes an
input of the program when the trace first reads it, and an output when it is written, so the whole
training step, tape and optimizer included, is one pure program. Of Python objects the trace takes
what they hold; when that changes, the function is traced again (`unigrad.tracing.dependencies`).
What a trace means is the backend's business; for one without a compiler unigrad captures the graph
and runs its kernels in a row.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import optree

from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.calls import check_function
from unigrad.core.copying import own_handles
from unigrad.core.errors import SettingError, TracingError
from unigrad.core.interpreters import stack
from unigrad.core.op import another_handle
from unigrad.core.origins import check_limits
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.tracing.cache import AnyProgram, CacheInfo, Programs, differences
from unigrad.tracing.calling import MISSED
from unigrad.tracing.lowered import Lowered, lowered
from unigrad.tracing.program import Closing, Program, TracedInitialValue, compiled
from unigrad.tracing.recorded import recorded
from unigrad.tracing.scope import making
from unigrad.tracing.signature import (
    Call,
    Static,
    are_tensors,
    argument,
    backend_of,
    given_value,
    input_of,
    is_input,
    number_kind,
    positional,
)
from unigrad.tracing.switch import is_disabled

_process = recorders.process
P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
Options = Mapping[str, Mapping[str, Any]]


@overload
def jit(
    function: Callable[P, R],
    /,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    dynamic_shapes: bool = False,
    options: Options | None = None,
) -> Compiled[P, R]: ...
@overload
def jit(
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    dynamic_shapes: bool = False,
    options: Options | None = None,
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...
def jit(
    function: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    dynamic_shapes: bool = False,
    options: Options | None = None,
) -> Any:
    """Compile a function of Tensors (pytrees of them) and Variables, on any backend.

    Tensors, arrays and Python numbers are inputs; bools, strings, ``None`` and everything else
    is static: another value is another program, and must be hashable. A number comes in as a 0-d
    tensor that is as weak as it was: another value is no other program, and beside a tensor it has
    the tensor's dtype. Variables may be read,
    assigned and made at the first call. Printing and other effects of Python happen only while
    the function is traced. Under a recording tape, or `grad` and its kin, it is compiled as well,
    and so is its derivative.

    Args:
        function: what to compile; it returns a pytree.
        static_argnums: positions of arguments that are static whatever their type, however they
            are given.
        static_argnames: names of arguments that are.
        dynamic_shapes: must be False: every shape is a program of its own, on every backend. Pad
            to a few lengths instead.
        options: settings for a backend's compiler by the backend's name, for example
            ``{"torch": {"compiler": "inductor"}}``.

    Raises:
        TracingError: when the function asks for the value of a traced Tensor, or makes new
            Variables at every call.
        SettingError: when ``dynamic_shapes`` is True, what is to be compiled cannot be called, or
            has no such static argument, or a backend's compiler no such option.

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
    if dynamic_shapes:
        raise SettingError(
            "jit: dynamic_shapes=True is not supported: shapes are Python's integers while a "
            "function is traced, on every backend, so that each shape is a program of its own; "
            "pad to a few lengths and mask what is padded"
        )
    if function is None:
        return functools.partial(
            jit,
            static_argnums=static_argnums,
            static_argnames=static_argnames,
            options=options,
        )
    check_function("jit: function", function)
    places = {static_argnums} if isinstance(static_argnums, int) else set(static_argnums)
    names = {static_argnames} if isinstance(static_argnames, str) else set(static_argnames)
    _match(function, places, names)
    compiled: Compiled[..., Any] = Compiled(function, places, names, options or {})
    # A function may be an object with attributes of its own: none of them is taken over.
    return functools.update_wrapper(compiled, function, updated=())


def _check_options(backend: Backend, options: Mapping[str, Any]) -> None:
    """Check the settings for a backend's compiler.

    Raises:
        SettingError: when it has no such setting, or one may not have this value.
    """
    for name, value in options.items():
        allowed = backend.jit_options.get(name)
        if allowed is None:
            known = ", ".join(map(repr, backend.jit_options)) or "none"
            raise SettingError(f"jit: {backend.name} has no option {name!r}; there are {known}")
        if value not in allowed:
            raise SettingError(
                f"jit: the option {name!r} of {backend.name} is one of "
                f"{', '.join(map(repr, allowed))}, not {value!r}"
            )


def _match(function: Callable[..., Any], places: set[int], names: set[str]) -> None:
    """Add to the places of static arguments those of their names, and the other way round."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # Some functions written in C do not tell.
        return
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    order = [one.name for one in parameters if one.kind in positional]
    kinds = {one.kind for one in parameters}
    known = range(-len(order), len(order))
    if inspect.Parameter.VAR_POSITIONAL not in kinds and (far := places - {*known}):
        raise SettingError(
            f"jit: static_argnums {sorted(far)}, but the function takes {len(order)} arguments"
        )
    there = {one.name for one in parameters}
    if inspect.Parameter.VAR_KEYWORD not in kinds and (strange := names - there):
        raise SettingError(
            f"jit: static_argnames {sorted(strange)}, but the function's arguments are "
            f"{', '.join(sorted(there)) or 'none'}"
        )
    named = {i for i, name in enumerate(order) if name in names}
    names.update(order[i] for i in places if i in known)
    places |= named


class Compiled(Generic[P, R]):
    """A function under `jit`: call it, look at what was compiled (`lower`), and how often."""

    def __init__(
        self, function: Callable[P, R], static: set[int], names: set[str], options: Options
    ) -> None:
        self._function: Callable[..., Any] = function
        self._static = static
        self._names = names
        self._options = options
        self._programs = Programs(getattr(function, "__qualname__", repr(function)))
        #: Signatures with which the function has been called uncompiled.
        self._called: set[Any] = set()

    @property
    def programs(self) -> int:
        """The number of programs: one per signature, and one more for each change of what a trace
        took from Python objects (of which the latest few are kept).
        """
        return len(self._programs.all)

    def cache_info(self) -> CacheInfo:
        """Return how many calls found a program, how many traced one, and how many are kept."""
        return self._programs.info()

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Compiled[P, R]: ...
    @overload
    def __get__(
        self: Compiled[Concatenate[S, Q], R], instance: S, owner: Any = None
    ) -> Callable[Q, R]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if not kwargs and not _process.recording:
            found: R = self._programs.quick(args)
            if found is not MISSED:
                return found
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        leaves, structure = self._flat(args, kwargs)
        if tracing.trace is not None or stack.frames or is_disabled():
            return self._plain(structure, leaves)
        call = Call(leaves, structure)
        if any(x.backend.is_stand_in(x._native) for x in call.inputs):
            return self._plain(structure, leaves)
        try:
            program = self._program(call)
        except TracedInitialValue as error:
            # For once the function is called as it is: then the variable is there.
            if call.signature in self._called:
                raise TracingError(str(error)) from None
            self._called.add(call.signature)
            return self._plain(structure, leaves)
        except ValueError as error:
            # NumPy has tried to write a traced number into an array, and says so in its own words.
            if isinstance(error.__cause__, TracingError):
                raise TracingError(str(error.__cause__)) from error
            raise
        if not isinstance(program, Program) and program.closes:
            return self._plain(structure, leaves)
        assert not isinstance(program, Closing)
        if program.limits:
            check_limits(program.limits, call.leaves)
        result: R = program(call.inputs)
        self._programs.expect(program, call)
        return result

    def lower(self, *args: P.args, **kwargs: P.kwargs) -> Lowered:
        """Return what is compiled for a call with these arguments: its graph and the library's.

        Variables keep their values; those that the function makes at its first call are made.

        Raises:
            TracingError: as a call, and inside of a function that is traced.

        Example:
            >>> import unigrad as ug
            >>> f = ug.jit(lambda x: ug.sum(x * 2.0))
            >>> print(f.lower(ug.asarray([1.0, 2.0])).graph)
            graph(a: float32[2]):
              b: float32[2] = multiply(a, 2.0)
              c: float32[] = sum(b, axis=None, keepdims=False)
              return c
        """
        if tracing.trace is not None or stack.frames:
            raise TracingError("lower: inside of a function that is traced nothing is compiled")
        with recorders.only([]):
            call = Call(*self._flat(args, kwargs))
            program = self._program(call)
            assert isinstance(program, Program)
            return lowered(program, self._function, call)

    def _flat(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], Any]:
        """Return the arguments' leaves and structure, static ones wrapped."""
        if not kwargs and not self._static and are_tensors(args):
            return list(args), positional(len(args))
        if self._static or self._names:
            args = tuple(
                Static(one) if i in self._static or i - len(args) in self._static else one
                for i, one in enumerate(args)
            )
            kwargs = {k: Static(v) if k in self._names else v for k, v in kwargs.items()}
        return tree.flatten((args, kwargs))

    def _program(self, call: Call) -> AnyProgram:
        """Return the program of a call, traced now if there is none that fits."""
        try:
            found = self._programs.find(call.signature)
        except TypeError:
            kinds = sorted({type(leaf).__name__ for leaf in call.leaves if not is_input(leaf)})
            raise SettingError(
                "jit: an argument that is no tensor, array or number is static and must be "
                f"hashable; one of these is not: {', '.join(kinds)}"
            ) from None
        if found is not None:
            return found
        with making:
            # Another thread may have traced it meanwhile.
            found = self._programs.find(call.signature)
            if found is not None:
                return found
            backend = call.signature[0]
            options = dict(self._options.get(backend.name, {}))
            _check_options(backend, options)
            return self._programs.add(
                call.signature,
                # To whoever records it is one op, whose derivative is compiled as well.
                lambda: (recorded if call.seen else compiled)(self._function, call, options),
                lambda before, now: differences(before, now, _paths(call.structure)),
            )

    def _plain(self, structure: Any, leaves: Sequence[Any]) -> R:
        """Call the function as it is, with what a compiled one would get and give."""
        given = [_given(leaf, leaves) for leaf in leaves]
        args, kwargs = tree.unflatten(structure, given)
        result: R = own_handles(self._function(*args, **kwargs))
        return result


def _given(leaf: Any, leaves: Sequence[Any]) -> Any:
    """Return what a function that is called as it is gets for a leaf."""
    if not is_input(leaf):
        return given_value(leaf)
    like = next((one for one in leaves if isinstance(one, Tensor)), None)
    if number_kind(leaf) is None:
        return another_handle(as_tensor(leaf, like))
    return argument(leaf, input_of(leaf, backend_of(leaves), like), leaves)


def _paths(structure: Any) -> list[str]:
    """Return the names of the arguments' leaves, as messages show them."""
    paths = []
    for which, first, *rest in optree.treespec_paths(structure):
        name = str(first) if which == 0 else repr(first)
        paths.append(name + "".join([f"[{one!r}]" for one in rest]))
    return paths
