"""The suite finds wrong answers at odd values: beyond squares, after infinite slopes, at ends.

Each fault is a formula that is right for mild numbers, and what stood here before or a library has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any

import pytest
from test_planted_faults_of_kernels import edge_passes, findings

import unigrad as ug
from unigrad.autodiff import cotangents
from unigrad.autodiff.rules.registry import Rule
from unigrad.core import arguments, dtypes, elementwise
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.ops import shaping
from unigrad_conformance.ends_of_integers import check_integers
from unigrad_conformance.ends_of_rows import TABLE, check_rows
from unigrad_conformance.errors import BAD_CALLS, check_bad_call
from unigrad_conformance.leaks import LEAKS
from unigrad_conformance.subject import Deviation

# Loaded in this order, which the frameworks ask for.
load_backend("torch")
load_backend("tensorflow")

import jax.numpy as jnp  # noqa: E402
import tensorflow as tf  # noqa: E402
import torch  # noqa: E402

from unigrad_tensorflow.kernels import error_functions  # noqa: E402
from unigrad_tensorflow.kernels import powers as of_tensorflow  # noqa: E402

Patch = pytest.MonkeyPatch


def plant(patch: Patch, backend: str, op: str, kernel: Callable[..., Any]) -> None:
    """Put a faulty kernel in an op's place."""
    patch.setitem(OPS[op].kernels, load_backend(backend), kernel)


def require_found(patch: Patch, backend: str, edge: str, fault: Callable[[], None]) -> None:
    """See that an edge is met, and no more once there is a fault."""
    assert edge_passes(backend, edge)
    fault()
    assert not edge_passes(backend, edge)


def _masked_hard_silu(x: Any) -> Any:
    return x * tf.nn.relu6(x + 3.0) / 6.0


def rows_pass(op: str) -> bool:
    [one] = [one for one in TABLE if one.op == op]
    try:
        check_rows(one, dtypes.float32, 7, False)
    except Deviation:
        return False
    return True


def test_rows_normalised_by_their_squares(monkeypatch: Patch) -> None:
    def squares(x: Any, epsilon: float) -> Any:
        return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=epsilon)

    with ug.use_backend("torch"):
        assert rows_pass("normalized")
        plant(monkeypatch, "torch", "normalized", squares)
        assert not rows_pass("normalized")


@pytest.mark.parametrize(
    ("op", "edge"), [("relu", "relu"), ("relu6", "hard_sigmoid"), ("clip", "clip")]
)
def test_tangents_that_are_selected(monkeypatch: Patch, op: str, edge: str) -> None:
    honest = OPS[op].rule

    def select(t: Any, out: Any, x: Any, **settings: Any) -> Any:
        return honest.vjps[0](t[0], out, x, **settings)

    require_found(
        monkeypatch, "numpy", f"{edge} of a logarithm at 0",
        lambda: monkeypatch.setattr(OPS[op], "rule", Rule(honest.vjps, select)),
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])
@pytest.mark.parametrize(
    ("op", "edge"), [("heaviside", "heaviside"), ("copysign", "the sign by copysign")]
)
def test_zeros_that_meet_an_infinite_slope(
    monkeypatch: Patch, backend: str, op: str, edge: str
) -> None:
    honest = OPS[op].rule
    require_found(
        monkeypatch, backend, f"{edge} of a logarithm at 0",
        lambda: monkeypatch.setattr(OPS[op], "rule", Rule(honest.vjps, honest.jvp)),
    )  # fmt: skip


def test_mean_of_no_tangents(monkeypatch: Patch) -> None:
    honest = OPS["mean"].rule

    def mean(t: Any, out: Any, x: Any, **settings: Any) -> Any:
        return OPS["mean"](t[0], **settings)

    require_found(
        monkeypatch, "numpy", "mean of nothing",
        lambda: monkeypatch.setattr(OPS["mean"], "rule", Rule(honest.vjps, mean)),
    )  # fmt: skip


def test_deviation_that_is_differentiated_through_its_body(monkeypatch: Patch) -> None:
    require_found(
        monkeypatch, "tensorflow", "std of equal infinities",
        lambda: plant(monkeypatch, "tensorflow", "std", None),  # type: ignore[arg-type]
    )  # fmt: skip


def test_gelu_by_the_error_function(monkeypatch: Patch) -> None:
    def plain(x: Any, approximate: str) -> Any:
        return x * 0.5 * (1.0 + torch.erf(x * math.sqrt(0.5)))

    assert not findings("torch", "gelu")
    plant(monkeypatch, "torch", "gelu", plain)
    assert any(one.startswith("values") for one in findings("torch", "gelu"))


@pytest.mark.parametrize(
    ("backend", "op", "kernel", "edge"),
    [
        ("torch", "acosh", torch.acosh, "acosh at the end of its domain and outside"),
        ("torch", "rsqrt", torch.rsqrt, "rsqrt of zeros"),
        ("tensorflow", "erf", error_functions._of_any("Erf"), "erf at infinities, second order"),
        ("tensorflow", "hard_silu", _masked_hard_silu, "hard_silu at infinities"),
        ("torch", "remainder", torch.remainder, "the signs of zero remainders"),
        ("jax", "remainder", jnp.remainder, "the signs of zero remainders"),
        ("jax", "floor_divide", jnp.floor_divide, "the signs of zero quotients"),
        ("jax", "floor_divide", jnp.floor_divide, "floor_divide of float16 in pairs"),
        ("torch", "floor_divide", torch.floor_divide, "floor_divide of bfloat16 in pairs"),
    ],
)  # fmt: skip
def test_what_the_library_has(
    monkeypatch: Patch, backend: str, op: str, kernel: Any, edge: str
) -> None:
    require_found(monkeypatch, backend, edge, lambda: plant(monkeypatch, backend, op, kernel))


@pytest.mark.parametrize("op", ["asin", "atanh"])
def test_slope_by_two_factors(monkeypatch: Patch, op: str) -> None:
    def vjp(g: Any, out: Any, x: Any) -> Any:
        product = (1.0 - x) * (x + 1.0)
        return g / (ug.sqrt(product) if op == "asin" else product)

    require_found(
        monkeypatch, "numpy", f"{op} at ±1, second order",
        lambda: monkeypatch.setattr(OPS[op], "rule", Rule([vjp], OPS[op].rule.jvp)),
    )  # fmt: skip


def test_bool_that_counts_as_one(monkeypatch: Patch) -> None:
    [call] = [one for one in BAD_CALLS if one.name == "zeros with a bool for a number"]
    check_bad_call(call)
    monkeypatch.setattr(shaping, "plain_ints", lambda values: tuple(map(index, values)))
    with pytest.raises(Deviation):
        check_bad_call(call)


def test_exponents_read_as_negative(monkeypatch: Patch) -> None:
    with ug.use_backend("tensorflow"):
        check_integers("pow", dtypes.uint64, 16)
        monkeypatch.setattr(of_tensorflow, "_within_int64", lambda exponent: exponent)
        with pytest.raises(ug.DTypeError):
            check_integers("pow", dtypes.uint64, 16)


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_kept_tensor_that_reaches_the_library(monkeypatch: Patch, backend: str) -> None:
    check = LEAKS["tensors_kept_from_a_trace_are_refused"]
    with ug.use_backend(backend):
        check()
        monkeypatch.setattr(cotangents, "refuse_leaked", lambda tensor: None)
        with pytest.raises(Exception, match=r"nothing was raised|out of scope"):
            check()


def test_a_number_beyond_the_range(monkeypatch: Patch) -> None:
    def plant_it() -> None:
        monkeypatch.setattr(elementwise, "_most", lambda *_: math.inf)
        monkeypatch.setattr(arguments, "_is_absorbed", lambda *_: True)

    require_found(monkeypatch, "torch", "maximum of float32 and 1e300", plant_it)


def test_a_number_that_is_not_rounded(monkeypatch: Patch) -> None:
    require_found(
        monkeypatch, "torch", "float16 // 0.1, which is rounded first",
        lambda: plant(monkeypatch, "torch", "floor_divide", torch.floor_divide),
    )  # fmt: skip


def test_integers_that_wrap_in_a_list(monkeypatch: Patch) -> None:
    require_found(
        monkeypatch, "numpy", "an int8 and 300 in a list",
        lambda: monkeypatch.setattr(arguments, "_checked", lambda name, x, *_: x),
    )  # fmt: skip
