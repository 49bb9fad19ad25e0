"""From a function and its arguments to a compiled program of arrays and Variables."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from unigrad.core import recorders, tree
from unigrad.core.backend import Backend, Lift, Native
from unigrad.core.dispatch import wrap, wrap_all
from unigrad.core.errors import BackendMismatchError, TracingError, UnigradError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable, exchanging, traced_by
from unigrad.tracing.dependencies import Dependencies, observed
from unigrad.tracing.scope import init_scope
from unigrad.tracing.signature import given_value, is_input

#: A function that makes variables is traced again with them; one that does so every time is wrong.
_MOST_TRACES = 3
#: How often a program whose variables another thread changed meanwhile is run without holding
#: the other threads up.
_FREE_RUNS = 4


class TracedInitialValue(TracingError):
    """A variable was to be made of a value that a trace has not computed yet."""


class Program:
    """What one trace was compiled to: takes the inputs, reads and writes the variables."""

    def __init__(
        self, backend: Backend, run: Callable[..., Sequence[Native]], trace: Trace
    ) -> None:
        self.dependencies = trace.dependencies
        self._backend = backend
        self._run = run
        self._reads = trace.reads
        self._writes = list(trace.writes.values())
        self._structure = trace.structure
        self._leaves = trace.leaves

    def __call__(self, inputs: Sequence[Tensor]) -> Any:
        """Run on the function's inputs and on what its variables hold; return its result.

        Threads never see half of what a run writes, and runs that write the same variables come
        out as if they had been made one after the other.
        """
        natives = [tensor.native for tensor in inputs]
        if self._writes:
            outputs = self._exchange(natives)
        else:
            outputs = self._outputs(natives, self._values() if self._reads else ())
        return tree.unflatten(
            self._structure, [outputs[x] if place else x for place, x in self._leaves]
        )

    def _values(self) -> list[Tensor]:
        with exchanging:
            return [variable._tensor for variable in self._reads]

    def _outputs(self, natives: Sequence[Native], values: Sequence[Tensor]) -> list[Tensor]:
        backend = self._backend
        try:
            outputs = self._run(*natives, *[tensor.native for tensor in values])
            return wrap_all(backend, outputs)
        except Exception as error:
            kind = None if isinstance(error, UnigradError) else backend.error_class(error)
            if kind is None:
                raise
            raise kind(f"jit on {backend.name}: {str(error).strip()[:300]}") from error

    def _exchange(self, natives: Sequence[Native]) -> list[Tensor]:
        """Run and write; run again if another thread changed a variable in the meantime."""
        for _ in range(_FREE_RUNS):
            before = self._values()
            outputs = self._outputs(natives, before)
            with exchanging:
                if all(map(operator.is_, before, [one._tensor for one in self._reads])):
                    return self._write(outputs)
        with exchanging:
            return self._write(self._outputs(natives, self._values()))

    def _write(self, outputs: list[Tensor]) -> list[Tensor]:
        for variable, tensor in zip(self._writes, outputs, strict=False):
            variable.replace(tensor)
        return outputs


def compiled(
    backend: Backend,
    function: Callable[..., Any],
    structure: Any,
    leaves: Sequence[Any],
    inputs: Sequence[Tensor],
    options: Mapping[str, Any],
) -> Program | None:
    """Trace a function, again if it made variables, and compile it.

    Returns ``None`` when the backend just calls functions.

    Raises:
        TracingError: when the function makes new variables however often it is traced.
    """
    examples = [tensor.native for tensor in inputs]
    for _ in range(_MOST_TRACES):
        trace = Trace(backend, function, structure, leaves)
        traced = backend.trace(trace.run, examples, options)
        if traced is None:
            return None
        if not trace.made_variables:
            trace.dependencies.settle()
            return Program(backend, traced.compile(), trace)
    raise TracingError(
        "jit: the function makes new Variables whenever it is traced; make them once, "
        "outside of it or in a layer's build"
    )


class Trace:
    """One run of a function on traced values; stands between Variables and their readers."""

    def __init__(
        self, backend: Backend, function: Callable[..., Any], structure: Any, given: Iterable[Any]
    ) -> None:
        self.backend = backend
        #: The variables that are inputs, in the order in which they were first read.
        self.reads: list[Variable] = []
        self.writes: dict[int, Variable] = {}
        self.made_variables = False
        self.structure: Any = None
        self.leaves: list[tuple[bool, Any]] = []
        self._function = function
        self._arguments = structure
        self._given = list(given)
        self.dependencies = Dependencies([function, *map(given_value, self._given)])
        self._values: dict[int, Tensor] = {}
        #: Variables of a later identity are made while this runs.
        self._start = recorders.fresh_uid()

    def run(self, lift: Lift, *natives: Native) -> list[Native]:
        """Call the function on traced arrays."""
        self._lift = lift
        inputs = iter(natives)
        leaves = [
            wrap(self.backend, next(inputs)) if is_input(leaf) else given_value(leaf)
            for leaf in self._given
        ]
        args, kwargs = tree.unflatten(self._arguments, leaves)
        with traced_by(self), observed():
            result = self._function(*args, **kwargs)
            return self._outputs(result)

    def _outputs(self, result: Any) -> list[Native]:
        outputs = [self._values[key].native for key in self.writes]
        found, self.structure = tree.flatten(result)
        for leaf in found:
            if isinstance(leaf, Variable):
                leaf = self.read(leaf)
            if isinstance(leaf, Tensor):
                self._check(leaf.backend, "returns a Tensor")
                self.leaves.append((True, len(outputs)))
                outputs.append(leaf.native)
            else:
                self.leaves.append((False, leaf))
        return outputs

    def outside(self, make: Callable[..., Tensor], value: Any, dtype: Any) -> Tensor:
        """Make a variable's initial value for real."""
        if isinstance(value, Tensor) and value.backend.is_traced(value.native):
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
            value = wrap(self.backend, self._lift(variable._tensor.native))
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
        if backend is not self.backend:
            raise BackendMismatchError(
                f"jit: a function compiled on {self.backend.name!r} {does} of {backend.name!r}; "
                f"give it a Tensor of {backend.name!r}, or call it under "
                f"ug.use_backend({backend.name!r})"
            )
