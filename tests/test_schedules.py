"""Schedules against torch's and optax's, in programs, and with settings that make no sense."""

import math

import numpy as np
import pytest
import torch

import unigrad as ug
from unigrad.optimizers import SGD, ReduceOnPlateau, schedules

STEPS = 40


def _torch(make, rate=0.5):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=rate)
    scheduler = make(optimizer)
    found = []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def _optax(name, *args, **settings):
    import optax

    schedule = getattr(optax, name)(*args, **settings)
    with ug.use_backend("jax"):
        return [float(schedule(t)) for t in range(STEPS)]


S = torch.optim.lr_scheduler
CASES = {
    "constant": (schedules.constant(0.5), lambda: [0.5] * STEPS),
    "piecewise": (
        schedules.piecewise([5, 20], [0.5, 0.05, 0.005]),
        lambda: _torch(lambda o: S.MultiStepLR(o, [5, 20], 0.1)),
    ),
    "exponential": (
        schedules.exponential(0.5, 1, 0.9), lambda: _torch(lambda o: S.ExponentialLR(o, 0.9)),
    ),
    "exponential staircase": (
        schedules.exponential(0.5, 7, 0.3, staircase=True),
        lambda: _torch(lambda o: S.StepLR(o, 7, 0.3)),
    ),
    "inverse time": (
        schedules.inverse_time(0.5, 3, 0.7),
        lambda: [0.5 / (1 + 0.7 * t / 3) for t in range(STEPS)],
    ),
    "inverse time staircase": (
        schedules.inverse_time(0.5, 3, 0.7, staircase=True),
        lambda: [0.5 / (1 + 0.7 * (t // 3)) for t in range(STEPS)],
    ),
    "polynomial": (
        schedules.polynomial(0.5, 30, 0.1, 2.0),
        lambda: _optax("polynomial_schedule", 0.5, 0.1, 2.0, 30),
    ),
    "linear": (
        schedules.linear(0.5, 0.1, 30), lambda: _optax("linear_schedule", 0.5, 0.1, 30),
    ),
    "cosine": (
        schedules.cosine(0.5, 30, 0.05), lambda: _optax("cosine_decay_schedule", 0.5, 30, 0.1),
    ),
    "cosine restarts": (
        schedules.cosine_restarts(0.5, 5, 0.01, 2.0),
        lambda: _torch(lambda o: S.CosineAnnealingWarmRestarts(o, 5, 2, 0.01)),
    ),
    "cosine restarts of one length": (
        schedules.cosine_restarts(0.5, 7, growth=1.0),
        lambda: _torch(lambda o: S.CosineAnnealingWarmRestarts(o, 7)),
    ),
    "warm-up": (
        schedules.linear_warmup(8, schedules.exponential(0.5, 1, 0.9), 0.1),
        lambda: [
            0.1 + 0.4 * t / 8 if t < 8 else 0.5 * 0.9 ** (t - 8) for t in range(STEPS)
        ],
    ),
    "warm-up, cosine": (
        schedules.warmup_cosine(0.5, 8, 30, 0.01),
        lambda: _optax("warmup_cosine_decay_schedule", 0.0, 0.5, 8, 30, 0.01),
    ),
    "one cycle": (
        schedules.one_cycle(0.5, STEPS + 1),
        lambda: _torch(lambda o: S.OneCycleLR(o, 0.5, total_steps=STEPS + 1)),
    ),
    "wsd": (
        schedules.wsd(0.5, 5, 20, 10, 0.1),
        lambda: [
            0.5 * t / 5 if t < 5 else 0.5 - 0.4 * min(max(t - 25, 0) / 10, 1.0)
            for t in range(STEPS)
        ],
    ),
    "wsd, root": (
        schedules.wsd(0.5, 0, 5, 10, shape="1-sqrt"),
        lambda: [0.5 * (1 - math.sqrt(min(max(t - 5, 0) / 10, 1.0))) for t in range(STEPS)],
    ),
    "noam": (
        schedules.noam(512, 10, 2.0),
        lambda: [
            2.0 * 512**-0.5 * min((t + 1) ** -0.5, (t + 1) * 10**-1.5) for t in range(STEPS)
        ],
    ),
    "cyclic": (
        schedules.cyclic(0.1, 0.5, 5, 3),
        lambda: _torch(lambda o: S.CyclicLR(o, 0.1, 0.5, 5, 3, cycle_momentum=False)),
    ),
    "cyclic, halved": (
        schedules.cyclic(0.1, 0.5, 4, shrink=0.5),
        lambda: _torch(
            lambda o: S.CyclicLR(o, 0.1, 0.5, 4, mode="triangular2", cycle_momentum=False)
        ),
    ),
    "join": (
        schedules.join([schedules.constant(0.5), schedules.linear(0.4, 0.0, 10)], [12]),
        lambda: _optax_joined(),
    ),
}  # fmt: skip


def _optax_joined():
    import optax

    return _optax(
        "join_schedules", [optax.constant_schedule(0.5), optax.linear_schedule(0.4, 0.0, 10)], [12]
    )


OF_OPTAX = ("polynomial", "linear", "cosine", "warm-up, cosine", "join")


@pytest.mark.parametrize("name", CASES)
def test_schedule(backend, name):
    schedule, theirs = CASES[name]
    compiled = ug.jit(schedule)
    expected = theirs()
    # optax computes in float32.
    tolerance = 1e-6 if name in OF_OPTAX else 1e-12
    for t, rate in enumerate(expected):
        found = schedule(ug.asarray(t))
        assert (found.shape, found.dtype.name) == ((), "float64")
        assert float(found) == pytest.approx(rate, rel=tolerance, abs=1e-15)
        if t % 9 == 0:
            assert float(compiled(ug.asarray(t))) == pytest.approx(rate, rel=tolerance, abs=1e-15)
    assert float(schedule(3)) == pytest.approx(expected[3], rel=tolerance)


def test_schedule_as_the_rate_of_a_compiled_step(backend):
    optimizer = SGD(schedules.piecewise([2], [0.5, 0.25]))
    w = ug.Variable(np.float64(0.0))
    step = ug.jit(lambda: optimizer.apply_gradients([(ug.asarray(np.float64(-1.0)), w)]))
    values = []
    for _ in range(4):
        step()
        values.append(w.item())
    assert values == [0.5, 1.0, 1.25, 1.5]
    assert step.programs == 1


@pytest.mark.parametrize("settings", [
    {"factor": 0.5, "patience": 2},
    {"factor": 0.1, "patience": 0, "threshold": 0.1, "relative": False, "least_rate": 0.01},
    {"factor": 0.5, "patience": 1, "cooldown": 3, "maximize": True},
    {"factor": 0.1, "patience": 0, "threshold": 9.0, "relative": False, "least_change": 1e-6},
])  # fmt: skip
def test_plateau_is_torchs(settings):
    theirs = {
        "factor": settings["factor"], "patience": settings["patience"],
        "threshold": settings.get("threshold", 1e-4), "cooldown": settings.get("cooldown", 0),
        "threshold_mode": "rel" if settings.get("relative", True) else "abs",
        "min_lr": settings.get("least_rate", 0.0), "eps": settings.get("least_change", 0.0),
        "mode": "max" if settings.get("maximize") else "min",
    }  # fmt: skip
    reference = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = S.ReduceLROnPlateau(reference, **theirs)
    optimizer = SGD(1.0)
    plateau = ReduceOnPlateau(optimizer, **settings)
    for metric in np.random.default_rng(3).normal(size=30).round(1) + 2.0:
        plateau.step(metric)
        scheduler.step(metric)
        assert optimizer.learning_rate == pytest.approx(reference.param_groups[0]["lr"], rel=1e-12)


@pytest.mark.parametrize("make", [
    lambda: schedules.constant(-1.0),
    lambda: schedules.constant(float("nan")),
    lambda: schedules.piecewise([1, 2], [0.1, 0.2]),
    lambda: schedules.piecewise([2, 1], [0.1, 0.2, 0.3]),
    lambda: schedules.exponential(0.1, 0, 0.5),
    lambda: schedules.exponential(0.1, 1, 0.0),
    lambda: schedules.cosine(0.1, 0),
    lambda: schedules.cosine_restarts(0.1, 5, growth=0.5),
    lambda: schedules.warmup_cosine(0.1, 10, 5),
    lambda: schedules.one_cycle(0.1, 2),
    lambda: schedules.wsd(0.1, 1, 1, 1, shape="steep"),
    lambda: schedules.join([schedules.constant(0.1)], [3]),
    lambda: ReduceOnPlateau(factor=1.5),
    lambda: ReduceOnPlateau().step(1.0),
])  # fmt: skip
def test_bad_settings(make):
    with pytest.raises(ug.SettingError, match=r"expected|needs"):
        make()


@pytest.mark.parametrize("rate", [-0.5, math.nan, math.inf])
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_rate_that_makes_no_sense(backend, rate, by_variable):
    # Eagerly it is refused; in a program, where nobody can look, it shows in the parameters.
    w = ug.Variable([1.0, 2.0])
    optimizer = SGD(ug.Variable(rate) if by_variable else lambda done: rate + 0.0 * done)
    with pytest.raises(ug.SettingError, match="finite number, at least 0"):
        optimizer.apply_gradients([(ug.ones(2), w)])
    assert w.tolist() == [1.0, 2.0]
    ug.jit(lambda g: optimizer.apply_gradients([(g, w)]))(ug.ones(2))
    assert np.isnan(w.numpy()).all()
