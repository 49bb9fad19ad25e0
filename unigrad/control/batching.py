"""How loops and branches run on batches: once for all examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from unigrad.batching.interpreter import Batching, Examples, batched_at
from unigrad.batching.registry import Batch, Unbatched, batching
from unigrad.control.bodies import captured
from unigrad.control.ops import COND, SCAN, WHILE, aligned, as_branches, branches_of
from unigrad.core.arguments import untracked
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import INEXACT
from unigrad.core.interpreters import running
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.reductions import any as any_of
from unigrad.ops.shaping import broadcast_to, permute_dims, reshape
from unigrad.tracing.graph import Graph, evaluate
from unigrad.tracing.grounded import first_of, grounded

Settings = Mapping[str, Any]


def on_batch(
    graph: Graph, tensors: Sequence[Tensor], axes: Sequence[bool], size: int
) -> tuple[list[Tensor], list[bool]]:
    """Run a graph of one example on a batch; return the results and which of them are batches."""
    frame = Batching(size)
    with running(frame):
        given = []
        for x, has in zip(tensors, axes, strict=True):
            level = batched_at(x.backend.root, frame.depth)
            given.append(wrap(level, Examples(frame, x, True)) if has else x)
        found = evaluate(graph, given)
    results, batched = [], []
    for one in found:
        native = one._native
        own = isinstance(native, Examples) and native.frame is frame
        results.append(native.value if own else one)
        batched.append(own and native.batched)
    return results, batched


def spread(x: Tensor, has: bool, wanted: bool, size: int) -> Tensor:
    """Return a value as a batch if it is wanted as one and is none."""
    return broadcast_to(x, (size, *x.shape)) if wanted and not has else x


class _Captured:
    """A graph of one example captured anew for batches."""

    def __init__(
        self,
        graph: Graph,
        examples: Sequence[Tensor],
        axes: Sequence[bool],
        size: int,
        forced: Sequence[bool] = (),
    ) -> None:
        self.batched: list[bool] = []

        def run(*tensors: Tensor) -> list[Tensor]:
            found, batched = on_batch(graph, tensors, axes, size)
            wanted = [*forced, *[False] * (len(found) - len(forced))]
            self.batched = [a or b for a, b in zip(batched, wanted, strict=True)]
            return [
                spread(x, has, more, size)
                for x, has, more in zip(found, batched, wanted, strict=True)
            ]

        self.graph, self.extra = captured(run, examples)


def _examples_of(inputs: Sequence[Tensor]) -> list[Tensor]:
    return [grounded(x) for x in inputs]


def _marked(found: Sequence[Tensor], batched: Sequence[bool]) -> tuple[Any, ...]:
    """Return results as a batching rule does."""
    return tuple([x if has else Unbatched(x) for x, has in zip(found, batched, strict=True)])


def _second(x: Tensor) -> Tensor:
    """Exchange the first two axes: the steps' and the examples'."""
    return permute_dims(x, (1, 0, *range(2, x.ndim)))


def _scan(batch: Batch, inputs: Sequence[Tensor], settings: Settings) -> Any:
    n, end = settings["carries"], settings["carries"] + settings["rows"]
    axes = list(batch.axes)
    inputs = [_second(x) if n <= i < end and axes[i] else x for i, x in enumerate(inputs)]
    while True:
        given = [
            spread(x, batch.axes[i], axes[i], batch.size) if i < n else x
            for i, x in enumerate(inputs)
        ]
        examples = [
            first_of(grounded(x)) if n <= i < end else grounded(x) for i, x in enumerate(given)
        ]
        step = _Captured(settings["body"], examples, axes, batch.size, axes[:n])
        if step.batched[:n] == axes[:n]:
            break
        # A carry is a batch as soon as a step makes it one.
        axes[:n] = step.batched[:n]
    found = SCAN(*given, *step.extra, **{**settings, "body": step.graph, "plan": None})
    found = [_second(x) if i >= n and step.batched[i] else x for i, x in enumerate(found)]
    return _marked(found, step.batched)


def _while_loop(batch: Batch, inputs: Sequence[Tensor], settings: Settings) -> Any:
    n, size = settings["carries"], batch.size
    end = n + settings["conditions"]
    carried = list(batch.axes[:n])
    asked, constant = list(batch.axes[n:end]), list(batch.axes[end:])
    while True:
        carry = [spread(x, batch.axes[i], carried[i], size) for i, x in enumerate(inputs[:n])]
        test = _Captured(
            settings["condition"], _examples_of([*carry, *inputs[n:end]]), [*carried, *asked], size
        )
        if test.batched[0] and not all(carried):
            # Examples end at different steps.
            carried = [True] * n
            continue
        step = _Captured(
            settings["body"],
            _examples_of([*carry, *inputs[end:]]),
            [*carried, *constant],
            size,
            carried,
        )
        if step.batched == carried:
            break
        carried = step.batched
    # Extra constants stand behind those of their graph: the condition's come first.
    given = [*carry, *inputs[n:end], *test.extra, *inputs[end:], *step.extra]
    graphs = {"condition": test.graph, "body": step.graph}
    conditions = end - n + len(test.extra)
    if test.batched[0]:
        whole = _while_any(test.graph, step.graph, n, carry, given[n:], conditions)
        graphs = {"condition": whole[0], "body": whole[1]}
        given = [*given, *given[n : n + conditions], *map(untracked, carry)]
    found = WHILE(*given, **{**settings, **graphs, "conditions": conditions})
    return _marked(found, carried)


def _while_any(
    test: Graph,
    step: Graph,
    n: int,
    carry: Sequence[Tensor],
    others: Sequence[Tensor],
    conditions: int,
) -> tuple[Graph, Graph]:
    """Return condition and body of the loop that runs while any example does.

    The body's constants are its own, then the condition's, then the first carry. Examples that
    have ended stay.
    """
    asked, constants = others[:conditions], others[conditions:]

    def goes_on(*given: Tensor) -> list[Tensor]:
        return [any_of(evaluate(test, given)[0])]

    def one(*given: Tensor) -> list[Tensor]:
        now, own, rest = given[:n], given[n : n + len(constants)], given[n + len(constants) :]
        runs = evaluate(test, [*now, *rest[:conditions]])[0]
        after = evaluate(step, [*_safe(runs, now, rest[conditions:]), *own])
        return [_selected(runs, x, old) for x, old in zip(after, now, strict=True)]

    condition, _ = captured(goes_on, _examples_of([*carry, *asked]))
    body, _ = captured(one, _examples_of([*carry, *constants, *asked, *carry]))
    return condition, body


def _safe(runs: Tensor, now: Sequence[Tensor], start: Sequence[Tensor]) -> list[Tensor]:
    """Return carries from which a step is possible: the first ones for examples that have ended.

    A step from the last might divide by zero, and zero times an infinite slope is NaN: what is
    not to be run is therefore chosen before, and not only afterwards.
    """
    return [
        _selected(runs, x, first) if x.dtype in INEXACT else x
        for x, first in zip(now, start, strict=True)
    ]


def _selected(mask: Tensor, x: Tensor, other: Tensor) -> Tensor:
    """Choose per example: the mask has one axis."""
    return where(reshape(mask, (mask.shape[0], *[1] * (x.ndim - 1))), x, other)


def _cond(batch: Batch, inputs: Sequence[Tensor], settings: Settings) -> Any:
    index, *operands = inputs
    apart, *axes = batch.axes
    size, graphs = batch.size, branches_of(settings)
    if apart:
        return _every_branch(index, operands, axes, graphs, size)
    examples = _examples_of(operands)
    first = [_Captured(graph, examples, axes, size).batched for graph in graphs]
    forced = [any(column) for column in zip(*first, strict=True)]
    found = [_Captured(graph, examples, axes, size, forced) for graph in graphs]
    outside = [one.extra for one in found]
    branches = aligned([one.graph for one in found], outside)
    results = COND(index, *operands, *chain.from_iterable(outside), **as_branches(branches))
    return _marked(results, forced)


def _every_branch(
    index: Tensor, operands: Sequence[Tensor], axes: Sequence[bool], graphs: list[Graph], size: int
) -> Any:
    """Run all branches and choose per example."""
    columns = []
    for graph in graphs:
        found, batched = on_batch(graph, operands, axes, size)
        columns.append([spread(x, has, True, size) for x, has in zip(found, batched, strict=True)])
    chosen = columns[0]
    for number, column in enumerate(columns[1:], 1):
        taken = OPS["equal"](index, number)
        chosen = [_selected(taken, x, old) for x, old in zip(column, chosen, strict=True)]
    return tuple(chosen)


batching(_scan, "scan")
batching(_while_loop, "while_loop")
batching(_cond, "cond")
