"""Short ways through ops, held beside the long ones that they stand for: the same, bit for bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.plans import ByNumbers


@pytest.fixture(params=["numpy", "torch", "jax", "tensorflow"])
def backend(request: pytest.FixtureRequest) -> Any:
    """Each backend in turn, chosen."""
    with ug.use_backend(request.param):
        yield request.param


def test_zeros_of_both_signs_are_two_plans_and_never_found_as_numbers() -> None:
    slopes = ByNumbers("leaky_relu", "negative_slope")
    plus, minus, half = slopes.of(0.0), slopes.of(-0.0), slopes.of(0.5)
    assert plus is slopes.of(0.0)
    assert minus is slopes.of(-0.0)
    assert plus is not minus
    assert (slopes.get(0.0), slopes.get(0.5)) == (None, half)
    tolerances = ByNumbers("isclose", "rtol", "atol", "equal_nan")
    assert tolerances.of(0.0, 1e-8, False) is not tolerances.of(-0.0, 1e-8, False)
    assert tolerances.get((1e-5, 1e-8, False)) is None
    assert tolerances.of(1e-5, 1e-8, False) is tolerances.get((1e-5, 1e-8, False))


@pytest.mark.parametrize("starts", [(1, 1), (-3, 2), (9, 9), (0, 0)])
@pytest.mark.parametrize("shape", [(2, 2), (4, 1), (0, 2), (4, 5)])
def test_windows_at_known_starts_are_those_at_traced_ones(
    backend: str, starts: tuple[int, int], shape: tuple[int, int]
) -> None:
    x = ug.asarray(np.arange(20.0).reshape(4, 5))
    new = ug.asarray(-np.ones(shape))
    tensors = [ug.asarray(one) for one in starts]
    assert ug.slice(x, starts, shape).tolist() == ug.slice(x, tensors, shape).tolist()
    written = [ug.slice_update(x, one, new).tolist() for one in (starts, tensors)]
    assert written[0] == written[1]


def test_puts_of_tensors_of_one_shape_are_those_of_lists(backend: str) -> None:
    x, v = (ug.asarray(np.arange(12.0).reshape(3, 4) * sign) for sign in (1, -1))
    index = ug.asarray([[0, 2, 2, 1], [-1, 0, 0, 0], [1, 1, -3, 2]])
    for axis in (0, 1, -1):
        found = ug.put_along_axis(x, index, v, axis=axis).tolist()
        assert found == ug.put_along_axis(x, index.tolist(), v, axis=axis).tolist()
    with pytest.raises(ug.OutOfBoundsError, match=r"put_along_axis.*index 3 is out of bounds"):
        ug.put_along_axis(x, index + 1, v, axis=0)


def test_numbers_before_tensors_keep_the_sign_of_zero(backend: str) -> None:
    one = ug.asarray([1.0, -1.0])
    for _ in range(2):
        assert np.signbit((0.0 / one).numpy()).tolist() == [False, True]
        assert np.signbit((-0.0 / one).numpy()).tolist() == [True, False]


def test_signs_of_complex_numbers_have_a_derivative(backend: str) -> None:
    x = ug.asarray([3 + 4j, 0j])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sign(x)
        part = ug.imag(y)
    np.testing.assert_allclose(y.numpy(), [0.6 + 0.8j, 0], rtol=1e-6)
    gradient = tape.gradient(part, x).numpy()
    # ∂(b / |z|)/∂a + i ∂(b / |z|)/∂b at 3 + 4i.
    np.testing.assert_allclose(gradient, [(-12 + 9j) / 125, 0], atol=1e-6)


def test_parts_of_tensors_are_seen_by_tapes(backend: str) -> None:
    x = ug.asarray([3 + 4j])
    for part, wanted in ((ug.real, 1.0), (ug.imag, 1j)):
        for _ in range(2):
            with ug.GradientTape() as tape:
                tape.watch(x)
                y = part(x)
            assert y.dtype == ug.float32 or y.dtype == ug.float64
            assert tape.gradient(y, x).tolist() == [wanted]


def test_places_of_nan_are_no_extremum(backend: str) -> None:
    x = ug.asarray([[1.0, math.nan, 3.0], [math.nan, -math.inf, 2.0]])
    assert ug.nanargmax(x, axis=1).tolist() == [2, 2]
    assert ug.nanargmin(x, axis=1, keepdims=True).tolist() == [[0], [1]]
    assert ug.nanargmax(x).item() == 2
    assert ug.nanargmax(ug.asarray([2, 5, 5])).item() == 1
    with pytest.raises(ug.SettingError, match="only NaNs"):
        ug.nanargmax(ug.asarray([math.nan]))


def test_keys_of_one_shape_sort_as_lists_do(backend: str) -> None:
    keys = [[2.0, 1.0, 2.0, 1.0], [5.0, 5.0, 4.0, 4.0]]
    wanted = np.lexsort(keys).tolist()
    assert ug.lexsort(keys).tolist() == wanted
    assert ug.lexsort(tuple(map(ug.asarray, keys))).tolist() == wanted
    with pytest.raises(ug.ShapeError):
        ug.lexsort((ug.asarray([1.0]), ug.asarray([1.0, 2.0])))


class TestTensorFlowSeesValues:
    """Kernels that take one raw op where they see that it is right."""

    @pytest.mark.parametrize("name", ["digamma", "gammainc", "gammaincc", "zeta"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_special_functions_are_those_of_many_ops(self, name: str, dtype: str) -> None:
        tf = pytest.importorskip("tensorflow")
        from unigrad_tensorflow.kernels import special

        rng = np.random.default_rng(0)
        for ends in ([], [0.0], [-2.0], [math.inf], [math.nan]):
            rows = np.concatenate([np.exp(rng.normal(size=(2, 33))), [ends, ends]], axis=1)
            inputs = [tf.constant(one, dtype) for one in rows][: 1 if name == "digamma" else 2]
            found = special._KERNELS[name](*inputs).numpy()
            np.testing.assert_array_equal(found, special._MANY[name](*inputs).numpy())

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_factors_are_those_of_many_ops(self, dtype: str) -> None:
        tf = pytest.importorskip("tensorflow")
        from unigrad_tensorflow.kernels import linalg

        x = np.random.default_rng(0).normal(size=(7, 7))
        bad = np.full((7, 7), math.nan)
        for matrix in (x, x @ x.T, bad, -np.eye(7)):
            a = tf.constant(matrix, dtype)
            pairs = [
                ([linalg.cholesky(a)], [linalg._marked_cholesky(a)]),
                (linalg.eigh_raw(a), linalg._of_finite(linalg._eigh, lower=True)(a)),
            ]
            if matrix is not bad:
                thin = {"full_matrices": False}
                pairs.append((linalg.svd_raw(a, **thin), linalg._other_svd(a, **thin)))
            for found, wanted in pairs:
                for one, other in zip(found, wanted, strict=True):
                    np.testing.assert_array_equal(one.numpy(), other.numpy())

    def test_quotients_without_nan_are_those_of_the_formula(self) -> None:
        tf = pytest.importorskip("tensorflow")
        from unigrad.autodiff.bridge import body_of
        from unigrad_tensorflow.kernels.elementwise import TABLE

        edges = [0.0, -0.0, 1.0, -3.0, math.inf, -math.inf, math.nan, 1e-45, 3e38]
        x, y = np.meshgrid(edges, edges)
        for dtype in ("float16", "float32", "float64", "complex64"):
            pair = tf.cast(x, dtype), tf.cast(y, dtype)
            found, wanted = (
                TABLE["divide_no_nan"](*pair),
                body_of("tensorflow", "divide_no_nan")(*pair),
            )
            np.testing.assert_array_equal(found.numpy(), wanted.numpy())

    def test_one_hot_is_the_comparison(self) -> None:
        tf = pytest.importorskip("tensorflow")
        from unigrad.autodiff.bridge import body_of
        from unigrad_tensorflow.kernels.activations import TABLE

        index = tf.constant([[0, 3, -1], [4, 2, 9]], tf.int64)
        for dtype in (ug.float32, ug.int8, ug.bool, ug.complex64):
            for axis, count in ((0, 4), (2, 5), (1, 0)):
                settings = {"num_classes": count, "axis": axis, "dtype": dtype}
                found = TABLE["one_hot"](index, **settings)
                wanted = body_of("tensorflow", "one_hot")(index, **settings)
                np.testing.assert_array_equal(found.numpy(), wanted.numpy())
                assert found.dtype == wanted.dtype
