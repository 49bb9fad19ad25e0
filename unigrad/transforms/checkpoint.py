"""`ug.checkpoint`: compute values again in the backward pass rather than keep them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function
from unigrad.core.copying import own_handles
from unigrad.core.interpreters import stack
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.functions.function_op import FunctionOp
from unigrad.functions.through import filled, pulled_through, pushed_through
from unigrad.tracing.capture import Capture
from unigrad.tracing.graph import Graph, evaluate
from unigrad.tracing.signature import is_input
from unigrad.tracing.splitting import closed


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that keeps nothing of what it computes for the backward pass.

    The backward pass computes it again: memory for time (Griewank and Walther, 2008, chapter 12).
    While somebody records, the function is traced: it takes and returns pytrees of tensors, and no
    Python `if` may depend on their values. Values from outside, Variables too, get their gradients;
    to assign a Variable in it is refused.

    Raises:
        TracingError: when the function asks for the value of a tensor while it is traced.

    Source of the name: ``jax.checkpoint``.

    Example:
        >>> import unigrad as ug
        >>> float(ug.grad(checkpoint(lambda x: ug.sin(ug.sin(x))))(0.0))
        1.0
    """

    check_function("checkpoint: function", function)

    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        if not recorders.active() and not stack.frames:
            return own_handles(function(*args, **kwargs))
        leaves, structure = tree.flatten((args, kwargs))
        moving = [isinstance(x, Variable) or is_input(x) for x in leaves]
        tensors = [as_tensor(x) for x, one in zip(leaves, moving, strict=True) if one]

        def of_tensors(*given: Tensor) -> Any:
            rest = iter(given)
            args, kwargs = tree.unflatten(
                structure, [next(rest) if one else x for x, one in zip(leaves, moving, strict=True)]
            )
            return function(*args, **kwargs)

        capture = Capture(keep=True)
        graph = capture.graph(of_tensors, tensors)
        known = [capture.examples[value] for value in graph.outputs]
        out = iter(_rematerialised(graph, tensors, known))
        result, kept = graph.result
        return tree.unflatten(result, [next(out) if one is None else one[0] for one in kept])

    return run


def _rematerialised(
    graph: Graph, tensors: Sequence[Tensor], known: Sequence[Tensor] | None
) -> Sequence[Tensor]:
    """Run a graph as one op; its results are known already for these tensors."""
    graph, constants = closed(graph)
    inputs = [*tensors, *constants]
    arrays = [x._native for x in inputs]

    def function(*given: Tensor) -> Sequence[Tensor]:
        nonlocal known
        if known is not None and all(
            x._native is one for x, one in zip(given, arrays, strict=True)
        ):
            found, known = known, None
            return found
        return evaluate(graph, given)

    def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
        given = filled(cotangents, outputs)
        return pulled_through(lambda *x: evaluate(graph, x), inputs, given)

    def pushforward(tangents: Any, outputs: Any, inputs: Any) -> Any:
        return pushed_through(lambda *x: evaluate(graph, x), inputs, tangents)

    out: Sequence[Tensor] = FunctionOp("checkpoint", function, pullback, pushforward)(*inputs)
    return out
