"""Half precision stays what it is: beside Python's numbers, in products and in sums."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug

VALUES = (0.5, 1.0, 2.0)

CALLS: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: x + 0.25,
    "reflected": lambda x: 1.5 - x,
    "multiply by an int": lambda x: 3 * x,
    "divide": lambda x: x / 4.0,
    "pow": lambda x: x**2.0,
    "maximum": lambda x: ug.maximum(x, 0.75),
    "where": lambda x: ug.where(x > 0.75, x, 0.25),
    "clip": lambda x: ug.clip(x, 0.75, 1.5),
    "sigmoid": lambda x: ug.nn.sigmoid(x) * 0.5,
    "gelu": ug.nn.gelu,
    "matmul": lambda x: ug.matmul(x, x),
    "linear": lambda x: ug.linear(x[None], x[:, None], x[:1]),
    "einsum": lambda x: ug.einsum("i,j->ij", x, x),
    "mean": ug.mean,
    "var": ug.var,
    "softmax": ug.nn.softmax,
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", CALLS)
def test_dtype_and_value(backend: str, name: str, dtype: str) -> None:
    exact = CALLS[name](ug.asarray(VALUES, dtype="float64")).numpy()
    x = ug.asarray(VALUES, dtype=dtype)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = CALLS[name](x)
    assert y.dtype.name == dtype
    assert tape.gradient(y, x).dtype.name == dtype
    # Some steps of rounding, each to 8 bits (bfloat16) or 11.
    allowed = 4 * (2.0**-8 if dtype == "bfloat16" else 2.0**-11)
    np.testing.assert_allclose(y.numpy().astype(np.float64), exact, rtol=allowed)


def test_order_of_bfloat16_with_nan(backend: str) -> None:
    x = ug.asarray([np.inf, np.nan, -1.0, -np.inf], dtype="bfloat16")
    assert str(ug.sort(x).tolist()) == "[-inf, -1.0, inf, nan]"
    assert ug.argsort(x).tolist() == [3, 2, 0, 1]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_bias_gradient_over_a_large_batch(backend: str, dtype: str) -> None:
    # 4096 equal parts: more than either dtype can add up one by one.
    x, bias = ug.ones((4096, 1), dtype=dtype), ug.zeros((1,), dtype=dtype)
    with ug.GradientTape() as tape:
        tape.watch(bias)
        total = (x + bias).mean()
    assert tape.gradient(total, bias).tolist() == [1.0]


#: A call on one tensor, the values of that tensor, and the result in exact arithmetic.
LARGE: dict[str, tuple[Callable[[Any], Any], Any, float]] = {
    "mean of many": (ug.mean, np.full(70_000, 10.0), 10.0),
    "mean along an axis": (lambda x: ug.mean(x, axis=0)[0], np.full((70_000, 2), 10.0), 10.0),
    "sum along an axis": (lambda x: ug.sum(x, axis=0)[0], np.full((3000, 2), 1.0), 3000.0),
    "cumulative_sum": (lambda x: ug.cumulative_sum(x)[-1], np.full(3000, 1.0), 3000.0),
    "prod": (ug.prod, np.full(200, 1.0078125), 1.0078125**200),
    "cumulative_prod": (
        lambda x: ug.cumulative_prod(x)[-1],
        np.full(200, 1.0078125),
        1.0078125**200,
    ),
    "norm": (ug.norm, np.array([300.0, -300.0]), 300.0 * np.sqrt(2.0)),
    "norm of order 1": (lambda x: ug.norm(x, ord=1), np.full(3000, 1.0), 3000.0),
    "norm of order 3": (lambda x: ug.norm(x, ord=3), np.array([300.0, -300.0]), 300 * 2 ** (1 / 3)),
    "std": (ug.std, np.array([300.0, -300.0]), 300.0),
    "logsumexp": (ug.logsumexp, np.zeros(100_000), np.log(100_000.0)),
    "softmax": (lambda x: ug.softmax(x)[0] * 4096, np.zeros(4096), 1.0),
    "log_softmax": (lambda x: ug.log_softmax(x)[0], np.zeros(4096), -np.log(4096.0)),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", LARGE)
def test_reductions_do_not_leave_range_or_precision(backend: str, name: str, dtype: str) -> None:
    function, values, exact = LARGE[name]
    x = ug.asarray(values, dtype=dtype)
    with ug.GradientTape() as tape:
        tape.watch(x)
        recorded = function(x)
    # Running products multiply in an order of their own, with some steps of rounding.
    allowed = 2.0**-8 if dtype == "bfloat16" else 2.0**-11
    for y in (function(x), recorded):
        assert y.dtype.name == dtype
        steps = 16 if "prod" in name else 2
        np.testing.assert_allclose(float(y), exact, rtol=steps * allowed)
    assert np.isfinite(tape.gradient(recorded, x).numpy().astype(np.float64)).all()
