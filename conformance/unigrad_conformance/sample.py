"""What a sample is: an op, inputs drawn from a seed, settings, and an oracle in float64.

A line of a sample table says everything that all checks need: values, dtypes and shapes against
the oracle; reverse mode against the reference and finite differences; forward mode; second order;
purity. Inputs are drawn from a seed made of the op's name, so that a failure can be repeated.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Draw:
    """How one input is drawn: ``make(generator)`` gives a float64, complex128, int64 or bool
    ndarray.
    """

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
        return np.asarray((generator.permutation(size).reshape(shape) - size / 2 + 0.25) * 0.1)

    return Draw(make)


def complexes(*shape: int, low: float = 0.3, high: float = 1.5) -> Draw:
    """Complex numbers in all four quadrants, away from both axes and the cuts on them."""

    def make(generator: np.random.Generator) -> Array:
        parts = generator.uniform(low, high, (2, *shape)) * generator.choice([-1, 1], (2, *shape))
        return np.asarray(parts[0] + 1j * parts[1])

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
    """Inputs and settings of one call. An input may be a list, tuple or dict of `Draw`s; what is
    no `Draw` is passed as it is.
    """

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
    #: measured at the result, or at what rounding the inputs does to it (see `problem`).
    ulps: float = 4.0
    #: Where a formula cancels by nature: the magnitude of its terms, as a function of the oracle's
    #: arguments. Errors are then measured there.
    terms: Callable[..., Any] | None = None
    #: False where there is no derivative, or a tape's answer is None by convention. What holds at a
    #: kink is an edge; so are the derivatives of samples with infinities and NaNs, which are left
    #: out of the numerical checks anyway.
    differentiable: bool = True
    #: True where the derivative exists and is zero: connected, never None.
    zero_gradient: bool = False
    #: The step of the finite differences, for inputs that are far from 1 or near a pole.
    step: float = 1e-3
    #: How the op is called when it is not ``getattr(ug, op)(*inputs, **settings)``.
    call: Callable[..., Any] | None = None
    #: The result's dtype when it is neither that of the promoted inputs nor, for a floating result
    #: of integers, the default one ("bool", "int64" …); a tuple, with None for that rule, where
    #: several results differ.
    dtype: str | tuple[str | None, ...] | None = None
    #: True where only the dtype is new to a derivative that its other samples have tried: the
    #: costly checks are left to them.
    brief: bool = False
    #: True for a further case of a derivative that costs a compiler much: who compiles every op for
    #: every shape tries it in thorough runs alone.
    further: bool = False
    #: True for a sum of products that is one program alone and several ops under a tape: compilers
    #: round once where ops round twice, so that both are held to the budget.
    contracts: bool = False
    number: int = field(default=0, compare=False)
    #: The module that declared it: the heading it gets in reports.
    family: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """A name for reports."""
        return f"{self.op}-{self.number}"

    def draw(self) -> list[Any]:
        """Return the inputs in double precision, int64 or bool, the same at every call."""
        generator = np.random.default_rng(zlib.crc32(self.id.encode()))
        return [_draw(one, generator) for one in self.case.inputs]

    def run(self, ug: Any, *inputs: Any) -> Any:
        """Call the op of the front end on prepared inputs."""
        if self.call is not None:
            return self.call(ug, *inputs, **self.case.settings)
        function = ug
        for part in self.op.split("."):
            function = getattr(function, part)
        return function(*inputs, **self.case.settings)


def _draw(one: Any, generator: np.random.Generator) -> Any:
    """Replace every `Draw` in a structure by what it draws."""
    if isinstance(one, Draw):
        return np.asarray(one.make(generator))
    if isinstance(one, (list, tuple)) and any(_draws(part) for part in one):
        return type(one)(_draw(part, generator) for part in one)
    if isinstance(one, dict):
        return {name: _draw(part, generator) for name, part in one.items()}
    return one


def _draws(one: Any) -> list[Draw]:
    """Return the `Draw`s in a structure."""
    parts = one.values() if isinstance(one, dict) else one if isinstance(one, (list, tuple)) else ()
    return [one] if isinstance(one, Draw) else [draw for part in parts for draw in _draws(part)]


#: Every sample, in order of declaration.
SAMPLES: list[Sample] = []


def samples(op: str, *cases: Case, oracle: Callable[..., Any], **rest: Any) -> None:
    """Declare the samples of an op: ``samples("exp", case(real(3, 4)), oracle=np.exp)``."""
    _declare(op, cases, False, oracle=oracle, **rest)


def samples_of_one_derivative(
    op: str, *cases: Case, oracle: Callable[..., Any], **rest: Any
) -> None:
    """Declare samples, all but an op's first one as further ones."""
    _declare(op, cases, True, oracle=oracle, **rest)


def _declare(op: str, cases: tuple[Case, ...], alike: bool, **rest: Any) -> None:
    family = sys._getframe(2).f_globals["__name__"].rpartition(".")[2]
    before = sum(one.op == op for one in SAMPLES)
    for number, one in enumerate(cases, before):
        more: dict[str, Any] = {"further": True} if alike and number else {}
        SAMPLES.append(Sample(op=op, case=one, number=number, family=family, **rest, **more))
