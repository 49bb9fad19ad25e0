"""Faults of linear algebra and Fourier transforms: the suite must catch each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.autodiff.rules import factors, fourier, inverses, spectra
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_conformance.checks import second_order
from unigrad_conformance.edge import check_edge, every_edge
from unigrad_conformance.errors import BAD_CALLS, check_bad_call
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.program_values import PROGRAM_VALUES
from unigrad_conformance.running import try_op
from unigrad_conformance.subject import Deviation

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]


@pytest.fixture(autouse=True)
def on_numpy(monkeypatch: Patch) -> Any:
    """Run on NumPy, and keep no differences of a faulty gradient."""
    monkeypatch.setattr(second_order, "_differences", {})
    with ug.use_backend("numpy"):
        yield


def in_kernel(op: str, make: Callable[[Any], Any]) -> Plant:
    """Return the planting of a kernel made from the honest one."""
    backend = load_backend("numpy")

    def plant(patch: Patch) -> None:
        patch.setitem(OPS[op].kernels, backend, make(OPS[op].kernels[backend]))

    return plant


def in_rule(op: str, pullback: Any = None, jvp: Any = None) -> Plant:
    """Return the planting of one half of a rule, made from the honest one."""

    def plant(patch: Patch) -> None:
        rule = OPS[op].rule
        for name, make in (("pullback", pullback), ("jvp", jvp)):
            if make is not None:
                patch.setattr(rule, name, make(getattr(rule, name)))

    return plant


def instead(module: Any, name: str, value: Any) -> Plant:
    """Return the planting of another function for a part of a rule."""
    return lambda patch: patch.setattr(module, name, value)


def negated(honest: Any) -> Any:
    """Return a reverse rule of the other sign."""
    return lambda *args, **settings: [-one for one in honest(*args, **settings)]


FAULTS: dict[str, tuple[str, Plant]] = {
    "QR whose diagonal has any sign": (
        "linalg.qr",
        in_kernel("qr", lambda honest: lambda x, complete: np.linalg.qr(x)),
    ),
    "singular vectors that are not conjugated": (
        "linalg.svd",
        in_kernel("svd_raw", lambda honest: lambda x, full_matrices: tuple(
            one.conj() if i == 2 else one for i, one in enumerate(honest(x, full_matrices=False))
        )),
    ),
    "eigenvalues in LAPACK's order": (
        "linalg.eigvals", in_kernel("order", lambda honest: lambda x: np.argsort(-x.real, axis=-1)),
    ),
    "a transform of the other sign": (
        "fft.fft", in_kernel("fft", lambda honest: lambda x, axes: honest(x.conj(), axes).conj()),
    ),
    "elements of half a spectrum that all weigh alike": (
        "fft.rfft", instead(fourier, "_weighted", lambda half, n, axis, inner: half),
    ),
    "a solution's gradient of the other sign": ("linalg.solve", in_rule("solve", negated)),
    "a forward rule that forgets the matrix": (
        "linalg.solve",
        in_rule("solve", jvp=lambda honest: lambda t, out, a, b: honest([t[0] * 0.5, t[1]], out,
                                                                        a, b)),
    ),
    "an inverse's rule without the adjoint": (
        "linalg.inv", instead(inverses, "adjoint", ug.matrix_transpose),
    ),
    "a Cholesky rule with the whole diagonal": (
        "linalg.cholesky", instead(factors, "_half", lambda x: ug.tril(x)),
    ),
    "a rule of Q R that leaves out what is not triangular": (
        "linalg.qr", instead(factors, "_with_real_diagonal", lambda x: ug.triu(x, k=1)),
    ),
    "complex singular vectors without their phase": (
        "linalg.svd", instead(spectra, "imaginary_part", lambda x: ug.abs(x) * 0.0),
    ),
    "the part of vectors beside the matrix": (
        "linalg.svd", instead(spectra, "_apart", lambda u, x: x * 0.0),
    ),
    "gaps of the other sign": (
        "linalg.eigh",
        instead(spectra, "_inverse_gaps",
                (lambda honest: lambda values: -honest(values))(spectra._inverse_gaps)),
    ),
}  # fmt: skip


def findings(op: str) -> set[str]:
    """Return the names of the checks that an op does not pass."""
    ledger = Ledger("numpy")
    try_op(op, ledger)
    return {one.check for one in ledger.findings}


@pytest.mark.parametrize("op", sorted({op for op, _ in FAULTS.values()}))
def test_nothing_is_found_without_a_fault(op: str) -> None:
    assert findings(op) == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault: str, monkeypatch: Patch) -> None:
    op, plant = FAULTS[fault]
    plant(monkeypatch)
    assert findings(op)


def _edge(name: str) -> None:
    check_edge(next(one for one in every_edge() if one.name == name))


def _bad_call(name: str) -> None:
    check_bad_call(next(one for one in BAD_CALLS if one.name == name))


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (
            in_kernel("cofactors", lambda honest: lambda x: np.zeros_like(x)),
            lambda: _edge("det of a matrix of rank 1"),
        ),
        (
            instead(spectra, "_counted", lambda s, x: s == s),
            lambda: _edge("singular values of zeros"),
        ),
        (
            in_kernel("eigvalsh", lambda honest: lambda x: np.linalg.eigvalsh(x, "U")),
            lambda: _edge("eigvalsh reads the lower triangle"),
        ),
        (
            in_kernel("inv", lambda honest: lambda x: np.linalg.pinv(x)),
            lambda: _bad_call("inv without an answer"),
        ),
        (
            in_kernel("solve", lambda honest: np.linalg.solve),
            PROGRAM_VALUES["singular matrices are nan"],
        ),
    ],
)
def test_edge_is_held(plant: Plant, check: Callable[[], None], monkeypatch: Patch) -> None:
    check()
    plant(monkeypatch)
    with pytest.raises((Deviation, ug.UnigradError)):
        check()
