"""Faults planted around derivatives given by hand, each caught by the check that is named."""

from collections.abc import Callable
from typing import Any

import pytest

import unigrad as ug
from unigrad.autodiff import transforms
from unigrad.control import branches, scanning
from unigrad.core import recorders
from unigrad.core.registry import load_backend
from unigrad.functions.function_op import FunctionOp, FunctionRule
from unigrad.tracing import graph_function
from unigrad.tracing.capture import Capture
from unigrad.tracing.graph import Node
from unigrad.transforms import closing, custom, custom_call
from unigrad_conformance import loop_errors, transform_errors  # noqa: F401 (bad calls)
from unigrad_conformance.derivatives_by_hand import BY_HAND
from unigrad_conformance.errors import BAD_CALLS, check_bad_call
from unigrad_conformance.subject import Deviation
from unigrad_conformance.transforms_of_programs import PROGRAMS_TRANSFORMED

Patch = pytest.MonkeyPatch


def _nothing_closed(patch: Patch) -> None:
    def plain(
        name: str, function: Any, pullback: Any, pushforward: Any, tensors: Any, *_: Any
    ) -> Any:
        return FunctionOp(name, function, pullback, pushforward)(*tensors)

    patch.setattr(custom, "call_as_op", plain)


def _rules_not_closed(patch: Patch) -> None:
    # Of the thread: once it has captured a derivative, the class's value is no longer seen.
    patch.setattr(closing._thread, "deriving", True)


def _rules_given_the_wrong_values(patch: Patch) -> None:
    honest = closing.evaluate
    patch.setattr(closing, "evaluate", lambda graph, x: honest(graph, [*x[:-1], x[-1] * 2.0]))


def _transposes_of_each_other(patch: Patch) -> None:
    honest = FunctionRule.__init__

    def init(
        self: Any, name: str, pullback: Any, pushforward: Any, transposed: bool = True
    ) -> None:
        honest(self, name, pullback, pushforward)

    patch.setattr(FunctionRule, "__init__", init)


def _again_and_again(patch: Patch) -> None:
    patch.setattr(type(custom._pushing), "through", lambda self, function: recorders.by_rules())


def _outermost_first(patch: Patch) -> None:
    honest = recorders.watchers
    patch.setattr(custom.recorders, "watchers", lambda *given: honest(*given)[::-1])


def _no_rule_forward(patch: Patch) -> None:
    patch.setattr(custom, "pushed_through", lambda function, inputs, tangents: tangents)


def _defaults_forgotten(patch: Patch) -> None:
    patch.setattr(custom_call, "_count_of_positions", lambda function: 0)


def _nodes_without_results(patch: Patch) -> None:
    honest = Capture.record

    def record(self: Any, op: Any, natives: Any, settings: Any) -> Any:
        found = honest(self, op, natives, settings)
        if found == ():
            inputs = tuple([getattr(one, "value", one) for one in natives])
            self.nodes.append(Node(op, inputs, settings, (), True, None))
        return found

    patch.setattr(Capture, "record", record)


def _pullbacks_always(patch: Patch) -> None:
    patch.setattr(graph_function, "_is_followed_in_reverse", lambda x: True)


FAULTS: list[tuple[Callable[[Patch], None], str, str]] = [
    (_nothing_closed, "what_they_close_over", "numpy"),
    (_rules_not_closed, "what_they_close_over", "numpy"),
    (_rules_given_the_wrong_values, "what_they_close_over", "numpy"),
    (_transposes_of_each_other, "who_stands_innermost", "jax"),
    (_again_and_again, "forward_functions_that_call_the_function", "numpy"),
    (_outermost_first, "who_stands_innermost", "numpy"),
    (_no_rule_forward, "gradients_in_tensorflows_form_again", "numpy"),
    (_defaults_forgotten, "arguments_with_defaults", "numpy"),
    (_nodes_without_results, "functions_of_no_results", "numpy"),
    (_pullbacks_always, "compiled_functions_differentiated_forward", "numpy"),
]


@pytest.mark.parametrize(
    ("plant", "name", "backend"), FAULTS, ids=[plant.__name__[1:] for plant, _, _ in FAULTS]
)
def test_a_fault_is_caught(
    plant: Callable[[Patch], None], name: str, backend: str, monkeypatch: Patch
) -> None:
    with ug.use_backend(backend):
        plant(monkeypatch)
        with pytest.raises((Deviation, ug.UnigradError, IndexError, RuntimeError, TypeError)):
            BY_HAND[name]()


def _anything_is_a_pair(patch: Patch) -> None:
    for module in (transforms, custom, scanning):
        patch.setattr(module, "pair", lambda what, found: tuple(found)[:2])


def _arrays_are_sequences(patch: Patch) -> None:
    patch.setattr(transforms, "sequence", lambda what, given: tuple(given))


def _none_is_ones(patch: Patch) -> None:
    patch.setattr(transforms, "_refuse_none", lambda out, cotangent: None)


def _lengths_as_they_are(patch: Patch) -> None:
    patch.setattr(scanning, "_count", lambda name, length: length)


BAD: list[tuple[Callable[[Patch], None], str]] = [
    (_anything_is_a_pair, "has_aux without a pair"),
    (_anything_is_a_pair, "a forward rule that returns no pair"),
    (_anything_is_a_pair, "a step that returns no pair"),
    (_arrays_are_sequences, "tangents that are one array"),
    (_none_is_ones, "a cotangent that is None"),
    (_lengths_as_they_are, "a length that is no integer"),
]


@pytest.mark.parametrize(("plant", "name"), BAD, ids=[name for _, name in BAD])
def test_a_bad_call_that_passes_is_caught(
    plant: Callable[[Patch], None], name: str, monkeypatch: Patch
) -> None:
    [call] = [one for one in BAD_CALLS if one.name == name]
    plant(monkeypatch)
    with ug.use_backend("numpy"), pytest.raises(Deviation):
        check_bad_call(call)


def test_branches_that_capture_what_is_further_out_are_caught(monkeypatch: Patch) -> None:
    load_backend("torch")
    load_backend("tensorflow")
    from unigrad_tensorflow.kernels import control

    monkeypatch.setattr(control, "_branch", lambda run, operands: list(run(*operands)))
    with ug.use_backend("tensorflow"), pytest.raises(AssertionError):
        PROGRAMS_TRANSFORMED["textbook_derivatives_in_branches"]()


def test_a_branch_of_numbers_takes_the_highest_kind() -> None:
    with ug.use_backend("numpy"):
        x = ug.asarray(1.0)
        found = ug.jit(lambda x: ug.cond(x > 0.0, lambda: 1.5, lambda: 2))(x)
        other = ug.jit(lambda x: ug.cond(x > 0.0, lambda: 2, lambda: 1.5))(x)
        assert (float(found), float(other), found.dtype) == (1.5, 2.0, other.dtype)
    assert branches._KINDS == "bifc"
