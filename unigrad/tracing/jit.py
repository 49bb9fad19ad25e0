"""`ug.jit`: one compiled program per signature, Variables included.

At the first call with a signature (the structure of the arguments, their shapes and dtypes, the
values of static ones) the function is traced once. Every living Variable of the backend stands by
as a possible input; those that were read become inputs of the program, those that were written
become outputs, so the whole training step, tape and optimizer included, is one pure program.
What a trace means is the backend's business; one without a compiler just calls the function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

import numpy as np

from unigrad.core import dtypes, recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend, Native
from unigrad.core.dispatch import wrap
from unigrad.core.errors import BackendMismatchError, SettingError, TracingError
from unigrad.core.op import another_handle
from unigrad.core.registry import current_backend, owner_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable, living_variables, traced_by, tracing
from unigrad.tracing.scope import init_scope

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
Options = Mapping[str, Mapping[str, Any]]

#: A function that makes variables is traced again with them; one that does so every time is wrong.
_MOST_TRACES = 3


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


class _Static:
    """A static argument: compares and hashes by type and value, a leaf whatever it holds."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Static)
            # 2, 2.0 and True are equal and do different things.
            and type(self.value) is type(other.value)
            and bool(self.value == other.value)
        )

    def __hash__(self) -> int:
        try:
            return hash(self.value)
        except TypeError:
            message = f"must be hashable, which a {type(self.value).__name__} is not: give a tuple"
            raise SettingError(f"jit: a static argument {message}") from None


@dataclass
class _Program:
    """A compiled signature."""

    run: Callable[..., Sequence[Native]]
    reads: list[Variable]
    writes: list[Variable]
    structure: Any
    #: For each leaf of the result its place among the program's outputs, or the leaf itself.
    leaves: list[tuple[bool, Any]]


class Compiled(Generic[P, R]):
    """A function under `jit`: call it, or ask `programs` how often it was compiled."""

    def __init__(
        self, function: Callable[P, R], static: set[int], names: set[str], options: Options
    ) -> None:
        self._function: Callable[..., Any] = function
        self._static = static
        self._names = names
        self._options = options
        self._programs: dict[Any, _Program | None] = {}
        #: Signatures with which the function has been called uncompiled.
        self._called: set[Any] = set()

    @property
    def programs(self) -> int:
        """The number of signatures met so far."""
        return len(self._programs)

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
                _Static(one) if i in self._static or i - len(args) in self._static else one
                for i, one in enumerate(args)
            )
            named = {k: _Static(v) if k in self._names else v for k, v in kwargs.items()}
        leaves, structure = tree.flatten((given, named))
        if tracing.trace is not None or recorders.active():
            return self._plain(structure, leaves)
        backend = _backend_of(leaves)
        dynamic: list[Tensor] = []
        key: list[Any] = []
        for leaf in leaves:
            if isinstance(leaf, Tensor):
                tensor = leaf
            elif _is_input(leaf):
                tensor = as_tensor(leaf, _widest(leaves))
            else:
                key.append((type(leaf), leaf))
                continue
            dynamic.append(tensor)
            key.append((_Input, tensor.shape, tensor.dtype, type(leaf) is Tensor))
        signature = (backend, structure, tuple(key), dtypes.default_dtype())
        try:
            program = self._programs[signature]
        except KeyError:
            try:
                program = self._compile(backend, structure, leaves, dynamic)
            except _TracedInitialValue as error:
                # For once the function is called as it is: then the variable is there.
                if signature in self._called:
                    raise TracingError(str(error)) from None
                self._called.add(signature)
                return self._plain(structure, leaves)
            self._programs[signature] = program
        if program is None:
            return self._plain(structure, leaves)
        natives = [one._tensor.native for one in program.reads]
        outputs = program.run(*natives, *[tensor.native for tensor in dynamic])
        for variable, native in zip(program.writes, outputs, strict=False):
            variable.replace(wrap(backend, native))
        result: R = tree.unflatten(
            program.structure,
            [wrap(backend, outputs[x]) if place else x for place, x in program.leaves],
        )
        return result

    def _plain(self, structure: Any, leaves: Sequence[Any]) -> R:
        """Call the function as it is, with what a compiled one would get and give."""
        given = [
            another_handle(as_tensor(leaf, _widest(leaves))) if _is_input(leaf) else _given(leaf)
            for leaf in leaves
        ]
        args, kwargs = tree.unflatten(structure, given)
        result: R = self._function(*args, **kwargs)
        found, outer = tree.flatten(result)
        if any(isinstance(one, Variable) for one in found):
            result = tree.unflatten(
                outer, [one.read() if isinstance(one, Variable) else one for one in found]
            )
        return result

    def _compile(
        self, backend: Backend, structure: Any, leaves: Sequence[Any], dynamic: list[Tensor]
    ) -> _Program | None:
        """Trace the function, again if it made variables, and compile it."""
        for _ in range(_MOST_TRACES):
            trace = _Trace(backend, self._function, structure, leaves)
            examples = [one._tensor.native for one in trace.variables]
            examples += [tensor.native for tensor in dynamic]
            traced = backend.trace(trace.run, examples, dict(self._options.get(backend.name, {})))
            if traced is None:
                return None
            if not trace.made_variables:
                break
        else:
            raise TracingError(
                "jit: the function makes new Variables whenever it is traced; make them once, "
                "outside of it or in a layer's build"
            )
        used = [i for i, one in enumerate(trace.variables) if one.uid in trace.reads]
        start = len(trace.variables)
        run = traced.compile([*used, *range(start, start + len(dynamic))])
        return _Program(
            run,
            [trace.variables[i] for i in used],
            list(trace.writes.values()),
            trace.structure,
            trace.leaves,
        )


class _TracedInitialValue(TracingError):
    """A variable was to be made of a value that a trace has not computed yet."""


class _Input:
    """Marks an input in a signature."""


class _Trace:
    """One run of a function on traced values; stands between Variables and their readers."""

    def __init__(
        self, backend: Backend, function: Callable[..., Any], structure: Any, given: Iterable[Any]
    ) -> None:
        self.backend = backend
        self.variables = living_variables(backend)
        self.reads: set[int] = set()
        self.writes: dict[int, Variable] = {}
        self.made_variables = False
        self.structure: Any = None
        self.leaves: list[tuple[bool, Any]] = []
        self._function = function
        self._arguments = structure
        self._given = list(given)
        self._values: dict[int, Tensor] = {}

    def run(self, *natives: Native) -> list[Native]:
        """Call the function on traced arrays: of the variables first, then of the inputs."""
        count = len(self.variables)
        self._values = {
            one.uid: wrap(self.backend, native)
            for one, native in zip(self.variables, natives[:count], strict=True)
        }
        self.reads.clear()
        self.writes.clear()
        inputs = iter(natives[count:])
        leaves = [
            wrap(self.backend, next(inputs)) if _is_input(leaf) else _given(leaf)
            for leaf in self._given
        ]
        args, kwargs = tree.unflatten(self._arguments, leaves)
        with traced_by(self):
            result = self._function(*args, **kwargs)
        return self._outputs(result)

    def _outputs(self, result: Any) -> list[Native]:
        outputs = [self._values[key].native for key in self.writes]
        found, self.structure = tree.flatten(result)
        self.leaves = []
        for leaf in found:
            if isinstance(leaf, Variable):
                leaf = self.read(leaf)
            if isinstance(leaf, Tensor):
                self.leaves.append((True, len(outputs)))
                outputs.append(leaf.native)
            else:
                self.leaves.append((False, leaf))
        return outputs

    def outside(self, make: Callable[..., Tensor], value: Any, dtype: Any) -> Tensor:
        """Make a variable's initial value for real."""
        if isinstance(value, Tensor) and value.backend.is_traced(value.native):
            raise _TracedInitialValue(
                "Variable: its initial value is computed inside of a function that ug.jit traces, "
                "at every call anew; make the variable once, outside of it or in ug.init_scope()"
            )
        with init_scope():
            return make(value, dtype)

    def read(self, variable: Variable) -> Tensor:
        """Give the traced value of a variable."""
        if variable.uid not in self._values:
            # Made inside of this trace, which only goes on to find the others.
            self.made_variables |= variable.backend is self.backend
            return variable._tensor
        if variable.uid not in self.writes:
            self.reads.add(variable.uid)
        return self._values[variable.uid]

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """Take the traced value that a variable is assigned."""
        if variable.uid not in self._values:
            self.made_variables = True
            return
        self.writes[variable.uid] = variable
        self._values[variable.uid] = tensor


def _is_input(leaf: Any) -> bool:
    """Tell whether a leaf is an input of the program rather than part of its signature."""
    if isinstance(leaf, (bool, Variable, _Static, str)):
        return False
    if isinstance(leaf, (Tensor, int, float, complex, np.ndarray, np.generic)):
        return True
    return owner_of(leaf) is not None


def _widest(leaves: Sequence[Any]) -> Tensor | None:
    """Return an argument of 64 bits beside which Python's numbers are to keep their digits."""
    for leaf in leaves:
        if isinstance(leaf, Tensor) and leaf.dtype in (dtypes.float64, dtypes.complex128):
            return leaf
    return None


def _given(leaf: Any) -> Any:
    return leaf.value if isinstance(leaf, _Static) else leaf


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
