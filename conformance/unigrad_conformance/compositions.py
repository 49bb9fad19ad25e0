"""Random compositions of transforms over random programs.

A program is a function of a vector, made of smooth ops. Transforms are drawn one over the other;
each is written twice, in ways that have little in common: reverse mode and forward mode, `vmap` and
a loop, a Hessian's product and a whole Hessian. What a composition gives must be what its twin
gives, eager and compiled, and what the reference gives on NumPy.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation, quiet

Function: TypeAlias = Callable[[ug.Tensor], ug.Tensor]
#: What a function of a vector gives: a number, or a vector of the same length.
Kind: TypeAlias = Literal["scalar", "vector"]
_SIZE = 3
#: Derivatives one over the other: each multiplies the size of a graph.
_MOST_DERIVATIVES = 3


def _vector(*numbers: float) -> ug.Tensor:
    return ug.asarray(np.asarray(numbers))


@dataclass(frozen=True)
class Transform:
    """One transform, and another way to compute the same."""

    name: str
    takes: Kind
    gives: Kind
    build: Callable[[Function], Function]
    twin: Callable[[Function], Function]
    #: How many derivatives it takes.
    order: int = 1


def _direction() -> ug.Tensor:
    return _vector(0.3, -0.7, 0.5)


def _by_tape(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        x = x * 1.0
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        out: ug.Tensor = tape.gradient(y, x)
        return out

    return run


def _by_accumulator(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        rows = []
        for one in np.eye(_SIZE):
            moving = x * 1.0
            with ug.ForwardAccumulator(moving, ug.asarray(one)) as accumulator:
                y = f(moving)
            rows.append(accumulator.jvp(y))
        return ug.stack(rows)

    return run


def _pulled(f: Function) -> Function:
    return lambda x: ug.vjp(f, x)[1](_direction())[0]


def _pushed(f: Function) -> Function:
    return lambda x: ug.jvp(f, (x,), (_direction(),))[1]


def _linearized(f: Function) -> Function:
    return lambda x: ug.linearize(f, x)[1](_direction())


def _by_hand(f: Function) -> Function:
    """Give a function its own derivative by hand, in reverse mode."""
    made = ug.custom_vjp(f)
    made.defvjp(lambda x: (f(x), x), lambda x, g: ug.vjp(f, x)[1](g))
    return made


def _by_hand_forward(f: Function) -> Function:
    """Give a function its own derivative by hand, in forward mode."""
    made = ug.custom_jvp(f)
    made.defjvp(lambda primals, tangents: ug.jvp(f, primals, tangents))
    return made


def _scales() -> ug.Tensor:
    return _vector(1.0, 0.5, -0.8, 0.2)


def _mapped(f: Function) -> Function:
    return lambda x: ug.mean(ug.vmap(lambda c: f(c * x))(_scales()), axis=0)


def _looped(f: Function) -> Function:
    return lambda x: ug.mean(ug.stack([f(c * x) for c in ug.unstack(_scales())]), axis=0)


def _looped_map(f: Function) -> Function:
    """Carry a vector through a function, with its row sums beside it."""

    def run(x: ug.Tensor) -> ug.Tensor:
        def step(carry: ug.Tensor, c: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
            after = 0.5 * carry + c * ug.tanh(f(carry))
            return after, ug.sum(after)

        last, sums = ug.scan(step, x, _scales()[:2])
        out: ug.Tensor = last + ug.sum(sums)
        return out

    return run


def _looped_by_hand(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        sums = []
        for c in ug.unstack(_scales()[:2]):
            x = 0.5 * x + c * ug.tanh(f(x))
            sums.append(ug.sum(x))
        return x + ug.sum(ug.stack(sums))

    return run


def _while(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.while_loop(
            lambda carry: carry[0] < 2,
            lambda carry: (carry[0] + 1, ug.sin(carry[1] + 0.3 * f(carry[1]))),
            (ug.asarray(0), x),
            max_steps=3,
        )[1]
        return out

    return run


def _twice(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        for _ in range(2):
            x = ug.sin(x + 0.3 * f(x))
        return x

    return run


def _branches(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.cond(ug.sum(x) > 0.2, lambda x: 2.0 * f(x), lambda x: f(x) * f(x), x)
        return out

    return run


def _selected(f: Function) -> Function:
    def run(x: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.where(ug.sum(x) > 0.2, 2.0 * f(x), f(x) * f(x))
        return out

    return run


def _the_same(f: Function) -> Function:
    return f


def _jacobian(mode: Any) -> Callable[[Function], Function]:
    return lambda f: ug.jacobian(f, mode=mode)


def _both_kinds(name: str, build: Any, twin: Any = _the_same, order: int = 0) -> list[Transform]:
    kinds: tuple[Kind, Kind] = ("scalar", "vector")
    return [Transform(name, kind, kind, build, twin, order) for kind in kinds]


TRANSFORMS: list[Transform] = [
    Transform("grad", "scalar", "vector", ug.grad, _jacobian("forward")),
    Transform("tape", "scalar", "vector", _by_tape, _by_accumulator),
    Transform("accumulator", "scalar", "vector", _by_accumulator, ug.grad),
    Transform("vjp", "vector", "vector", _pulled, lambda f: lambda x: (
        _direction() @ ug.jacobian(f, mode="forward")(x))),
    Transform("jvp", "vector", "vector", _pushed, lambda f: lambda x: (
        ug.jacobian(f, mode="reverse")(x) @ _direction())),
    Transform("linearize", "vector", "vector", _linearized, _pushed),
    Transform("hvp", "scalar", "vector", lambda f: lambda x: ug.hvp(f, (x,), (_direction(),)),
              lambda f: lambda x: ug.jacobian(ug.grad(f), mode="reverse")(x) @ _direction(), 2),
    Transform("hessian", "scalar", "vector", lambda f: lambda x: ug.hessian(f)(x) @ _direction(),
              lambda f: lambda x: ug.grad(lambda x: ug.sum(ug.grad(f)(x) * _direction()))(x), 2),
    Transform("sum", "vector", "scalar", lambda f: lambda x: ug.sum(f(x) * _direction()),
              lambda f: lambda x: f(x) @ _direction(), 0),
    *_both_kinds("vmap", _mapped, _looped),
    *_both_kinds("cond", _branches, _selected),
    Transform("scan", "vector", "vector", _looped_map, _looped_by_hand, 0),
    Transform("while_loop", "vector", "vector", _while, _twice, 0),
    *_both_kinds("checkpoint", ug.checkpoint),
    *_both_kinds("jit", ug.jit),
    *_both_kinds("custom_jvp", _by_hand_forward),
    *_both_kinds("custom_vjp", _by_hand),
]  # fmt: skip
#: No forward rule: not under what differentiates forward.
_REVERSE_ONLY = {"custom_vjp"}
_FORWARD = {"jvp", "linearize", "hvp", "hessian", "accumulator", "custom_jvp"}


@dataclass(frozen=True)
class Composition:
    """A program, and the transforms over it, innermost first."""

    program: int
    transforms: tuple[Transform, ...]

    def __str__(self) -> str:
        names = [one.name for one in self.transforms]
        return f"{' of '.join([*reversed(names), f'program {self.program}'])}"

    def function(self, twins: bool) -> Function:
        """Return the transformed function, or what its twins make of it."""
        f = program(self.program)
        for one in self.transforms:
            f = (one.twin if twins else one.build)(f)
        return f


def program(seed: int) -> Function:
    """Return a smooth function from a vector to a number."""
    chosen = random.Random(seed)
    steps = [(chosen.randrange(9), chosen.random(), chosen.random()) for _ in range(4)]
    matrix = np.random.default_rng(seed).uniform(-0.8, 0.8, (_SIZE, _SIZE))

    def run(x: ug.Tensor) -> ug.Tensor:
        values = [x, ug.asarray(matrix) @ x]
        for kind, first, second in steps:
            a = values[int(first * len(values))]
            b = values[int(second * len(values))]
            values.append(_STEPS[kind](a, b))
        return ug.sum(values[-1] * values[-2]) + 0.1 * ug.sum(x**3)

    return run


_STEPS: list[Callable[[ug.Tensor, ug.Tensor], ug.Tensor]] = [
    lambda a, b: a * b,
    lambda a, b: ug.sin(a) + b,
    lambda a, b: ug.tanh(a - b),
    lambda a, b: a / (1.5 + b * b),
    lambda a, b: ug.softmax(a) * b,
    lambda a, b: ug.concat([a[1:], b[:1]]),
    lambda a, b: ug.take(a, ug.asarray([2, 0, 0])) * b,
    lambda a, b: ug.logsumexp(a) * b + ug.flip(a),
    lambda a, b: ug.cumulative_sum(a) * ug.mean(b),
]


def composed(program: int, *names: str) -> Composition:
    """Return the composition of transforms by name, innermost first."""
    kind: Kind = "scalar"
    transforms = []
    for name in names:
        [one] = [one for one in TRANSFORMS if one.name == name and one.takes == kind]
        transforms.append(one)
        kind = one.gives
    return Composition(program, tuple(transforms))


def draw(seed: int) -> Composition:
    """Draw a composition."""
    chosen = random.Random(1000 + seed)
    kind: Kind = "scalar"
    transforms: list[Transform] = []
    order = 0
    names: set[str] = set()
    for _ in range(chosen.randint(1, 5)):
        fitting = [
            one for one in TRANSFORMS
            if one.takes == kind
            and order + one.order <= _MOST_DERIVATIVES
            and not (one.name in _FORWARD and names & _REVERSE_ONLY)
        ]  # fmt: skip
        one = chosen.choice(fitting)
        transforms.append(one)
        names.add(one.name)
        kind, order = one.gives, order + one.order
    return Composition(chosen.randrange(10_000), tuple(transforms))


def check(composition: Composition) -> None:
    """Check a composition on the current backend.

    Raises:
        Deviation: when a way to compute it gives something else than the others.
    """
    backend = ug.get_backend()
    with quiet():
        with ug.use_backend("numpy"):
            expected = composition.function(twins=True)(_point()).numpy()
        ways: dict[str, Function] = {
            "eager": composition.function(twins=False),
            "jitted": ug.jit(composition.function(twins=False)),
            "the twins": composition.function(twins=True),
        }
        for way, function in ways.items():
            with ug.use_backend(backend):
                found = function(_point()).numpy()
            if not np.allclose(found, expected, 1e-7, 1e-9):
                raise Deviation(f"{composition}: {way} gives {found}, not {expected}")


def _point() -> ug.Tensor:
    return _vector(0.4, -0.6, 0.9)


def compositions(count: int) -> list[tuple[str, Callable[[], None]]]:
    """Return the checks of so many compositions, by name."""
    drawn = [draw(seed) for seed in range(count)]
    return [(f"composition {i}: {one}", partial(check, one)) for i, one in enumerate(drawn)]
