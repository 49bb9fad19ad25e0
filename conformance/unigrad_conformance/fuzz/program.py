"""Random programs of two inputs, and their derivatives by NumPy alone.

A complex step, f(x + i h v) with h = 10⁻¹⁰⁰, gives a directional derivative to the last digit:
nothing is subtracted. Source: Squire and Trapp, "Using complex variables to estimate derivatives
of real functions", 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad_conformance.fuzz.vocabulary import OPERATIONS, Array, Choose, Settings

#: The inputs' shapes. Few, so that a backend that compiles per shape has little to compile.
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((2, 3), (3,)),
    ((2, 3), (3, 2)),
    ((3,), (3,)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((3, 3), (3, 3)),
]
#: Where the inputs lie: on both sides of zero and away from it, no two alike.
_POINTS = np.asarray([0.7, -1.3, 1.1, 0.3, -0.45, 1.9, -0.8, 0.55, -2.1, 1.45, 0.9, -0.25])
#: A value may not grow beyond this, nor have more elements than that.
_GREATEST = 30.0
_MOST = 40

_STEP = 1e-100
#: The longer of the steps by which a derivative is differentiated once more.
_MOVE = 2e-4


@dataclass(frozen=True)
class Step:
    """One operation on earlier values, by number."""

    name: str
    inputs: tuple[int, ...]
    settings: Settings


@dataclass(frozen=True)
class Program:
    """Two inputs and some steps. It returns the values that no other step uses."""

    inputs: tuple[Array, ...]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"v{i} = {one.tolist()}" for i, one in enumerate(self.inputs)]
        for number, step in enumerate(self.steps, len(self.inputs)):
            words = [f"v{i}" for i in step.inputs]
            words += [f"{name}={value!r}" for name, value in step.settings.items()]
            lines.append(f"v{number} = {step.name}({', '.join(words)})")
        return "\n".join([*lines, "return " + ", ".join(f"v{i}" for i in self.results)])

    @property
    def results(self) -> list[int]:
        """The numbers of the values that are returned."""
        used = {i for step in self.steps for i in step.inputs}
        count = len(self.inputs) + len(self.steps)
        return [i for i in range(count) if i not in used]

    def run(self, *inputs: Any, plain: bool = False) -> list[Any]:
        """Run on Tensors, or on ndarrays by NumPy alone."""
        values = list(inputs)
        for step in self.steps:
            operation = OPERATIONS[step.name]
            function = operation.plain if plain else operation.run
            values.append(function(*[values[i] for i in step.inputs], **step.settings))
        return [values[i] for i in self.results]

    def weights(self) -> list[Array]:
        """Return what the results are weighed with to make one scalar of them."""
        return [
            np.cos(np.arange(one.size) + k).reshape(one.shape)
            for k, one in enumerate(self.run(*self.inputs, plain=True))
        ]

    def gradient(self, inputs: Sequence[Array] | None = None) -> Array:
        """Return the weighed results' derivative by all elements of the inputs, in a row."""
        inputs = self.inputs if inputs is None else inputs
        weights = self.weights()
        found = []
        for k, x in enumerate(inputs):
            for i in range(x.size):
                moved = [np.array(one, np.complex128) for one in inputs]
                moved[k].reshape(-1)[i] += 1j * _STEP
                results = self.run(*moved, plain=True)
                parts = zip(weights, results, strict=True)
                found.append(sum(float(np.sum(w * one.imag)) for w, one in parts) / _STEP)
        return np.asarray(found)

    def curvature(self, along: Sequence[Array]) -> tuple[Array, Array]:
        """Return the Hessian times a direction, and by how much that may be off."""
        estimates = []
        for move in (_MOVE, _MOVE / 2):
            ahead = self.gradient([x + move * v for x, v in zip(self.inputs, along, strict=True)])
            behind = self.gradient([x - move * v for x, v in zip(self.inputs, along, strict=True)])
            estimates.append((ahead - behind) / (2 * move))
        # The error is that of the longer step over four, and falls with extrapolation.
        better = (4 * estimates[1] - estimates[0]) / 3
        return better, np.abs(estimates[1] - estimates[0])


def make_program(choose: Choose, least: int = 3, most: int = 8) -> Program:
    """Make up a program: every step is one that fits the values so far."""
    inputs = _inputs(choose)
    values = [one.astype(np.complex128) for one in inputs]
    steps: list[Step] = []
    count = least + choose(most - least + 1)
    names = sorted(OPERATIONS)
    for _ in range(40 * count):
        if len(steps) == count:
            break
        step = _step(choose, names[choose(len(names))], values)
        if step is None:
            continue
        chosen = [values[i] for i in step.inputs]
        result = np.asarray(OPERATIONS[step.name].plain(*chosen, **step.settings))
        if 0 < result.size <= _MOST and result.ndim <= 4 and np.max(np.abs(result)) <= _GREATEST:
            steps.append(step)
            values.append(result)
    return Program(inputs, tuple(steps))


def _inputs(choose: Choose) -> tuple[Array, ...]:
    shapes = SHAPES[choose(len(SHAPES))]
    points = np.roll(_POINTS, choose(len(_POINTS)))
    first = points[: int(np.prod(shapes[0]))].reshape(shapes[0])
    # Not the same numbers again.
    second = (points[::-1] * 0.9 + 0.03)[: int(np.prod(shapes[1]))].reshape(shapes[1])
    return first, second


def _step(choose: Choose, name: str, values: Sequence[Array]) -> Step | None:
    """Return an operation on some of the values, if it takes them."""
    operation = OPERATIONS[name]
    # One of the last two values, mostly: a program shall be deep, too.
    inputs = tuple(
        [
            len(values) - 1 - choose(min(2, len(values))) if choose(3) else choose(len(values))
            for _ in range(operation.arity)
        ]
    )
    settings = operation.ask(choose, *[values[i].real for i in inputs])
    return None if settings is None else Step(name, inputs, settings)


__all__ = ["SHAPES", "Program", "Step", "make_program"]
