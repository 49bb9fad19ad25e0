"""Formulas whose steps could leave the range that their result lies in: 0 · ∞, squares, padding.

Each is right for eager values, on a tape, by the reference tape, and compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug

INF, NAN = math.inf, math.nan
HALVES = ["float16", "bfloat16"]


def gradient(function: Callable[[Any], Any], x: Any, reference: bool = False) -> Any:
    with ug.GradientTape(reference=reference) as tape:
        tape.watch(x)
        y = ug.sum(function(x))
    with np.errstate(all="ignore"):
        return tape.gradient(y, x).numpy().astype(np.float64)


def check(function: Callable[[Any], Any], x: Any, value: Any, slopes: Any = None) -> None:
    """Compare the value eager, recorded and compiled, and the gradient of its sum in both modes."""
    rtol = {2: 2e-2, 4: 3e-6, 8: 1e-12}[x.dtype.itemsize]
    with np.errstate(all="ignore"):
        for run in (function, ug.jit(function)):
            found = run(x).numpy().astype(np.float64)
            np.testing.assert_allclose(found, value, rtol=rtol, atol=0)
    if slopes is not None:
        for reference in (False, True):
            found = gradient(function, x, reference)
            np.testing.assert_allclose(found, slopes, rtol=rtol, atol=1e-30)


@pytest.mark.parametrize(("dtype", "unit"), [("float32", 3e38), ("float64", 1.6e308)])
def test_lengths_of_the_largest_numbers(backend: str, dtype: str, unit: float) -> None:
    numbers = np.array([1.0, -1.0])
    x = ug.asarray((numbers * unit).astype(dtype))
    check(ug.std, x, np.std(numbers) * unit)
    check(ug.nanstd, x, np.std(numbers) * unit)
    for order in (0.5, 2.5, 3):
        small = x * 0.1
        length = np.linalg.norm(numbers * 0.1, order) * unit
        check(lambda x, order=order: ug.norm(x, ord=order), small, length)


LOG2 = math.log(2.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_impossible_and_not_the_label_costs_nothing(backend: str, dtype: str) -> None:
    def loss(p: Any) -> Any:
        return ug.losses.categorical_crossentropy([0.0, 1.0, 0.0], p, from_logits=True)

    check(loss, ug.asarray([0.0, 0.0, -INF], dtype=dtype), LOG2, [0.5, -0.5, 0.0])
    check(loss, ug.asarray([0.0, -INF, 0.0], dtype=dtype), INF)
    check(
        lambda p: ug.losses.categorical_crossentropy([0.0, 1.0], p),
        ug.asarray([0.0, 0.5], dtype=dtype),
        LOG2,
        [0.0, -2.0],
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_certain_binary_predictions(backend: str, dtype: str) -> None:
    def of_logits(x: Any) -> Any:
        return ug.losses.binary_crossentropy(
            [[1.0], [0.0], [1.0], [0.0], [0.5]], x, from_logits=True
        )

    x = ug.asarray([[INF], [-INF], [-INF], [INF], [0.0]], dtype=dtype)
    check(of_logits, x, [0.0, 0.0, INF, INF, LOG2], [[0.0], [0.0], [-1.0], [1.0], [0.0]])
    check(
        lambda p: ug.losses.binary_crossentropy([[1.0], [0.0], [1.0]], p),
        ug.asarray([[1.0], [0.0], [0.5]], dtype=dtype),
        [0.0, 0.0, LOG2],
        [[-1.0], [1.0], [-2.0]],
    )


def test_derivative_by_a_label_of_zero_is_the_cost_of_its_class(backend: str) -> None:
    p = ug.asarray([0.25, 0.75], dtype="float64")
    check(
        lambda y: ug.losses.categorical_crossentropy(y, p),
        ug.asarray([0.0, 1.0], dtype="float64"),
        -math.log(0.75),
        [-math.log(0.25), -math.log(0.75)],
    )


@pytest.mark.parametrize("dtype", HALVES)
def test_moments_of_halves(backend: str, dtype: str) -> None:
    layer = ug.layers.LayerNorm()
    x = ug.asarray([[300.0, -300.0], [3e4, -3e4], [0.0, 0.0]], dtype=dtype)
    want = [[1.0, -1.0], [1.0, -1.0], [0.0, 0.0]]
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    np.testing.assert_allclose(y.numpy().astype(np.float64), want, rtol=1e-2)
    assert np.isfinite(tape.gradient(y, x).numpy().astype(np.float64)).all()


@pytest.mark.parametrize(
    ("dtype", "sizes"),
    [("float32", [1e-3, 1.0, 1e15, 1e25, 3e38]), ("float64", [1.0, 1e200, 1.5e308])],
)
def test_rows_are_normalised_over_the_whole_range(
    backend: str, dtype: str, sizes: list[float]
) -> None:
    epsilon = 1e-5
    layer = ug.layers.LayerNorm(epsilon)
    layer(ug.ones((1, 3)))
    for size in sizes:
        # The greatest is met only by its like, so that the mean stays in range too.
        x = ug.asarray([[size, -size, 0.0], [size, size, size]], dtype=dtype)
        scale = 1.0 / math.sqrt(2.0 / 3.0 + epsilon / size / size)
        check(layer, x, [[scale, -scale, 0.0], [0.0, 0.0, 0.0]])
        first = ug.asarray([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=dtype)
        for reference in (False, True):
            found = gradient(lambda x, first=first: layer(x) * first, x, reference)
            y = [scale, -scale, 0.0]
            slopes = [(i == 0) - 1 / 3 - y[i] * y[0] / 3 for i in range(3)]
            want = np.array([[one * scale / size for one in slopes], [0.0] * 3])
            least = 1e-7 * scale / size
            np.testing.assert_allclose(found, want, rtol=1e-4, atol=max(least, 1e-30))


@pytest.mark.parametrize("size", [1e-40, 1e-25, 1e-15, 1.0, 1e15, 1e25, 1e37])
def test_lengths_over_the_whole_range(backend: str, size: float) -> None:
    x = ug.asarray([3.0 * size, -4.0 * size, 0.0], dtype="float32")
    if size < 1e-38 and not float(x[0] + x[0]):
        # A processor that flushes subnormal numbers has taken x for 0.
        check(ug.norm, x, 0.0, [0.0, 0.0, 0.0])
        return
    if size < 1e-38:
        check(ug.norm, ug.asarray([size] * 4, dtype="float32"), float(np.float32(size)) * 2)
        return
    check(ug.norm, x, 5.0 * size, [0.6, -0.8, 0.0])
    check(lambda x: ug.norm(x[None], axis=1, keepdims=True), x, [[5.0 * size]], [0.6, -0.8, 0.0])
    check(lambda x: ug.optimizers.global_norm([x[:1], x[1:]]), x, 5.0 * size, [0.6, -0.8, 0.0])
    check(ug.std, ug.asarray([size, -size], dtype="float32"), size, [0.5, -0.5])
    clipped = ug.optimizers.clip_by_global_norm([x], size)[0]
    np.testing.assert_allclose(clipped.numpy(), [0.6 * size, -0.8 * size, 0.0], rtol=1e-6)


@pytest.mark.parametrize("size", [2e-300, 1e-200, 1e200, 4e306])
def test_lengths_over_the_whole_range_of_doubles(backend: str, size: float) -> None:
    x = ug.asarray([3.0 * size, -4.0 * size, 0.0], dtype="float64")
    check(ug.norm, x, 5.0 * size, [0.6, -0.8, 0.0])
    check(ug.std, ug.asarray([size, -size], dtype="float64"), size, [0.5, -0.5])


def test_lengths_with_infinities_and_nan(backend: str) -> None:
    x = ug.asarray([[INF, 1.0], [NAN, 1.0], [0.0, 0.0], [1e-30, INF]], dtype="float32")
    check(lambda x: ug.norm(x, axis=1), x, [INF, NAN, 0.0, INF])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_clipping_to_a_norm(backend: str, dtype: str) -> None:
    def clip(x: Any, bound: float) -> Any:
        return ug.optimizers.clip_by_global_norm([x], bound)[0].numpy().astype(np.float64)

    zeros = ug.zeros(2, dtype=dtype)
    assert clip(zeros, 0.0).tolist() == [0.0, 0.0]
    assert clip(zeros, 1.0).tolist() == [0.0, 0.0]
    assert clip(zeros + 1.0, 0.0).tolist() == [0.0, 0.0]
    np.testing.assert_allclose(
        clip(ug.asarray([3e4, -4e4], dtype=dtype), 1e-3), [6e-4, -8e-4], rtol=1e-2
    )
    assert np.isnan(clip(ug.asarray([NAN, 1.0], dtype=dtype), 1.0)).all()


@pytest.mark.parametrize("fill", [INF, -INF, NAN])
@pytest.mark.parametrize("padding", [0, -1])
def test_padding_of_a_loss_does_not_count(backend: str, fill: float, padding: int) -> None:
    targets = ug.asarray([[1, padding]])
    check(
        lambda x: ug.seq2seq.masked_loss(targets, x, padding=padding),
        ug.asarray([[[0.0, 0.0], [fill, 1.0]]], dtype="float64"),
        LOG2,
        [[[0.5, -0.5], [0.0, 0.0]]],
    )


@pytest.mark.parametrize("fill", [INF, NAN])
@pytest.mark.parametrize("reset_after", [True, False])
def test_padding_of_a_recurrent_layer_does_not_count(
    backend: str, fill: float, reset_after: bool
) -> None:
    key = ug.random.key(0)
    gru = ug.layers.GRU(3, return_sequences=True, reset_after=reset_after, key=key)
    layers = [gru, ug.layers.Bidirectional(ug.layers.GRU(3, reset_after=reset_after, key=key))]
    mask = ug.asarray([[True, True, False]])
    clean = np.array([[[1.0, 2.0], [-1.0, 0.5], [0.0, 0.0]]], "f4")
    dirty = np.where(clean == 0, np.float32(fill), clean)
    for layer in layers:
        layer(ug.asarray(clean), mask=mask)
        found = []
        for values in (clean, dirty):
            x = ug.asarray(values)
            with ug.GradientTape() as tape:
                tape.watch(x)
                y = ug.sum(layer(x, mask=mask))
            found.append([y, *tape.gradient(y, [x, *layer.trainable_variables])])
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("fill", [INF, NAN])
def test_what_attention_leaves_out_does_not_count(backend: str, fill: float) -> None:
    attention = ug.layers.BahdanauAttention(3, key=ug.random.key(0))
    query, mask = ug.asarray([[1.0, 2.0]]), ug.asarray([[True, False]])
    found = []
    for values in (0.0, fill):
        memory = ug.asarray([[[1.0, 2.0], [values, 1.0 if values else 0.0]]])
        attention(query, memory, mask=mask)
        with ug.GradientTape() as tape:
            tape.watch(memory)
            y = ug.sum(attention(query, memory, mask=mask)[0])
        found.append([y, *tape.gradient(y, [memory, *attention.trainable_variables])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("dtype", HALVES)
def test_optimizers_square_halves_in_float32(backend: str, dtype: str) -> None:
    # g² is beyond float16 for the first, and below it for the second.
    for make in (ug.optimizers.Adam, ug.optimizers.RMSprop):
        for size in (1000.0, 1e-4):
            w = ug.Variable(np.ones(2), dtype=dtype)
            make(0.25).apply_gradients([(ug.asarray([size, -size], dtype=dtype), w)])
            step = 0.25 if make is ug.optimizers.Adam else 0.25 / math.sqrt(0.1)
            np.testing.assert_allclose(
                w.numpy().astype(np.float64), [1.0 - step, 1.0 + step], rtol=2e-2
            )


def test_mean_leaves_out_what_has_no_weight(backend: str) -> None:
    mean = ug.metrics.Mean()
    mean.update([1.0, INF, NAN], [1.0, 0.0, 0.0])
    assert mean.result() == 1.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_extreme_draws_are_the_same_compiled(backend: str, dtype: str) -> None:
    # The least uniform numbers are the smallest normal ones, whose halves may be flushed to 0.
    def draw(key: Any) -> Any:
        return ug.random.gumbel(key, (100_000,), dtype)

    eager, compiled = draw(ug.random.key(0)), ug.jit(draw)(ug.random.key(0))
    assert bool(ug.all(ug.isfinite(compiled)))
    np.testing.assert_array_equal(compiled.numpy(), eager.numpy())


def test_products_of_narrow_integers(backend: str) -> None:
    for dtype in ("int8", "int16", "uint8"):
        x = ug.asarray([[1, 2], [100, 4]], dtype=dtype)
        wanted = (
            np.array([[1, 2], [100, 4]], dtype) @ np.array([[1, 2], [100, 4]], dtype)
        ).tolist()
        assert ug.matmul(x, x).tolist() == wanted
        assert ug.einsum("ij,jk->ik", x, x).tolist() == wanted
        assert ug.dot(x[0], x[1]).dtype.name == dtype
    x = ug.asarray([0, 1, 255], dtype="uint8")
    assert (-x).tolist() == [0, 255, 1]
    assert ug.sign(x).tolist() == [0, 1, 1]
    assert (x**3).tolist() == [0, 1, 255]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_singular_values_of_infinity_are_nan(backend: str) -> None:
    """LAPACK searches for them for ever, on some machines."""
    values = np.ones((2, 3, 4))
    values[1, 0, 1] = np.inf
    with ug.use_backend(backend):
        x = ug.asarray(values)
        for found in (ug.linalg.svdvals(x), ug.linalg.svd(x).S):
            assert np.isfinite(found.numpy()[0]).all()
            assert np.isnan(found.numpy()[1]).all()
