"""Copies and pickles: of Tensors, of Variables, and through names for the same value."""

import copy
import pickle

import numpy as np
import pytest

import unigrad as ug


def _by_pickle(x):
    return pickle.loads(pickle.dumps(x))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool", "complex64"])
def test_a_tensor_is_pickled_by_value(backend, dtype):
    x = ug.asarray([[1, 0], [2, 3]], dtype=dtype)
    again = _by_pickle(x)
    assert (again.backend, again.dtype, again.shape) == (x.backend, x.dtype, x.shape)
    assert again.tolist() == x.tolist()
    assert ug.stack([again, x]).shape == (2, 2, 2)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, _by_pickle])
def test_a_copied_variable_is_another(backend, duplicate):
    v = ug.Variable(2.0, name="v", trainable=True)
    w = duplicate(v)
    w.assign(5.0)
    assert (float(v), float(w), w.name, w.trainable) == (2.0, 5.0, "v", True)
    with ug.GradientTape() as tape:
        y = v * w * w
    assert [float(g) for g in tape.gradient(y, [v, w])] == [25.0, 20.0]

    @ug.jit
    def step() -> ug.Tensor:
        w.assign_add(1.0)
        return w + v

    assert [float(step()), float(step())] == [8.0, 9.0]


def test_a_deep_copied_model_trains_alone(backend):
    model = ug.layers.Sequential([ug.layers.Dense(2, key=1), ug.layers.Dense(1, key=2)])
    x = ug.asarray(np.ones((3, 2), np.float32))
    before = model(x).numpy()
    target = copy.deepcopy(model)
    for variable in model.trainable_variables:
        variable.assign(variable * 0.0)
    np.testing.assert_array_equal(target(x).numpy(), before)
    assert len(target.trainable_variables) == 4


def test_copying_a_shared_variable_keeps_it_shared(backend):
    v = ug.Variable(1.0)
    first, second = copy.deepcopy([v, v])
    assert first is second
    assert first is not v


def test_a_copied_tensor_is_connected_on_a_tape(backend):
    x = ug.asarray(3.0)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = copy.copy(x) * copy.deepcopy(x)
    assert float(tape.gradient(y, x)) == 6.0


@pytest.mark.parametrize(
    "name",
    [
        ug.asarray,
        ug.copy,
        copy.copy,
        lambda x: x.astype("float32"),
        lambda x: ug.astype(x, "float32", copy=False),
        lambda x: ug.asarray(x, copy=True),
        lambda x: ug.to_device(x, "cpu"),
        ug.from_dlpack,
    ],
)
def test_assigning_to_another_name_changes_only_that(backend, name):
    x = ug.asarray([1.0, 2.0])
    y = name(x)
    y[0] = 9.0
    assert (x.tolist(), y.tolist()) == ([1.0, 2.0], [9.0, 2.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = name(x)
        y[0] = 9.0
        z = (x * x + y * 10.0).sum()
    assert tape.gradient(z, x).tolist() == [2.0, 14.0]
    assert not getattr(y.native, "requires_grad", False)


@pytest.mark.parametrize("read", [ug.asarray, lambda v: v.value, lambda v: v.read()])
def test_assigning_to_what_was_read_leaves_the_variable(backend, read):
    v = ug.Variable([1.0, 2.0])
    t = read(v)
    t[0] = 9.0
    assert v.numpy().tolist() == [1.0, 2.0]
    with ug.GradientTape() as tape:
        t = read(v)
        t[0] = 7.0
        y = (v * v).sum() + (t * 10.0).sum()
    assert v.numpy().tolist() == [1.0, 2.0]
    assert tape.gradient(y, v).tolist() == [2.0, 14.0]
    assert not getattr(t.native, "requires_grad", False)


def test_a_copy_that_is_asked_for_shares_no_memory():
    with ug.use_backend("torch"):
        import torch

        native = torch.ones(2)
        shared, own = ug.asarray(native), ug.asarray(native, copy=True)
        assert shared.native is native
        native += 1
        assert own.tolist() == [1.0, 1.0]


def test_no_copy_where_one_is_needed_is_refused(backend):
    assert ug.asarray(ug.ones(2), copy=False).tolist() == [1.0, 1.0]
    for take in (
        lambda: ug.asarray([1.0], copy=False),
        lambda: ug.asarray(ug.ones(2), dtype="float64", copy=False),
    ):
        with pytest.raises(ValueError, match="copy"):
            take()


def _gradient_of(tape, y, x):
    found = tape.gradient(y, x, unconnected_gradients="zero")
    return found.tolist()


@pytest.mark.parametrize("name", [copy.copy, ug.asarray, lambda x: x.astype("float32")])
def test_a_copy_is_computed_from_the_first_only_while_a_tape_records(backend, name):
    x = ug.asarray([1.0, 2.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        inside = name(y)
        with tape.stop_recording():
            outside = name(y)
        z = inside * y + outside * y
    assert _gradient_of(tape, z, x) == [6.0, 48.0]


def test_whether_a_tensor_was_ever_on_a_tape_makes_no_difference(backend):
    for before in (False, True):
        x = ug.asarray([1.0, 2.0])
        if before:
            with ug.GradientTape() as tape:
                tape.watch(x)
        y = ug.asarray(x)
        with ug.GradientTape() as tape:
            tape.watch(x)
            z = y * y + y * x
        assert _gradient_of(tape, z, x) == [1.0, 2.0]

        @ug.jit
        def by_argument(z, x=x):
            with ug.GradientTape() as tape:
                tape.watch(z)
                q = (z * z * x).sum()
            return tape.gradient(q, z)

        assert by_argument(x, x=x.numpy()).tolist() == [2.0, 8.0]


def test_what_a_variable_gave_before_an_inner_tape_is_a_constant_there(backend):
    v = ug.Variable([1.0, 2.0])
    with ug.GradientTape() as outer:
        held = v.value
        with ug.GradientTape() as inner:
            y = v * held
        with ug.GradientTape() as watching:
            watching.watch(held)
            z = v * v
    assert inner.gradient(y, v).tolist() == [1.0, 2.0]
    assert watching.gradient(z, v).tolist() == [2.0, 4.0]
    assert outer.gradient(y, v).tolist() == [2.0, 4.0]


def test_what_is_read_in_a_pause_beside_another_tape_is_a_constant(backend):
    v = ug.Variable([1.0, 2.0])
    with ug.GradientTape() as outer, ug.GradientTape() as inner:
        y = v * 1.0
        with inner.stop_recording():
            held = v.value
        z = held * v + y * 0.0
    assert inner.gradient(z, v).tolist() == [1.0, 2.0]
    assert outer.gradient(z, v).tolist() == [2.0, 4.0]


def test_no_graph_of_torch_survives_its_tapes():
    with ug.use_backend("torch"):
        v = ug.Variable([1.0, 2.0])
        with ug.GradientTape() as outer:
            r = v * 1.0
            with ug.GradientTape() as inner:
                inner.watch(r)
                q = v * 2.0
                with outer.stop_recording():
                    held, again = v.value, copy.copy(r)
        first, second = ug.GradientTape(), ug.GradientTape()
        first.__enter__()
        early = v.value
        second.__enter__()
        y = v * 1.0
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        for one in (r, q, held, again, early, y, v.value):
            assert not one.native.requires_grad
