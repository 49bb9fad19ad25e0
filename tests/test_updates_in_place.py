"""Steps in the memory of values that nobody else holds: nobody ever sees a value change."""

import copy
import threading

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.exchanging import taken
from unigrad.core.registry import load_backend

pytestmark = pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
START = np.arange(6.0).reshape(2, 3)


def place(v):
    """Return the address of a variable's memory."""
    native = v.current().native
    return native.ctypes.data if isinstance(native, np.ndarray) else native.data_ptr()


def started():
    """Return Adam, a variable and its slots after a step: all values are the optimizer's own."""
    optimizer, v = ug.optimizers.Adam(0.1), ug.Variable(START)
    step(optimizer, v)
    return optimizer, [v, *optimizer.variables[1:]]


def step(optimizer, v):
    optimizer.apply_gradients([(ug.asarray(np.ones((2, 3))), v)])


def test_memory_of_nobody_else_is_used_again(backend):
    optimizer, kept = started()
    places = [place(one) for one in kept]
    step(optimizer, kept[0])
    assert [place(one) for one in kept] == places


MAKES = {
    "Adam": lambda: ug.optimizers.Adam(0.1),
    "a schedule": lambda: ug.optimizers.Adam(lambda done: 0.1 / (1.0 + done)),
    "within": lambda: ug.optimizers.Adam(0.1, weight_decay=0.2),
    "AdamW": lambda: ug.optimizers.AdamW(0.1, weight_decay=0.2),
    "some": lambda: ug.optimizers.AdamW(0.1, weight_decay=0.2, decay_only="kernel"),
    "Momentum": lambda: ug.optimizers.Momentum(0.1),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("make", MAKES)
def test_steps_are_those_of_fresh_arrays(backend, make, dtype):
    gradients = [ug.asarray(np.cos(START), dtype=dtype), ug.asarray(np.float64(0.3), dtype=dtype)]

    def variables():
        return [ug.Variable(x, name=n, dtype=dtype) for x, n in ((START, "kernel"), (1.0, "b"))]

    first, second = variables(), variables()
    one, other = MAKES[make](), MAKES[make]()
    for _ in range(3):
        one.apply_gradients(zip(gradients, first, strict=True))
        with ug.GradientTape():  # Nothing is written over while a tape records.
            other.apply_gradients(zip(gradients, second, strict=True))
        for a, b in zip([*first, *one.variables], [*second, *other.variables], strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def _differentiated(v):
    with ug.GradientTape(persistent=True) as tape:
        y = (v * v).sum()
    return (lambda: tape.gradient(y, v).numpy() / 2) if v.trainable else _read(v)


def _read(v):
    return v.read().numpy


def _foreign(v):
    """A view of the native array that Python does not count, where there is such a one."""
    native = v.current().native
    if isinstance(native, np.ndarray):
        view = memoryview(native)
        return lambda: np.asarray(view)
    view = native.detach()[:]
    return view.numpy


def _assigned(v):
    other = ug.Variable(START)
    other.assign(v)
    return other.numpy


def _native(v):
    native = v.native
    return lambda: load_backend(v.backend.name).to_numpy(native)


def _dlpack(v):
    other = np.from_dlpack(v.read())
    return lambda: other


HOLDERS = {
    "handle": _read,
    "shared handle": lambda v: v.current().numpy,
    "native": _native,
    "view": lambda v: v.read()[0:].numpy,
    "transpose": lambda v: (lambda x: lambda: x.numpy().T)(v.read().T),
    "foreign": _foreign,
    "dlpack": _dlpack,
    "other variable": _assigned,
    "tape": _differentiated,
    "copy": lambda v: copy.copy(v.read()).numpy,
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("which", range(3))
def test_who_holds_a_value_keeps_it(backend, holder, which):
    optimizer, kept = started()
    held = kept[which]
    before = held.numpy()
    look = HOLDERS[holder](held)
    for _ in range(2):
        step(optimizer, kept[0])
        np.testing.assert_array_equal(look(), before)
    assert not np.array_equal(held.numpy(), before)


def test_a_step_out_of_range_is_whole(backend):
    optimizer, kept = started()
    places = list(map(place, kept))
    huge = ug.full((2, 3), 1e200, dtype="float64")
    with np.errstate(all="raise"):
        optimizer.apply_gradients([(huge, kept[0])])
    assert list(map(place, kept)) == places
    assert np.isinf(kept[2].numpy()).all()


def test_a_gradient_that_is_the_parameter(backend):
    optimizer, v = ug.optimizers.Adam(0.1), ug.Variable(START)
    w = ug.asarray(START)
    state = optimizer.init(w)
    for _ in range(3):
        w, state = optimizer.update(w, state, w)
        optimizer.apply_gradients([(v.read(), v)])
        np.testing.assert_array_equal(v.numpy(), w.numpy())


def test_arrays_of_a_user_are_not_written(backend):
    array = START.copy()
    native = array if backend == "numpy" else load_backend("torch").from_numpy(array, None)
    optimizer, v = ug.optimizers.Adam(0.1), ug.Variable(0.0 * START)
    step(optimizer, v)
    v.assign(ug.asarray(native))
    for _ in range(2):
        step(optimizer, v)
    np.testing.assert_array_equal(array, START)
    np.testing.assert_array_equal(load_backend(backend).to_numpy(native), START)


def test_readers_wait_for_what_is_being_written(backend):
    v, seen = ug.Variable(1.0), []
    entered, reader = threading.Event(), threading.Thread(target=lambda: seen.append(float(v)))
    with taken([v]) as values:
        reader.start()
        entered.wait(0.05)
        assert not seen
        with pytest.raises(ug.UnigradError, match="update"):
            v.read()
        values[0] = ug.asarray(2.0)
    reader.join()
    assert seen == [2.0]


def test_threads_see_whole_steps(backend):
    """A weight and its slots of equal numbers: whoever looks sees numbers that are equal."""
    optimizer, v = ug.optimizers.Adam(0.1), ug.Variable(np.zeros(20000))
    ones, wrong = ug.asarray(np.ones(20000)), []
    stop = threading.Event()

    def look():
        while not stop.is_set():
            value = v.read()
            first = value.numpy()
            if np.ptp(first) or not np.array_equal(first, value.numpy()):
                wrong.append(first)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for one in readers:
        one.start()
    for _ in range(50):
        optimizer.apply_gradients([(ones, v)])
    stop.set()
    for one in readers:
        one.join()
    assert not wrong
    assert int(optimizer.iterations) == 50
