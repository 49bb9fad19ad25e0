"""Faults planted into batching rules and into `vmap` must be caught by the suite, by name.

Each replaces one rule, or one piece, for the time of a test; the honest one passes the same trial.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import unigrad as ug
from unigrad.batching.interpreter import Batched
from unigrad.batching.registry import Batch
from unigrad.core.op import OPS, Op
from unigrad.core.tensor import Tensor
from unigrad_conformance import completeness
from unigrad_conformance.batches import BATCHES
from unigrad_conformance.batches_derived import BATCHED_DERIVATIVES
from unigrad_conformance.batches_refused import BAD_BATCHES
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import try_op
from unigrad_conformance.subject import Deviation

Rule = Callable[[Batch, Any, Any], Any]

mapping: Any = importlib.import_module("unigrad.batching.vmap")


def _findings(sample: str) -> set[str]:
    """Return the names of the checks that an op does not pass on NumPy."""
    ledger = Ledger("numpy")
    with ug.use_backend("numpy"):
        try_op(sample, ledger)
    return {one.check for one in ledger.findings}


def _settings(**changed: Callable[[Any], Any]) -> Rule:
    """Run an op on the batch as it is, with some of the settings changed."""

    def rule(batch: Batch, inputs: Any, settings: Any) -> Any:
        moved = {name: changed[name](one) for name, one in settings.items() if name in changed}
        return batch.op(*inputs, **{**settings, **moved})

    return rule


def _unlined(batch: Batch, inputs: Any, settings: Any) -> Any:
    """Broadcast without lining the examples up."""
    return batch.op(*inputs, **settings)


def _without_keepdims(batch: Batch, inputs: Any, settings: Any) -> Any:
    axes = settings["axis"] or range(inputs[0].ndim - 1)
    axes = tuple([i % (inputs[0].ndim - 1) + 1 for i in axes])
    return batch.op(*inputs, axis=axes, keepdims=False)


def _first_index(batch: Batch, inputs: Any, settings: Any) -> Any:
    """Read all examples at the first one's indices."""
    x, index = inputs
    if batch.axes == (True, True):
        return batch.op(x, index[0], axis=settings["axis"] + 1)
    return OPS["take"].batching(batch, inputs, settings)


def _first_key(batch: Batch, inputs: Any, settings: Any) -> Any:
    """Draw under the first key for all."""
    drawn = batch.op(inputs[0][0], **settings)
    return OPS["broadcast_to"](drawn, shape=(batch.size, *drawn.shape))


def _swapped(honest: Rule) -> Rule:
    return lambda batch, inputs, settings: honest(
        batch, inputs, {**settings, "right": not settings["right"]}
    )


def _of_sum(honest: Rule) -> Rule:
    """Lose what is written twice to one place."""
    return lambda batch, inputs, settings: honest(
        Batch(OPS["scatter_set"], batch.size, batch.axes), inputs, settings
    )


def _rolled(honest: Rule) -> Rule:
    """Give each example the result of its neighbour."""
    return lambda batch, inputs, settings: OPS["roll"](
        honest(batch, inputs, settings), shift=(1,), axis=(0,)
    )


FAULTS: dict[str, tuple[str, str, Callable[[Rule], Rule]]] = {
    "the axis of a sum is not shifted": ("sum", "sum", lambda _: _settings()),
    "a running sum runs over the examples": (
        "cumulative_sum", "cumulative_sum", lambda _: _settings(axis=lambda axis: 0),
    ),
    "ranks are not lined up": ("add", "add", lambda _: _unlined),
    "keepdims is lost": ("max", "max", lambda _: _without_keepdims),
    "the sorted axis is not shifted": ("argsort", "argsort", lambda _: _settings()),
    "padding is before the examples": (
        "pad", "pad", lambda _: _settings(widths=lambda widths: (*widths, (0, 0))),
    ),
    "indices are the first example's": ("take", "take", lambda _: _first_index),
    "duplicates of a write are lost": ("at_add", "at_add", _of_sum),
    "keys are not batched": ("random_bits", "random.bits", lambda _: _first_key),
    "the side of a search is the other": ("searchsorted", "searchsorted", _swapped),
    "a product is the neighbour's": ("matmul", "matmul", _rolled),
    "a loss is the neighbour's": (
        "sparse_softmax_crossentropy", "sparse_softmax_crossentropy", _rolled,
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_rule_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, sample, make = FAULTS[fault]
    assert _findings(sample) == set()
    monkeypatch.setattr(OPS[name], "batching", make(OPS[name].batching))
    assert "batches" in _findings(sample)


def test_a_loop_over_the_examples_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS["argsort"], "batching", None)
    assert completeness.ops_without_batching() == ["argsort"]
    assert "batches" in _findings("argsort")


def test_an_op_by_values_that_is_not_refused_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batched, "is_traced", lambda self, native: False)
    monkeypatch.setattr(OPS["nonzero"], "by_value", False)
    monkeypatch.setattr(
        OPS["nonzero"], "batching", lambda batch, inputs, settings: batch.op(inputs[0][0])
    )
    assert "batches" in _findings("nonzero")


def _passes(check: Callable[[], None]) -> bool:
    with ug.use_backend("numpy"):
        try:
            check()
        except (Deviation, ValueError, TypeError, RuntimeError):
            return False
    return True


def _ignoring_axis(honest: Any) -> Any:
    return lambda frame, found, axis: honest(frame, found, None if axis is None else 0)


def _never_refusing(honest: Any) -> Any:
    """Assign the first example's value for all."""

    def write(self: Any, variable: Any, tensor: Tensor) -> None:
        native = tensor._native
        first = native.value[0] if native.batched else native.value
        self._below(lambda: variable.assign(first))

    return write


def _tracked(honest: Any) -> Any:
    return lambda batch, inputs, settings: batch.op(*inputs, **settings)


PIECES: dict[str, tuple[Any, str, Callable[[Any], Any], Callable[[], None]]] = {
    "out_axes is ignored": (
        mapping, "_out", _ignoring_axis, BATCHES["axes_of_arguments_and_results"],
    ),
    "lengths are not compared": (
        mapping, "_size", lambda _: lambda tensors, axes: tensors[0].shape[0],
        BAD_BATCHES["axes_that_do_not_fit"],
    ),
    "an example is assigned": (
        mapping._Variables, "write", _never_refusing, BATCHES["variables_are_the_same_for_all"],
    ),
    "a derivative is not stopped": (
        OPS["stop_gradient"], "batching", _tracked,
        BATCHED_DERIVATIVES["what_stops_a_derivative"],
    ),
    "values are not looked at": (
        Batched, "beneath", lambda _: lambda self, native: None,
        BAD_BATCHES["integers_divided_by_zero"],
    ),
    "a tensor is of use for ever": (
        Batched, "check", lambda _: lambda self, native: None, BAD_BATCHES["values_are_nobodys"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", PIECES)
def test_a_wrong_piece_is_caught(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, make, check = PIECES[fault]
    assert _passes(check)
    monkeypatch.setattr(owner, name, make(getattr(owner, name)))
    assert not _passes(check)


def test_an_op_of_somebody_else_runs_once_per_example() -> None:
    op = Op("of_somebody_else")

    def kernel(x: Any, y: Any) -> Any:
        assert x.shape == (3,)
        return x.sum() * y

    with ug.use_backend("numpy") as backend:
        op.kernels[backend] = kernel
        x = ug.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        with pytest.warns(ug.GradientWarning, match="vmap: of_somebody_else has no batching rule"):
            out = ug.vmap(lambda x: op(x, ug.asarray(2.0)))(x)
        assert out.tolist() == [12.0, 30.0]
        with pytest.warns(ug.GradientWarning, match="of_somebody_else"):
            assert ug.vmap(lambda x: op(x, ug.asarray(2.0)))(x[:0]).shape == (0,)
