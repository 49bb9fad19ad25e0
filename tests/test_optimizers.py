"""Optimizers against their formulas in NumPy and against torch.optim and optax's conventions."""

import warnings

import numpy as np
import pytest
import torch

import unigrad as ug
from unigrad import optimizers
from unigrad.core.registry import current_backend

START = [np.array([1.0, -2.0, 0.5]), np.array([[3.0, 0.0], [-1.0, 2.0]])]


def gradients_at(step):
    """Different at every step, with zeros and both signs."""
    return [
        np.array([1.0, -0.5, 0.0]) * (step + 1),
        np.array([[2.0, 0.0], [0.3, -4.0]]) / (step + 2),
    ]


def sgd(w, g, slots, t, rate):
    return w - rate * g, slots


def momentum(w, g, slots, t, rate, beta=0.9):
    v = beta * slots.get("v", 0.0) + (1 - beta) * g
    return w - rate * v, {"v": v}


def rmsprop(w, g, slots, t, rate, rho=0.9, epsilon=1e-8):
    v = rho * slots.get("v", 0.0) + (1 - rho) * g**2
    return w - rate * g / (np.sqrt(v) + epsilon), {"v": v}


def adam(w, g, slots, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m = beta1 * slots.get("m", 0.0) + (1 - beta1) * g
    v = beta2 * slots.get("v", 0.0) + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - rate * m_hat / (np.sqrt(v_hat) + epsilon), {"m": m, "v": v}


CASES = [
    pytest.param(optimizers.SGD, {}, sgd, id="sgd"),
    pytest.param(optimizers.Momentum, {"beta": 0.8}, momentum, id="momentum"),
    pytest.param(optimizers.RMSprop, {"rho": 0.8, "epsilon": 1e-2}, rmsprop, id="rmsprop"),
    pytest.param(optimizers.Adam, {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-2}, adam, id="adam"),
]


def by_hand(formula, settings, steps, rate):
    weights, slots = [w.copy() for w in START], [{} for _ in START]
    for step in range(steps):
        chosen = rate(step) if callable(rate) else rate
        for i, g in enumerate(gradients_at(step)):
            weights[i], slots[i] = formula(weights[i], g, slots[i], step + 1, chosen, **settings)
    return weights


def on_variables(optimizer, steps, dtype):
    variables = [ug.Variable(w.astype(dtype)) for w in START]
    for step in range(steps):
        gradients = [ug.asarray(g.astype(dtype)) for g in gradients_at(step)]
        optimizer.apply_gradients(zip(gradients, variables))
    return [v.numpy() for v in variables]


@pytest.mark.parametrize(("cls", "settings", "formula"), CASES)
def test_formula(backend, cls, settings, formula):
    found = on_variables(cls(0.1, **settings), 5, np.float64)
    for one, expected in zip(found, by_hand(formula, settings, 5, 0.1)):
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("cls", "settings", "formula"), CASES)
def test_float32_stays_float32_and_close(backend, cls, settings, formula):
    found = on_variables(cls(0.1, **settings), 5, np.float32)
    for one, expected in zip(found, by_hand(formula, settings, 5, 0.1)):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(("cls", "settings", "formula"), CASES)
def test_pure_update_is_the_same_and_changes_nothing(backend, cls, settings, formula):
    optimizer = cls(0.1, **settings)
    parameters = {"a": ug.asarray(START[0]), "b": [ug.asarray(START[1])]}
    first = parameters
    state = optimizer.init(parameters)
    for step in range(5):
        g = gradients_at(step)
        gradients = {"a": ug.asarray(g[0]), "b": [ug.asarray(g[1])]}
        parameters, state = optimizer.update(gradients, state, parameters)
    np.testing.assert_array_equal(first["a"].numpy(), START[0])
    assert state["step"].item() == 5
    assert optimizer.iterations.item() == 0
    found = on_variables(cls(0.1, **settings), 5, np.float64)
    np.testing.assert_array_equal(parameters["a"].numpy(), found[0])
    np.testing.assert_array_equal(parameters["b"][0].numpy(), found[1])


@pytest.mark.parametrize("epsilon", [1e-8, 1e-2])
def test_adam_is_torchs(backend, epsilon):
    weights = [torch.tensor(w, requires_grad=True) for w in START]
    reference = torch.optim.Adam(weights, lr=0.1, eps=epsilon, foreach=False)
    for step in range(5):
        for w, g in zip(weights, gradients_at(step)):
            w.grad = torch.tensor(g)
        reference.step()
    found = on_variables(optimizers.Adam(0.1, epsilon=epsilon), 5, np.float64)
    for one, expected in zip(found, weights):
        np.testing.assert_allclose(one, expected.detach().numpy(), rtol=1e-12, atol=1e-15)


def test_rmsprop_is_torchs(backend):
    weights = [torch.tensor(w, requires_grad=True) for w in START]
    reference = torch.optim.RMSprop(weights, lr=0.1, alpha=0.9, eps=1e-3, foreach=False)
    for step in range(5):
        for w, g in zip(weights, gradients_at(step)):
            w.grad = torch.tensor(g)
        reference.step()
    found = on_variables(optimizers.RMSprop(0.1, rho=0.9, epsilon=1e-3), 5, np.float64)
    for one, expected in zip(found, weights):
        np.testing.assert_allclose(one, expected.detach().numpy(), rtol=1e-12)


def test_first_adam_steps_keep_their_digits_in_float32(backend):
    # 1 - 0.999 in float32 is off by 2e-5; the step would be off by half of that.
    variable = ug.Variable(np.zeros(1, np.float32))
    optimizers.Adam(1.0).apply_gradients([(ug.asarray(np.float32([3.0])), variable)])
    np.testing.assert_allclose(variable.numpy(), [-1.0], rtol=3e-7)


def test_schedule_sees_the_steps_done(backend):
    seen = []

    def schedule(step):
        seen.append(step.item())
        return 0.1 / (step.astype("float64") + 1.0)

    found = on_variables(optimizers.Adam(schedule), 4, np.float64)
    assert seen == [0, 1, 2, 3]
    for one, expected in zip(found, by_hand(adam, {}, 4, lambda t: 0.1 / (t + 1))):
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-12)


def test_learning_rate_variable(backend):
    rate = ug.Variable(0.5, trainable=False)
    optimizer = optimizers.SGD(rate)
    variable = ug.Variable([1.0, 1.0])
    gradient = ug.asarray([1.0, 2.0])
    optimizer.apply_gradients([(gradient, variable)])
    rate.assign(0.25)
    optimizer.apply_gradients([(gradient, variable)])
    np.testing.assert_array_equal(variable.numpy(), [0.25, -0.5])


def test_mixed_dtypes_keep_their_place(backend):
    variables = [
        ug.Variable(np.ones(2, np.float32)),
        ug.Variable(np.full(3, 2.0)),
        ug.Variable(np.full(4, 3.0, np.float32)),
    ]
    gradients = [ug.asarray(np.full(v.shape, 1.0, v.dtype)) for v in variables]
    optimizers.SGD(1.0).apply_gradients(zip(gradients, variables))
    assert [v.numpy().tolist() for v in variables] == [[0.0] * 2, [1.0] * 3, [2.0] * 4]
    assert [v.dtype.name for v in variables] == ["float32", "float64", "float32"]


def test_missing_gradient_is_refused_or_skipped_with_a_warning(backend):
    moved, left = ug.Variable(1.0), ug.Variable(1.0, name="left")
    optimizer = optimizers.Adam(0.1)
    pairs = [(ug.asarray(1.0), moved), (None, left)]
    with pytest.raises(ValueError, match=r"left.*on_none"):
        optimizer.apply_gradients(pairs)
    assert (moved.item(), optimizer.iterations.item()) == (1.0, 0)
    with pytest.warns(ug.GradientWarning, match="left"):
        optimizer.apply_gradients(pairs, on_none="skip")
    assert left.item() == 1.0
    assert moved.item() != 1.0
    with pytest.raises(ug.SettingError, match="on_none"):
        optimizer.apply_gradients(pairs, on_none="ignore")


def test_wrong_shape(backend):
    variable = ug.Variable([1.0, 2.0])
    with pytest.raises(ug.ShapeError, match="shape"):
        optimizers.Adam().apply_gradients([(ug.asarray([[1.0, 2.0]]), variable)])
    with pytest.raises(ug.ShapeError, match="tree"):
        optimizers.SGD().update([ug.asarray(1.0)], {"step": ug.asarray(0)}, [])


def test_variables_of_several_backends_are_refused_before_anything_is_made():
    with ug.use_backend("numpy"):
        first = ug.Variable(1.0, name="w")
    with ug.use_backend("torch"):
        second = ug.Variable(1.0, name="b")
    optimizer = optimizers.AdamW()
    with pytest.raises(ug.BackendMismatchError, match="AdamW: variable 'b' lives on 'torch'"):
        optimizer.build([first, second])
    optimizer.build([first])
    with pytest.raises(ug.BackendMismatchError, match="'iterations' on 'numpy'"):
        optimizer.build([second])
    assert len(optimizer.variables) == 3


def test_state_survives_a_round_trip(backend):
    def run(steps, optimizer, variables):
        for step in steps:
            gradients = [ug.asarray(g) for g in gradients_at(step)]
            optimizer.apply_gradients(zip(gradients, variables))

    first, variables = optimizers.Adam(0.1), [ug.Variable(w) for w in START]
    run(range(3), first, variables)
    second = optimizers.Adam(0.1)
    copies = [ug.Variable(v.numpy()) for v in variables]
    with pytest.raises(ug.UnigradError, match="0/m"):
        second.load_state_dict(first.state_dict())
    second.build(copies)
    second.load_state_dict(first.state_dict())
    run(range(3, 5), first, variables)
    run(range(3, 5), second, copies)
    for one, other in zip(variables, copies):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_tape_does_not_see_the_update(backend):
    variable = ug.Variable(2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ug.GradientTape() as tape:
            loss = variable * variable
            optimizers.SGD(0.5).apply_gradients([(ug.asarray(1.0), variable)])
        assert tape.gradient(loss, variable).item() == 4.0
    assert variable.item() == 1.5


def test_gradient_through_a_pure_update(backend):
    optimizer = optimizers.Adam(0.1)
    state = optimizer.init([ug.asarray(np.float64(1.0))])
    g = ug.asarray(np.float64(0.3))
    state["m"] = [ug.asarray(np.float64(0.2))]
    state["v"] = [ug.asarray(np.float64(0.5))]

    def moved(value):
        new, _ = optimizer.update([value], state, [ug.asarray(np.float64(1.0))])
        return new[0]

    with ug.GradientTape() as tape:
        tape.watch(g)
        result = moved(g)
    found = tape.gradient(result, g).item()
    h = 1e-6
    up, down = (moved(ug.asarray(np.float64(0.3 + sign * h))).item() for sign in (1, -1))
    expected = (up - down) / (2 * h)
    assert found == pytest.approx(expected, rel=1e-6)


def test_update_in_jit(backend):
    optimizer = optimizers.Adam(0.1)
    variables = [ug.Variable(w) for w in START]

    @ug.jit
    def step(gradients):
        optimizer.apply_gradients(zip(gradients, variables))

    for number in range(4):
        step([ug.asarray(g) for g in gradients_at(number)])
    assert optimizer.iterations.item() == 4
    for one, expected in zip(variables, by_hand(adam, {}, 4, 0.1)):
        np.testing.assert_allclose(one.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_global_norm_and_clipping(backend):
    gradients = {"a": ug.asarray([3.0, 0.0]), "b": [ug.asarray([[4.0]])]}
    assert optimizers.global_norm(gradients).item() == 5.0
    clipped = optimizers.clip_by_global_norm(gradients, 2.5)
    np.testing.assert_allclose(clipped["a"].numpy(), [1.5, 0.0], rtol=1e-6)
    np.testing.assert_allclose(clipped["b"][0].numpy(), [[2.0]], rtol=1e-6)
    same = optimizers.clip_by_global_norm(gradients, 5.0)
    np.testing.assert_array_equal(same["a"].numpy(), [3.0, 0.0])
    zero = optimizers.clip_by_global_norm([ug.asarray([0.0])], 1.0)
    np.testing.assert_array_equal(zero[0].numpy(), [0.0])
    with pytest.raises(ug.ShapeError):
        optimizers.global_norm([])


def test_weight_decay(backend):
    new = optimizers.add_weight_decay([ug.asarray([1.0])], [ug.asarray([4.0])], 0.25)
    assert new[0].tolist() == [2.0]
    assert new[0].backend is current_backend()


@pytest.mark.parametrize("settings", [
    {"beta1": 0.0}, {"beta2": 0.0}, {"beta1": 0.0, "beta2": 0.0},
])  # fmt: skip
def test_adam_without_memory(backend, settings):
    found = on_variables(optimizers.Adam(0.1, **settings), 3, np.float64)
    for one, expected in zip(found, by_hand(adam, settings, 3, 0.1)):
        np.testing.assert_allclose(one, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("settings", [{"beta1": 1.0}, {"beta2": -0.1}])
def test_adam_refuses_a_share_that_has_no_formula(settings):
    with pytest.raises(ug.UnigradError, match=r"\[0, 1\)"):
        optimizers.Adam(**settings)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("cls", [
    optimizers.SGD, optimizers.Momentum, optimizers.RMSprop, optimizers.Adam,
])  # fmt: skip
def test_half_precision_is_updated_in_float32(backend, cls, dtype):
    # A gradient of 0 meets ε = 1e-8, which either half rounds to 0 or to a power of two.
    half, single = (ug.Variable(ug.asarray([1.0, 2.0], dtype=d)) for d in (dtype, "float32"))
    for variable in (half, single):
        gradient = ug.asarray([0.5, 0.0], dtype=variable.dtype)
        optimizer = cls(0.01)
        optimizer.apply_gradients([(gradient, variable)])
        assert {one.dtype.name for one in optimizer.variables} <= {"int64", "float32"}
        assert variable.numpy()[1] == 2.0
    assert half.dtype.name == dtype
    assert half.tolist() == single.value.astype(dtype).tolist()
    optimizer = cls(0.01)
    parameters = [ug.asarray([1.0, 2.0], dtype=dtype)]
    gradients = [ug.asarray([0.5, 0.0], dtype=dtype)]
    new, _ = optimizer.update(gradients, optimizer.init(parameters), parameters)
    assert new[0].tolist() == half.tolist()


def test_global_norm_at_zero_and_in_half_precision(backend):
    norm = ug.grad(lambda x: optimizers.global_norm([x, x[:1]]))
    assert norm(ug.asarray([0.0, 0.0])).tolist() == [0.0, 0.0]
    assert np.isnan(optimizers.global_norm([ug.asarray([np.nan])]).item())
    large = ug.asarray([300.0, 400.0], dtype="float16")
    found = optimizers.global_norm([large])
    assert (found.item(), found.dtype.name) == (500.0, "float16")
    clipped = optimizers.clip_by_global_norm([large * 100.0], 500.0)[0]
    np.testing.assert_allclose(clipped.numpy().astype(np.float64), [300.0, 400.0], rtol=1e-3)


OPTIMIZERS = [optimizers.SGD, optimizers.Momentum, optimizers.RMSprop, optimizers.Adam]


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("gradients", [(1.0, 2.0), (None, 2.0)])
def test_a_variable_given_twice_is_refused(backend, make, gradients):
    optimizer, twice, other = make(0.1), ug.Variable([1.0], name="w"), ug.Variable([1.0])
    pairs = [(ug.ones(1), other)]
    pairs += [(None if one is None else ug.asarray([one]), twice) for one in gradients]
    with pytest.raises(ug.SettingError, match="'w' comes twice"):
        optimizer.apply_gradients(pairs)
    assert (twice.numpy(), other.numpy(), optimizer.iterations.numpy()) == ([1.0], [1.0], 0)


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128", "int64", "bool"])
def test_only_floating_parameters_are_updated(backend, make, dtype):
    optimizer, fine = make(0.1), ug.Variable([1.0])
    bad = ug.Variable(ug.ones(1, dtype=dtype), trainable=False, name="w")
    gradient = ug.ones(1, dtype=dtype)
    with pytest.raises(ug.DTypeError, match=f"{make.__name__}: variable 'w' is {dtype}"):
        optimizer.apply_gradients([(ug.ones(1), fine), (gradient, bad)])
    assert (fine.numpy(), bad.numpy(), optimizer.iterations.numpy()) == ([1.0], [1], 0)
    assert optimizer.variables == [optimizer.iterations]
    with pytest.raises(ug.DTypeError, match=dtype):
        optimizer.init([bad])
    state = {"step": 0, **{name: [ug.ones(1)] for name in make.slot_names}}
    with pytest.raises(ug.DTypeError, match=dtype):
        optimizer.update([gradient], state, [bad.read()])


@pytest.mark.parametrize("rate", [True, "0.1", -1.0, float("nan"), float("inf"), None, 1j])
def test_what_is_no_rate_is_refused(backend, rate):
    optimizer = ug.optimizers.Adam(0.1)
    for call in (ug.optimizers.Adam, lambda rate: setattr(optimizer, "learning_rate", rate)):
        with pytest.raises(ug.SettingError, match="learning_rate="):
            call(rate)
    assert optimizer.learning_rate == 0.1


@pytest.mark.parametrize("rate", [-1.0, float("nan"), float("inf")])
def test_a_schedule_that_gives_no_rate_is_refused(backend, rate):
    w = ug.Variable([1.0])
    for given in (lambda step: rate, ug.Variable(rate)):
        with pytest.raises(ug.SettingError, match=r"learning_rate=.* schedule or Variable"):
            ug.optimizers.SGD(given).apply_gradients([(ug.ones(1), w)])
    assert w.tolist() == [1.0]


@pytest.mark.parametrize("rate", [[0.1, 0.2], [0.1], 1j])
@pytest.mark.parametrize("how", [lambda f: f, ug.jit], ids=["eager", "jit"])
def test_a_schedule_that_gives_no_one_real_number_is_refused(backend, how, rate):
    w, optimizer = ug.Variable([1.0, 2.0]), ug.optimizers.SGD(lambda _: ug.asarray(rate))
    with pytest.raises(ug.SettingError, match=r"SGD: learning_rate of dtype .* one real number"):
        how(lambda: optimizer.apply_gradients([(ug.ones(2), w)]))()
    assert w.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("given", [None, 3])
def test_what_are_no_pairs_is_refused(given):
    with pytest.raises(ug.SettingError, match=r"pairs \(gradient, variable\).* not (NoneType|int)"):
        ug.optimizers.SGD(0.1).apply_gradients(given)


def test_an_error_of_whoever_gives_the_pairs_is_theirs():
    def pairs():
        yield len(3)

    with pytest.raises(TypeError, match="has no len"):
        ug.optimizers.SGD(0.1).apply_gradients(pairs())


def test_what_selects_no_parameters_is_refused():
    o, w = ug.optimizers, ug.Variable([1.0])
    for optimizer in (
        o.AdamW(0.1, decay_only=3),
        o.AdamW(0.1, decay_only="("),
        o.freeze(o.SGD(0.1), ["w"]),
        o.chain(o.add_weight_decay(0.1, only=3), o.SGD(0.1)),
    ):
        with pytest.raises(ug.SettingError, match="a selection of parameters"):
            optimizer.apply_gradients([(ug.ones(1), w)])
    assert w.tolist() == [1.0]


def test_bad_numbers_of_transformations_are_refused():
    o, ones = ug.optimizers, [ug.ones(2)]
    for call in (
        lambda: o.clip_by_norm("1"),
        lambda: o.clip_by_global_norm(ones, -1.0),
        lambda: o.clip_by_global_norm(ones, float("nan")),
        lambda: o.scale(True),
        lambda: o.add_noise(ug.random.key(0), gamma=float("nan")),
    ):
        with pytest.raises(ug.SettingError, match="expected a finite number"):
            call()
    with pytest.raises(ug.DTypeError, match=r"random\.add_noise: a key"):
        o.add_noise(3)
