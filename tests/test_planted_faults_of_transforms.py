"""Faults planted in the transforms, each caught by the check of the suite that is named."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import unigrad as ug
from unigrad.core import recorders
from unigrad.core.registry import load_backend
from unigrad.functions import function_op, through
from unigrad.tracing import graph_function, splitting
from unigrad.transforms import closing, custom, custom_call, jacobians, linearize
from unigrad_conformance.compositions import check, composed
from unigrad_conformance.derivatives_by_hand import BY_HAND
from unigrad_conformance.subject import Deviation
from unigrad_conformance.transforms import TRANSFORMS

Patch = pytest.MonkeyPatch


def _columns_for_rows(patch: Patch) -> None:
    honest = jacobians.vmap
    patch.setattr(jacobians, "vmap", lambda f, out_axes=0: honest(f))


def _gradient_for_product(patch: Patch) -> None:
    patch.setattr(ug, "hvp", lambda f, primals, tangents: ug.grad(f)(*primals))


def _hidden_recorders(patch: Patch) -> None:
    patch.setattr(recorders, "_from", lambda depth: recorders.thread.active)


def _no_cotangents_of_residuals(patch: Patch) -> None:
    def without(function: Any, count: int, found: Any, *_: Any) -> Any:
        return found

    patch.setattr(custom, "with_residuals", without)


def _zeros_taken_for_cotangents(patch: Patch) -> None:
    patch.setattr(type(load_backend("tensorflow")), "zeros_for_none", False)


def _zeros_taken_for_none(patch: Patch) -> None:
    patch.setattr(through, "isfinite", lambda x: ug.zeros_like(x, dtype="bool"))


def _zeros_given_for_none(patch: Patch) -> None:
    honest = closing._closed

    def closed(*given: Any) -> Any:
        return honest(*given[:-1], None)

    patch.setattr(closing, "_closed", closed)


def _closures_unseen(patch: Patch) -> None:
    @contextmanager
    def silent(name: str) -> Iterator[None]:
        with recorders.only([]):
            yield

    patch.setattr(function_op, "unseen", silent)


def _native_tapes_inside(patch: Patch) -> None:
    @contextmanager
    def nothing() -> Iterator[None]:
        yield

    patch.setattr(recorders, "by_rules", nothing)


def _shared_results(patch: Patch) -> None:
    load_backend("torch")
    import unigrad_torch.bridge as bridge

    # What torch sees of one tensor twice is one value, where the context is set up apart.
    patch.setattr(bridge, "_Alone", bridge._Bridge)
    patch.setattr(bridge, "_apart", lambda results, inputs: tuple(results))


def _results_as_they_come(patch: Patch) -> None:
    load_backend("tensorflow")
    import unigrad_tensorflow.bridge as bridge

    patch.setattr(bridge, "_apart", lambda result, inputs: result)


def _shared_argument_not_summed(patch: Patch) -> None:
    honest = function_op._batched

    def batched(batch: Any, inputs: Any, settings: Any) -> Any:
        op = batch.op
        of_one = op.rule.pullback
        scaled = function_op.FunctionOp(
            op.name, op.body,
            lambda g, out, x: [
                one if has or one is None else one / batch.size
                for one, has in zip(of_one(g, out, x), batch.axes)
            ],
            op.rule.pushforward,
        )  # fmt: skip
        return honest(type(batch)(scaled, batch.size, batch.axes), inputs, settings)

    patch.setattr(function_op, "_batched", batched)


def _values_kept(patch: Patch) -> None:
    patch.setattr(ug, "checkpoint", lambda function: function)


def _tangents_of_residuals_lost(patch: Patch) -> None:
    honest = graph_function.GraphFunction._forward_program

    def lossy(self: Any, which: Any) -> Any:
        pushed = honest(self, which)
        count = len(self._graph.outputs)

        def run(inputs: Any) -> Any:
            found = list(pushed(inputs))
            return [one if i == 0 else one * 0.0 for i, one in enumerate(found)] if count else found

        return run

    patch.setattr(graph_function.GraphFunction, "_forward_program", lossy)


def _transpose_is_the_identity(patch: Patch) -> None:
    patch.setattr(
        custom, "transposed", lambda linear, like, cotangents: [cotangents[0]] * len(like)
    )


def _structures_unchecked(patch: Patch) -> None:
    patch.setattr(custom_call.Call, "of_inputs", lambda self, given, what: ug.tree.leaves(given))


def _runs_for_every_tangent(patch: Patch) -> None:
    def again(f: Any, *primals: Any) -> Any:
        return f(*primals), lambda *tangents: ug.jvp(f, primals, tangents)[1]

    patch.setattr(ug, "linearize", again)


def _late_for_known(patch: Patch) -> None:
    honest = splitting.split

    def early(graph: Any, known: int, results: int) -> Any:
        before, after, count = honest(graph, known, results)
        return before, after.with_nodes(after.nodes, after.outputs[::-1]), count

    patch.setattr(linearize, "split", early)
    patch.setattr(graph_function, "split", early)


FAULTS: list[tuple[Callable[[Patch], None], str, str]] = [
    (_columns_for_rows, "jacobians_in_every_mode", "numpy"),
    (_gradient_for_product, "hessians_and_their_products", "numpy"),
    (_hidden_recorders, "hessians_and_their_products", "numpy"),
    (_no_cotangents_of_residuals, "pullbacks_differentiate_again", "jax"),
    (_zeros_taken_for_cotangents, "residuals_that_overflow", "tensorflow"),
    (_zeros_taken_for_none, "residuals_whose_cotangents_are_zero", "tensorflow"),
    (_zeros_given_for_none, "residuals_that_overflow", "numpy"),
    (_closures_unseen, "values_from_outside_are_named", "numpy"),
    (_native_tapes_inside, "tapes around a function", "tensorflow"),
    (_results_as_they_come, "results_from_outside", "tensorflow"),
    (_shared_results, "results_that_are_residuals", "torch"),
    (_shared_argument_not_summed, "pullbacks_given_by_hand", "numpy"),
    (_values_kept, "checkpoints_compute_again", "numpy"),
    (_tangents_of_residuals_lost, "functions_compiled_under_a_tape", "numpy"),
    (_transpose_is_the_identity, "tangents_given_by_hand", "numpy"),
    (_structures_unchecked, "wrong_cotangents_are_refused", "numpy"),
    (_runs_for_every_tangent, "linearisations", "numpy"),
]


def _tapes_around_a_function() -> None:
    check(composed(8337, "custom_vjp", "tape", "sum", "grad"))


CHECKS = {**TRANSFORMS, **BY_HAND, "tapes around a function": _tapes_around_a_function}


@pytest.mark.parametrize(
    ("plant", "name", "backend"), FAULTS, ids=[plant.__name__[1:] for plant, _, _ in FAULTS]
)
def test_a_fault_is_caught(
    plant: Callable[[Patch], None], name: str, backend: str, monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    with ug.use_backend(backend), pytest.raises((Deviation, RuntimeError, ValueError)):
        CHECKS[name]()
