"""Arrays in any memory layout: from outside, in layers, optimizers and compiled programs."""

import copy

import ml_dtypes
import numpy as np
import pytest

import unigrad as ug
from unigrad import layers, optimizers
from unigrad_conformance.layouts import LAYOUTS

OPTIMIZERS = [optimizers.SGD, optimizers.Momentum, optimizers.RMSprop, optimizers.Adam]
VALUES = np.arange(12.0).reshape(3, 4)
FROM_OUTSIDE = [pytest.param(one, id=one.name) for one in LAYOUTS]


def _close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_a_step_of_adam_from_transposed_weights(backend):
    w = ug.Variable(np.asfortranarray([[0, 1, 2], [3, 4, 5]], "f4"))
    gradient = ug.asarray([[1.0, -1.0, 1.0], [-1.0, 1.0, -1.0]])
    optimizers.Adam(1.0).apply_gradients([(gradient, w)])
    _close(w.numpy(), [[-1, 2, 1], [4, 3, 6]])


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_optimizers_do_not_ask_for_a_layout(backend, make, jitted):
    generator = np.random.default_rng(0)
    start, *gradients = generator.normal(size=(4, 3, 5))

    def train(kept):
        w, optimizer = ug.Variable(kept(start)), make(0.1)

        def step(g):
            optimizer.apply_gradients([(g, w)])

        run = ug.jit(step) if jitted else step
        for one in gradients:
            run(kept(one))
        return [w.numpy(), *(slot.numpy() for slot in optimizer.variables[1:])]

    usual = train(ug.asarray)
    for view in (
        lambda a: ug.asarray(a.T.copy()).T,
        lambda a: ug.asarray(np.repeat(a, 2, 1))[:, ::2],
    ):
        for one, other in zip(train(view), usual, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int64", "uint8"])
@pytest.mark.parametrize("layout", FROM_OUTSIDE)
def test_an_ndarray_comes_in_by_every_door(backend, layout, dtype, tmp_path):
    dtype = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    usual = layout.values(VALUES.astype(dtype))
    array = layout.array(usual)
    zeros = ug.zeros((3, 4), dtype=dtype)
    variable = ug.Variable(zeros)
    item = ug.asarray(zeros)
    item[:, :] = array
    ug.io.save(tmp_path / "x.safetensors", {"x": array})
    doors = {
        "asarray": ug.asarray(array),
        "asarray with copy": ug.asarray(array, copy=True),
        "operand": zeros + array,
        "operand before": array + zeros,
        "two operands": ug.maximum(array, zeros),
        "where": ug.where(layout.array(np.ones((3, 4), bool)), array, zeros),
        "concat": ug.concat([zeros, array])[3:],
        "assign": variable.assign(array).value,
        "variable": ug.Variable(array).value,
        "set": zeros.at[:].set(array),
        "add at backwards": zeros.at[np.arange(3)[::-1]].add(array[::-1]),
        "item": item,
        "batches": ug.concat(list(ug.data.batches(array, 2))),
        "dlpack": ug.from_dlpack(array) if array.flags.writeable else ug.asarray(array),
        "jit": ug.jit(lambda x: x + 0)(array),
        "io": ug.asarray(ug.io.load(tmp_path / "x.safetensors")[0]["x"]),
    }
    for name, found in doors.items():
        assert found.dtype.name == np.dtype(dtype).name, name
        np.testing.assert_array_equal(found.numpy(), usual, err_msg=name)


def test_axes_of_length_one_may_run_backwards(backend):
    assert ug.asarray(np.ones((1, 3))[::-1]).shape == (1, 3)
    assert ug.asarray(np.ones((1, 1))[::-1, ::-1]).tolist() == [[1.0]]


@pytest.mark.parametrize("layout", FROM_OUTSIDE)
def test_indices_and_labels_in_any_layout(backend, layout):
    table, usual = ug.asarray(VALUES), np.array([[2, 0], [1, 1], [0, 2]])
    index = layout.array(usual)
    np.testing.assert_array_equal(table[index].numpy(), VALUES[usual])
    np.testing.assert_array_equal(ug.take(table, index[0], axis=1).numpy(), VALUES[:, usual[0]])
    mask = layout.array(VALUES > 4.0)
    np.testing.assert_array_equal(table[mask].numpy(), VALUES[VALUES > 4.0])
    logits = ug.asarray(VALUES.reshape(3, 2, 2)[:, :, :])
    labels = np.array([[0, 1], [1, 1], [0, 0]])
    np.testing.assert_allclose(
        ug.losses.sparse_categorical_crossentropy(
            layout.array(labels), logits, from_logits=True
        ).numpy(),
        ug.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True).numpy(),
    )


def test_a_model_takes_weights_in_any_layout(backend):
    model = layers.Dense(4, key=1)
    model(ug.ones((1, 3)))
    for layout in LAYOUTS:
        usual = layout.values(VALUES.astype("f4"))
        state = model.state_dict()
        name = next(key for key, value in state.items() if value.shape == (3, 4))
        model.load_state_dict({**state, name: layout.array(usual)})
        np.testing.assert_array_equal(model.state_dict()[name], usual)


def _layers():
    return [
        pytest.param(lambda: layers.Dense(4, key=1), (2, 3), id="dense"),
        pytest.param(lambda: layers.LayerNorm(), (2, 3), id="layer norm"),
        pytest.param(lambda: layers.GRU(4, key=1, return_sequences=True), (2, 5, 3), id="gru"),
        pytest.param(
            lambda: layers.Bidirectional(layers.GRU(4, key=1)),
            (2, 5, 3),
            id="bidirectional",
        ),
        pytest.param(lambda: layers.BahdanauAttention(4, key=1), None, id="attention"),
    ]


def _transposed(tensor):
    return ug.asarray(np.transpose(tensor.numpy()).copy()).T if tensor.ndim == 2 else tensor


@pytest.mark.parametrize(("make", "shape"), _layers())
def test_layers_do_not_ask_for_a_layout(backend, make, shape):
    generator = np.random.default_rng(0)
    shapes = [(2, 3), (2, 5, 3)] if shape is None else [shape]
    inputs = [generator.normal(size=one).astype("f4") for one in shapes]

    def run(model, xs):
        with ug.GradientTape() as tape:
            tape.watch(xs)
            found = model(*xs)
            found = found[0] if isinstance(found, tuple) else found
            loss = (found * found).sum()
        return [loss, *tape.gradient(loss, [*xs, *model.trainable_variables])]

    model = make()
    usual = run(model, [ug.asarray(x) for x in inputs])
    for variable in model.variables:
        variable.assign(_transposed(variable.value))
    for layout in LAYOUTS:
        if layout.name != "one for many":
            for one, other in zip(
                run(model, [layout.tensor(x) for x in inputs]), usual, strict=True
            ):
                np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


def test_an_array_given_twice_is_two_inputs_of_a_program(backend):
    x = ug.asarray([1.0])
    program = ug.jit(lambda a, b: a * 2.0 + b * 3.0)
    assert program(x, x).tolist() == [5.0]
    assert program(x, x * 2.0).tolist() == [8.0]
    v = ug.Variable([1.0])
    w = copy.copy(v)
    both = ug.jit(lambda: v * 2.0 + w * 3.0)
    assert both().tolist() == [5.0]
    v.assign([10.0])
    assert both().tolist() == [23.0]


def test_gradients_that_are_zero_for_torch_are_values_in_bfloat16(backend):
    x = ug.asarray([1.0, -2.0], dtype="bfloat16")
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sign(x)
    assert tape.gradient(y, x).tolist() == [0.0, 0.0]
