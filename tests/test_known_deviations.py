"""Gradients of docs/backends.md's list of known deviations: right on all other backends.

Where a backend deviates the test is expected to fail; when it does not, it is off the list.
"""

import math
from typing import Any

import numpy as np
import pytest

import unigrad as ug

#: Backends and reason, by the name of the test.
DEVIATIONS = {
    "test_abs_at_nan": ("torch", "torch's sign of NaN is 0"),
    "test_atan2_of_small_numbers": ("jax", "XLA multiplies the two divisors"),
    "test_relu_takes_nothing_from_a_dead_unit": ("tensorflow", "TensorFlow multiplies by a mask"),
}


@pytest.fixture(autouse=True)
def expected_to_fail(request: pytest.FixtureRequest, backend: str, reference: bool) -> None:
    """Mark the tests of a backend that deviates; the reference is right everywhere."""
    where, reason = DEVIATIONS[request.function.__name__]
    if backend in where.split() and not reference:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))


@pytest.fixture(params=[False, True], ids=["native", "reference"])
def reference(request: pytest.FixtureRequest) -> bool:
    chosen: bool = request.param
    return chosen


def gradient(function: Any, x: Any, cotangent: Any, reference: bool) -> Any:
    x, cotangent = ug.asarray(x, dtype="float32"), ug.asarray(cotangent, dtype="float32")
    with ug.GradientTape(reference=reference) as tape:
        tape.watch(x)
        y = function(x)
    with np.errstate(invalid="ignore"):
        return tape.gradient(y, x, cotangent).numpy()


def test_abs_at_nan(reference: bool) -> None:
    found = gradient(ug.abs, [math.nan, -2.0], [1.0, 1.0], reference)
    np.testing.assert_array_equal(found, [math.nan, -1.0])


def test_relu_takes_nothing_from_a_dead_unit(reference: bool) -> None:
    found = gradient(ug.relu, [-1.0, 0.0, 1.0], [math.inf, math.nan, math.inf], reference)
    np.testing.assert_array_equal(found, [0.0, 0.0, math.inf])


def test_atan2_of_small_numbers(reference: bool) -> None:
    found = gradient(
        lambda x: ug.atan2(x, ug.asarray(4e-30, dtype="float32")), [3e-30], [1.0], reference
    )
    np.testing.assert_allclose(found, [1.6e29], rtol=1e-6)
