"""Faults that show at the ends of a dtype, in one dtype or from a length on: the suite finds each.

Each row replaces one NumPy kernel; the same checks must pass before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import try_at_ends

#: Which elements of which arrays a fault is in.
Where = Callable[[Any], Any]


@dataclass(frozen=True)
class Fault:
    """A kernel that gives ``wrong`` of the honest result where ``where`` holds of its input."""

    name: str
    op: str
    where: Where
    wrong: Callable[[Any], Any]


def _info(x: Any) -> Any:
    return ml_dtypes.finfo(x.dtype) if x.dtype.kind != "i" else np.iinfo(x.dtype)


def _is_subnormal(x: Any) -> Any:
    return (np.abs(x) > 0) & (np.abs(x) < _info(x).tiny)


def _from(length: int) -> Where:
    return lambda x: np.arange(x.size).reshape(x.shape) >= length


def _only(dtype: Any) -> Where:
    return lambda x: np.full(x.shape, x.dtype == dtype)


def _last(x: Any) -> Any:
    return np.arange(x.size).reshape(x.shape) == x.size - 1


def _nan(out: Any) -> Any:
    return np.full_like(out, np.nan)


def _zero(out: Any) -> Any:
    return np.zeros_like(out)


FAULTS = [
    Fault("overflow at the largest number", "abs", lambda x: x == _info(x).max, lambda o: o * 2),
    Fault(
        "∞ from a sixth of the range on", "relu", lambda x: x > _info(x).max / 6, lambda o: o * 8
    ),
    Fault("subnormal numbers flushed", "negative", _is_subnormal, _zero),
    Fault("the smallest number flushed", "sqrt", lambda x: x == _info(x).smallest_subnormal, _zero),
    Fault("the smallest normal number", "log", lambda x: x == _info(x).tiny, lambda o: o * 0.5),
    Fault("NaN swallowed", "tanh", np.isnan, _zero),
    Fault("NaN at ∞", "exp", np.isposinf, _nan),
    Fault("-0 lost", "floor", lambda x: x == 0, np.abs),
    Fault("0 with a sign too many", "sin", lambda x: x == 0, lambda o: -np.abs(o)),
    Fault("-∞ taken for ∞", "sigmoid", np.isneginf, lambda o: o + 1),
    Fault("wrong in float16 alone", "cos", _only(np.float16), lambda o: o * o.dtype.type(1.25)),
    Fault("wrong in bfloat16 alone", "exp", _only(ml_dtypes.bfloat16), lambda o: o + o),
    Fault("wrong in float64 alone", "atan", _only(np.float64), lambda o: o * (1 + 1e-12)),
    Fault("wrong from 16 elements on", "expm1", _from(16), lambda o: o * o.dtype.type(1.25)),
    Fault("wrong in the tail", "cosh", _last, lambda o: o * o.dtype.type(1.25)),
    Fault("wrong beyond 900 elements", "square", _from(900), lambda o: o * o.dtype.type(1.25)),
    Fault("a pair of the largest", "add", lambda x: x == _info(x).max, lambda o: o * 0.5),
    Fault("NaN swallowed by a maximum", "max", lambda x: np.isnan(x).any(-1), _zero),
    Fault("NaN swallowed by a softmax", "softmax", np.isnan, _zero),
    Fault("squares out of range", "norm", lambda x: (abs(x) > 1e30).any(-1), lambda o: o * np.inf),
    Fault("squares that vanish", "norm", lambda x: (abs(x) < 1e-30).all(-1), _zero),
    Fault("the least integer", "minimum", lambda x: x == _info(x).min, lambda o: o + 1),
]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Fault], None]]:
    """Put a fault into NumPy's kernel for the time of a test."""
    backend = load_backend("numpy")

    def put(fault: Fault) -> None:
        honest = OPS[fault.op].kernels[backend]
        assert honest is not None

        def faulty(x: Any, *rest: Any, **settings: Any) -> Any:
            out = np.asarray(honest(x, *rest, **settings))
            with np.errstate(all="ignore"):
                where = np.asarray(fault.where(np.asarray(x)))
                if where.shape != out.shape:
                    where = np.broadcast_to(where, out.shape)
                return np.where(where, fault.wrong(out).astype(out.dtype), out)

        monkeypatch.setitem(OPS[fault.op].kernels, backend, faulty)

    with ug.use_backend("numpy"):
        yield put


def findings(op: str) -> list[str]:
    ledger = Ledger("numpy")
    with ug.use_backend("numpy"):
        try_at_ends(op, ledger)
    return [one.check for one in ledger.findings]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: f"{one.op}: {one.name}")
def test_fault_is_found(fault: Fault, plant: Callable[[Fault], None]) -> None:
    assert findings(fault.op) == []
    plant(fault)
    assert findings(fault.op)


def test_a_gradient_in_a_lower_precision_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # As torch's celu, whose derivative in float64 was one of float32.
    pullbacks = load_backend("numpy").pullbacks
    assert "tanh" in pullbacks
    honest = pullbacks["tanh"]
    assert findings("tanh") == []

    def narrow(g: Any, *rest: Any) -> Any:
        return [x.astype(np.float32).astype(x.dtype) for x in honest(g, *rest)]

    monkeypatch.setitem(pullbacks, "tanh", narrow)
    assert findings("tanh") == ["gradients at the ends of float64"]
