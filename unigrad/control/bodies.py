"""Bodies of loops and branches as graphs: captured once, with what they close over as inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, beside
from unigrad.core.copying import own_handles
from unigrad.core.interpreters import stack
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.core.variable import Variable
from unigrad.tracing.capture import assigned_inside
from unigrad.tracing.graph import Graph, Node, Value
from unigrad.tracing.grounded import BodyCapture, grounded

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
