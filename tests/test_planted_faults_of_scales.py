"""Faults at other scales of matrices, planted one at a time, which the suite must catch."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import unigrad as ug
from unigrad.autodiff.rules import inverses, spectra
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.ops.linalg.matrices import adjoint
from unigrad.ops.linalg.solving import _cofactors
from unigrad_conformance.matrices_at_scales import TABLE, check_at_scales
from unigrad_conformance.subject import Deviation

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]


def in_module(module: Any, **values: Any) -> Plant:
    """Return the planting of other functions for parts of a module."""

    def plant(patch: Patch) -> None:
        for name, value in values.items():
            patch.setattr(module, name, value)

    return plant


def in_kernel(backend: str, op: str, make: Callable[[], Any]) -> Plant:
    """Return the planting of another kernel; ``make`` is called where the library is loaded."""
    return lambda patch: patch.setitem(OPS[op].kernels, load_backend(backend), make())


def _squares(s: ug.Tensor, x: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
    gaps = spectra._inverse_gaps(s * s)
    return gaps * ug.expand_dims(s, -2), gaps * ug.expand_dims(s, -1)


def _from_the_outside(g: Any, out: Any, a: Any, *, rtol: float) -> Any:
    back, turned = adjoint(out), adjoint(g)
    rows, columns = inverses._beside(a, out), inverses._beside(out, a)
    first = -(back @ g @ back)
    second = rows @ turned @ out @ back
    return (first + second + (back @ out) @ (turned @ columns),)


def _tensorflow_rule(name: str, function: str) -> Any:
    bridge = importlib.import_module("unigrad_tensorflow.bridge")
    linalg = importlib.import_module("tensorflow").linalg
    return bridge.by_rule(name, lambda x, **_: tuple(getattr(linalg, function)(x)))


def _jax_numpy(name: str) -> Callable[..., Any]:
    function = getattr(importlib.import_module("jax").numpy.linalg, name)
    return lambda x: tuple(function(x))


def _torch_rule(name: str, function: str) -> Any:
    bridge = importlib.import_module("unigrad_torch.bridge")
    linalg = importlib.import_module("torch").linalg
    return bridge.by_rule(name, getattr(linalg, function)) if name else getattr(linalg, function)


def _no_exponents(x: ug.Tensor) -> ug.Tensor:
    return ug.zeros((*x.shape[:-2], 1, 1), dtype="int32")


_UNSCALED = in_module(inverses, times_power=lambda x, exponent: x)

FAULTS: dict[str, tuple[str, str, Plant]] = {
    "a direction that is not made small (logm)": ("numpy", "logm", _UNSCALED),
    "a direction that is not made small (expm)": ("numpy", "expm", _UNSCALED),
    "a direction as large as the matrix": (
        "numpy", "logm of small and large eigenvalues",
        in_module(inverses, _DEPTHS={4: 0, 8: 0}),
    ),
    "a root's matrix that is not brought into range": (
        "numpy", "sqrtm", in_module(inverses, extremes=_no_exponents, times_power=lambda x, e: x),
    ),
    "squares of singular values": (
        "numpy", "left singular vectors", in_module(spectra, _over_gaps=_squares),
    ),
    "a product of two inverses": (
        "numpy", "lstsq",
        lambda patch: patch.setattr(OPS["pinv"].rule, "pullback", _from_the_outside),
    ),
    "cofactors by a determinant out of range": (
        "numpy", "det", in_module(inverses, _cofactors_in_range=_cofactors),
    ),
    "torch's derivative of the exponential": (
        "torch", "expm", in_kernel("torch", "expm", lambda: _torch_rule("", "matrix_exp")),
    ),
    "torch's derivative of the pseudo-inverse": (
        "torch", "lstsq", in_kernel("torch", "pinv", lambda: _torch_rule("", "pinv")),
    ),
    "JAX's eigenvalues": ("jax", "eigenvalues", in_kernel("jax", "eig_raw",
                                                          lambda: _jax_numpy("eig"))),
    "JAX's determinant of two by two": (
        "jax", "sign of slogdet", in_kernel("jax", "slogdet", lambda: _jax_numpy("slogdet")),
    ),
    "TensorFlow's Q": (
        "tensorflow", "q of qr",
        in_kernel("tensorflow", "qr", lambda: _tensorflow_rule("qr", "qr")),
    ),
    "TensorFlow's eigenvectors": (
        "tensorflow", "eigenvectors that turn",
        in_kernel("tensorflow", "eig_raw", lambda: _tensorflow_rule("eig_raw", "eig")),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Compile anew what has a fault, and after it what has none."""
    load_backend("torch")
    for _ in range(2):
        for name in ("jax", "tensorflow"):
            load_backend(name).clear_caches()
        if not _:
            yield


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault: str, monkeypatch: Patch) -> None:
    backend, name, plant = FAULTS[fault]
    with ug.use_backend(backend):
        check_at_scales(TABLE[name])
        load_backend(backend).clear_caches()
        plant(monkeypatch)
        with pytest.raises((Deviation, ug.UnigradError)):
            check_at_scales(TABLE[name])
