"""What an optimizer remembers: whose slots are whose in copies and pickles, and its numbers."""

import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import unigrad as ug
from unigrad import optimizers
from unigrad.core.exchanging import _all_fitting
from unigrad.core.registry import current_backend

OPTIMIZERS = [optimizers.SGD, optimizers.Momentum, optimizers.RMSprop, optimizers.Adam]


def _by_pickle(x):
    return pickle.loads(pickle.dumps(x))


def _model():
    model = ug.layers.Sequential([ug.layers.Dense(3, key=1), ug.layers.Dense(2, key=2)])
    model(ug.ones((1, 4)))
    return model


def _train(model, optimizer, steps, jitted=False):
    def step(x):
        with ug.GradientTape() as tape:
            loss = (model(x) ** 2).mean()
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    run = ug.jit(step) if jitted else step
    x = ug.asarray(np.linspace(-1.0, 1.0, 8, dtype=np.float32).reshape(2, 4))
    return [float(run(x)) for _ in range(steps)]


def _in_pair(duplicate, model, optimizer):
    return duplicate((model, optimizer))


def _optimizer_first(duplicate, model, optimizer):
    return duplicate([optimizer, model])[::-1]


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, _by_pickle])
@pytest.mark.parametrize("together", [_in_pair, _optimizer_first])
def test_a_copied_pair_goes_on_as_the_first(backend, duplicate, together, jitted):
    model, optimizer = _model(), optimizers.Adam(0.1)
    _train(model, optimizer, 3, jitted)
    gc.collect()
    model2, optimizer2 = together(duplicate, model, optimizer)
    gc.collect()
    names = sorted(optimizer.state_dict())
    assert sorted(optimizer2.state_dict()) == names
    expected = _train(model, optimizer, 3, jitted)
    assert _train(model2, optimizer2, 3, jitted) == expected
    assert sorted(optimizer2.state_dict()) == names
    for name, value in optimizer.state_dict().items():
        np.testing.assert_array_equal(optimizer2.state_dict()[name], value)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, _by_pickle])
def test_an_optimizer_copied_alone_goes_on_with_the_same_variables(backend, duplicate):
    w = [ug.Variable(np.float32([1.0, 2.0])), ug.Variable(np.float32(3.0))]
    gradients = [ug.asarray(np.float32([0.3, -2.0])), ug.asarray(np.float32(0.1))]
    optimizer = optimizers.Adam(0.1)
    for _ in range(3):
        optimizer.apply_gradients(zip(gradients, w))
    second = duplicate(optimizer)
    gc.collect()
    assert sorted(second.state_dict()) == sorted(optimizer.state_dict())
    before = [one.value for one in w]
    optimizer.apply_gradients(zip(gradients, w))
    expected = [one.tolist() for one in w]
    for one, value in zip(w, before, strict=True):
        one.assign(value)
    second.apply_gradients(zip(gradients, w))
    assert [one.tolist() for one in w] == expected
    assert sorted(second.state_dict()) == sorted(optimizer.state_dict())
    # From here on they go separate ways.
    optimizer.apply_gradients(zip(gradients, w))
    assert (int(optimizer.iterations), int(second.iterations)) == (5, 4)


def test_a_variable_that_was_never_trained_is_not_moved_by_loaded_slots(backend):
    v, optimizer = ug.Variable([1.0, 2.0]), optimizers.Adam(0.1)
    optimizer.apply_gradients([(ug.asarray([1.0, 1.0]), v)])
    data = pickle.dumps(optimizer)
    del v
    gc.collect()
    loaded = pickle.loads(data)
    assert sorted(loaded.state_dict()) == ["0/m", "0/v", "iterations"]
    others = [ug.Variable([5.0, 6.0]), ug.Variable([[7.0]])]
    loaded.apply_gradients([(ug.zeros_like(one.value), one) for one in others])
    assert [one.tolist() for one in others] == [[5.0, 6.0], [[7.0]]]
    assert sorted(loaded.state_dict()) == ["0/m", "0/v", "1/m", "1/v", "iterations"]


_IN_ANOTHER_PROCESS = """
import pickle, sys
import numpy as np
import unigrad as ug
strangers = [ug.Variable(np.ones(3, np.float32)) for _ in range(50)]
w, optimizer = pickle.load(open(sys.argv[1], "rb"))
zeros = [(ug.zeros((3,)), one) for one in strangers]
for _ in range(2):
    optimizer.apply_gradients([(ug.asarray(np.float32([0.3, -2.0, 1.0])), w), *zeros])
assert all(one.tolist() == [1.0] * 3 for one in strangers)
print(w.tolist())
"""


@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
def test_a_pickle_goes_on_in_another_process(backend, tmp_path):
    w, optimizer = ug.Variable(np.float32([1.0, 2.0, 3.0])), optimizers.Adam(0.1)
    gradient = ug.asarray(np.float32([0.3, -2.0, 1.0]))
    for _ in range(3):
        optimizer.apply_gradients([(gradient, w)])
    path = tmp_path / "pair.pickle"
    path.write_bytes(pickle.dumps((w, optimizer)))
    for _ in range(2):
        optimizer.apply_gradients([(gradient, w)])
    command = [sys.executable, "-c", _IN_ANOTHER_PROCESS, str(path)]
    code = f"import os; os.environ['UNIGRAD_BACKEND'] = {backend!r}\n"
    command[2] = code + command[2]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip() == str(w.tolist())


def test_slots_go_with_their_variable(backend):
    kept, gone = ug.Variable([1.0]), ug.Variable([1.0, 2.0])
    optimizer = optimizers.Adam(0.1)
    pairs = [(ug.ones(2), gone), (ug.ones(1), kept)]
    optimizer.apply_gradients(pairs)
    slot = weakref.ref(optimizer.variables[1])
    reference = weakref.ref(gone)
    del gone, pairs
    gc.collect()
    assert reference() is None
    assert slot() is None
    assert sorted(optimizer.state_dict()) == ["0/m", "0/v", "iterations"]
    optimizer.apply_gradients([(ug.ones(1), kept)])
    assert optimizer.state_dict()["0/m"].shape == (1,)


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (optimizers.SGD, "learning_rate", 0.5),
        (optimizers.Momentum, "beta", 0.25),
        (optimizers.RMSprop, "rho", 0.25),
        (optimizers.RMSprop, "epsilon", 0.5),
        *((optimizers.Adam, name, 0.25) for name in ("learning_rate", "beta1", "beta2", "epsilon")),
    ],
)
def test_a_changed_number_holds_from_the_next_step_on(backend, make, name, value, jitted):
    optimizer = make(0.125)
    w = ug.Variable(np.array([1.0, 2.0]))

    def step(g):
        optimizer.apply_gradients([(g, w)])

    run = ug.jit(step) if jitted else step
    gradient = ug.asarray(np.array([0.3, -0.7]))
    run(gradient)
    run(gradient)
    plain, state = make(0.125), None
    state = plain.init([w.value])
    parameters = [ug.asarray(np.array([1.0, 2.0]))]
    for _ in range(2):
        parameters, state = plain.update([gradient], state, parameters)
    for number in (value, value / 2):
        setattr(optimizer, name, number)
        assert getattr(optimizer, name) == number
        run(gradient)
        changed = make(0.125)
        setattr(changed, name, number)
        parameters, state = changed.update([gradient], state, parameters)
        np.testing.assert_allclose(w.numpy(), parameters[0].numpy(), rtol=1e-14)
    if jitted:
        assert run.programs == 1


def test_a_number_that_a_program_changes(backend):
    optimizer, w = optimizers.SGD(1.0), ug.Variable(np.float64(0.0))

    @ug.jit
    def step():
        optimizer.apply_gradients([(ug.asarray(np.float64(-1.0)), w)])
        optimizer.learning_rate = optimizer.learning_rate * 0.5

    rates = []
    for _ in range(3):
        step()
        rates.append(optimizer.learning_rate)
    assert rates == [0.5, 0.25, 0.125]
    assert float(w) == 1.75
    optimizer.learning_rate = 4.0
    step()
    assert (float(w), optimizer.learning_rate) == (5.75, 2.0)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_copy_has_numbers_of_its_own(backend, make):
    first = make(0.5)
    for duplicate in (copy.deepcopy, _by_pickle):
        second = duplicate(first)
        second.learning_rate = 0.25
        assert (first.learning_rate, second.learning_rate) == (0.5, 0.25)


@pytest.mark.parametrize("backend", ["jax"], indirect=True)
def test_a_new_rate_compiles_nothing(backend):
    import jax

    w, optimizer = ug.Variable([1.0, 2.0]), optimizers.Adam(0.1)
    gradient = ug.asarray([1.0, 2.0])

    def steps(*rates):
        for rate in rates:
            optimizer.learning_rate = rate
            optimizer.apply_gradients([(gradient, w)])

    steps(0.1, 0.2)
    seen = []

    def listen(name, *_, **of):
        # Others may compile meanwhile, in threads of their own.
        if "compile" in name and threading.current_thread() is threading.main_thread():
            seen.append((name, of))

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        steps(0.3, 0.4, 0.5)
    finally:
        jax.monitoring.clear_event_listeners()
    assert not seen


@pytest.mark.parametrize("make", [optimizers.Momentum, optimizers.RMSprop, optimizers.Adam])
def test_slots_that_do_not_fit_are_refused(backend, make):
    optimizer = make(0.1)
    parameters = [ug.ones((2, 3))]
    state = optimizer.init(parameters)
    for name in make.slot_names:
        for bad in ([ug.ones((3, 2))], [ug.ones(())], [], [ug.ones((2, 3)), ug.ones(1)]):
            with pytest.raises(ug.ShapeError, match=name):
                optimizer.update(parameters, {**state, name: bad}, parameters)
        rest = {key: value for key, value in state.items() if key != name}
        with pytest.raises(ug.ShapeError, match=name):
            optimizer.update(parameters, rest, parameters)
    with pytest.raises(ug.DTypeError, match="complex64"):
        optimizer.update([ug.ones((2, 3), dtype="complex64")], state, parameters)


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_a_number_out_of_its_range_is_refused(make):
    optimizer = make(0.1)
    if make is optimizers.Adam:
        with pytest.raises(ug.SettingError, match="beta1"):
            optimizer.beta1 = 1.0
        assert optimizer.beta1 == 0.9
    assert optimizer.learning_rate == 0.1
    assert current_backend() is not None


def test_values_told_together_fit_as_one_by_one(backend):
    variables = [ug.Variable([1.0, 2.0]), ug.Variable(3.0)]
    before = [one._tensor for one in variables]
    some = [ug.asarray([4.0, 5.0]), ug.asarray(6.0)]
    kept = _all_fitting(before, [one + 0.0 for one in some])
    assert [one.tolist() for one in kept] == [[4.0, 5.0], 6.0]
    # A handle that somebody else holds, or a tape knows, is not the variable's.
    held = _all_fitting(before, [*some])
    assert not {*map(id, held)} & {*map(id, some)}
    with ug.GradientTape() as tape:
        tape.watch(some[0])
        tracked = _all_fitting(before, [some[0] * 2.0, some[1] * 2.0])
    assert [one.uid for one in tracked] == [0, 0]
    # What does not fit is left to each variable's own way, which says why.
    for other in (ug.asarray([4.0]), ug.asarray([4.0, 5.0], dtype="float64"), [4.0, 5.0]):
        assert _all_fitting(before, [other, some[1]]) is None
        if not isinstance(other, list):
            with pytest.raises((ug.ShapeError, ug.DTypeError)):
                variables[0]._quickly_fitting(other)


def test_a_step_takes_no_handle_that_a_schedule_keeps(backend):
    seen = []

    def schedule(done):
        seen.append(done)
        return 0.5

    optimizer, v = optimizers.SGD(schedule), ug.Variable([1.0])
    for _ in range(2):
        optimizer.apply_gradients([(ug.asarray([1.0]), v)])
    assert [one.item() for one in seen] == [0, 1]
    assert optimizer.iterations.numpy() == 2
    assert v.tolist() == [0.0]


def test_momentum_set_where_there_is_no_velocity_is_refused(backend):
    optimizer, v = optimizers.SGD(0.1), ug.Variable([1.0])
    optimizer.apply_gradients([(ug.asarray([1.0]), v)])
    with pytest.raises(ug.SettingError, match=r"made with momentum=0\.0"):
        optimizer.momentum = 0.9
