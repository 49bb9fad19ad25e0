"""The suite's checks of control flow are themselves tested: each planted fault is caught."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.control import (
    batching,
    bodies,
    branches,
    derivatives,
    linearizing,
    ops,
    scanning,
    while_loops,
)
from unigrad.control.ops import COND, SCAN, WHILE
from unigrad.core.op import OPS
from unigrad.core.registry import current_backend, load_backend
from unigrad_conformance.loops import PROMISES, every_loop

Patch = pytest.MonkeyPatch
CHECKS = {**dict(every_loop()), **PROMISES}


@pytest.fixture(params=["numpy", "torch"])
def looping(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run where loops are Python's: with the textbook's derivative, and through a library's."""
    with ug.use_backend(request.param):
        yield request.param


def _kernel(op: Any, change: Callable[..., Any]) -> Callable[[Patch], None]:
    """Put something around a kernel: ``change(kernel, *natives, **settings)``."""

    def plant(patch: Patch) -> None:
        backend = current_backend()
        kernel = op.kernels[backend]
        patch.setitem(op.kernels, backend, lambda *x, **settings: change(kernel, *x, **settings))

    return plant


def _forward_whatever(kernel: Any, *natives: Any, **settings: Any) -> Any:
    return kernel(*natives, **{**settings, "reverse": False})


def _one_step_more(kernel: Any, *natives: Any, max_steps: int | None, **settings: Any) -> Any:
    return kernel(*natives, **settings, max_steps=None if max_steps is None else max_steps + 1)


def _first_branch(kernel: Any, index: Any, *natives: Any, **settings: Any) -> Any:
    return kernel(index * 0, *natives, **settings)


def _last_in_every_place(patch: Patch) -> None:
    honest = SCAN.body
    assert honest is not None

    def run(*inputs: Any, **settings: Any) -> Any:
        found = honest(*inputs, **settings)
        last = 0 if settings["reverse"] else -1
        return tuple(
            [
                x if i < settings["carries"] else ug.zeros_like(x) + x[last]
                for i, x in enumerate(found)
            ]
        )

    # Without a kernel, the body is what runs.
    patch.setattr(SCAN, "body", run)
    patch.setitem(SCAN.kernels, current_backend(), None)


def _walking(change: Callable[..., Any]) -> Callable[[Patch], None]:
    """Change what the way back is given: ``change(plan, positions, g, out, inputs, settings)``."""

    def plant(patch: Patch) -> None:
        honest = derivatives._walked_back
        patch.setattr(derivatives, "_walked_back", lambda *given: honest(*change(*given)))

    return plant


def _of_another_step(plan: Any, positions: Any, g: Any, out: Any, *rest: Any) -> Any:
    moved = [ug.concat([x[1:], x[:1]]) if i in plan.residuals else x for i, x in enumerate(out)]
    return (plan, positions, g, moved, *rest)


def _same_direction(*given: Any) -> Any:
    *others, settings = given
    return (*others, {**settings, "reverse": not settings["reverse"]})


def _results_unseen(plan: Any, positions: Any, g: Any, out: Any, inputs: Any, settings: Any) -> Any:
    carries = settings["carries"]
    seen = [one if i < carries else None for i, one in enumerate(g)]
    return plan, positions, seen, out, inputs, settings


def _only_the_last_constant(patch: Patch) -> None:
    honest = linearizing._Split._sums

    def sums(self: Any, places: Any, by_input: Any) -> Any:
        before, _, _ = honest(self, places, by_input)
        return before, [], [by_input[i] for i in places]

    patch.setattr(linearizing._Split, "_sums", sums)


def _selected_afterwards(patch: Patch) -> None:
    patch.setattr(batching, "_safe", lambda runs, now, start: now)


def _swapped(patch: Patch) -> None:
    honest = batching._selected
    patch.setattr(batching, "_selected", lambda mask, x, other: honest(mask, other, x))


def _variables_as_they_were(patch: Patch) -> None:
    honest = bodies.captured

    def captured(function: Any, examples: Any) -> Any:
        graph, outside = honest(function, examples)
        return graph, [bodies.grounded(one) for one in outside]

    patch.setattr("unigrad.control.carrying.captured", captured)


def _assigned_in_silence(patch: Patch) -> None:
    honest = bodies.BodyCapture.graph

    def graph(self: Any, *given: Any, **settings: Any) -> Any:
        found = honest(self, *given, **settings)
        object.__setattr__(found, "writes", ())
        return found

    patch.setattr(bodies.BodyCapture, "graph", graph)


def _unrolled(patch: Patch) -> None:
    patch.setattr(scanning, "is_traced", lambda values: False)


def _out_of_range(patch: Patch) -> None:
    patch.setattr(branches, "clip", lambda x, low, high: x)


def _without_refusal(patch: Patch) -> None:
    patch.setitem(OPS, "unbounded", lambda x, *sources: x)


def _carry_without_tangent(patch: Patch) -> None:
    honest = derivatives._pushed

    def pushed(body: Any, primals: Any, tangents: Any) -> Any:
        found, moved = honest(body, primals, tangents)
        return found, [None if one is None else ug.zeros_like(one) for one in moved]

    patch.setattr(derivatives, "_pushed", pushed)


def _strong_numbers(patch: Patch) -> None:
    patch.setattr("unigrad.control.carrying.SCALARS", ())


def _unbounded_by_bound(patch: Patch) -> None:
    honest = while_loops._as_one_op
    patch.setattr(
        while_loops,
        "_as_one_op",
        lambda cond, body, init, bound: honest(cond, body, init, bound and bound - 1),
    )


def _masked_too_short(patch: Patch) -> None:
    honest = ops.WhileLoop.__call__

    def call(self: Any, *inputs: Any, **settings: Any) -> Any:
        bound = settings["max_steps"]
        return honest(self, *inputs, **{**settings, "max_steps": bound and bound // 4})

    patch.setattr(ops.WhileLoop, "__call__", call)


FAULTS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "the order is lost": (
        _kernel(SCAN, _forward_whatever),
        "a recurrence in reverse: value",
    ),
    "the last result everywhere": (_last_in_every_place, "a recurrence: value"),
    "residuals of another step": (_walking(_of_another_step), "a recurrence: reverse mode"),
    "back in the same direction": (_walking(_same_direction), "a recurrence: reverse mode"),
    "stacked results have no gradient": (
        _walking(_results_unseen),
        "a recurrence in reverse: reverse mode",
    ),
    "a constant's gradient by the last step alone": (
        _only_the_last_constant,
        "a recurrence: reverse mode",
    ),
    "chosen after the step": (
        _selected_afterwards,
        "a loop with no step from its end: vmap",
    ),
    "branches swapped under vmap": (_swapped, "a branch: vmap"),
    "a step too many": (_kernel(WHILE, _one_step_more), "a loop that its bound ends: value"),
    "a step too few": (_unbounded_by_bound, "a loop that its bound ends: value"),
    "a bound too short in reverse mode": (_masked_too_short, "a loop with a bound: reverse mode"),
    "always the first branch": (
        _kernel(COND, _first_branch),
        "one of several branches: value",
    ),
    "an index out of range": (_out_of_range, "one of several branches: vmap"),
    "no refusal": (_without_refusal, "a loop without bound: reverse mode"),
    "tangents lost": (_carry_without_tangent, "a recurrence: forward mode"),
    "variables are constants": (_variables_as_they_were, "variables are read"),
    "assignments are lost": (_assigned_in_silence, "an assignment is refused"),
    "loops written out": (_unrolled, "the trace does not grow"),
    "numbers are strong": (_strong_numbers, "dtypes settle"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(
    looping: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, check = FAULTS[fault]
    plant(monkeypatch)
    with np.errstate(all="ignore"):
        assert _is_found(check)


def _is_found(check: str) -> bool:
    """Tell whether a check fails, by itself or by an error of the library."""
    try:
        CHECKS[check]()
    except Exception:
        return True
    return False


load_backend("torch")
