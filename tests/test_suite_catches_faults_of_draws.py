"""Faults in draws that the statistical checks must find; the honest checks pass before."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.random import (
    counts,
    discrete,
    exact,
    gammas,
    keys,
    mills,
    multivariate,
    shuffling,
    uniforms,
)
from unigrad_conformance import bad_draws
from unigrad_conformance.errors import BAD_CALLS, check_bad_call
from unigrad_conformance.half_draws import draws_of_halves
from unigrad_conformance.statistics import (
    DISTRIBUTIONS,
    DOMAINS,
    PROGRAMS_THAT_DRAW,
    STATISTICS,
)
from unigrad_conformance.subject import Deviation


@pytest.fixture(autouse=True)
def on_numpy() -> Any:
    with ug.use_backend("numpy"):
        yield


def _kernel(name: str, make: Callable[[Any], Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """Plant a fault into NumPy's kernel of an op."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        op, backend = OPS[name], load_backend("numpy")
        patch.setitem(op.kernels, backend, make(op.kernels[backend]))

    return plant


def _function(module: Any, name: str, make: Callable[[Any], Any]) -> Any:
    """Plant a fault into a function of a module."""
    return lambda patch: patch.setattr(module, name, make(getattr(module, name)))


def _rule(patch: pytest.MonkeyPatch) -> None:
    """A slope by the shape that is off by a thousandth."""
    rule = OPS["random_gamma_sample"].rule
    honest = rule.vjps[0]
    patch.setattr(rule, "vjps", [lambda g, *xs: honest(g, *xs) * 1.001, rule.vjps[1]])


FAULTS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "normal too wide": (
        "distribution of normal",
        _kernel("random_normal", lambda f: lambda key, **s: f(key, **s) * 1.1),
    ),
    "normal cut": (
        "distribution of normal",
        _kernel("random_normal", lambda f: lambda key, **s: np.clip(f(key, **s), -1.5, 1.5)),
    ),
    "neighbours alike": (
        "draws_have_no_memory",
        _kernel(
            "random_uniform",
            lambda f: lambda key, **s: 0.9 * (x := f(key, **s)) + 0.1 * np.roll(x, 1),
        ),
    ),
    "a bit that is stuck": (
        "draws_have_no_memory",
        _kernel("random_bits", lambda f: lambda key, **s: f(key, **s) | np.uint32(1 << 7)),
    ),
    "split gives the key itself": (
        "split_keys_are_independent",
        _kernel(
            "random_split", lambda f: lambda key, num: np.concatenate([key[None], f(key, num=num)])
            [:num]
        ),
    ),
    "a gamma proposal is rejected too often": (
        "distribution of gamma",
        _function(gammas, "_excess", lambda f: lambda t: f(t) * 30.0),
    ),
    "Mills' ratio of another point": (
        "distribution of truncated_normal",
        _function(mills, "log_tail_ratio", lambda f: lambda low, step: f(low * 0.8, step)),
    ),
    "a rate that is too small": (
        "chances of poisson",
        _function(counts, "_few_events", lambda f: lambda key, rate: f(key, rate * 0.9)),
    ),
    "the wrong tail of a binomial": (
        "chances of binomial",
        _function(counts, "_many_successes", lambda f: lambda key, n, p, m: f(key, n, p, m) + 1),
    ),
    "sums without the first": (
        "categories_have_their_chances",
        _function(shuffling, "running_sums", lambda f: lambda p: f(p) - p[0] * 0.5),
    ),
    "logarithms of another base": (
        "categories_have_their_chances",
        _function(exact, "log_of_float", lambda f: lambda x: f(x) // 2),
    ),
    "a slope that is off": ("gamma_follows_its_quantile", _rule),
    "parameters that nobody looks at": (
        "outside of the domain: gamma",
        _function(gammas, "draw", lambda f: lambda name, key, shape, dtype, *given, **rest: f(
            name, key, shape, dtype,
            *[(what, ug.abs(ug.asarray(x)) + 1.0, domain) for what, x, domain in given], **rest)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check, plant = FAULTS[name]
    checks = {**DISTRIBUTIONS, **DOMAINS, **PROGRAMS_THAT_DRAW, **STATISTICS}
    checks[check]()
    plant(monkeypatch)
    with pytest.raises(Deviation):
        checks[check]()


#: A fault, and the bad call, or the check of bad draws, that must find it.
UNCHECKED: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "logits of no category": (
        "random.categorical, all impossible",
        _function(discrete, "_possible", lambda f: lambda *_: None),
    ),
    "fewer categories than draws": (
        "random.categorical, too few without replacement",
        _function(discrete, "_possible", lambda f: lambda name, x, axis, n: f(name, x, axis, 1)),
    ),
    "fewer chances than draws": (
        "random.choice, too few without replacement",
        _function(shuffling, "_possible", lambda f: lambda chances, count: f(chances, 1)),
    ),
    "bounds as they come": (
        "random.uniform, wider than the dtype",
        _function(uniforms, "_ordered", lambda f: lambda key, dtype, low, high: (low, high)),
    ),
    "the lower half alone": (
        "random.multivariate_normal, not symmetric",
        _function(multivariate, "_symmetric", lambda f: lambda name, cov, dtype: cov),
    ),
    "words that wrap around": (
        "random.fold_in of 33 bits",
        _function(keys, "_check_words", lambda f: lambda data: None),
    ),
    "logits in programs": (
        "random.categorical, all impossible, in a program",
        _function(discrete, "_possible", lambda f: lambda *given: (f(*given), None)[1]),
    ),
    "bounds in programs": (
        "random.uniform, wrong way round, in a program",
        _function(uniforms, "_ordered", lambda f: lambda *given: (f(*given), given[2:])[1]),
    ),
    "a tail that does not move with its bound": (
        "tails have slopes in programs",
        _function(mills, "mills_ratio", lambda f: lambda x: ug.stop_gradient(f(x))),
    ),
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_draw_of_no_distribution_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, plant = UNCHECKED[name]
    calls = {one.name: partial(check_bad_call, one) for one in BAD_CALLS}
    check = {**calls, **bad_draws.IN_PROGRAMS, **bad_draws.SLOW}[where]
    check()
    plant(monkeypatch)
    with pytest.raises(Deviation):
        check()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, y, z: ug.astype(_wide(x) * _wide(y) + _wide(z), x.dtype),
        lambda x, y, z: x * (y * 2.0**-10) * 2.0**10 + z,
        lambda x, y, z: ug.stop_gradient(x * y) + z,
    ],
    ids=["one rounding", "a range that is scaled first", "a rounding without a slope"],
)
def test_a_uniform_number_of_half_precision_that_is_rounded_otherwise(
    wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws_of_halves("float16")
    monkeypatch.setattr(uniforms, "_random_in_halves", wrong)
    # Its kernel is kept by shape and dtype.
    load_backend("numpy").forget_rows()
    with np.errstate(all="ignore"), pytest.raises(Deviation):
        draws_of_halves("float16")


def _wide(x: ug.Tensor) -> ug.Tensor:
    return ug.astype(x, "float32")
