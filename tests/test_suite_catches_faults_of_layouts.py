"""Faults that only arrays kept in memory in another order show: the suite must catch each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core import dtypes
from unigrad.core.backend import Backend
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_conformance.checks.layouts import check_every_layout
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.levels import Level
from unigrad_conformance.problem import problem_of
from unigrad_conformance.running import checks_of, try_op
from unigrad_conformance.samples import samples_of
from unigrad_conformance.subject import Deviation

Plant = Callable[[str, str, Callable[..., Any]], Backend]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Plant:
    """Replace a kernel: ``kernel(backend, op, make)`` with make(honest) → faulty."""

    def plant(name: str, op: str, make: Callable[..., Any]) -> Backend:
        backend = load_backend(name)
        monkeypatch.setitem(OPS[op].kernels, backend, make(OPS[op].kernels[backend]))
        return backend

    return plant


def findings(backend: str, op: str) -> set[str]:
    """Return the names of the checks that an op does not pass in a quick run."""
    ledger = Ledger(backend)
    with ug.use_backend(backend):
        try_op(op, ledger)
    return {one.check for one in ledger.findings}


def every_layout(backend: str, op: str) -> None:
    """Run the thorough check of layouts on an op's first sample."""
    with ug.use_backend(backend):
        check_every_layout(problem_of(samples_of(op)[0]), dtypes.float64, Ledger(backend))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("op", ["exp", "matmul", "adam_update"])
def test_nothing_is_found_without_a_fault(backend: str, op: str) -> None:
    assert findings(backend, op) == set()
    every_layout(backend, op)


def _in_order_of_memory(honest: Any) -> Any:
    return lambda x: honest(x.ravel(order="K")).reshape(x.shape)


def test_kernel_that_walks_memory(kernel: Plant) -> None:
    kernel("numpy", "expm1", _in_order_of_memory)
    assert findings("numpy", "expm1") == {"layouts"}
    with pytest.raises(Deviation, match="given"):
        every_layout("numpy", "expm1")


def test_kernel_that_takes_the_first_bytes_of_the_buffer(kernel: Plant) -> None:
    def make(honest: Any) -> Any:
        def faulty(x: Any) -> Any:
            whole = x if x.base is None else x.base
            return honest(whole.ravel(order="K")[: x.size].reshape(x.shape))

        return faulty

    kernel("numpy", "expm1", make)
    with pytest.raises(Deviation, match="given"):
        every_layout("numpy", "expm1")


def test_fused_update_of_parameters_as_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    honest = torch.Tensor.clone
    monkeypatch.setattr(torch.Tensor, "clone", lambda x, memory_format=None: honest(x))
    monkeypatch.setattr(torch.Tensor, "contiguous", lambda x: x)
    assert "layouts" in findings("torch", "adam_update")
    with pytest.raises(Deviation, match="given"):
        every_layout("torch", "adam_update")


def _by_order_of_memory(honest: Any) -> Any:
    return lambda array, device: honest(
        np.ndarray(array.shape, array.dtype, array.tobytes("A")), device
    )


def _by_size_of_strides(honest: Any) -> Any:
    return lambda array, device: honest(
        array[..., ::-1] if min((*array.strides, 0)) < 0 else array, device
    )


@pytest.mark.parametrize("make", [_by_order_of_memory, _by_size_of_strides])
def test_entry_that_mistakes_strides(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    backend = load_backend("numpy")
    monkeypatch.setattr(backend, "from_numpy", make(backend.from_numpy))
    with pytest.raises(Deviation, match="given"):
        every_layout("numpy", "expm1")


def test_entry_that_refuses_an_array(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = load_backend("torch")
    honest = backend.from_numpy

    def faulty(array: Any, device: Any) -> Any:
        if min((*array.strides, 0)) < 0:
            raise ValueError("at least one stride is negative")
        return honest(array, device)

    monkeypatch.setattr(backend, "from_numpy", faulty)
    with pytest.raises(ValueError, match="stride"):
        every_layout("torch", "expm1")


def test_pullback_that_walks_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    pullbacks = load_backend("numpy").pullbacks
    honest = pullbacks["multiply"]

    def faulty(g: Any, out: Any, inputs: Any, wanted: Any) -> Any:
        flat = [
            x.ravel(order="K").reshape(x.shape) if isinstance(x, np.ndarray) else x for x in inputs
        ]
        return honest(g, out, flat, wanted)

    monkeypatch.setitem(pullbacks, "multiply", faulty)
    with pytest.raises(Deviation, match="native gradient"):
        every_layout("numpy", "multiply")


def test_the_check_is_made_at_every_level() -> None:
    problem = problem_of(samples_of("exp")[0])
    for level in Level:
        names = [name for name, _, _ in checks_of(problem, True, level, False)]
        assert names.count("layouts") == 1
