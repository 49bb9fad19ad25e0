"""Random programs: values and derivatives on every backend, and what tapes see of them."""

import warnings
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from forall import COMPILING, forall
from hypothesis import assume
from hypothesis import strategies as st

import unigrad as ug
from unigrad_conformance.fuzz import check_program, make_program
from unigrad_conformance.fuzz.vocabulary import OPERATIONS
from unigrad_conformance.scenarios.scenario import Api, tensorflow_api, unigrad_api
from unigrad_conformance.subject import Deviation


def chooser(draw: st.DrawFn) -> Any:
    return lambda n: draw(st.integers(0, n - 1))


programs = st.composite(lambda draw: make_program(chooser(draw)))


@forall(programs(), examples=40, compiling=3)
def test_programs(program: Any) -> None:
    assume(program.steps)
    # Each order of derivatives is a new program for a compiler.
    short = len(program.steps) <= 3
    check_program(program, second_order=short or ug.get_backend() not in COMPILING)


@pytest.mark.parametrize(("order", "what"), [(0, "v"), (1, "gradient"), (2, "second order")])
@pytest.mark.parametrize("seed", range(3))
def test_a_fault_is_caught_in_a_program(
    seed: int, order: int, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plant what is a little off into each step in turn: a value, a slope, a curvature."""
    generator = np.random.default_rng(seed)
    program = make_program(lambda n: int(generator.integers(n)))
    names = {step.name for step in program.steps}
    with ug.use_backend("numpy"):
        assert finding(program) is None
        caught = 0
        for name in names:
            honest = OPERATIONS[name]
            with monkeypatch.context() as patch:
                patch.setitem(OPERATIONS, name, replace(honest, run=skewed(honest.run, order)))
                found = finding(program)
            assert found is None or found.startswith(what)
            caught += found is not None
    # Not all: a constant that is added before a softmax, say, is gone behind it.
    assert caught >= (len(names) + 1) // 2


def finding(program: Any) -> str | None:
    """Return what the check has to say of a program."""
    try:
        check_program(program)
    except Deviation as deviation:
        return str(deviation)
    return None


def skewed(run: Any, order: int) -> Any:
    """Return a function whose derivative of an order is wrong; 0 is the value."""

    def faulty(*inputs: Any, **settings: Any) -> Any:
        y = run(*inputs, **settings)
        off = y - ug.stop_gradient(y) if order else ug.ones_like(y)
        return y + 1e-3 * off**order

    return faulty


# -- tapes

#: How values are computed from others.
RULES = ("multiply", "add", "sin", "twice", "module", "jit")
#: How many tapes there are.
TAPES = 3


@st.composite
def programs(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Draw what happens to three values, two variables and some tapes."""
    program: list[tuple[Any, ...]] = []
    _draw(draw, program, set(range(TAPES)), set(), draw(st.integers(4, 20)))
    return program


def _draw(
    draw: st.DrawFn, program: list[Any], free: set[int], open_tapes: set[int], count: int
) -> None:
    """Add actions; only tapes in ``free`` may be entered and left here."""
    value, variable = st.integers(0, 2), st.integers(3, 4)
    anything = st.one_of(value, variable)
    for _ in range(count):
        kinds = ["compute", "compute", "compute", "gradient", "gradient", "assign", "write"]
        kinds += ["renew"] * bool(free - open_tapes)
        kinds += ["enter"] * 2 * bool(free - open_tapes) + ["exit"] * bool(free & open_tapes)
        kinds += ["watch", "watch", "stop"] * bool(open_tapes)
        kind = draw(st.sampled_from(kinds))
        if kind == "compute":
            rule = draw(st.sampled_from(RULES))
            program.append((kind, draw(value), rule, draw(anything), draw(anything)))
        elif kind == "assign":
            program.append((kind, draw(variable), draw(anything), draw(st.booleans())))
        elif kind == "write":
            program.append((kind, draw(value), draw(anything)))
        elif kind == "renew":
            program.append(
                (kind, draw(st.sampled_from(sorted(free - open_tapes))), draw(st.booleans()))
            )
        elif kind == "gradient":
            tape = draw(st.integers(0, TAPES - 1))
            sources = draw(st.lists(anything, min_size=1, max_size=2))
            # The gradient may become a value: second order.
            program.append((kind, tape, draw(anything), sources, draw(st.none() | value)))
        elif kind == "enter":
            tape = draw(st.sampled_from(sorted(free - open_tapes)))
            program.append((kind, tape))
            open_tapes.add(tape)
        elif kind == "exit":
            tape = draw(st.sampled_from(sorted(free & open_tapes)))
            program.append((kind, tape))
            open_tapes.discard(tape)
        elif kind == "watch":
            program.append((kind, draw(st.sampled_from(sorted(open_tapes))), draw(anything)))
        elif free:
            tape = draw(st.sampled_from(sorted(open_tapes)))
            inside: list[Any] = []
            _draw(draw, inside, set(), open_tapes - {tape}, draw(st.integers(1, 3)))
            program.append((kind, tape, inside))


@cache
def _jitted() -> Any:
    """Return a compiled function, the same for all programs: it is compiled once."""
    return ug.jit(ug.sin)


class Running:
    """A program being run in the words of an `Api`."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.tapes = [api.GradientTape(persistent=True) for _ in range(TAPES)]
        self.entered = [False] * TAPES
        self.persistent = [True] * TAPES
        self.values = [api.constant(one) for one in (0.75, -1.25, 0.5)]
        self.values += [api.variable(0.25), api.variable(1.5, trainable=False)]
        self.jitted = _jitted() if api.name == "unigrad" else api.sin
        #: What every gradient was.
        self.found: list[Any] = []

    def run(self, program: list[Any]) -> None:
        for kind, *rest in program:
            getattr(self, kind)(*rest)

    def compute(self, to: int, rule: str, first: int, second: int) -> None:
        x, y = self.values[first], self.values[second]
        self.values[to] = {
            # The sine keeps long programs from growing beyond floats.
            "multiply": lambda: self.api.sin(x) * y,
            "add": lambda: x + y,
            "sin": lambda: self.api.sin(x),
            "twice": lambda: x * 2.0,
            "module": lambda: self.api.passed(x),
            "jit": lambda: self.jitted(x),
        }[rule]()

    def write(self, to: int, value: int) -> None:
        self.values[to] = self.api.written(self.values[to], self.values[value])

    def assign(self, variable: int, value: int, added: bool) -> None:
        target, source = self.values[variable], self.values[value]
        target.assign_add(source) if added else target.assign(source)

    def renew(self, tape: int, persistent: bool) -> None:
        self.tapes[tape] = self.api.GradientTape(persistent=persistent)
        self.persistent[tape], self.entered[tape] = persistent, False

    def enter(self, tape: int) -> None:
        self.tapes[tape].__enter__()
        self.entered[tape] = True

    def recording(self, tape: int) -> bool:
        return bool(self.tapes[tape]._recording)

    def exit(self, tape: int) -> None:
        self.tapes[tape].__exit__(None, None, None)

    def watch(self, tape: int, value: int) -> None:
        self.tapes[tape].watch(self.values[value])

    def stop(self, tape: int, inside: list[Any]) -> None:
        with self.tapes[tape].stop_recording():
            self.run(inside)

    def gradient(self, tape: int, target: int, sources: list[int], to: int | None) -> None:
        # TensorFlow calls the derivative of anything by itself 1, even if the tape never saw it.
        if not self.entered[tape] or target in sources:
            return
        chosen = [self.values[i] for i in sources]
        if any(one is self.values[target] for one in chosen):
            return
        if not self.persistent[tape]:
            if self.recording(tape):
                return
            # It is asked once.
            self.entered[tape] = False
        gradients = self.tapes[tape].gradient(self.values[target], chosen)
        self.found.append([None if one is None else float(one.numpy()) for one in gradients])
        if to is not None and gradients[0] is not None:
            self.values[to] = gradients[0]


@forall(programs(), examples=150, compiling=60)
def test_tapes_see_what_tensorflows_do(program: Any) -> None:
    theirs, ours = Running(tensorflow_api()), Running(unigrad_api())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ug.GradientWarning)
        # Each program has variables of its own, each an argument of another identity.
        warnings.simplefilter("ignore", ug.RetracingWarning)
        for running in (theirs, ours):
            try:
                running.run(program)
            finally:
                for tape in running.tapes:
                    if tape._recording:
                        tape.__exit__(None, None, None)
    assert len(ours.found) == len(theirs.found)
    for got, wanted in zip(ours.found, theirs.found):
        assert [one is None for one in got] == [one is None for one in wanted], program
        for one, other in zip(got, wanted):
            assert one is None or one == pytest.approx(other, rel=1e-12, abs=1e-12), program
    for got, wanted in zip(ours.values, theirs.values):
        assert float(got) == pytest.approx(float(wanted), rel=1e-12, abs=1e-12)


def test_programs_have_gradients() -> None:
    """The comparison above is not of nothing: a plain program ends with a number."""
    running = Running(unigrad_api())
    program = [("enter", 0), ("watch", 0, 0), ("compute", 1, "add", 0, 0), ("exit", 0)]
    running.run([*program, ("gradient", 0, 1, [0], None)])
    assert running.found == [[2.0]]
