"""Neighbours of floats are NumPy's, bit for bit, in every dtype and at its ends."""

import ml_dtypes
import numpy as np
import pytest

import unigrad as ug

DTYPES = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float32": np.float32,
    "float64": np.float64,
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbours_at_the_ends(backend: str, dtype: str) -> None:
    kind = DTYPES[dtype]
    most = float(ml_dtypes.finfo(kind).max)
    values = [1.0, -1.0, 2.0, 0.5, most, -most, np.inf, -np.inf, np.nan]
    x = np.repeat(np.asarray(values, kind), len(values))
    y = np.tile(np.asarray(values, kind), len(values))
    with np.errstate(over="ignore"):
        found = ug.nextafter(ug.asarray(x), ug.asarray(y)).numpy()
        wanted = np.nextafter(x, y)
    assert found.dtype == kind
    np.testing.assert_array_equal(found.astype("f8"), wanted.astype("f8"))


def test_sign_bits(backend: str) -> None:
    values = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf]
    for dtype in DTYPES:
        found = ug.signbit(ug.asarray(values, dtype=dtype)).tolist()
        assert found == [False, True, False, True, False, True]
    assert ug.signbit(ug.asarray([-1, 0, 2])).tolist() == [True, False, False]
    with pytest.raises(ug.DTypeError):
        ug.signbit(ug.asarray([1j]))
