"""A graph as a compiled function that can be differentiated.

Without anybody who records it is one program. Else it is one op to whoever does: its forward
program also gives the residuals, which its backward program takes. Both come from one graph of the
function and its pullback, split in two. The backward program is such a function itself, so that it
can be differentiated, and so on to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.transforms import jvp
from unigrad.core import recorders
from unigrad.core.arguments import untracked
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap, wrap_all
from unigrad.core.native_tape import Native
from unigrad.core.tensor import Tensor
from unigrad.functions.function_op import FunctionOp
from unigrad.functions.through import filled, pulled_through, with_residuals
from unigrad.tracing import straight
from unigrad.tracing.capture import capture
from unigrad.tracing.connections import connections
from unigrad.tracing.graph import Graph, evaluate
from unigrad.tracing.splitting import closed, split

Natives: TypeAlias = Sequence[Native]
#: Which of some values are meant.
Mask: TypeAlias = tuple[bool, ...]


class GraphFunction:
    """A graph without variables, compiled for a backend at its first call.

    Args:
        graph: the function.
        backend: the library's.
        options: the compiler's, as `Backend.trace` takes them.
        name: for messages and graphs.
    """

    def __init__(
        self, graph: Graph, backend: Backend, options: Mapping[str, Any], name: str
    ) -> None:
        self._graph, self._constants = closed(graph)
        self._backend = backend
        self._options = options
        self._name = name
        self._connections = connections(self._graph)
        self._program: Callable[..., Natives] | None = None
        self._ops = lru_cache(16)(self._op)
        self.pushed = lru_cache(16)(self._forward_program)

    def __call__(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """Run on tensors of the backend; whoever records hears of one op."""
        if any(x.backend.depth for x in inputs):
            # An interpreter's values, cotangents of a batch say, go through the ops.
            return self._evaluated(inputs)
        used = frozenset().union(*self._connections)
        mask = tuple([i in used and self._is_wanted(x) for i, x in enumerate(inputs)])
        if True not in mask:
            results: Sequence[Tensor] = wrap_all(
                self._backend, self.run([x._native for x in inputs])
            )
            return results
        if any(map(_is_followed_in_reverse, inputs)):
            return self._connected(self._ops(mask), mask, inputs)
        return self._connected(self._forward_op(), mask, inputs)

    def _forward_op(self) -> FunctionOp:
        """Return the op where everybody differentiates forward: there need not be a pullback."""
        return FunctionOp(
            self._name,
            lambda *x: self(x),
            None,
            self._pushforward,
            kernel=lambda *x: tuple(self.run(x)),
        )

    def _op(self, mask: Mask) -> FunctionOp:
        """Return the op that recorders of some inputs hear of; residuals follow its results."""
        forward, backward, count = self._split(mask)

        def function(*given: Tensor) -> Sequence[Tensor]:
            return forward(given)

        def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
            given = filled(cotangents[:count], outputs)
            moving = [g for g, one in zip(given, self._floats(), strict=True) if one]
            carried = iter(backward([*outputs[count:], *moving]))
            found = [next(carried) if one else None for one in mask]
            return with_residuals(lambda *x: forward(x), count, found, cotangents, outputs, inputs)

        def kernel(*natives: Native) -> Natives:
            return tuple(forward.run(natives))

        return FunctionOp(self._name, function, pullback, forward._pushforward, kernel=kernel)

    def _connected(self, op: FunctionOp, mask: Mask, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Run the op; its results are connected to what they are computed from, and no more."""
        given = [x if one else untracked(x) for x, one in zip(inputs, mask, strict=True)]
        out: Sequence[Tensor] = op(*given)
        wanted = {i for i, one in enumerate(mask) if one}
        return [
            untracked(x) if wanted.isdisjoint(places) else x
            for x, places in zip(out[: len(self._connections)], self._connections, strict=True)
        ]

    def _pushforward(self, tangents: Any, outputs: Any, inputs: Any) -> Any:
        which = tuple([t is not None for t in tangents])
        moving = [t for t in tangents if t is not None]
        found = iter(self.pushed(which)([*inputs, *moving]))
        return [next(found) if one else None for one in self._floats()]

    def run(self, natives: Natives) -> Natives:
        """Run the program on native arrays."""
        given = [*natives, *[x._native for x in self._constants]]
        if self._program is None:
            self._program = compiled_graph(self._graph, self._backend, given, self._options)
        return self._program(*given)

    def _is_wanted(self, x: Tensor) -> bool:
        return x._native.dtype in x.backend.native_floats and _is_followed(x)

    def _floats(self) -> list[bool]:
        """Tell which outputs have derivatives."""
        return [one.dtype.kind in "fVc" for one in self._graph.outputs]

    def _made(self, graph: Graph) -> GraphFunction:
        return GraphFunction(graph, self._backend, self._options, self._name)

    def _examples(self) -> list[Tensor]:
        """Return tensors like the inputs, of ones: only their shapes and dtypes matter."""
        backend = self._backend
        return [
            wrap(backend, backend.from_numpy(_ones(one.shape, one.dtype), None))
            for one in self._graph.inputs[: len(self._graph.inputs) - len(self._constants)]
        ]

    def _evaluated(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        return evaluate(self._graph, [*inputs, *self._constants])

    def _split(self, mask: Mask) -> tuple[GraphFunction, GraphFunction, int]:
        """Return the forward function, the backward function, and how many results there are."""
        joint = self._joint(mask)
        count = len(self._graph.outputs)
        before, after, _ = split(joint, len(self._examples()), count)
        return self._made(before), self._made(after), count

    def _joint(self, mask: Mask) -> Graph:
        """Capture the function and its pullback in one graph."""
        with self._backend.init_scope():
            examples = self._examples()
        floats = self._floats()

        def both(*given: Tensor) -> Any:
            inputs, cotangents = given[: len(examples)], iter(given[len(examples) :])
            results: list[Tensor] = []

            def moving(*some: Tensor) -> Sequence[Tensor]:
                rest = iter(some)
                found = self._evaluated(
                    [next(rest) if one else x for x, one in zip(inputs, mask, strict=True)]
                )
                results.extend(found)
                return [x for x, one in zip(found, floats, strict=True) if one]

            wanted = [x for x, one in zip(inputs, mask, strict=True) if one]
            gradients = pulled_through(moving, wanted, [*cotangents])
            return [*results, *gradients]

        # Constants must be real: a program of the library's may be being traced around this.
        with recorders.only([]), self._backend.init_scope():
            outputs = evaluate_shapes(self._graph, self._backend)
            cotangents = [x for x, one in zip(outputs, floats, strict=True) if one]
            return capture(both, [*examples, *cotangents])[0]

    def _forward_program(self, which: Mask) -> GraphFunction:
        """Return the function of inputs and tangents that gives the tangents of the results."""
        with self._backend.init_scope():
            examples = self._examples()
        floats = self._floats()

        def pushed(*given: Tensor) -> Any:
            inputs, tangents = given[: len(examples)], given[len(examples) :]
            moving = [x for x, one in zip(inputs, which, strict=True) if one]

            def of_moving(*some: Tensor) -> Sequence[Tensor]:
                rest = iter(some)
                found = self._evaluated(
                    [next(rest) if one else x for x, one in zip(inputs, which, strict=True)]
                )
                return [x for x, one in zip(found, floats, strict=True) if one]

            return jvp(of_moving, moving, tangents)[1]

        with recorders.only([]), self._backend.init_scope():
            tangents = [zeros_like(x) for x, one in zip(examples, which, strict=True) if one]
            return self._made(capture(pushed, [*examples, *tangents])[0])


def _is_followed(x: Tensor) -> bool:
    """Tell whether a recorder, or the library's own autograd, follows a value."""
    return (x.uid != 0 and bool(recorders.watchers((x.uid,)))) or x.backend.follows(x._native)


def _is_followed_in_reverse(x: Tensor) -> bool:
    watching = recorders.watchers((x.uid,)) if x.uid else []
    return not all(one.forward for one in watching) or x.backend.follows(x._native)


def stand_in(backend: Backend, native: Native) -> Native:
    """Return a real array like one that may be of a trace; ones, whatever that holds."""
    if not backend.is_traced(native):
        return native
    return backend.from_numpy(_ones(backend.shape(native), backend.dtype(native)), None)


def _ones(shape: tuple[int, ...], dtype: Any) -> Any:
    import numpy as np

    return np.ones(shape, dtype)


def evaluate_shapes(graph: Graph, backend: Backend) -> list[Tensor]:
    """Return tensors like a graph's outputs, of ones."""
    return [
        wrap(backend, backend.from_numpy(_ones(one.shape, one.dtype), None))
        for one in graph.outputs
    ]


def compiled_graph(
    graph: Graph, backend: Backend, examples: Natives, options: Mapping[str, Any]
) -> Callable[..., Natives]:
    """Compile a graph without constants for a backend."""

    def run(lift: Any, *natives: Native) -> Natives:
        return [x._native for x in evaluate(graph, [wrap(backend, x) for x in natives])]

    with recorders.only([]):
        traced = backend.trace(run, examples, options)
        if traced is None:
            traced = straight.StraightProgram(graph, backend)
        return traced.compile()
