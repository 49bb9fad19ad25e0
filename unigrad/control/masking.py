"""A `while_loop` with a bound as a `scan` of so many steps: so reverse mode can keep each of them.

After the loop's end the steps do nothing: a branch decides before the step, so that nothing of what
a step from there would give, NaN perhaps, reaches the value or the derivative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.control.bodies import captured
from unigrad.control.ops import COND, SCAN, as_branches
from unigrad.core.arguments import cast
from unigrad.core.dtypes import int32
from unigrad.core.tensor import Tensor
from unigrad.tracing.graph import Graph, evaluate
from unigrad.tracing.grounded import grounded


def masked(inputs: Sequence[Tensor], settings: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """Run a bounded `while_loop`, given as its op's inputs and settings, step by masked step."""
    condition: Graph = settings["condition"]
    body: Graph = settings["body"]
    n, conditions = settings["carries"], settings["conditions"]
    stay = Graph(inputs=body.inputs, nodes=(), outputs=body.inputs[:n])
    branches = as_branches([stay, body])

    def step(*given: Tensor) -> Sequence[Tensor]:
        runs = evaluate(condition, given[: n + conditions])[0]
        found: tuple[Tensor, ...]
        found = COND(cast(runs, int32), *given[:n], *given[n + conditions :], **branches)
        return found

    graph, extra = captured(step, [grounded(x) for x in inputs])
    found: tuple[Tensor, ...] = SCAN(
        *inputs,
        *extra,
        body=graph,
        carries=n,
        rows=0,
        length=settings["max_steps"],
        reverse=False,
        unroll=1,
        plan=None,
    )
    return found
