"""First derivatives that torch's kernels have in its own functions are what the rules say."""

from collections.abc import Callable

import numpy as np
import pytest

import unigrad as ug

ENDS = [-np.inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 1.0, 3.0, np.inf, np.nan]
ROWS = [[1.0, 3.0, 3.0], [np.nan, 0.0, np.nan], [-0.0, 0.0, -1.0], [np.inf, np.inf, 2.0]]
CASES: dict[str, tuple[Callable[[ug.Tensor], ug.Tensor], list]] = {
    "maximum": (lambda x: ug.maximum(x, 1.0), ENDS),
    "maximum of a number first": (lambda x: ug.maximum(1.0, x), ENDS),
    "minimum": (lambda x: ug.minimum(x, 1.0), ENDS),
    "minimum of an infinity": (lambda x: ug.minimum(x, float("inf")), ENDS),
    "clip": (lambda x: ug.clip(x, -1.0, 1.0), ENDS),
    "clip from below": (lambda x: ug.clip(x, min=0.0), ENDS),
    "clip with its limits crossed": (lambda x: ug.clip(x, 1.0, -1.0), ENDS),
    "rsqrt": (ug.rsqrt, ENDS),
    "max": (ug.max, ROWS),
    "max of rows": (lambda x: ug.max(x, axis=1), ROWS),
    "min of columns": (lambda x: ug.min(x, axis=0, keepdims=True), ROWS),
    "min of two axes": (lambda x: ug.min(x[None], axis=(0, 2)), ROWS),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_a_pullback_is_the_rule(name: str, dtype: str) -> None:
    f, values = CASES[name]
    found = []
    with ug.use_backend("torch"):
        x = ug.asarray(np.array(values, dtype))
        for reference in (False, True):
            with ug.GradientTape(reference=reference) as tape:
                tape.watch(x)
                y = f(x)
            weights = ug.asarray(np.arange(1, y.size + 1, dtype=dtype).reshape(y.shape))
            found.append(tape.gradient(y, x, output_gradients=weights).numpy())
    assert found[0].dtype == found[1].dtype == dtype
    np.testing.assert_array_equal(*found)
