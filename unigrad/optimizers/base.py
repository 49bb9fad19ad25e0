"""`Optimizer`: what all optimizers do with Variables.

It keeps slots, shared state and the number of steps in Variables, hands their values to
`Transformation._move` and assigns what that gives. It knows no formula, no model, and of tapes only
`minimize`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from types import NoneType
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.autodiff.tape import GradientTape
from unigrad.core.arguments import as_tensor
from unigrad.core.dtypes import int64
from unigrad.core.errors import BackendMismatchError, SettingError
from unigrad.core.exchanging import exchange
from unigrad.core.leaks import warn_program
from unigrad.core.state import load_into, state_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.filling import zeros_like
from unigrad.optimizers.slots import Slots
from unigrad.optimizers.transformation import (
    Moment,
    Transformation,
    require_floating,
    wide_like,
    widened,
)
from unigrad.tracing.scope import init_scope, making

#: A number, a Variable (whose changes compiled programs see), or a function of the number of
#: steps done so far, an int64 Tensor.
LearningRate: TypeAlias = float | Variable | Callable[[Tensor], Any]
#: What to do with variables whose gradient is ``None``.
OnNone: TypeAlias = Literal["raise", "skip"]


class Optimizer(Transformation):
    """Change parameters along their gradients.

    Use it either as two pure functions, ``init(parameters)`` and ``update(gradients, state,
    parameters)``, over pytrees of Tensors, or on Variables through `apply_gradients` or `minimize`,
    which keep the state themselves.

    Parameters in half precision are updated in float32, their slots are float32: there ε and small
    steps are not lost. A gradient of NaN makes NaN, as IEEE has it: see `skip_nonfinite`.
    """

    def __init__(self) -> None:
        self._iterations: Variable | None = None
        self._slots = Slots()
        self._shared: list[Variable] = []
        #: True once somebody has called `build`: then other variables are strangers.
        self._built = False

    @property
    @abstractmethod
    def learning_rate(self) -> Any:
        """The rate as it was given. A new one holds from the next step on, in programs as well."""

    @learning_rate.setter
    @abstractmethod
    def learning_rate(self, rate: LearningRate | Tensor) -> None: ...

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

        From then on `apply_gradients` refuses variables that it has not been told of.

        Raises:
            DTypeError: when a variable is no floating one; then nothing is made.
            BackendMismatchError: when the variables live on several backends; likewise.
        """
        self._build(list(variables))
        self._built = True

    def _build(self, variables: Sequence[Variable]) -> None:
        self._slots.settle()
        owner = type(self).__name__
        for variable in variables:
            require_floating(owner, f"variable {variable.name!r}", variable.dtype)
            counted = variables[0] if self._iterations is None else self._iterations
            if variable.backend.root is not counted.backend.root:
                raise BackendMismatchError(
                    f"{owner}: variable {variable.name!r} lives on {variable.backend.name!r}, "
                    f"{counted.name!r} on {counted.backend.name!r}; an optimizer is of one "
                    "backend: make another one for it"
                )
        with making, init_scope():
            if self._iterations is None and variables:
                start = zeros_like(variables[0]._untaped().sum(), dtype=int64)
                self._iterations = Variable(start, trainable=False, name="iterations")
            if self.shared_names and not self._shared and variables:
                like = wide_like([variable._untaped() for variable in variables])
                self._shared = [
                    Variable(value, trainable=False, name=name)
                    for name, value in zip(self.shared_names, self._shared_of(like), strict=True)
                ]
            for variable in variables:
                if variable not in self._slots:
                    starts = self._slots_of(variable.name, widened(variable._untaped()))
                    slots = [
                        Variable(start, trainable=False, name=f"{variable.name}/{name}")
                        for name, start in zip(self.slot_names, starts, strict=True)
                    ]
                    self._slots.add(variable, slots)
                for number in self._all_numbers():
                    number.variable(variable.backend)

    def apply_gradients(
        self,
        gradients_and_variables: Iterable[tuple[Any, Variable]],
        *,
        on_none: OnNone = "raise",
    ) -> None:
        """Do one step on Variables, given pairs of gradient and variable.

        Steps that several threads do come out as if one had been done after the other; a schedule
        may then be called more than once a step.

        Args:
            gradients_and_variables: the pairs, as ``zip(gradients, variables)`` gives them.
            on_none: what to do with variables whose gradient is ``None``: "raise" an error, or
                "skip" them with a `GradientWarning`, so that they stay as they are.

        Raises:
            SettingError: when a gradient is ``None``, a variable comes twice or was not among those
                that `build` was given, or what is given are no such pairs.
            ShapeError: when a gradient's shape is not its variable's.
            DTypeError: when its dtype is not, or a variable is no floating one.
            BackendMismatchError: when its backend is not.
        """
        pairs = _with_gradients(_checked_pairs(gradients_and_variables), on_none)
        gradients, variables = [*map(_first, pairs)], [*map(_second, pairs)]
        self._slots.settle()
        try:
            columns = self._slots.columns(variables)
        except KeyError:
            if self._built:
                self._refuse_strangers(variables)
            self._build(variables)
            columns = self._slots.columns(variables)
        if pairs and self._without_checks(variables, gradients, columns):
            return

        def moved(held: Sequence[Tensor]) -> tuple[list[Tensor], None]:
            done = self.iterations._untaped()
            moment = Moment(done, done + 1, lambda: [variable.name for variable in variables])
            if not pairs:
                return [moment.step], None
            values = iter(held[1:])
            parameters, *slots = [[*islice(values, len(pairs))] for _ in range(1 + len(columns))]
            new = self._checked_move(moment, parameters, gradients, slots, [*values])
            return [moment.step, *new.values, *chain(*new.slots), *new.shared], None

        changed = [self.iterations, *variables, *chain(*columns)]
        exchange([*changed, *self._shared] if pairs else changed, moved)
        self._note(changed, gradients)

    def _without_checks(
        self,
        variables: list[Variable],
        gradients: list[Any],
        columns: list[list[Variable]],
    ) -> bool:
        """Do a step in a shorter way than that of all, if there is one now."""
        return False

    def _note(self, changed: list[Variable], gradients: list[Any]) -> None:
        """Note what the shorter way of the next step is to know of this one."""

    def minimize(
        self,
        loss: Callable[[], Any],
        variables: Iterable[Variable] | None = None,
        *,
        on_none: OnNone = "raise",
    ) -> Tensor:
        """Do one step down a loss; return its value before.

        Args:
            loss: computes it from Variables.
            variables: those to change; by default the trainable ones that the loss reads.
            on_none: as in `apply_gradients`, which see for the errors.

        Example:
            >>> import unigrad as ug
            >>> w = ug.Variable(1.0)
            >>> ug.optimizers.SGD(0.25).minimize(lambda: w * w).item(), w.item()
            (1.0, 0.5)
        """
        with GradientTape() as tape:
            value = as_tensor(loss())
        chosen = list(tape.watched_variables() if variables is None else variables)
        gradients = tape.gradient(value, chosen)
        self.apply_gradients(zip(gradients, chosen, strict=True), on_none=on_none)
        return value

    def _refuse_strangers(self, variables: Sequence[Variable]) -> NoReturn:
        unknown = [repr(one.name) for one in variables if one not in self._slots]
        raise SettingError(
            f"{type(self).__name__}: {', '.join(unknown)} was not among the variables that `build` "
            "was given; call build with it, or make another optimizer"
        )

    @property
    def variables(self) -> list[Variable]:
        """The number of steps, the shared state and all slots, in the order in which the variables
        came.

        The slots of a variable that is gone are gone as well.
        """
        return [self.iterations, *self._shared, *(slot for slots in self._slots for slot in slots)]

    def named_variables(self) -> dict[str, Variable]:
        """Return the state by name: ``iterations`` and ``<number of the variable>/<slot>``."""
        named = {"iterations": self.iterations}
        named |= dict(zip(self.shared_names, self._shared, strict=False))
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


_first, _second = itemgetter(0), itemgetter(1)


def _checked_pairs(given: Iterable[tuple[Any, Variable]]) -> list[tuple[Any, Variable]]:
    """Return pairs of gradient and variable, each variable once.

    Raises:
        SettingError: when they are no such pairs, such as one the other way round, or a variable
            comes twice: the second update would undo the first.
    """
    try:
        pairs = list(given)
    except TypeError:
        if isinstance(given, Iterable):
            raise  # By code of a user's, a generator say.
        pairs = [given]
    # Most often all is well, and sets of kinds and identities are quickly made.
    if {*map(type, pairs)} == {tuple} and {*map(len, pairs)} == {2}:
        variables = [*map(_second, pairs)]
        if {*map(type, variables)} == {Variable} and len({*map(id, variables)}) == len(pairs):
            return pairs
    seen = set()
    for pair in pairs:
        if not (
            isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[1], Variable)
        ):
            kind = type(pair).__name__
            if isinstance(pair, tuple | list):
                kind = f"({', '.join(type(one).__name__ for one in pair)})"
            raise SettingError(
                f"apply_gradients takes pairs (gradient, variable), as zip(gradients, variables) "
                f"gives them, not {kind}"
            )
        variable = pair[1]
        if variable.uid in seen:
            raise SettingError(
                f"apply_gradients: variable {variable.name!r} comes twice; add its gradients up"
            )
        seen.add(variable.uid)
    return pairs


def _with_gradients(
    pairs: list[tuple[Any, Variable]], on_none: OnNone
) -> list[tuple[Any, Variable]]:
    """Return the pairs that have a gradient.

    Raises:
        SettingError: when one has none and none may be without.
    """
    if on_none not in ("raise", "skip"):
        raise SettingError(f'apply_gradients: on_none={on_none!r}: expected "raise" or "skip"')
    if NoneType not in map(type, map(_first, pairs)):
        return pairs
    missing = [variable.name for gradient, variable in pairs if gradient is None]
    if on_none == "raise":
        raise SettingError(
            f"apply_gradients: no gradient for {', '.join(missing)}: the loss does not depend on "
            'it; leave it out, or say on_none="skip"'
        )
    warn_program(f"apply_gradients: no gradient for {', '.join(missing)}: left unchanged")
    return [pair for pair in pairs if pair[0] is not None]
