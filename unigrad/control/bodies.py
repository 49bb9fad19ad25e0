"""Bodies of loops and branches as graphs: captured once, with what they close over as inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.batching.interpreter import Examples
from unigrad.core import tree
from unigrad.core.arguments import as_tensor, beside, untracked
from unigrad.core.copying import own_handles
from unigrad.core.dispatch import wrap
from unigrad.core.interpreters import stack
from unigrad.core.op import Op
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.core.variable import Variable
from unigrad.ops.indexing import getitem
from unigrad.tracing.capture import Capture, Symbol, assigned_inside, tracing_at
from unigrad.tracing.graph import Graph, Node, Value

#: Python's numbers, which take the dtype that they meet.
SCALARS = (bool, int, float, complex)


def returned(values: Any) -> Any:
    """Return what a loop or a branch ends with: handles of its own, and tensors for numbers.

    So it is where it runs as one op, and what is computed of it has one dtype, eager and traced.

    Example:
        >>> returned((1, 2.0))[1].dtype.name
        'float32'
    """
    own = own_handles(values)
    like = first_tensor(own)
    return tree.map(lambda one: as_tensor(one, like) if type(one) in SCALARS else one, own)


def first_tensor(*values: Any) -> Tensor | None:
    """Return the first tensor among the leaves of some pytrees: where its numbers belong, too.

    Example:
        >>> first_tensor((1, 2.0)) is None
        True
    """
    for leaf in tree.leaves(values):
        if isinstance(leaf, (Tensor, Variable)):
            return leaf.current() if isinstance(leaf, Variable) else leaf
    return None


def is_traced(values: Any) -> bool:
    """Tell whether functions are being traced: then a loop is one op, and no Python loop.

    It counts as well that a value of the given pytree belongs to a library's own trace.
    """
    if stack.frames or tracing.trace is not None:
        return True
    for leaf in tree.leaves(values):
        if isinstance(leaf, (Tensor, Variable)):
            tensor = leaf.current() if isinstance(leaf, Variable) else leaf
            if tensor.backend.is_traced(tensor._native):
                return True
    return False


class BodyCapture(Capture):
    """The capture of a body, whose examples are values of the library's own.

    So the ops that give them are in no graph and on no tape of those who trace or record outside.
    """

    def symbol(self, example: Tensor) -> Symbol:
        return super().symbol(grounded(example))

    def record(self, op: Op, natives: Sequence[Any], settings: Any) -> Any:
        """Note an op; a composite that the library has no kernel of is taken apart."""
        root = next(one for one in natives if type(one) is Symbol).example.backend
        if op.body is None or op.kernels[root] is not None:
            return super().record(op, natives, settings)
        level = tracing_at(root, self.depth)
        found = op.body(
            *[wrap(level, one) if type(one) is Symbol else one for one in natives], **settings
        )
        if type(found) is tuple:
            return tuple([_entered(level, one) for one in found])
        return _entered(level, found)


def _entered(level: Any, tensor: Tensor) -> Any:
    return (tensor if tensor.backend is level else level.lift(tensor))._native


def grounded(tensor: Tensor) -> Tensor:
    """Return a value of the library's own that a value under interpreters may have."""
    native = tensor._native
    if isinstance(native, Symbol):
        return grounded(native.example)
    if isinstance(native, Examples):
        value = grounded(native.value)
        return first_of(value) if native.batched else value
    return untracked(tensor)


def first_of(x: Tensor) -> Tensor:
    """Return a value like those along the first axis, of a tensor of the library's own."""
    if x.shape[0]:
        return getitem(x, 0)
    return beside(x, np.ones(x.shape[1:], x.dtype))


def example_of(value: Value, like: Tensor) -> Tensor:
    """Return ones of a value's shape and dtype in the library of a tensor."""
    return beside(grounded(like), np.ones(value.shape, value.dtype))


def captured(
    function: Callable[..., Sequence[Any]], examples: Sequence[Tensor]
) -> tuple[Graph, list[Tensor]]:
    """Capture a function of flat tensors that returns a list of tensors.

    Returns:
        The graph, whose inputs are the function's and then what it closes over, and the tensors
        that are to be given for the latter: constants, and what variables hold.

    Raises:
        TracingError: when it assigns to a variable.
    """

    def flat(*tensors: Tensor) -> Sequence[Tensor]:
        return [as_tensor(one) for one in function(*tensors)]

    with np.errstate(all="ignore"):
        graph = BodyCapture().graph(flat, examples, variables=True)
    for variable, _ in graph.writes:
        raise assigned_inside(variable)
    outside = [*graph.constants.values()]
    outside += [variable.__unigrad_tensor__() for variable in graph.variables.values()]
    return (
        Graph(
            inputs=(*graph.inputs, *graph.constants, *graph.variables),
            nodes=needed(graph.nodes, graph.outputs),
            outputs=graph.outputs,
        ),
        outside,
    )


def needed(nodes: Sequence[Node], outputs: Sequence[Any]) -> tuple[Node, ...]:
    """Return the nodes that outputs depend on."""
    live = {*outputs}
    kept = []
    for node in reversed(nodes):
        if not live.isdisjoint(node.outputs):
            kept.append(node)
            live.update([one for one in node.inputs if type(one) is Value])
    return tuple(reversed(kept))


def with_inputs(graph: Graph, inputs: Sequence[Value]) -> Graph:
    """Return a graph with other inputs, some of them not used."""
    return Graph(inputs=tuple(inputs), nodes=graph.nodes, outputs=graph.outputs)
