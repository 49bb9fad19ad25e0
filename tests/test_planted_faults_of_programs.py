"""The suite's checks of what programs compute are tested: each planted fault is caught."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import unigrad as ug
from unigrad.core import operands, recorders, variable
from unigrad.core.arguments import as_tensor
from unigrad.core.interpreters import Interpreter
from unigrad.core.origins import Origin
from unigrad.core.registry import load_backend
from unigrad.core.weak import Weak
from unigrad.ops import arithmetic, filling, limits
from unigrad.tracing import capture, memory, passes, program, recorded, signature
from unigrad.tracing.memory import _Memory
from unigrad.tracing.program import Trace
from unigrad_conformance.perturbed import OPERANDS, operands_together
from unigrad_conformance.program_closures import PROGRAM_CLOSURES
from unigrad_conformance.program_numbers import PROGRAM_NUMBERS
from unigrad_conformance.program_values import PROGRAM_VALUES

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def numpy() -> Iterator[None]:
    """Run where the programs are unigrad's own."""
    with ug.use_backend("numpy"):
        yield


def _settings_ignored(patch: Patch) -> None:
    patch.setattr(passes, "_node_key", lambda node: (node.op, node.inputs))


def _zeros_alike(patch: Patch) -> None:
    patch.setattr(passes, "exact", lambda value: value)


def _constants_by_value(patch: Patch) -> None:
    patch.setattr(passes, "_constant_key", lambda one: (one.shape, one.dtype, str(one.tolist())
                                                        .replace("-0.0", "0.0")))  # fmt: skip


def _transpositions_swapped(patch: Patch) -> None:
    def transpose(node: Any, made: Any) -> Any:
        before = passes._source(node, made, "permute_dims")
        return None if before is None else before.inputs[0]

    patch.setitem(passes._REWRITES, "permute_dims", transpose)


def _variable_folded(patch: Patch) -> None:
    patch.setattr(Trace, "read", lambda self, v: self._values.get(v.uid, v._tensor))


def _views_unknown(patch: Patch) -> None:
    patch.setattr(type(load_backend("numpy")), "views", frozenset())


def _needed_overwritten(patch: Patch) -> None:
    def dying(self: Any, node: Any, place: int) -> Any:
        out = node.outputs[0]
        for one in node.inputs:
            if self._of.get(one) is not None and self._root.get(self._storage(one)) is one:
                return one if (one.shape, one.dtype) == (out.shape, out.dtype) else None
        return None

    patch.setattr(_Memory, "_dying", dying)


def _inputs_overwritten(patch: Patch) -> None:
    def dying(self: Any, node: Any, place: int) -> Any:
        out = node.outputs[0]
        fits = [one for one in node.inputs if getattr(one, "shape", None) == out.shape]
        return fits[0] if fits and fits[0] in self._graph.inputs else None

    patch.setattr(_Memory, "_dying", dying)


def _buffers_handed_out(patch: Patch) -> None:
    honest = memory._last_uses

    def last_uses(graph: Any) -> Any:
        end = len(graph.nodes)
        return {one: min(place, end - 1) for one, place in honest(graph).items()}

    patch.setattr(memory, "_last_uses", last_uses)


def _held_arrays_reused(patch: Patch) -> None:
    patch.setattr(program, "getrefcount", lambda one: program._ALONE)


def _bounds_checked(patch: Patch) -> None:
    patch.setattr(type(load_backend("numpy")), "unchecked", {})


def _numbers_strong(patch: Patch) -> None:
    honest = signature.argument

    def argument(*args: Any) -> Any:
        found = honest(*args)
        return found.__unigrad_tensor__() if type(found) is Weak else found

    patch.setattr(program, "argument", argument)


def _fits_unasked(patch: Patch) -> None:
    patch.setattr(Origin, "_require", lambda *_: None)


def _exponents_strong(patch: Patch) -> None:
    patch.setattr(arithmetic, "_weak_power", arithmetic._checked_power)


def _bounds_strong(patch: Patch) -> None:
    patch.setattr(limits, "_bound", lambda x, bound: as_tensor(bound, x))


def _assigned_strong(patch: Patch) -> None:
    patch.setattr(variable, "weak_types", set())


def _operand_frozen(patch: Patch) -> None:
    patch.setattr(operands, "as_tensor", lambda x: as_tensor(as_tensor(x).numpy()))


def _operand_cut(patch: Patch) -> None:
    honest = operands.in_dtype
    patch.setattr(filling, "in_dtype", lambda x, dtype: ug.stop_gradient(honest(x, dtype)))


def _examples_looked_at(patch: Patch) -> None:
    tracing = capture.Tracing
    patch.setattr(tracing, "is_traced", lambda self, native: False)
    patch.setattr(tracing, "to_numpy", lambda self, native: native.example.numpy())


def _closures_constant(patch: Patch) -> None:
    patch.setattr(recorded, "is_followed", lambda x: False)


def _ops_outside_unseen(patch: Patch) -> None:
    patch.setattr(recorded, "told_of_closures", lambda tell: recorders.only([]))


def _handles_forgotten(patch: Patch) -> None:
    patch.setattr(capture.Tracing, "lift", Interpreter.lift)


def _results_forgotten(patch: Patch) -> None:
    honest = Trace.run

    def run(self: Any, lift: Any, *natives: Any) -> Any:
        found = honest(self, lift, *natives)
        self.passed.clear()
        return found

    patch.setattr(Trace, "run", run)


CHECKS = {
    **PROGRAM_VALUES,
    **PROGRAM_NUMBERS,
    **PROGRAM_CLOSURES,
    **OPERANDS,
    **operands_together(),
}
FAULTS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "other settings taken for the same": (_settings_ignored, "settings are told apart"),
    "-0.0 taken for 0.0": (_zeros_alike, "signs of zeros stay"),
    "constants compared by value": (_constants_by_value, "signs of zeros stay"),
    "two transpositions always cancel": (_transpositions_swapped, "settings are told apart"),
    "a constant folded from a variable": (_variable_folded, "variables are no constants"),
    "views taken for arrays of their own": (_views_unknown, "a value used twice stays"),
    "written in place while needed": (_needed_overwritten, "a value used twice stays"),
    "arguments written into": (_inputs_overwritten, "results stay"),
    "a buffer handed out": (_buffers_handed_out, "results stay"),
    "an array used again that somebody holds": (_held_arrays_reused, "results stay"),
    "indices out of bounds raise": (_bounds_checked, "reads out of bounds are nan"),
    "numbers widen": (_numbers_strong, "numbers are weak"),
    "values looked at": (_examples_looked_at, "values are not there"),
    "no integer is asked whether it fits": (_fits_unasked, "integers never wrap"),
    "a traced exponent is no number": (_exponents_strong, "numbers mean the same"),
    "a traced bound is no number": (_bounds_strong, "numbers mean the same"),
    "a traced number assigned is none": (_assigned_strong, "numbers are assigned"),
    "what a function closes over is a constant": (_closures_constant, "a closure by name"),
    "an op on what it closes over is unseen": (
        _ops_outside_unseen,
        "a closure in an op of its own",
    ),
    "what a program closes over is forgotten": (
        _handles_forgotten,
        "closures that are followed later",
    ),
    "a result from outside is forgotten": (_results_forgotten, "closures that are followed later"),
    "an operand is frozen": (_operand_frozen, "leaky_relu of negative_slope"),
    "a filler has no derivative": (_operand_cut, "full of fill_value"),
    "a filler has no derivative where it is traced": (
        _operand_cut,
        "every operand in a compiled function",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, monkeypatch: Patch) -> None:
    plant, check = FAULTS[fault]
    CHECKS[check]()
    plant(monkeypatch)
    assert _is_found(check)


def _is_found(check: str) -> bool:
    """Tell whether a check fails, by itself or by an error of the library."""
    try:
        CHECKS[check]()
    except Exception:
        return True
    return False
