"""The shorter ways of an optimizer's step give what the way of all checks gives."""

import inspect
import threading

import numpy as np
import pytest

import unigrad as ug
from unigrad import optimizers
from unigrad.optimizers.descent import Descent

_RNG = np.random.default_rng(0)
_SHAPES = [(3, 4), (4,), (2, 3)]
_WEIGHTS = [_RNG.normal(size=shape).astype(np.float32) for shape in _SHAPES]
_GRADIENTS = [[_RNG.normal(size=shape).astype(np.float32) for shape in _SHAPES] for _ in range(4)]
_ALL = [
    one
    for one in vars(optimizers).values()
    if inspect.isclass(one) and issubclass(one, Descent) and not inspect.isabstract(one)
]
_DECAYS = [{}, {"weight_decay": 0.1, "decoupled": True}, {"weight_decay": 0.1, "decoupled": False}]


def _run(kind, settings, change=None):
    """Return the weights after four steps, before the third of which something is changed."""
    variables = [ug.Variable(w) for w in _WEIGHTS]
    optimizer = kind(0.1, **settings)
    for i, gradients in enumerate(_GRADIENTS):
        if i == 2 and change is not None:
            change(optimizer)
        optimizer.apply_gradients(zip(map(ug.asarray, gradients), variables, strict=True))
    return [one.numpy() for one in [*variables, *optimizer.variables]]


def _faster(optimizer):
    optimizer.learning_rate = 0.3


def _decaying(optimizer):
    optimizer.weight_decay = 0.2


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        (one, change)
        for one in _DECAYS
        for change in (None, _faster, _decaying)
        if one or change is not _decaying
    ],
)
@pytest.mark.parametrize("kind", [optimizers.SGD, optimizers.Adam, optimizers.Lion])
def test_shorter_ways_give_the_same_numbers(backend, kind, settings, change, monkeypatch):
    short = _run(kind, settings, change)
    monkeypatch.setattr(Descent, "_without_checks", lambda *_: False)
    for new, old in zip(short, _run(kind, settings, change), strict=True):
        np.testing.assert_array_max_ulp(new, old, 2)


@pytest.mark.parametrize("kind", _ALL, ids=[one.__name__ for one in _ALL])
def test_shorter_ways_of_all_optimizers(backend, kind, monkeypatch):
    short = _run(kind, {})
    monkeypatch.setattr(Descent, "_without_checks", lambda *_: False)
    for new, old in zip(short, _run(kind, {}), strict=True):
        np.testing.assert_array_max_ulp(new, old, 2)


@pytest.mark.parametrize(
    ("gradient", "error"),
    [
        (lambda: ug.ones((4, 3)), ug.ShapeError),
        (lambda: ug.ones((3, 4), dtype="float64"), ug.DTypeError),
        (lambda: ug.ones((3, 4), dtype="int32"), ug.DTypeError),
        (lambda: np.ones((4, 3), np.float32), ug.ShapeError),
        (lambda: None, ug.SettingError),
    ],
)
def test_a_later_gradient_that_does_not_fit(backend, gradient, error):
    variable, optimizer = ug.Variable(_WEIGHTS[0]), optimizers.Adam(0.1)
    for gradients in _GRADIENTS[:2]:
        optimizer.apply_gradients([(ug.asarray(gradients[0]), variable)])
    before = variable.numpy()
    with pytest.raises(error):
        optimizer.apply_gradients([(gradient(), variable)])
    np.testing.assert_array_equal(variable.numpy(), before)
    assert optimizer.iterations.item() == 2


def test_the_second_step_on_jax_is_the_program_alone(monkeypatch):
    with ug.use_backend("jax"):
        variable, optimizer = ug.Variable(_WEIGHTS[0]), optimizers.AdamW(0.1)
        given = [(ug.asarray(_GRADIENTS[0][0]), variable)]
        optimizer.apply_gradients(given)
        monkeypatch.delattr(Descent, "_of_one_dtype")
        optimizer.apply_gradients(given)
        assert optimizer.iterations.item() == 2


def test_a_step_within_a_tape_is_recorded_as_before(backend):
    variable, optimizer = ug.Variable(_WEIGHTS[1]), optimizers.SGD(0.5)
    x = ug.asarray(_GRADIENTS[0][1])
    optimizer.apply_gradients([(x, variable)])
    optimizer.apply_gradients([(x, variable)])
    held = variable.read()
    with ug.GradientTape() as tape:
        tape.watch(x)
        moved, _ = optimizer.update([x * x], optimizer.init([held]), [held])
    np.testing.assert_allclose(tape.gradient(moved[0], x).numpy(), -x.numpy(), rtol=1e-6)


def test_steps_of_several_threads_are_all_done(backend):
    variable, optimizer = ug.Variable(np.zeros(3, np.float32)), optimizers.SGD(1.0)
    one = ug.ones(3)
    optimizer.apply_gradients([(one, variable)])

    def run():
        for _ in range(50):
            optimizer.apply_gradients([(one, variable)])

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert variable.tolist() == [-201.0] * 3
    assert optimizer.iterations.item() == 201
