"""The ops of control flow: `scan`, `while_loop` and `cond`, whose settings hold graphs.

A backend's kernel gets native arrays and the settings; ``body.on(backend)`` is a graph as a
function of native arrays. Without one, Python's loops run (`unigrad.control.natively`).

Where somebody records who will differentiate by the textbook, `scan` runs with more results: what
each step leaves for the backward pass (`unigrad.control.linearizing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unigrad.control import natively
from unigrad.control.natively import LoopKernels
from unigrad.core import recorders
from unigrad.core.arguments import as_tensor
from unigrad.core.dtypes import INEXACT
from unigrad.core.op import OPS, Op, backend_of
from unigrad.core.tensor import Tensor
from unigrad.ops.joining import stack
from unigrad.ops.shaping import broadcast_to
from unigrad.tracing.graph import Graph, Value, evaluate


def with_an_input(graph: Graph, inputs: list[Tensor]) -> tuple[Graph, list[Tensor]]:
    """Give a graph that needs nothing an input that it does not use: an op runs on tensors."""
    if inputs:
        return graph, inputs
    unused = as_tensor(0)
    value = Value(unused.shape, unused.dtype)
    return Graph(inputs=(value,), nodes=graph.nodes, outputs=graph.outputs), [unused]


def _watchers(op: Op, inputs: Sequence[Any]) -> list[Any]:
    """Return the recorders that will hear of an op."""
    if not recorders.process.recording:
        return []
    uids = tuple([x.uid for x in inputs if type(x) is Tensor and x.uid])
    return recorders.watchers(uids, backend_of(op, inputs).depth)


def _tracked_by(tapes: Sequence[Any], inputs: Sequence[Any]) -> list[int]:
    """Return the positions of inputs that tapes track."""
    return [
        i
        for i, x in enumerate(inputs)
        if type(x) is Tensor and any(x.uid in one.tracked for one in tapes)
    ]


def _go_by_rule(op: Op, inputs: Sequence[Any], tapes: Sequence[Any]) -> bool:
    """Tell whether tapes will use an op's rule, not the library's derivative."""
    backend = backend_of(op, inputs)
    if backend.depth or not backend.differentiates or op.name in backend.by_rule:
        return True
    return any(one.needs_rules for one in tapes)


class Scan(Op):
    """A loop of known length. Inputs: the carries, the rows' tensors, then constants.

    Settings: ``body`` (carry, row, constants → carry, results), ``carries`` and ``rows`` (how many
    there are), ``length``, ``reverse``, ``unroll``, and ``plan``: how the body is differentiated,
    when it gives the residuals for that.
    """

    __slots__ = ()

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        if settings["plan"] is None:
            tapes = [one for one in _watchers(self, inputs) if not one.forward]
            if tapes and _go_by_rule(self, inputs, tapes):
                from unigrad.control.linearizing import linearized

                plan = linearized(settings, inputs, _tracked_by(tapes, inputs))
                settings = {**settings, "body": plan.forward, "plan": plan}
                found = super().__call__(*inputs, *plan.extra, **settings)
                return found[: len(found) - plan.added]
        return super().__call__(*inputs, **settings)


class WhileLoop(Op):
    """A loop whose length values decide. Inputs: carries, constants of the condition, of the body.

    Settings: ``condition`` (carry, constants → bool), ``body`` (carry, constants → carry),
    ``carries``, ``conditions`` (how many constants are the condition's), ``max_steps``.
    """

    __slots__ = ()

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        watching = _watchers(self, inputs)
        tapes = [one for one in watching if not one.forward]
        if not tapes:
            return super().__call__(*inputs, **settings)
        if settings["max_steps"] is not None:
            from unigrad.control.masking import masked

            return masked(inputs, settings)
        # Tapes hear of the loop only that there is no derivative behind it.
        with recorders.only([one for one in watching if one.forward]):
            found = super().__call__(*inputs, **settings)
        sources = [inputs[i] for i in _tracked_by(tapes, inputs) if inputs[i].dtype in INEXACT]
        return tuple(
            [OPS["unbounded"](one, *sources) if one.dtype in INEXACT else one for one in found]
            if sources
            else found
        )


def _scan(
    *inputs: Tensor,
    body: Graph,
    carries: int,
    rows: int,
    length: int,
    reverse: bool,
    unroll: int,
    plan: Any,
) -> tuple[Tensor, ...]:
    """Run the steps one after the other by the ops of the body."""
    carry = list(inputs[:carries])
    columns = [OPS["unstack"](x, axis=0) for x in inputs[carries : carries + rows]]
    constants = inputs[carries + rows :]
    results: list[Any] = [None] * length
    for i in range(length - 1, -1, -1) if reverse else range(length):
        found = evaluate(body, [*carry, *[column[i] for column in columns], *constants])
        carry, results[i] = found[:carries], found[carries:]
    return (*carry, *[stack(column) for column in zip(*results, strict=True)])


def _while_loop(
    *inputs: Tensor,
    condition: Graph,
    body: Graph,
    carries: int,
    conditions: int,
    max_steps: int | None,
) -> tuple[Tensor, ...]:
    """Run the steps one after the other by the ops of the body."""
    carry = list(inputs[:carries])
    asked, constants = inputs[carries : carries + conditions], inputs[carries + conditions :]
    steps = 0
    while (max_steps is None or steps < max_steps) and bool(
        evaluate(condition, [*carry, *asked])[0]
    ):
        carry = evaluate(body, [*carry, *constants])
        steps += 1
    return tuple(carry)


def branches_of(settings: Mapping[str, Any]) -> list[Graph]:
    """Return the branches among the settings of `cond`, in order."""
    return [settings[f"branch{i}"] for i in range(len(settings))]


def as_branches(graphs: Sequence[Graph]) -> dict[str, Graph]:
    """Return the settings of `cond` for branches."""
    return {f"branch{i}": graph for i, graph in enumerate(graphs)}


def aligned(graphs: Sequence[Graph], outside: Sequence[Sequence[Tensor]]) -> list[Graph]:
    """Let branches take what all of them close over, each what the others do as well."""
    own = [
        graph.inputs[len(graph.inputs) - len(more) :]
        for graph, more in zip(graphs, outside, strict=True)
    ]
    found = []
    for i, graph in enumerate(graphs):
        common = graph.inputs[: len(graph.inputs) - len(own[i])]
        rest = [
            value if i == j else another_value(value)
            for j, values in enumerate(own)
            for value in values
        ]
        found.append(Graph(inputs=(*common, *rest), nodes=graph.nodes, outputs=graph.outputs))
    return found


def another_value(value: Value) -> Value:
    """Return another value of the shape and dtype of one."""
    return Value(value.shape, value.dtype)


def _cond(index: Tensor, *operands: Tensor, **branches: Graph) -> tuple[Tensor, ...]:
    """Run the branch of an index by its ops."""
    return tuple(evaluate(branches[f"branch{int(index)}"], operands))


def _unbounded(x: Tensor, *sources: Tensor) -> Tensor:
    """Return the result of a loop without bound: it has no derivative by what it came from."""
    out: Tensor = OPS["identity"](x)
    return out


# -- what a capture takes for results, without a run of the loop


def _example_of_scan(op: Op, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    carries, end = settings["carries"], settings["carries"] + settings["rows"]
    rows = [x[0] for x in inputs[carries:end]]
    found = evaluate(settings["body"], [*inputs[:carries], *rows, *inputs[end:]])
    length = settings["length"]
    stacked = [broadcast_to(x, (length, *x.shape)) for x in found[carries:]]
    return (*found[:carries], *stacked)


def _example_of_while(op: Op, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    carries = settings["carries"]
    constants = inputs[carries + settings["conditions"] :]
    return tuple(evaluate(settings["body"], [*inputs[:carries], *constants]))


def _example_of_cond(op: Op, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    return tuple(evaluate(settings["branch0"], inputs[1:]))


def _declare(
    kind: type[Op], name: str, body: Callable[..., Any], example: Any = None, kernel: Any = None
) -> Op:
    op = kind(name, body)
    op.example = example
    if kernel is not None:
        op.kernels = LoopKernels(op, kernel)
    OPS[name] = op
    return op


SCAN = _declare(Scan, "scan", _scan, _example_of_scan, natively.scan)
WHILE = _declare(WhileLoop, "while_loop", _while_loop, _example_of_while, natively.while_loop)
COND = _declare(Op, "cond", _cond, _example_of_cond, natively.cond)
UNBOUNDED = _declare(Op, "unbounded", _unbounded)
