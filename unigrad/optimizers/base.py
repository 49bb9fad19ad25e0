"""`Optimizer`: what all optimizers share.

A subclass names its slots (the moments that it keeps per parameter) and its update op, which
takes all parameters of one dtype at once: backends run it as one program, or array by array in as
few passes as they can. It knows nothing of models or tapes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.dtypes import COMPLEX, FLOATING, INTEGER, DType, float32, int64
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.leaks import warn_program
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable, exchange
from unigrad.ops.creation import zeros_like
from unigrad.optimizers.numbers import Number
from unigrad.optimizers.slots import Slots
from unigrad.tracing.dependencies import watched
from unigrad.tracing.scope import init_scope, making

#: A number, a Variable (whose changes compiled programs see), or a function of the number of
#: steps done so far, an int64 Tensor.
LearningRate = float | Variable | Callable[[Tensor], Any]


@watched
class Optimizer(ABC):
    """Change parameters along their gradients.

    Use it either as two pure functions, ``init(parameters)`` and ``update(gradients, state,
    parameters)``, over pytrees of Tensors, or on Variables through `apply_gradients`, which keeps
    the slots itself.

    Parameters in half precision are updated in float32, their slots are float32: there ε and small
    steps are not lost.

    Args:
        learning_rate: a number, a Variable, or a schedule: a function of the number of steps done
            so far (an int64 Tensor) that returns a number or a Tensor.
    """

    #: The names of what is kept per parameter.
    slot_names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: LearningRate) -> None:
        #: The numbers that the update op takes, in its order: see `Hyperparameter`.
        self.numbers: dict[str, Number] = {"learning_rate": Number(0.0)}
        #: What gives the rate if that is no plain number.
        self._schedule: Variable | Callable[[Tensor], Any] | None = None
        self.learning_rate = learning_rate
        self._iterations: Variable | None = None
        self._slots = Slots()

    @property
    def learning_rate(self) -> Any:
        """The rate as it was given. A new one holds from the next step on, in programs as well."""
        return self.numbers["learning_rate"].get() if self._schedule is None else self._schedule

    @learning_rate.setter
    def learning_rate(self, rate: LearningRate | Tensor) -> None:
        if isinstance(rate, Variable) or callable(rate):
            self._schedule = rate
        else:
            self._schedule = None
            self.numbers["learning_rate"].set(rate)

    @abstractmethod
    def _run(
        self, step: Tensor, numbers: Sequence[float | Tensor], tensors: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        """Run the update op: ``tensors`` are all parameters, all gradients and all of each slot;
        return new parameters and slots so.
        """

    # -- as pure functions

    def init(self, parameters: Any) -> dict[str, Any]:
        """Return the state before the first step: the step's number and zeros per slot.

        Raises:
            DTypeError: when a parameter is no floating one.
        """
        leaves = tree.leaves(parameters)
        for leaf in leaves:
            _require_floating(type(self).__name__, "a parameter", as_tensor(leaf).dtype)
        step = constant(as_tensor(leaves[0]), 0, int64) if leaves else as_tensor(0)
        zeros = {
            name: tree.map(lambda leaf: _slot_of(as_tensor(leaf)), parameters)
            for name in self.slot_names
        }
        return {"step": step, **zeros}

    def update(
        self, gradients: Any, state: Mapping[str, Any], parameters: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Return the parameters and the state after one step. Nothing is changed in place.

        Raises:
            ShapeError: when the trees, or a gradient and its parameter, do not fit.
            DTypeError: when a parameter is no floating one.

        Example:
            >>> import unigrad as ug
            >>> from unigrad.optimizers import SGD
            >>> parameters, optimizer = {"w": ug.asarray(1.0)}, SGD(0.5)
            >>> state = optimizer.init(parameters)
            >>> parameters, state = optimizer.update({"w": ug.asarray(1.0)}, state, parameters)
            >>> parameters["w"].item(), state["step"].item()
            (0.5, 1)
        """
        leaves, structure = tree.flatten(parameters)
        if tree.structure(gradients) != structure:
            raise ShapeError(
                f"update: the gradients' tree {tree.structure(gradients)} is not that of the "
                f"parameters, {structure}"
            )
        for name in self.slot_names:
            if name not in state or tree.structure(state[name]) != structure:
                raise ShapeError(f"update: the state has no tree {name!r} like the parameters'")
        columns = [
            [as_tensor(leaf) for leaf in some]
            for some in (
                leaves,
                tree.leaves(gradients),
                *(tree.leaves(state[name]) for name in self.slot_names),
            )
        ]
        step = _step_number(type(self).__name__, state["step"])
        new_step = step + 1
        new = self._step(step, new_step, columns)
        trees = [tree.unflatten(structure, column) for column in new]
        return trees[0], {
            "step": new_step, **dict(zip(self.slot_names, trees[1:], strict=True))
        }  # fmt: skip

    def _step(
        self, done: Tensor, step: Tensor, columns: Sequence[Sequence[Tensor]]
    ) -> list[list[Tensor]]:
        """Update columns (parameters, gradients, slots…), dtype by dtype; leave out gradients."""
        _require_fitting(type(self).__name__, ("gradient", *self.slot_names), columns)
        groups: dict[DType, list[int]] = {}
        for i, parameter in enumerate(columns[0]):
            groups.setdefault(parameter.dtype, []).append(i)
        numbers = self._numbers(done)
        new: list[list[Any]] = [[None] * len(columns[0]) for _ in range(len(columns) - 1)]
        for dtype, positions in groups.items():
            within = _within(dtype)
            tensors = [cast(column[i], within) for column in columns for i in positions]
            results = self._run(step, numbers, tensors)
            if within is not dtype:
                moved = [cast(one, dtype) for one in results[: len(positions)]]
                results = (*moved, *results[len(positions) :])
            for k, result in enumerate(results):
                new[k // len(positions)][positions[k % len(positions)]] = result
        return new

    def _numbers(self, done: Tensor) -> list[float | Tensor]:
        """Return the numbers of the step after so many, Tensors where they are computed."""
        found = [number.get() for number in self.numbers.values()]
        rate = self._schedule
        if isinstance(rate, Variable):
            found[0] = rate._untaped()
        elif rate is not None:
            found[0] = as_tensor(rate(done), done)
        return found

    # -- on Variables

    @property
    def iterations(self) -> Variable:
        """How many steps `apply_gradients` has done; it lives beside the first variables."""
        if self._iterations is None:
            with making, init_scope():
                if self._iterations is None:
                    self._iterations = Variable(0, trainable=False, name="iterations", dtype=int64)
        return self._iterations

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots of these variables, where they are not there yet.

        Raises:
            DTypeError: when a variable is no floating one; then nothing is made.
        """
        variables = list(variables)
        self._slots.settle()
        for variable in variables:
            _require_floating(type(self).__name__, f"variable {variable.name!r}", variable.dtype)
        with making, init_scope():
            if self._iterations is None and variables:
                start = zeros_like(variables[0]._untaped().sum(), dtype=int64)
                self._iterations = Variable(start, trainable=False, name="iterations")
            for variable in variables:
                if variable not in self._slots:
                    slots = [
                        Variable(
                            _slot_of(variable._untaped()),
                            trainable=False,
                            name=f"{variable.name}/{name}",
                        )
                        for name in self.slot_names
                    ]
                    self._slots.add(variable, slots)
                for number in self.numbers.values():
                    number.variable(variable.backend)

    def apply_gradients(self, gradients_and_variables: Iterable[tuple[Any, Variable]]) -> None:
        """Do one step on Variables, given pairs of gradient and variable.

        A variable whose gradient is ``None`` is left as it is, with a `GradientWarning`. Steps that
        several threads do come out as if one had been done after the other; a schedule may then be
        called more than once a step.

        Raises:
            ShapeError: when a gradient's shape is not its variable's.
            SettingError: when a variable comes twice, or what is given are no such pairs.
            DTypeError: when a variable is no floating one.
        """
        pairs = list(gradients_and_variables)
        _require_pairs(pairs)
        _require_distinct([variable for _, variable in pairs])
        missing = [variable.name for gradient, variable in pairs if gradient is None]
        if missing:
            warn_program(f"apply_gradients: no gradient for {', '.join(missing)}: left unchanged")
            pairs = [pair for pair in pairs if pair[0] is not None]
        variables = [variable for _, variable in pairs]
        self._slots.settle()
        if not all(variable in self._slots for variable in variables):
            self.build(variables)
        slots = [self._slots.of(variable) for variable in variables]
        gradients = [as_tensor(gradient) for gradient, _ in pairs]
        columns = [variables, *map(list, zip(*slots, strict=True))]

        def moved() -> tuple[list[Tensor], None]:
            done = self.iterations._untaped()
            step = done + 1
            if not pairs:
                return [step], None
            parameters, *rest = [[one._untaped() for one in column] for column in columns]
            new = self._step(done, step, [parameters, gradients, *rest])
            return [step, *chain.from_iterable(new)], None

        exchange([self.iterations, *chain.from_iterable(columns)], moved)

    @property
    def variables(self) -> list[Variable]:
        """The number of steps and all slots, in the order in which the variables came.

        The slots of a variable that is gone are gone as well.
        """
        return [self.iterations, *(slot for slots in self._slots for slot in slots)]

    def named_variables(self) -> dict[str, Variable]:
        """Return the state by name: ``iterations`` and ``<number of the variable>/<slot>``."""
        named = {"iterations": self.iterations}
        for number, slots in enumerate(self._slots):
            for name, slot in zip(self.slot_names, slots, strict=True):
                named[f"{number}/{name}"] = slot
        return named

    def state_dict(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return a copy of the state as ndarrays by name."""
        return state_of(self.named_variables())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state; `build` must have been called with the variables that it is for.

        Raises:
            UnigradError: when names, shapes or dtypes differ; then nothing is changed.
        """
        load_into(self.named_variables(), state, type(self).__name__)


def _require_floating(name: str, what: str, dtype: DType) -> None:
    """Refuse a dtype in which there is nothing to update: the formulas are those of real numbers.

    Raises:
        DTypeError: then.
    """
    if dtype not in FLOATING:
        raise DTypeError(f"{name}: {what} is {dtype.name}; optimizers update floating dtypes only")


def _require_pairs(pairs: Sequence[Any]) -> None:
    """Refuse what is no pair of gradient and variable, such as one the other way round.

    Raises:
        SettingError: then.
    """
    for pair in pairs:
        if isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[1], Variable):
            continue
        given = type(pair).__name__
        if isinstance(pair, tuple | list):
            given = f"({', '.join(type(one).__name__ for one in pair)})"
        raise SettingError(
            f"apply_gradients takes pairs (gradient, variable), as zip(gradients, variables) "
            f"gives them, not {given}"
        )


def _require_fitting(name: str, kinds: Sequence[str], columns: Sequence[Sequence[Tensor]]) -> None:
    """Refuse parameters that are not floating, and what has not the shape of its parameter.

    Raises:
        DTypeError: when a parameter is no floating one, or something beside it is complex.
        ShapeError: when a shape is another.
    """
    for parameter in columns[0]:
        _require_floating(name, "a parameter", parameter.dtype)
    for kind, column in zip(kinds, columns[1:], strict=True):
        for parameter, one in zip(columns[0], column, strict=True):
            if one.shape != parameter.shape:
                raise ShapeError(
                    f"{name}: a {kind} of shape {one.shape} for a parameter of shape "
                    f"{parameter.shape}"
                )
            if one.dtype in COMPLEX:
                raise DTypeError(f"{name}: a {kind} is {one.dtype.name}; parameters are real")


def _require_distinct(variables: Sequence[Variable]) -> None:
    """Refuse a variable that comes twice: the second update would undo the first.

    Raises:
        SettingError: then.
    """
    if len({variable.uid for variable in variables}) == len(variables):
        return
    seen = set()
    for variable in variables:
        if variable.uid in seen:
            raise SettingError(
                f"apply_gradients: variable {variable.name!r} comes twice; add its gradients up"
            )
        seen.add(variable.uid)


def _within(dtype: DType) -> DType:
    """Return the dtype in which parameters of a dtype are updated."""
    return float32 if dtype.itemsize == 2 else dtype


def _slot_of(parameter: Tensor) -> Tensor:
    """Return a slot's zeros."""
    return zeros_like(parameter, dtype=_within(parameter.dtype))


def _step_number(name: str, step: TensorLike) -> Tensor:
    """Return the number of steps done, as a state holds it.

    Raises:
        ShapeError: when it is more than one.
        DTypeError: when it is no integer.
    """
    tensor = as_tensor(step)
    if tensor.shape:
        raise ShapeError(f"{name}.update: the step is one number, not an array of {tensor.shape}")
    if tensor.dtype not in INTEGER:
        raise DTypeError(f"{name}.update: the step is an integer, not {tensor.dtype.name}")
    return tensor
