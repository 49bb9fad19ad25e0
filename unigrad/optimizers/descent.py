"""`Descent`: an optimizer that is one formula.

A subclass names its slots and its update op, and declares the formula's numbers as attributes.
Weight decay is done here, once for all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import Any, ClassVar, TypedDict

import numpy as np

from unigrad.core.arguments import as_tensor, visible
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap_all
from unigrad.core.dtypes import COMPLEX
from unigrad.core.errors import SettingError
from unigrad.core.exchanging import put, taken
from unigrad.core.native_tape import Kernel
from unigrad.core.op import Op
from unigrad.core.recorders import process
from unigrad.core.references import owned
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.core.variable import Variable
from unigrad.ops.comparison import logical_and, where
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.numbers import Hyperparameter, Number
from unigrad.optimizers.transformation import (
    Column,
    Moment,
    Moved,
    Selection,
    any_half,
    native_of,
    selected,
)
from unigrad.optimizers.updates import _decay_update, _penalty_update

_tensor_of, _backend_of = attrgetter("_tensor"), attrgetter("backend")


class Common(TypedDict, total=False):
    """Settings that all optimizers of one formula take, by keyword."""

    weight_decay: float
    decoupled: bool
    decay_only: Selection | None


class Descent(Optimizer):
    """An optimizer of one formula; all take these settings.

    Args:
        learning_rate: α: a number, at least 0; a Variable; or a schedule: a function of the number
            of steps done so far (an int64 Tensor) that returns a number or a Tensor.
        weight_decay: λ. 0 decays nothing.
        decoupled: whether weights decay beside the formula, w ← w - α λ w (Loshchilov & Hutter,
            "Decoupled weight decay regularization", 2019; Keras's meaning), or within it,
            g ← g + λ w (the loss with λ/2 ‖w‖² added; torch's meaning where its optimizer's name
            has no W).
        decay_only: which parameters decay: a regular expression to search for in their names, or a
            function of name and parameter. By default all.

    Raises:
        SettingError: when a number is out of its range.
    """

    op: Op
    #: Whether weights decay beside the formula unless somebody says otherwise.
    decouples: ClassVar[bool] = False
    #: Whether the formula takes λ itself.
    decays_itself: bool = False
    weight_decay = Hyperparameter(least=0.0, default=0.0)

    def __init__(self, learning_rate: LearningRate, **common: Any) -> None:
        super().__init__()
        _require_known(type(self).__name__, common)
        #: The numbers that the formula takes, in its order: see `Hyperparameter`.
        self.numbers: dict[str, Number] = {}
        #: The numbers that this one's formula does without, and what they were given as.
        self.left_out: dict[str, Any] = {}
        #: What gives the rate if that is no plain number.
        self._schedule: Variable | Callable[[Tensor], Any] | None = None
        self.learning_rate = learning_rate
        self._decoupled = bool(common.get("decoupled", self.decouples))
        self._decay_only: Selection | None = common.get("decay_only")
        #: What the formula is told beside numbers.
        self._settings: dict[str, Any] = {}
        if common.get("weight_decay") and not self.decays_itself:
            self.weight_decay = common["weight_decay"]

    _plain_rate = Hyperparameter(least=0.0, name="learning_rate")

    @property
    def learning_rate(self) -> Any:
        """The rate as it was given. A new one holds from the next step on, in programs as well."""
        return self._plain_rate if self._schedule is None else self._schedule

    @learning_rate.setter
    def learning_rate(self, rate: LearningRate | Tensor) -> None:
        if isinstance(rate, Variable) or callable(rate):
            self._schedule = rate
            if "learning_rate" not in self.numbers:
                self._plain_rate = 0.0
        else:
            self._plain_rate = rate
            self._schedule = None

    def _all_numbers(self) -> Iterator[Number]:
        return iter(self.numbers.values())

    def _rate(self, done: Tensor) -> float | Tensor:
        """Return the rate of the step after so many.

        Raises:
            SettingError: when it is seen to be negative, or not finite. Where nobody can look at
                it, in a compiled function, it is NaN then, and so are the parameters.
        """
        rate = self._schedule
        if rate is None:
            return self.numbers["learning_rate"].operand(done.backend)
        found = rate._untaped() if isinstance(rate, Variable) else as_tensor(rate(done), done)
        if found.shape or found.dtype in COMPLEX:
            raise SettingError(
                f"{type(self).__name__}: learning_rate of dtype {found.dtype.name} and shape "
                f"{found.shape} of its schedule or Variable: expected one real number"
            )
        value = visible(found)
        if value is None:
            # Nobody can look at it: a wrong rate shows in the parameters.
            return where(logical_and(found >= 0.0, found < math.inf), found, math.nan)
        if not np.all((value >= 0.0) & (value < np.inf)):
            raise SettingError(
                f"{type(self).__name__}: learning_rate={value} of its schedule or Variable: "
                "expected a finite number, at least 0"
            )
        return found

    def _operands(self, done: Tensor) -> list[float | Tensor]:
        """Return the numbers of the step after so many, Tensors where they are computed."""
        found = {name: one.operand(done.backend) for name, one in self.numbers.items()}
        found["learning_rate"] = self._rate(done)
        if not self.decays_itself:
            found.pop("weight_decay", None)
        return list(found.values())

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        operands = self._operands(moment.done)
        if "weight_decay" in self.numbers and not self.decays_itself:
            chosen = self._chosen(moment, parameters)
            parameters, gradients = self._decayed(
                moment.step, operands[0], chosen, parameters, gradients
            )
        groups = self._grouped(moment, parameters)
        columns = [parameters, gradients, *slots]
        if len(groups) == 1:
            ((_, decays),) = groups
            new, shared = self._of_one_dtype(
                moment.step, self._with_decay(operands, decays), shared, columns
            )
            return Moved(new[0], new[1:], shared)
        given = shared
        out: list[list[Any]] = [[None] * len(parameters) for _ in range(1 + len(slots))]
        for (_, decays), positions in groups.items():
            some = [[column[i] for i in positions] for column in columns]
            new, found = self._of_one_dtype(
                moment.step, self._with_decay(operands, decays), given, some
            )
            # All groups find the same; the widest has most digits.
            shared = [
                b if b.dtype.itemsize >= a.dtype.itemsize else a
                for a, b in zip(shared, found, strict=True)
            ]
            for column, values in zip(out, new, strict=True):
                for i, value in zip(positions, values, strict=True):
                    column[i] = value
        return Moved(out[0], out[1:], shared)

    def _without_checks(
        self,
        variables: list[Variable],
        gradients: list[Any],
        columns: list[list[Variable]],
    ) -> bool:
        if tracing.trace is not None or process.recording or type(self)._move is not Descent._move:
            return False
        if self.op.name in variables[0].backend.in_place:
            return self._write_over(variables, gradients, columns)
        looks = self._slots.looks
        return looks is not None and self._as_before(looks, variables, gradients, columns)

    def _as_before(
        self,
        looks: tuple[Backend, Kernel, list[Any]],
        variables: list[Variable],
        gradients: list[Any],
        columns: list[list[Variable]],
    ) -> bool:
        """Do a step on arrays that look as those of the one before: all its checks would pass."""
        backend, kernel, known = looks
        changed = [self.iterations, *variables, *chain(*columns)]
        before = [*map(_tensor_of, changed)]
        tensors = [*before, *gradients]
        if {*map(type, gradients)} != {Tensor} or {*map(_backend_of, tensors)} != {backend}:
            return False
        natives = [*map(native_of, tensors)]
        if {*map(type, natives)} != {backend.array_type}:
            return False
        if [*map(backend.likeness, natives)] != known:
            return False
        done, count = before[0], len(variables)
        step = done + 1
        operands = self._operands(done)
        numbers = [x._native if isinstance(x, Tensor) else x for x in operands]
        weights, slots = natives[1 : count + 1], natives[count + 1 : len(before)]
        slopes = natives[len(before) :]
        if "weight_decay" in self.numbers and not self.decays_itself:
            column = before[1 : count + 1]
            left, rest = self._decayed(step, operands[0], [True] * count, column, gradients)
            weights, slopes = [*map(native_of, left)], [*map(native_of, rest)]
        try:
            found = kernel(step._native, *numbers, *weights, *slopes, *slots, **self._settings)
        except Exception:
            return False  # The long way says what is wrong.
        return put(changed, before, [step, *wrap_all(backend, found)])

    def _note(self, changed: list[Variable], gradients: list[Any]) -> None:
        self._slots.looks = None
        backend, name = changed[0].backend, self.op.name
        # Where one program is made of the formula. Elsewhere it is no shorter way.
        kernel = None if name in backend.kernels else self.op.kernels[backend]
        if kernel is None or tracing.trace is not None or {*map(type, gradients)} != {Tensor}:
            return
        if (
            self.shared_names
            or self._decay_only is not None
            or type(self)._move is not Descent._move
        ):
            return
        tensors = [*map(_tensor_of, changed), *gradients]
        if {*map(_backend_of, tensors)} != {backend}:
            return
        natives = [*map(native_of, tensors)]
        if len({one.dtype for one in natives[1:]}) == 1 and not any_half(tensors[1:2]):
            self._slots.looks = backend, kernel, [*map(backend.likeness, natives)]

    def _write_over(
        self,
        variables: list[Variable],
        gradients: list[Any],
        columns: list[list[Variable]],
    ) -> bool:
        """Do a step in the memory of the variables and slots, if nobody else looks at it."""
        backend = variables[0].backend
        kernel = backend.in_place[self.op.name]
        done = self.iterations.current()
        moment = Moment(done, done + 1, lambda: [variable.name for variable in variables])
        parameters = [*map(Variable.current, variables)]
        if any(one.backend is not backend for one in parameters):
            return False
        fitting = self._fitting_gradients(type(self).__name__, moment, parameters, gradients)
        natives = [gradient._native for gradient in fitting]
        if any(gradient.backend is not backend for gradient in fitting):
            return False
        if len({native.dtype for native in natives}) > 1 or any(map(backend.is_traced, natives)):
            return False
        if any_half(parameters[:1]):
            return False
        # A schedule and a selection are the user's, who may read variables: before they are taken.
        operands = self._operands(done)
        decays = "weight_decay" in self.numbers and not self.decays_itself
        chosen = self._chosen(moment, parameters) if decays else []
        del parameters
        count = len(variables)
        with taken([self.iterations, *variables, *chain(*columns)]) as values:
            if values[0] is not done:
                return False  # Another thread was here.
            values[1:] = owned(backend, values[1:])
            if decays:
                left = values[1 : count + 1]
                left, fitting = self._decayed(moment.step, operands[0], chosen, left, fitting)
                values[1 : count + 1] = left
            numbers = [x._native if isinstance(x, Tensor) else x for x in operands]
            tensors = [*values[1 : count + 1], *fitting, *values[count + 1 :]]
            kernel(moment.step._native, *numbers, *map(native_of, tensors), **self._settings)
            values[0] = moment.step
        return True

    def _grouped(self, moment: Moment, parameters: Column) -> dict[tuple[Any, bool], list[int]]:
        """Return the positions of parameters that one op takes: of one dtype, and of one decay."""
        if self.decays_itself:
            chosen = self._chosen(moment, parameters)
        else:
            chosen = [True] * len(parameters)
        groups: dict[tuple[Any, bool], list[int]] = {}
        for i, (parameter, decays) in enumerate(zip(parameters, chosen, strict=True)):
            groups.setdefault((parameter._native.dtype, decays), []).append(i)
        return groups

    def _with_decay(self, operands: list[float | Tensor], decays: bool) -> list[float | Tensor]:
        """Return the formula's numbers for parameters that decay, or do not."""
        if decays:
            return operands
        names = list(self.numbers)
        return [
            0.0 if name == "weight_decay" else x for name, x in zip(names, operands, strict=True)
        ]

    def _of_one_dtype(
        self,
        step: Tensor,
        operands: list[float | Tensor],
        shared: list[Tensor],
        columns: list[Column],
    ) -> tuple[list[Column], list[Tensor]]:
        """Run the update op on parameters of one dtype; return new columns and shared state."""
        count = len(columns[0])
        tensors = [one for column in columns for one in column]
        found = self.op(step, *operands, *shared, *tensors, **self._settings)
        end = count * (len(columns) - 1)
        new = [list(found[i : i + count]) for i in range(0, end, count)]
        return new, list(found[end:])

    def _chosen(self, moment: Moment, parameters: Column) -> list[bool]:
        """Tell which parameters decay."""
        if self._decay_only is None:
            return [True] * len(parameters)
        return selected(self._decay_only, moment.names(), parameters)

    def _decayed(
        self,
        step: Tensor,
        rate: float | Tensor,
        chosen: list[bool],
        parameters: Column,
        gradients: Column,
    ) -> tuple[Column, Column]:
        """Return parameters and gradients after weight decay."""
        decay = self.numbers["weight_decay"].operand(step.backend)
        some = [p for p, one in zip(parameters, chosen, strict=True) if one]
        if not some:
            return parameters, gradients
        if self._decoupled:
            return _replaced(parameters, chosen, _decay_update(step, rate, decay, *some)), gradients
        beside = [g for g, one in zip(gradients, chosen, strict=True) if one]
        new = _penalty_update(step, decay, *some, *beside)
        return parameters, _replaced(gradients, chosen, new)


def _replaced(column: Column, chosen: list[bool], new: Iterable[Tensor]) -> Column:
    """Return a column with new values in the chosen places."""
    values = iter(new)
    return [next(values) if one else old for old, one in zip(column, chosen, strict=True)]


def _require_known(owner: str, common: dict[str, Any]) -> None:
    unknown = sorted(set(common) - set(Common.__annotations__))
    if unknown:
        raise SettingError(f"{owner}: unknown settings {', '.join(unknown)}")


def one_of(owner: str, name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return a setting that is one of a few words.

    Raises:
        SettingError: when it is none of them.
    """
    if value not in allowed:
        raise SettingError(f"{owner}: {name}={value!r}: expected one of {', '.join(allowed)}")
    return value


def start(owner: str, name: str, value: float) -> float:
    """Return what an average of squares begins with.

    Raises:
        SettingError: when it is negative, or not finite.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0.0 <= number < math.inf:
        raise SettingError(f"{owner}: {name}={value!r}: expected a finite number, at least 0")
    return number
