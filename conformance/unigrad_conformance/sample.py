"""What a sample is: an op, inputs drawn from a seed, settings, and an oracle in float64.

A line of a sample table says everything that all checks need: values, dtypes and shapes against
the oracle; reverse mode against the reference and finite differences; forward mode; second order;
purity. Inputs are drawn from a seed made of the op's name, so that a failure can be repeated.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Draw:
    """How one input is drawn: ``make(generator)`` gives a float64, int64 or bool ndarray."""

    make: Callable[[np.random.Generator], Array]


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Draw:
    """Uniform reals: the default domain."""
    return Draw(lambda generator: generator.uniform(low, high, shape))


def positive(*shape: int) -> Draw:
    """Reals well away from zero."""
    return real(*shape, low=0.5, high=2.0)


def distinct(*shape: int) -> Draw:
    """Reals that differ by 0.1 or more and avoid zero: for ops with ties and kinks."""

    def make(generator: np.random.Generator) -> Array:
        size = int(np.prod(shape, dtype=np.int64))
        return (generator.permutation(size).reshape(shape) - size / 2 + 0.25) * 0.1

    return Draw(make)


def integers(*shape: int, low: int = -5, high: int = 6) -> Draw:
    """Integers in [low, high)."""
    return Draw(lambda generator: generator.integers(low, high, shape))


def booleans(*shape: int) -> Draw:
    """Bools."""
    return Draw(lambda generator: generator.integers(0, 2, shape).astype(bool))


def values(array: Any) -> Draw:
    """Exactly these values: for edges. Floats are float64, ints int64."""
    return Draw(lambda generator: np.array(array))


@dataclass(frozen=True)
class Case:
    """Inputs and settings of one call. An input that is no `Draw` is passed as it is."""

    inputs: tuple[Any, ...]
    settings: Mapping[str, Any]


def case(*inputs: Any, **settings: Any) -> Case:
    """Write down one call."""
    return Case(inputs, settings)


@dataclass(frozen=True)
class Sample:
    """One op on one case."""

    op: str
    case: Case
    #: NumPy function of the float64 (int64, bool) inputs and the settings.
    oracle: Callable[..., Any]
    #: How far a float result may be from the oracle, in units in the last place of its dtype,
    #: measured at the largest magnitude that the result's terms have.
    ulps: float = 4.0
    #: False where derivatives are not defined or are zero by convention.
    differentiable: bool = True
    #: True where the derivative exists and is zero: connected, never None.
    zero_gradient: bool = False
    #: How the op is called when it is not ``getattr(ug, op)(*inputs, **settings)``.
    call: Callable[..., Any] | None = None
    #: The result's dtype when it is not that of the promoted inputs ("bool", "int64" …).
    dtype: str | None = None
    number: int = field(default=0, compare=False)

    @property
    def id(self) -> str:
        """A name for reports."""
        return f"{self.op}-{self.number}"

    def draw(self) -> list[Any]:
        """Return the inputs in float64, int64 or bool, the same at every call."""
        generator = np.random.default_rng(zlib.crc32(self.id.encode()))
        return [
            one.make(generator) if isinstance(one, Draw) else one for one in self.case.inputs
        ]

    def run(self, ug: Any, *inputs: Any) -> Any:
        """Call the op of the front end on prepared inputs."""
        if self.call is not None:
            return self.call(ug, *inputs, **self.case.settings)
        function = ug
        for part in self.op.split("."):
            function = getattr(function, part)
        return function(*inputs, **self.case.settings)


#: Every sample, in order of declaration.
SAMPLES: list[Sample] = []


def samples(op: str, *cases: Case, oracle: Callable[..., Any], **rest: Any) -> None:
    """Declare the samples of an op: ``samples("exp", case(real(3, 4)), oracle=np.exp)``."""
    before = sum(one.op == op for one in SAMPLES)
    for number, one in enumerate(cases, before):
        SAMPLES.append(Sample(op=op, case=one, oracle=oracle, number=number, **rest))
