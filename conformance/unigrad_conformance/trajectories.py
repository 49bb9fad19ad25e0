"""Twenty steps of every optimizer against its formula by hand: mixed signs, zeros, a spike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import unigrad as ug
from unigrad.optimizers.numbers import Hyperparameter
from unigrad_conformance.optimizers.cases import DEFAULTS, PLAIN, VARIED, Case
from unigrad_conformance.subject import Deviation

STEPS = 20
Arrays = list[npt.NDArray[Any]]


def start() -> Arrays:
    """Return parameters: matrices both ways round, a vector, zeros, a number."""
    rng = np.random.default_rng(11)
    drawn = [np.asarray(rng.normal(size=shape)) for shape in ((3, 4), (5, 2), (4,), ())]
    return [*drawn, np.zeros(3)]


def gradients(step: int) -> Arrays:
    """Return the gradients of a step: a tenth are zeros, the eighth step is a hundred times as
    large, and the last parameter's are so small that ε counts.
    """
    rng = np.random.default_rng(100 + step)
    some = [np.asarray(rng.normal(size=w.shape)) for w in start()]
    some = [
        np.where(rng.random(g.shape) < 0.1, 0.0, g) * (100.0 if step == 7 else 1.0) for g in some
    ]
    return [*some[:-1], some[-1] * 1e-7]


def close(found: Any, expected: Any) -> bool:
    """Tell whether two parameters are the same but for rounding."""
    size = float(np.max(np.abs(expected)))
    return bool(np.max(np.abs(found - expected)) <= 1e-10 * size)


def follow(case: Case, way: str = "eager", steps: int = STEPS) -> None:
    """Do steps of an optimizer and compare all parameters after each.

    The way is "eager", "compiled" or "pure": by the pair of functions.
    """
    optimizer, variables = case.make(), [ug.Variable(w) for w in start()]
    state = optimizer.init([variable.read() for variable in variables])

    def one(*given: Any) -> None:
        optimizer.apply_gradients(zip(given, variables, strict=True))

    def pure(*given: Any) -> None:
        nonlocal state
        new, state = optimizer.update([*given], state, [variable.read() for variable in variables])
        for variable, value in zip(variables, new, strict=True):
            variable.assign(value)

    run: Any = {"eager": one, "compiled": ug.jit(one), "pure": pure}[way]
    by_hand = [case.run(w, case.numbers()) for w in start()]
    for each in by_hand:
        next(each)
    for step in range(steps):
        given = gradients(step)
        run(*[ug.asarray(g) for g in given])
        for i, (variable, each) in enumerate(zip(variables, by_hand, strict=True)):
            expected = each.send(given[i])
            if not close(variable.numpy(), expected):
                raise Deviation(
                    f"{case.id}: parameter {i} after step {step + 1}: "
                    f"{variable.numpy().tolist()}, not {np.asarray(expected).tolist()}"
                )


def defaults() -> None:
    """The numbers of each optimizer, where nobody gives others."""
    for case in PLAIN:
        optimizer = case.make()
        for name, value in DEFAULTS[case.name].items():
            found = getattr(optimizer, name)
            if found != value:
                raise Deviation(f"{case.name}.{name} is {found} by default, not {value}")


def numbers_change(case: Case, *, compiled: bool) -> None:
    """Change one number after another; the formula has each from the next step on."""
    optimizer, numbers = case.make(), case.numbers()
    w = start()[0]
    variable, run = ug.Variable(w), case.run(w, numbers)
    next(run)

    def one(g: Any) -> None:
        optimizer.apply_gradients([(g, variable)])

    do: Any = ug.jit(one) if compiled else one
    # The rate rises at first, and falls at the end.
    names = ["", *vars(numbers), "learning_rate"]
    for step, name in enumerate(names):
        if name:
            value = getattr(numbers, name)
            value = 0.5 * value if step == len(names) - 1 else _another(name, value)
            setattr(optimizer, name, value)
            setattr(numbers, name, value)
        g = gradients(step)[0]
        do(ug.asarray(g))
        expected = run.send(g)
        if not close(variable.numpy(), expected):
            raise Deviation(
                f"{case.id}: after {name} has changed: {variable.numpy().tolist()}, not "
                f"{expected.tolist()}"
            )


def _another(name: str, value: float) -> float:
    """Return another number in the same range."""
    if value == 0.0:
        return 0.1
    return value * (1.1 if value > 1.0 or name == "learning_rate" else 0.9)


def _declared(optimizer: ug.optimizers.Optimizer) -> list[str]:
    """Return the names of all numbers that an optimizer's class declares."""
    classes = type(optimizer).__mro__
    found = {name for one in classes for name, x in vars(one).items() if type(x) is Hyperparameter}
    return sorted(name for name in found if not name.startswith("_"))


def _steps_with(optimizer: ug.optimizers.Optimizer, first: int = 0) -> Arrays:
    """Return parameters after two steps."""
    variables = [ug.Variable(w) for w in start()]
    for step in (first, first + 1):
        given = [ug.asarray(g) for g in gradients(step)]
        optimizer.apply_gradients(zip(given, variables, strict=True))
    return [variable.numpy() for variable in variables]


def numbers_set_later(case: Case) -> None:
    """Set each declared number of a new optimizer: as if it had been made with it, or refused.

    What its formula does without (SGD without momentum keeps no velocity) must be refused.
    """
    for name in _declared(case.make()):
        later = case.make()
        now = getattr(later, name)
        value = 1.5 if now is None else _another(name, now)
        try:
            setattr(later, name, value)
        except ug.SettingError:
            if now and name != "dampening":
                raise
            continue
        try:
            made = type(later)(**{**case.given, name: value})
        except TypeError:  # It is no setting of its own.
            continue
        for found, expected in zip(_steps_with(later), _steps_with(made), strict=True):
            if not close(found, expected):
                raise Deviation(
                    f"{case.id}: {name}={value} set later gives {found.tolist()}, not "
                    f"{expected.tolist()}"
                )


def decay_comes_later(case: Case) -> None:
    """Weights begin to decay in a program that was compiled without."""
    gradient = ug.asarray(gradients(0)[0])
    found = []
    for compiled in (False, True):
        optimizer: Any = case.make()
        variable = ug.Variable(start()[0])

        def one(optimizer: Any = optimizer, variable: Any = variable) -> None:
            optimizer.apply_gradients([(gradient, variable)])

        do: Any = ug.jit(one) if compiled else one
        do()
        optimizer.weight_decay = 0.3
        do()
        found.append(variable.numpy())
    if not close(*found):
        raise Deviation(f"{case.id}: {found[1].tolist()} in a program, not {found[0].tolist()}")


def falling_rate() -> None:
    """A rate that is a function of how many steps are done: none at the first one."""
    optimizer = ug.optimizers.SGD(lambda done: 0.1 / (1.0 + ug.astype(done, "float64")))
    w = start()[0]
    variable = ug.Variable(w)
    for step in range(4):
        g = gradients(step)[0]
        optimizer.apply_gradients([(ug.asarray(g), variable)])
        w = w - 0.1 / (1.0 + step) * g
        if not close(variable.numpy(), w):
            raise Deviation(f"SGD, step {step + 1}: {variable.numpy().tolist()}, not {w.tolist()}")


def steps_weighed_ahead() -> None:
    """Schedule-free AdamW may weigh a step by the rate of the one after it, as optax does."""
    beta1, beta2, power = 0.8, 0.9, 1.5
    optimizer = ug.optimizers.ScheduleFreeAdamW(
        lambda t: 0.1 * ug.minimum(ug.astype(t, "float64"), 4.0),
        beta1, beta2, power=power, weigh_ahead=True,
    )  # fmt: skip
    variables = [ug.Variable(one) for one in start()]
    y = [*start()]
    z, v = [*y], [np.zeros_like(one) for one in y]
    total = 0.0
    for t in range(STEPS):
        found = gradients(t)
        optimizer.apply_gradients(
            [(ug.asarray(one), variable) for one, variable in zip(found, variables, strict=True)]
        )
        weight = (0.1 * min(t + 1, 4)) ** power
        total += weight
        for i, g in enumerate(found):
            v[i] = beta2 * v[i] + (1 - beta2) * g**2
            below = np.sqrt(v[i] / (1 - beta2 ** (t + 1))) + 1e-8
            x = (y[i] - (1 - beta1) * z[i]) / beta1
            z[i] = z[i] - 0.1 * min(t, 4) * g / below
            x = (1 - weight / total) * x + weight / total * z[i]
            y[i] = (1 - beta1) * z[i] + beta1 * x
        for i, (variable, one) in enumerate(zip(variables, y, strict=True)):
            if not close(variable.numpy(), one):
                raise Deviation(f"after {t + 1} steps parameter {i} is {variable.tolist()}")


def sophia_with_a_hessian() -> None:
    """Sophia's steps with estimates of the Hessian's diagonal, given every second step."""
    optimizer, w = ug.optimizers.Sophia(0.1, beta2=0.8, gamma=0.5, epsilon=1e-3), start()[0]
    variable, m, h = ug.Variable(w), np.zeros_like(w), np.zeros_like(w)
    for step in range(6):
        if step % 2 == 0:
            estimate = np.abs(gradients(50 + step)[0]) + 1.0
            optimizer.observe([(ug.asarray(estimate), variable)])
            h = 0.8 * h + 0.2 * estimate
        g = gradients(step)[0]
        optimizer.apply_gradients([(ug.asarray(g), variable)])
        m = 0.965 * m + 0.035 * g
        w = w - 0.1 * np.clip(m / np.maximum(0.5 * h, 1e-3), -1.0, 1.0)
        if not close(variable.numpy(), w):
            raise Deviation(
                f"Sophia, step {step + 1}: {variable.numpy().tolist()}, not {w.tolist()}"
            )


#: Each optimizer with a setting, by name.
SETTINGS: dict[str, Callable[[], None]] = {case.id: partial(follow, case) for case in VARIED}
#: Each optimizer by itself in three ways, by name: step by step, in a program, and by the pair
#: ``init`` and ``update``.
EAGER: dict[str, Callable[[], None]] = {case.id: partial(follow, case) for case in PLAIN}
COMPILED: dict[str, Callable[[], None]] = {
    f"{case.id}, compiled": partial(follow, case, "compiled", 4) for case in PLAIN
}
PURE: dict[str, Callable[[], None]] = {
    f"{case.id}, pure": partial(follow, case, "pure", 4) for case in PLAIN
}
#: Numbers that a new optimizer is given as attributes, by name.
LATER: dict[str, Callable[[], None]] = {
    f"{case.id}, set later": partial(numbers_set_later, case) for case in [*PLAIN, *VARIED]
}
#: The other checks, by name.
TRAJECTORIES: dict[str, Callable[[], None]] = {
    "defaults": defaults,
    "SGD(…) with a falling rate": falling_rate,
    "ScheduleFreeAdamW(…) weighed ahead": steps_weighed_ahead,
    "Sophia(…) with a Hessian": sophia_with_a_hessian,
    "Adam(…) that begins to decay": partial(decay_comes_later, PLAIN[3]),
    "SGD(…) that begins to decay": partial(decay_comes_later, PLAIN[0]),
}
