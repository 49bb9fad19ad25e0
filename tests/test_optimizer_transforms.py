"""Chains, clipping, groups and wrappers: against optax, by hand, eager and compiled."""

import pickle

import numpy as np
import pytest

import unigrad as ug
from unigrad import optimizers as o

W = [np.array([[1.0, -2.0, 0.5], [0.3, 0.1, -0.7]]), np.array([3.0, 0.0])]


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.normal(size=w.shape) for w in W]


def variables(names=("kernel", "bias")):
    return [ug.Variable(w, name=name) for w, name in zip(W, names)]


def run(optimizer, steps=6, jitted=False, names=("kernel", "bias"), given=gradients):
    held = variables(names)

    def one(*some):
        optimizer.apply_gradients(zip(some, held))

    do = ug.jit(one) if jitted else one
    for step in range(steps):
        do(*[ug.asarray(g) for g in given(step)])
    return [v.numpy().copy() for v in held]


def run_purely(optimizer, steps=6):
    held = {"kernel": ug.asarray(W[0]), "bias": ug.asarray(W[1])}
    state = optimizer.init(held)
    for step in range(steps):
        some = [ug.asarray(g) for g in gradients(step)]
        held, state = optimizer.update({"kernel": some[0], "bias": some[1]}, state, held)
    return [held["kernel"].numpy(), held["bias"].numpy()]


def by_optax(make, steps=6):
    import jax.numpy as jnp
    import optax

    with ug.use_backend("jax"):
        optimizer = make(optax)
        held = [jnp.asarray(w) for w in W]
        state = optimizer.init(held)
        for step in range(steps):
            some = [jnp.asarray(g) for g in gradients(step)]
            updates, state = optimizer.update(some, state, held)
            held = optax.apply_updates(held, updates)
        return [np.asarray(w) for w in held]


def same(found, expected, rtol=1e-10):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-14)


OF_OPTAX = {
    "global norm": (
        lambda: o.chain(o.clip_by_global_norm(0.7), o.AdamW(0.1)),
        lambda x: x.chain(x.clip_by_global_norm(0.7), x.adamw(0.1, weight_decay=0.01)),
    ),
    "value": (
        lambda: o.chain(o.clip_by_value(0.3), o.SGD(0.1)),
        lambda x: x.chain(x.clip(0.3), x.sgd(0.1)),
    ),
    "adaptive": (
        lambda: o.chain(o.clip_adaptively(0.1), o.SGD(0.1)),
        lambda x: x.chain(x.adaptive_grad_clip(0.1), x.sgd(0.1)),
    ),
    "decay": (
        lambda: o.chain(o.add_weight_decay(0.1), o.scale(2.0), o.Adam(0.1)),
        lambda x: x.chain(x.add_decayed_weights(0.1), x.scale(2.0), x.adam(0.1)),
    ),
    "centralize": (
        lambda: o.chain(o.centralize(output_axis=0), o.SGD(0.1)),
        lambda x: x.chain(x.centralize(), x.sgd(0.1)),
    ),
    "accumulate": (
        lambda: o.Accumulate(o.Adam(0.1), 3),
        lambda x: x.MultiSteps(x.adam(0.1), 3).gradient_transformation(),
    ),
}


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("name", OF_OPTAX)
def test_as_in_optax(backend, name, jitted):
    make, theirs = OF_OPTAX[name]
    # optax accumulates in float32.
    same(run(make(), jitted=jitted), by_optax(theirs), 1e-6 if name == "accumulate" else 1e-10)


@pytest.mark.parametrize("name", OF_OPTAX)
def test_pure_updates_are_the_same(backend, name):
    make = OF_OPTAX[name][0]
    same(run_purely(make()), run(make()), 1e-14)


def test_each_norm_by_itself(backend):
    found, _ = o.clip_by_norm(1.0).update(
        [ug.asarray([3.0, 4.0]), ug.asarray([0.1])], {"step": 0}, [ug.zeros(2), ug.zeros(1)]
    )
    np.testing.assert_allclose(found[0].numpy(), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found[1].numpy(), [0.1], rtol=1e-6)


@pytest.mark.parametrize("jitted", [False, True])
def test_lookahead_by_hand(backend, jitted):
    fast, slow = [w.copy() for w in W], [w.copy() for w in W]
    for step in range(6):
        fast = [w - 0.1 * g for w, g in zip(fast, gradients(step))]
        if step % 2 == 1:
            slow = [s + 0.3 * (w - s) for s, w in zip(slow, fast)]
            fast = [s.copy() for s in slow]
    same(run(o.Lookahead(o.SGD(0.1), 2, 0.3), jitted=jitted), fast)


@pytest.mark.parametrize("warm_up", [False, True])
def test_average_of_weights_by_hand(backend, warm_up):
    optimizer, held = o.AverageWeights(o.SGD(0.1), 0.8, warm_up=warm_up), variables()
    w, average = [one.copy() for one in W], [one.copy() for one in W]
    for step in range(5):
        optimizer.apply_gradients(zip([ug.asarray(g) for g in gradients(step)], held))
        w = [a - 0.1 * g for a, g in zip(w, gradients(step))]
        past = min(0.8, (2 + step) / (11 + step)) if warm_up else 0.8
        average = [past * a + (1 - past) * b for a, b in zip(average, w)]
    same([v.numpy() for v in held], w)
    same([optimizer.average_of(v).numpy() for v in held], average)
    with optimizer.using_averages(held):
        same([v.numpy() for v in held], average)
    same([v.numpy() for v in held], w)


@pytest.mark.parametrize("jitted", [False, True])
def test_nonfinite_steps_are_skipped(backend, jitted):
    def with_faults(step):
        some = gradients(step)
        if step in (1, 3):
            some[step // 2][..., 0] = [np.nan, np.inf][step // 2]
        return some

    optimizer = o.SkipNonfinite(o.Adam(0.1))
    found = run(optimizer, 6, jitted, given=with_faults)
    reference, held = o.Adam(0.1), variables()
    for step in (0, 2, 4, 5):
        reference.apply_gradients(zip([ug.asarray(g) for g in gradients(step)], held))
    same(found, [v.numpy() for v in held])
    assert (optimizer.skipped, int(optimizer.iterations)) == (2, 6)


@pytest.mark.parametrize("jitted", [False, True])
def test_groups_by_name(backend, jitted):
    make = lambda: o.Groups({"bias$": o.SGD(0.5)}, o.NAdam(0.1))  # noqa: E731
    found = run(make(), jitted=jitted)
    same(found[1:], run(o.SGD(0.5))[1:])
    same(found[:1], run(o.NAdam(0.1))[:1])
    same(run_purely(make()), found)
    frozen = run(o.freeze(o.Adam(0.1), "^kernel"), jitted=jitted)
    np.testing.assert_array_equal(frozen[0], W[0])
    same(frozen[1:], run(o.Adam(0.1))[1:])


def test_a_frozen_parameter_keeps_nothing(backend):
    optimizer, held = o.freeze(o.Adam(0.1), "kernel"), variables()
    optimizer.build(held)
    assert optimizer.state_dict()["0/m"].shape == ()
    assert optimizer.state_dict()["1/m"].shape == (2,)
    optimizer.learning_rate = 0.5
    assert optimizer.learning_rate == 0.5


def test_decay_of_some(backend):
    kernels_only = run(o.AdamW(0.1, weight_decay=0.5, decay_only="kernel"))
    same(kernels_only[:1], run(o.AdamW(0.1, weight_decay=0.5))[:1])
    same(kernels_only[1:], run(o.Adam(0.1))[1:])
    matrices = run(o.SGD(0.1, weight_decay=0.5, decay_only=lambda name, p: p.ndim == 2))
    same(matrices[1:], run(o.SGD(0.1))[1:])
    same(matrices[:1], run(o.SGD(0.1, weight_decay=0.5))[:1])
    same(run(o.chain(o.add_weight_decay(0.5, only="kernel"), o.SGD(0.1))), matrices)
    lamb = run(o.LAMB(0.1, weight_decay=0.5, decay_only="kernel"))
    same(lamb[:1], run(o.LAMB(0.1, weight_decay=0.5))[:1])
    same(lamb[1:], run(o.LAMB(0.1))[1:])


def test_noise_has_its_variance_and_is_the_same_everywhere(backend):
    zeros = [ug.zeros(4000)]
    noise = o.add_noise(ug.random.key(3), eta=0.3, gamma=0.55)
    first, state = noise.update(zeros, {"step": ug.asarray(0)}, zeros)
    later, _ = noise.update(zeros, {"step": ug.asarray(99)}, zeros)
    assert int(state["step"]) == 1
    assert np.std(first[0].numpy()) == pytest.approx(0.3**0.5, rel=0.05)
    assert np.std(later[0].numpy()) == pytest.approx((0.3 / 100**0.55) ** 0.5, rel=0.05)
    with ug.use_backend("numpy"):
        reference = o.add_noise(ug.random.key(3), eta=0.3, gamma=0.55)
        other, _ = reference.update([ug.zeros(4000)], {"step": ug.asarray(0)}, [ug.zeros(4000)])
    np.testing.assert_allclose(first[0].numpy(), other[0].numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam_by_hand(backend, adaptive):
    w0 = np.array([1.0, -2.0])
    scale = np.array([1.0, 10.0])
    slope = lambda w: 2 * scale * w + 4 * w**3  # noqa: E731
    w = ug.Variable(w0)

    def loss(x):
        return (ug.asarray(scale) * x * x + x**4).sum()

    g = slope(w0)
    size = np.abs(w0) if adaptive else np.ones(2)
    above = w0 + 0.1 * size**2 * g / np.linalg.norm(size * g)
    optimizer = o.SAM(o.SGD(0.01), 0.1, adaptive=adaptive)
    assert optimizer.minimize(lambda: loss(w), [w]).item() == pytest.approx(58.0)
    same([w.numpy()], [w0 - 0.01 * slope(above)])
    same([o.sharpness_aware(loss, 0.1, adaptive=adaptive)(ug.asarray(w0)).numpy()], [slope(above)])


def test_schedule_free_average(backend):
    optimizer, w = o.ScheduleFreeAdamW(0.1), ug.Variable(np.array([1.0, -2.0]))
    z = x = np.array([1.0, -2.0])
    v = 0.0
    for t in range(1, 6):
        g = gradients(t)[1]
        optimizer.apply_gradients([(ug.asarray(g), w)])
        v = 0.999 * v + 0.001 * g**2
        z = z - 0.1 * g / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        x = x + (z - x) / t
    same([optimizer.average_of(w).numpy()], [x])


def test_hessian_diagonal(backend):
    a = np.array([[2.0, 0.0], [0.0, 5.0]])

    def loss(w):
        return 0.5 * (w * (ug.asarray(a) @ w)).sum()

    found = o.hessian_diagonal(loss, ug.asarray(np.ones(2)), ug.random.key(0))
    same([found.numpy()], [[2.0, 5.0]])
    w = ug.Variable(np.ones(2))
    same([o.hessian_diagonal_of(lambda: loss(w), [w], ug.random.key(1))[0].numpy()], [[2.0, 5.0]])


def test_chains_of_state_can_be_saved(backend):
    make = lambda: o.chain(  # noqa: E731
        o.clip_by_global_norm(1.0),
        o.AverageWeights(o.Accumulate(o.SkipNonfinite(o.NAdam(0.1)), 2), 0.9),
    )
    first, held = make(), variables()
    for step in range(3):
        first.apply_gradients(zip([ug.asarray(g) for g in gradients(step)], held))
    second, copies = make(), [ug.Variable(v.numpy(), name=v.name) for v in held]
    second.build(copies)
    second.load_state_dict(first.state_dict())
    for step in range(3, 6):
        for optimizer, some in ((first, held), (second, copies)):
            optimizer.apply_gradients(zip([ug.asarray(g) for g in gradients(step)], some))
    for one, other in zip(held, copies):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


BAD = {
    "rate": lambda: o.SGD(-0.1),
    "rate of nan": lambda: o.Adam(float("nan")),
    "rate of infinity": lambda: o.Adam(float("inf")),
    "rate of a word": lambda: o.Adam("fast"),
    "beta": lambda: o.Adam(beta1=1.0),
    "initial square": lambda: o.RMSprop(initial_square=float("nan")),
    "initial sum": lambda: o.Adagrad(initial_sum=-0.5),
    "initial": lambda: o.Yogi(initial="x"),
    "beta below": lambda: o.Lion(beta2=-0.1),
    "epsilon": lambda: o.RMSprop(epsilon=-1e-8),
    "momentum": lambda: o.SGD(0.1, momentum=-0.5),
    "rho": lambda: o.Adadelta(rho=1.5),
    "decay": lambda: o.AdamW(weight_decay=-0.1),
    "nesterov": lambda: o.SGD(0.1, nesterov=True),
    "place": lambda: o.Adam(epsilon_at="below"),
    "amsgrad": lambda: o.Adam(amsgrad="most"),
    "unknown": lambda: o.SGD(0.1, wd=0.1),
    "clip": lambda: o.clip_by_global_norm(-1.0),
    "clip nan": lambda: o.clip_by_value(float("nan")),
    "order": lambda: o.chain(o.SGD(0.1), o.clip_by_value(1.0)),
    "no link": lambda: o.chain(lambda g: g, o.SGD(0.1)),
    "steps": lambda: o.Accumulate(o.SGD(0.1), 0),
    "inside": lambda: o.Lookahead(0.1),
    "group": lambda: o.Groups({"a": 0.1}, None),
    "no rate": lambda: o.Groups({}, None).learning_rate,
    "share": lambda: o.AverageWeights(o.SGD(0.1), 1.0),
    "memory": lambda: o.LBFGS(0),
    "tolerance": lambda: o.ConjugateGradient(gradient_tolerance=-1.0),
    "damping": lambda: o.LevenbergMarquardt(-1.0),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_settings_are_refused(name):
    with pytest.raises(ug.SettingError):
        BAD[name]()


def test_what_does_not_fit_is_refused(backend):
    optimizer, held = o.chain(o.clip_by_value(1.0), o.Adam(0.1)), variables()
    optimizer.build(held[:1])
    other = "torch" if backend == "numpy" else "numpy"
    with ug.use_backend(other):
        foreign = ug.asarray(W[0])
    cases = [
        (ug.ShapeError, [(ug.zeros((3, 2), dtype="float64"), held[0])], "'kernel'"),
        (ug.DTypeError, [(ug.zeros((2, 3), dtype="float32"), held[0])], "float32.*astype"),
        (ug.BackendMismatchError, [(foreign, held[0])], other),
        (ug.SettingError, [(held[0], ug.asarray(W[0]))], "pairs"),
        (ug.SettingError, [(ug.asarray(W[1]), held[1])], "'bias'.*build"),
        (ug.SettingError, [(None, held[0])], "kernel.*on_none"),
        (ug.SettingError, [held[0]], "pairs"),
    ]
    for error, pairs, message in cases:
        with pytest.raises(error, match=message):
            optimizer.apply_gradients(pairs)
        np.testing.assert_array_equal(held[0].numpy(), W[0])
        assert int(optimizer.iterations) == 0
    parameters = {"kernel": ug.asarray(W[0])}
    with pytest.raises(ug.SettingError, match="'kernel'"):
        optimizer.update({"kernel": None}, optimizer.init(parameters), parameters)


def test_minimize(backend):
    w = ug.Variable(np.array([1.0, 2.0]))
    optimizer = o.SGD(0.25)
    assert optimizer.minimize(lambda: (w * w).sum()).item() == 5.0
    same([w.numpy()], [[0.5, 1.0]])
    unused = ug.Variable(1.0, name="unused")
    # The tape warns of it as well.
    with pytest.warns(ug.GradientWarning), pytest.raises(ValueError, match="unused"):
        optimizer.minimize(lambda: (w * w).sum(), [w, unused])
    with pytest.warns(ug.GradientWarning, match="unused"):
        optimizer.minimize(lambda: (w * w).sum(), [w, unused], on_none="skip")


@pytest.mark.parametrize(
    "make",
    [
        lambda: o.clip_by_value(1.0),
        lambda: o.clip_by_norm(1.0),
        lambda: o.clip_by_global_norm(1.0),
        lambda: o.clip_adaptively(),
        lambda: o.add_weight_decay(0.1),
        lambda: o.centralize(),
        lambda: o.add_noise(ug.random.key(0)),
        lambda: o.scale(2.0),
    ],
)
def test_a_chain_is_pickled(make):
    with ug.use_backend("numpy"):
        chained = o.chain(make(), o.Adam(0.1))
        again = pickle.loads(pickle.dumps(chained))
        same(run(again, 2), run(chained, 2), rtol=0)


def _square(w):
    return ug.sum(w * w)


def test_sharpness_aware_gradients_are_picklable():
    slope = pickle.loads(pickle.dumps(o.sharpness_aware(_square, 0.5)))
    w = ug.asarray([3.0, 4.0])
    assert slope(w).tolist() == o.sharpness_aware(_square, 0.5)(w).tolist()
