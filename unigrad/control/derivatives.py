"""The textbook's derivatives of loops and branches: each is a loop or a branch again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.rules.registry import Rule, of_gradients
from unigrad.autodiff.tape import GradientTape
from unigrad.control.bodies import captured
from unigrad.control.linearizing import Plan, linearized
from unigrad.control.ops import (
    COND,
    SCAN,
    UNBOUNDED,
    WHILE,
    aligned,
    another_value,
    as_branches,
    branches_of,
)
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import NotDifferentiableError
from unigrad.core.op import another_handle
from unigrad.core.tensor import Tensor
from unigrad.tracing.graph import Graph, evaluate
from unigrad.tracing.grounded import first_of, grounded

Settings = Mapping[str, Any]


class _LoopRule(Rule):
    """A derivative that gives all cotangents at once."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(jvp=self._tangents)
        self.symbolic = True

    def vjp(
        self, position: int, g: Any, out: Any, inputs: Sequence[Any], settings: Settings
    ) -> Tensor:
        return self.cotangents([position], g, out, inputs, settings)[0]

    def _tangents(self, tangents: Any, out: Any, *inputs: Any, **settings: Any) -> Any:
        raise NotImplementedError


class ScanRule(_LoopRule):
    """Forward: the loop of values and tangents. Reverse: the reversed loop over the residuals."""

    __slots__ = ()

    @of_gradients
    def cotangents(
        self, positions: Sequence[int], g: Any, out: Any, inputs: Sequence[Any], settings: Settings
    ) -> Sequence[Tensor]:
        plan: Plan | None = settings["plan"]
        if plan is not None:
            known = len(out) - plan.added
            if any(one is not None for one in g[known:]) or not {*positions} <= {*plan.active}:
                plan = None
        if plan is None:
            # Who records did not know that this derivative would be wanted: once more, with
            # residuals. So it is from the second order on.
            plan = linearized(settings, inputs, positions)
            inputs = [*inputs, *plan.extra]
            settings = {**settings, "body": plan.forward, "plan": plan}
            out = SCAN(*inputs, **settings)
        return _walked_back(plan, positions, g, out, inputs, settings)

    def _tangents(self, tangents: Any, out: Any, *inputs: Any, **settings: Any) -> Any:
        body: Graph = settings["body"]
        n, end = settings["carries"], settings["carries"] + settings["rows"]
        moving = _moving(body, tangents, n)
        given = [(zeros_like(inputs[i]) if tangents[i] is None else tangents[i]) for i in moving]
        parts = [[i for i in moving if low <= i < high] for low, high in _thirds(n, end, inputs)]
        graph, extra = _with_tangents(body, inputs, moving, n, end)
        at = dict(zip(moving, given, strict=True))
        found = SCAN(
            *inputs[:n], *[at[i] for i in parts[0]],
            *inputs[n:end], *[at[i] for i in parts[1]],
            *inputs[end:], *[at[i] for i in parts[2]], *extra,
            body=graph, carries=n + len(parts[0]), rows=end - n + len(parts[1]),
            length=settings["length"], reverse=settings["reverse"], unroll=settings["unroll"],
            plan=None,
        )  # fmt: skip
        results = len(body.outputs) - n
        carried = found[n : n + len(parts[0])]
        stacked = found[n + len(parts[0]) + results :]
        return _spread(body.outputs, [*carried, *stacked])


def _thirds(n: int, end: int, inputs: Sequence[Any]) -> list[tuple[int, int]]:
    return [(0, n), (n, end), (end, len(inputs))]


def _moving(body: Graph, tangents: Sequence[Any], carries: int) -> list[int]:
    """Return the inputs that have a tangent in some step: a carry may get one on the way."""
    return [
        i
        for i, value in enumerate(body.inputs)
        if value.dtype in INEXACT and (i < carries or tangents[i] is not None)
    ]


def _spread(outputs: Sequence[Any], tangents: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """Return a tangent for each result that is a float, ``None`` for the others."""
    rest = iter(tangents)
    return tuple([next(rest) if one.dtype in INEXACT else None for one in outputs])


def _with_tangents(
    body: Graph, inputs: Sequence[Any], moving: list[int], n: int, end: int
) -> tuple[Graph, list[Tensor]]:
    """Capture a step of values and tangents, each kind of input followed by its tangents."""
    order: list[tuple[int, bool]] = []
    for low, high in _thirds(n, end, inputs):
        order += [(i, False) for i in range(low, high)]
        order += [(i, True) for i in moving if low <= i < high]
    examples = [
        first_of(grounded(x)) if n <= i < end else grounded(x) for i, x in enumerate(inputs)
    ]

    def step(*given: Tensor) -> list[Tensor]:
        values = dict(zip(order, given, strict=True))
        primals = [values[i, False] for i in range(len(inputs))]
        found, tangents = _pushed(body, primals, {i: values[i, True] for i in moving})
        first = [t for t in tangents[:n] if t is not None]
        rest = [t for t in tangents[n:] if t is not None]
        return [*found[:n], *first, *found[n:], *rest]

    return captured(step, [examples[i] for i, _ in order])


def _pushed(
    body: Graph, primals: Sequence[Tensor], tangents: Mapping[int, Tensor]
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Run a graph in forward mode; return its results and the tangents of those that are floats."""
    given = list(primals)
    for i in tangents:
        given[i] = another_handle(given[i])
    with ForwardAccumulator([given[i] for i in tangents], [*tangents.values()]) as accumulator:
        found = evaluate(body, given)
    return found, [accumulator.jvp(one, "zero") if one.dtype in INEXACT else None for one in found]


def _walked_back(
    plan: Plan,
    positions: Sequence[int],
    g: Sequence[Tensor | None],
    out: Sequence[Tensor],
    inputs: Sequence[Tensor],
    settings: Settings,
) -> list[Tensor]:
    """Run the reversed loop; return the cotangents of the inputs at some positions."""
    end = settings["carries"] + settings["rows"]

    def cotangent(i: int) -> Tensor:
        one = g[i]
        return zeros_like(out[i]) if one is None else one

    first = [cotangent(i) for i in plan.carries]
    sums = [zeros_like(inputs[i]) for i in plan.active if i >= end]
    rows = [cotangent(i) for i in plan.results]
    rows += [inputs[i] for i in plan.rows]
    rows += [out[i] for i in plan.residuals]
    found = SCAN(
        *first,
        *sums,
        *rows,
        *[inputs[i] for i in plan.constants],
        body=plan.backward,
        carries=len(first) + len(sums),
        rows=len(rows),
        length=settings["length"],
        reverse=not settings["reverse"],
        unroll=settings["unroll"],
        plan=None,
    )
    n = settings["carries"]
    order = [i for i in plan.active if i < n]
    order += [i for i in plan.active if i >= end]
    order += [i for i in plan.active if n <= i < end]
    by_input = dict(zip(order, found, strict=True))
    return [by_input[i] for i in positions]


class WhileRule(_LoopRule):
    """Forward: the loop of values and tangents. In reverse mode there is none."""

    __slots__ = ()

    def cotangents(self, *_: Any) -> Sequence[Tensor]:
        # With a bound its steps are recorded in its place (`unigrad.control.masking`).
        raise NotDifferentiableError(_WITHOUT_BOUND)

    def _tangents(self, tangents: Any, out: Any, *inputs: Any, **settings: Any) -> Any:
        body: Graph = settings["body"]
        n, conditions = settings["carries"], settings["conditions"]
        end = n + conditions
        own = [*inputs[:n], *inputs[end:]]
        moving = _moving(body, [*tangents[:n], *tangents[end:]], n)
        given = [*tangents[:n], *tangents[end:]]
        at = {i: zeros_like(own[i]) if given[i] is None else given[i] for i in moving}
        graph, extra = _with_tangents(body, own, moving, n, n)
        carried = [i for i in moving if i < n]
        condition: Graph = settings["condition"]
        still = [like for i in carried for like in [another_value(condition.inputs[i])]]
        found = WHILE(
            *inputs[:n], *[at[i] for i in carried], *inputs[n:end], *inputs[end:],
            *[at[i] for i in moving if i >= n], *extra,
            condition=Graph(
                inputs=(*condition.inputs[:n], *still, *condition.inputs[n:]),
                nodes=condition.nodes, outputs=condition.outputs,
            ),
            body=graph, carries=n + len(carried), conditions=conditions,
            max_steps=settings["max_steps"],
        )  # fmt: skip
        return _spread(body.outputs, found[n:])


class CondRule(_LoopRule):
    """The derivative of the branch that is taken."""

    __slots__ = ()

    @of_gradients
    def cotangents(
        self, positions: Sequence[int], g: Any, out: Any, inputs: Sequence[Any], settings: Settings
    ) -> Sequence[Tensor]:
        index, *operands = inputs
        branches = branches_of(settings)
        seeds = [one for one in g if one is not None]
        places = [i for i, one in enumerate(g) if one is not None]
        wanted = [i - 1 for i in positions]
        pulled = [
            (lambda *given, branch=branch: _pulled(branch, given, len(operands), places, wanted))
            for branch in branches
        ]
        return list(chosen(index, pulled, [*operands, *seeds]))

    def _tangents(self, tangents: Any, out: Any, *inputs: Any, **settings: Any) -> Any:
        index, *operands = inputs
        branches = branches_of(settings)
        moving = [i for i, one in enumerate(tangents[1:]) if one is not None]
        given = [tangents[1 + i] for i in moving]

        def pushed(branch: Graph, *values: Tensor) -> list[Tensor]:
            primals, directions = values[: len(operands)], values[len(operands) :]
            _, found = _pushed(branch, primals, dict(zip(moving, directions, strict=True)))
            return [one for one in found if one is not None]

        steps = [(lambda *values, branch=branch: pushed(branch, *values)) for branch in branches]
        return _spread(branches[0].outputs, chosen(index, steps, [*operands, *given]))


def _pulled(
    branch: Graph, given: Sequence[Tensor], count: int, places: list[int], wanted: list[int]
) -> list[Tensor]:
    """Return the cotangents of some operands of a branch."""
    operands, seeds = list(given[:count]), given[count:]
    for i in wanted:
        operands[i] = another_handle(operands[i])
    sources = [operands[i] for i in wanted]
    with GradientTape(watch_accessed_variables=False, reference=True) as tape:
        tape.watch(sources)
        found = evaluate(branch, operands)
    gradients: list[Tensor] = tape.gradient(
        [found[i] for i in places], sources, list(seeds), "zero"
    )
    return gradients


def chosen(index: Tensor, functions: Sequence[Any], operands: Sequence[Tensor]) -> Any:
    """Run one of several functions of flat tensors, whose results are alike."""
    graphs, outside = [], []
    for function in functions:
        graph, more = captured(function, [grounded(one) for one in operands])
        graphs.append(graph)
        outside.append(more)
    return COND(
        index, *operands, *chain.from_iterable(outside), **as_branches(aligned(graphs, outside))
    )


class UnboundedRule(Rule):
    """There is none in reverse mode; forward it is that of the loop."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(jvp=lambda tangents, out, x, *sources: tangents[0])

    def cotangents(self, *_: Any) -> Sequence[Tensor]:
        raise NotDifferentiableError(_WITHOUT_BOUND)


_WITHOUT_BOUND = (
    "while_loop: reverse mode has to keep every step, and this loop has no bound: say max_steps= "
    "(of fori_loop: Python's integers for bounds), or use forward mode (ug.jvp)"
)

SCAN.rule = ScanRule()
WHILE.rule = WhileRule()
COND.rule = CondRule()
UNBOUNDED.rule = UnboundedRule()
