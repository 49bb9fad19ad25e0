"""From a function and its arguments to a compiled program of arrays and Variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from sys import getrefcount
from typing import Any

from unigrad.core import programs, recorders, tree
from unigrad.core.backend import Backend, Lift
from unigrad.core.dispatch import wrap
from unigrad.core.errors import LEAKED, BackendMismatchError, TracingError, UnigradError
from unigrad.core.exchanging import exchanging
from unigrad.core.host_errors import own_error
from unigrad.core.native_tape import Native
from unigrad.core.origins import Limit
from unigrad.core.references import ALONE as _ALONE
from unigrad.core.tensor import Tensor
from unigrad.core.traces import traced_by
from unigrad.core.variable import Variable
from unigrad.functions.closures import is_followed
from unigrad.tracing import straight
from unigrad.tracing.calling import CHANGED, Caller
from unigrad.tracing.capture import Symbol, tracing_at
from unigrad.tracing.dependencies import Dependencies, observed
from unigrad.tracing.scope import init_scope
from unigrad.tracing.signature import Call, argument, given_value, is_input

#: A function that makes variables is traced again with them; one that does so every time is wrong.
MOST_TRACES = 3
#: How often a program whose variables another thread changed meanwhile is run without holding
#: the other threads up.
_FREE_RUNS = 4


#: The commonest results of a function.
_LEAVES = frozenset((Tensor, Variable))


class TracedInitialValue(TracingError):
    """A variable was to be made of a value that a trace has not computed yet."""


class Program:
    """What one trace was compiled to: takes the inputs, reads and writes the variables."""

    def __init__(
        self, backend: Backend, traced: programs.Program, trace: Trace, inputs: int
    ) -> None:
        self.dependencies = trace.dependencies
        self.limits = trace.limits
        #: The program in the library's own language, as text.
        self.show = traced.show
        self._direct = traced.direct
        self._backend = backend
        self._run = traced.compile()
        self._reads = trace.reads
        self._writes = list(trace.writes.values())
        self._structure = trace.structure
        self._leaves = trace.leaves
        places = {variable.uid: i for i, variable in enumerate(self._reads)}
        #: The places of values that are replaced in a run, and where their arrays may go.
        self._reusable = [
            (places[variable.uid], spare)
            for variable, spare in zip(self._writes, traced.spares, strict=False)
            if spare is not None and variable.uid in places
        ]
        donated = [places[one.uid] for one in self._writes if one.uid in places]
        #: What runs in the memory of values that are replaced, if anything may.
        self._run_donating = traced.donating([inputs + place for place in donated])
        self._caller = Caller(
            backend,
            inputs,
            self._reads,
            self._writes,
            trace.structure,
            trace.leaves,
            self._fail,
            [place for place, _ in self._reusable],
            self._give_back,
            self._run_donating,
            donated,
        )
        self._attempt = self._caller.attempt(self._run)
        self._quick: Callable[[tuple[Any, ...]], Any] | None = None

    def __call__(self, inputs: Sequence[Tensor]) -> Any:
        """Run on the function's inputs and on what its variables hold; return its result.

        Threads never see half of what a run writes, and runs that write the same variables come
        out as if they had been made one after the other.
        """
        return self.on([tensor._native for tensor in inputs])

    def on(self, natives: Sequence[Native]) -> Any:
        """Run on the inputs' arrays, again if another thread changed a variable meanwhile."""
        for _ in range(_FREE_RUNS):
            result = self._attempt(*natives)
            if result is not CHANGED:
                return result
        with exchanging:
            return self._attempt(*natives, held=True)

    def quick_call(self, call: Call, programs: Any) -> Callable[[tuple[Any, ...]], Any] | None:
        """Return what takes the arguments of calls like one that was made: see `Caller.quick_call`.

        ``None`` for calls with other arguments than tensors.
        """
        if self.limits or not call.is_plain:
            return None
        if self._quick is None:
            natives = [tensor._native for tensor in call.inputs]
            direct = None
            if self._run_donating is None:
                direct = self._direct([*natives, *[one._tensor._native for one in self._reads]])
            self._quick = self._caller.quick_call(
                self._run if direct is None else direct,
                call.signature,
                natives,
                self.dependencies,
                direct is not None,
                self.on,
                programs,
            )
        return self._quick

    def _fail(self, error: Exception) -> None:
        """Raise what an error in a run means, if it means anything else.

        Raises:
            UnigradError: of the class that the backend gives to it.
        """
        own = own_error(error)
        if own is not None:
            raise own from None
        kind = None if isinstance(error, UnigradError) else self._backend.error_class(error)
        if kind is not None:
            text = LEAKED if kind is TracingError else str(error).strip()[:300]
            raise kind(f"jit on {self._backend.name}: {text}") from error

    def _give_back(self, values: list[Any]) -> None:
        """Let later runs write into the arrays of values that were replaced, if nobody holds them.

        No variable leads to them any more: only who holds one now could look at it.
        """
        may_be_written = self._backend.may_be_written
        for place, (_, spare) in enumerate(self._reusable):
            tensor, values[place] = values[place], None
            if getrefcount(tensor) == _ALONE:
                native = tensor._native
                del tensor
                if getrefcount(native) == _ALONE and may_be_written([native])[0]:
                    spare.append(native)


class Closing:
    """What stands for the program of a function that takes what somebody follows from around it.

    In a graph that would be a constant, with no derivative: such a function is called as it is.
    """

    closes = True
    limits: tuple[Limit, ...] = ()

    def __init__(self, trace: Trace) -> None:
        self.dependencies = trace.dependencies


def compiled(
    function: Callable[..., Any], call: Call, options: Mapping[str, Any]
) -> Program | Closing:
    """Trace a function, again if it made variables, and compile it.

    Raises:
        TracingError: when the function makes new variables however often it is traced.
    """
    backend: Backend = call.signature[0]
    examples = [tensor._native for tensor in call.inputs]
    for _ in range(MOST_TRACES):
        trace = Trace(backend, function, call)
        outside: list[Tensor] = []
        traced = backend.trace(trace.run, examples, options)
        if traced is None:
            traced = straight.trace(backend, trace.run, examples)
            outside = [*traced.outside, *trace.passed]
        if trace.made_variables:
            continue
        trace.dependencies.settle()
        if recorders.thread.borrowed and any(map(is_followed, outside)):
            # Its constants hang in the graph of a caller, who may let go of that.
            return Closing(trace)
        return Program(backend, traced, trace, len(examples))
    raise makes_variables()


def makes_variables() -> TracingError:
    """Return the error for a function that makes variables whenever it is traced."""
    return TracingError(
        "jit: the function makes new Variables whenever it is traced; make them once, "
        "outside of it or in a layer's build"
    )


class Trace:
    """One run of a function on traced values; stands between Variables and their readers."""

    #: As for frames (`Frame.closes`): a library that traces may call functions when it likes.
    closes = True

    def __init__(self, backend: Backend, function: Callable[..., Any], call: Call) -> None:
        self.backend = backend
        #: The variables that are inputs, in the order in which they were first read.
        self.reads: list[Variable] = []
        self.writes: dict[int, Variable] = {}
        self.made_variables = False
        self.structure: Any = None
        self.leaves: list[tuple[bool, Any]] = []
        #: The tensors from outside that are results as they are.
        self.passed: list[Tensor] = []
        self._function = function
        self._arguments = call.structure
        self._given = list(call.leaves)
        #: What integers among the arguments must fit.
        self.limits: list[Limit] = []
        self.dependencies = Dependencies([function, *map(given_value, self._given)])
        self._values: dict[int, Tensor] = {}
        #: Variables of a later identity are made while this runs.
        self._start = recorders.fresh_uid()

    def run(self, lift: Lift, *natives: Native) -> list[Native]:
        """Call the function on traced arrays."""
        self._lift = lift
        inputs = iter(natives)
        leaves = [
            argument(leaf, self._handle(next(inputs)), self._given, place, self.limits)
            if is_input(leaf)
            else given_value(leaf)
            for place, leaf in enumerate(self._given)
        ]
        args, kwargs = tree.unflatten(self._arguments, leaves)
        with traced_by(self), observed():
            result = self._function(*args, **kwargs)
            return self._outputs(result)

    def _handle(self, native: Native) -> Tensor:
        """Return the handle of a traced array: the library's own, or of unigrad's capture."""
        depth = native.frame.depth if type(native) is Symbol else 0
        return wrap(tracing_at(self.backend, depth) if depth else self.backend, native)

    def _outputs(self, result: Any) -> list[Native]:
        outputs = [self._values[key]._native for key in self.writes]
        found, self.structure = tree.flatten_quickly(result, _LEAVES)
        for leaf in found:
            if isinstance(leaf, Variable):
                leaf = self.read(leaf)
            if isinstance(leaf, Tensor):
                self._check(leaf.backend, "returns a Tensor")
                self.leaves.append((True, len(outputs)))
                outputs.append(leaf._native)
                if not leaf.backend.is_traced(leaf._native):
                    self.passed.append(leaf)
            else:
                self.leaves.append((False, leaf))
        return outputs

    def outside(self, make: Callable[..., Tensor], value: Any, dtype: Any) -> Tensor:
        """Make a variable's initial value for real."""
        if isinstance(value, Tensor) and value.backend.is_traced(value._native):
            raise TracedInitialValue(
                "Variable: its initial value is computed inside of a function that ug.jit traces, "
                "at every call anew; make the variable once, outside of it or in ug.init_scope()"
            )
        with init_scope():
            return make(value, dtype)

    def read(self, variable: Variable) -> Tensor:
        """Give the traced value of a variable, an input from now on."""
        value = self._values.get(variable.uid)
        if value is None:
            self._meet(variable)
            self.reads.append(variable)
            value = self._handle(self._lift(variable._tensor._native))
            self._values[variable.uid] = value
        return value

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """Take the traced value that a variable is assigned."""
        if variable.uid not in self._values:
            self._meet(variable)
        self.writes[variable.uid] = variable
        self._values[variable.uid] = tensor

    def _meet(self, variable: Variable) -> None:
        """Hear of a variable for the first time."""
        self._check(variable.backend, f"uses the Variable {variable.name!r}")
        self.made_variables |= variable.uid > self._start
        self.dependencies.on_trainable(variable)

    def _check(self, backend: Backend, does: str) -> None:
        if backend.root is not self.backend:
            raise BackendMismatchError(
                f"jit: a function compiled on {self.backend.name!r} {does} of {backend.name!r}; "
                f"give it a Tensor of {backend.name!r}, or call it under "
                f"ug.use_backend({backend.name!r})"
            )
