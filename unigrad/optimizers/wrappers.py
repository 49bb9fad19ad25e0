"""Optimizers around an optimizer: averages, accumulation, lookahead, skipping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from unigrad.core.arguments import cast, constant
from unigrad.core.dtypes import int64
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.comparison import isfinite, where
from unigrad.ops.filling import zeros_like
from unigrad.ops.reductions import all
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.chaining import distinct
from unigrad.optimizers.numbers import Number
from unigrad.optimizers.transformation import Column, Moment, Moved
from unigrad.optimizers.updates import narrow


class Wrapper(Optimizer):
    """An optimizer around another one: its slots and shared state, and then some of its own."""

    own_slots: tuple[str, ...] = ()
    own_shared: tuple[str, ...] = ()

    def __init__(self, optimizer: Optimizer) -> None:
        super().__init__()
        if not isinstance(optimizer, Optimizer):
            raise SettingError(
                f"{type(self).__name__}: expected an optimizer, not a {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self.slot_names = distinct([*optimizer.slot_names, *self.own_slots])
        self.shared_names = distinct([*optimizer.shared_names, *self.own_shared])
        self.by_name = optimizer.by_name

    @property
    def learning_rate(self) -> Any:
        """The rate of the optimizer inside."""
        return self.optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: LearningRate | Tensor) -> None:
        self.optimizer.learning_rate = rate

    def _all_numbers(self) -> Iterator[Number]:
        return self.optimizer._all_numbers()

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        return [*self.optimizer._slot_shapes(name, shape), *[shape] * len(self.own_slots)]

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        own = [self._own_slot(parameter) for _ in self.own_slots]
        return [*self.optimizer._slots_of(name, parameter), *own]

    def _own_slot(self, parameter: Tensor) -> Tensor:
        """Return the first value of an own slot: the parameter's."""
        return parameter + 0.0

    def _shared_of(self, like: Tensor) -> list[Tensor]:
        own = [constant(like, 0.0) for _ in self.own_shared]
        return [*self.optimizer._shared_of(like), *own]

    def _inner(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        """Do a step of the optimizer inside."""
        kept = len(self.optimizer.slot_names)
        common = len(self.optimizer.shared_names)
        return self.optimizer._move(moment, parameters, gradients, slots[:kept], shared[:common])

    def _slot_variable(self, variable: Variable, name: str) -> Variable:
        return self._slots.of(variable)[self.slot_names.index(name)]


def _chosen(flag: Tensor, new: Column, old: Column) -> Column:
    return [where(flag, a, b) for a, b in zip(new, old, strict=True)]


def _either(flag: Tensor, new: Moved, old: Moved) -> Moved:
    """Return one of two results, by a flag that may be known at run time alone."""
    return Moved(
        _chosen(flag, new.values, old.values),
        [_chosen(flag, a, b) for a, b in zip(new.slots, old.slots, strict=True)],
        _chosen(flag, new.shared, old.shared),
    )


class Accumulate(Wrapper):
    """Do a step every k calls, with the mean of the gradients of these calls.

    In between the parameters stay. Schedules count the steps, ``iterations`` the calls.

    Args:
        optimizer: does the steps.
        steps: k.

    Raises:
        SettingError: when k is no positive integer.
    """

    own_slots = ("accumulated",)

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        super().__init__(optimizer)
        self.steps = _positive("Accumulate", steps)

    def _own_slot(self, parameter: Tensor) -> Tensor:
        return zeros_like(parameter)

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        *inside, sums = slots
        total = [s + g for s, g in zip(sums, gradients, strict=True)]
        done = moment.done // self.steps
        now = Moment(done, done + 1, moment.names)
        last = moment.step % self.steps == 0
        means = [one / self.steps for one in total]
        new = self._inner(now, parameters, means, inside, shared)
        zeros = [zeros_like(one) for one in sums]
        return _either(
            last,
            Moved(new.values, [*new.slots, zeros], new.shared),
            Moved(parameters, [*inside, total], shared),
        )


class Lookahead(Wrapper):
    """Every k steps go back a part of the way: slow ← slow + α (w - slow); w ← slow.

    Source: Zhang et al., "Lookahead optimizer: k steps forward, 1 step back" (2019), algorithm 1.

    Args:
        optimizer: does the steps.
        steps: k.
        share: α.
    """

    own_slots = ("slow",)

    def __init__(self, optimizer: Optimizer, steps: int = 5, share: float = 0.5) -> None:
        super().__init__(optimizer)
        self.steps = _positive("Lookahead", steps)
        self.share = _share("Lookahead", "share", share, closed=True)

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        *inside, slow = slots
        new = self._inner(moment, parameters, gradients, inside, shared)
        back = [s + self.share * (w - s) for s, w in zip(slow, new.values, strict=True)]
        last = moment.step % self.steps == 0
        values, kept = _chosen(last, back, new.values), _chosen(last, back, slow)
        return Moved(values, [*new.slots, kept], new.shared)


class AverageWeights(Wrapper):
    """Keep an exponential moving average of the weights beside them: a ← δ a + (1 - δ) w.

    Evaluate with the averages: `averages` of a state, `average_of` a Variable, or inside of
    ``with optimizer.using_averages(variables):``.

    Source: Polyak & Juditsky, "Acceleration of stochastic approximation by averaging" (1992), with
    the exponential weights of Adam's paper, section 7.2.

    Args:
        optimizer: does the steps.
        decay: δ.
        every: how many steps lie between two updates of the average.
        warm_up: use min(δ, (1 + t) / (10 + t)) at step t, as TensorFlow's moving averages do.
    """

    own_slots = ("average",)

    def __init__(
        self, optimizer: Optimizer, decay: float = 0.999, every: int = 1, *, warm_up: bool = False
    ) -> None:
        super().__init__(optimizer)
        self.decay = _share("AverageWeights", "decay", decay)
        self.every = _positive("AverageWeights", every)
        self.warm_up = bool(warm_up)

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        *inside, averages = slots
        new = self._inner(moment, parameters, gradients, inside, shared)
        past: Any = self.decay
        if self.warm_up:
            time = cast(moment.step, averages[0].dtype)
            ramp = (1.0 + time) / (10.0 + time)
            past = where(ramp < self.decay, ramp, self.decay)
        updated = [
            narrow(past, a.dtype) * a + narrow(1.0 - past, a.dtype) * w
            for a, w in zip(averages, new.values, strict=True)
        ]
        if self.every > 1:
            updated = _chosen(moment.step % self.every == 0, updated, averages)
        return Moved(new.values, [*new.slots, updated], new.shared)

    def averages(self, state: Mapping[str, Any]) -> Any:
        """Return the averages in a state, a tree like the parameters."""
        return state[self.slot_names[-1]]

    def average_of(self, variable: Variable) -> Tensor:
        """Return the average of a Variable that the optimizer knows, in its dtype."""
        average = self._slot_variable(variable, self.slot_names[-1])
        return cast(average._untaped(), variable.dtype)

    @contextmanager
    def using_averages(self, variables: Iterable[Variable]) -> Iterator[None]:
        """Let Variables have their averages inside a block; afterwards they are as before."""
        chosen = list(variables)
        with having((one, self.average_of(one)) for one in chosen):
            yield


@contextmanager
def having(pairs: Iterable[tuple[Variable, Tensor]]) -> Iterator[None]:
    """Let Variables have other values inside a block; afterwards they are as before.

    Example:
        >>> v = Variable(1.0)
        >>> with having([(v, v.value + 1.0)]):
        ...     v.item()
        2.0
    """
    chosen = list(pairs)
    before = [variable._untaped() for variable, _ in chosen]
    try:
        for variable, value in chosen:
            variable.assign(value)
        yield
    finally:
        for (variable, _), value in zip(chosen, before, strict=True):
            variable.assign(value)


class SkipNonfinite(Wrapper):
    """Leave everything as it is at steps where a gradient has an infinity or a NaN.

    Such a step counts in ``iterations``, but not for schedules and bias corrections. How many there
    were is `skipped`.

    Args:
        optimizer: does the steps.
    """

    own_shared = ("skipped_steps",)

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        if not gradients:
            return self._inner(moment, parameters, gradients, slots, shared)
        fine = all(isfinite(gradients[0]))
        for g in gradients[1:]:
            fine = fine & all(isfinite(g))
        *common, skipped = shared
        done = moment.done - cast(skipped, int64)
        safe = [where(fine, g, 0.0) for g in gradients]
        new = self._inner(Moment(done, done + 1, moment.names), parameters, safe, slots, common)
        return _either(
            fine,
            Moved(new.values, new.slots, [*new.shared, skipped]),
            Moved(parameters, slots, [*common, skipped + 1.0]),
        )

    @property
    def skipped(self) -> int:
        """How many steps of `apply_gradients` were skipped."""
        return int(self._shared[-1]._untaped()) if self._shared else 0


def _positive(owner: str, steps: int) -> int:
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise SettingError(f"{owner}: steps={steps!r}: expected a positive integer")
    return steps


def _share(owner: str, name: str, share: float, *, closed: bool = False) -> float:
    if not (0.0 <= share < 1.0 or (closed and share == 1.0)):
        raise SettingError(f"{owner}: {name}={share}: expected a number in [0, 1)")
    return float(share)
