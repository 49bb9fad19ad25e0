"""Groups of parameters, by name, with optimizers of their own; frozen ones with none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.filling import zeros
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.chaining import distinct
from unigrad.optimizers.numbers import Number
from unigrad.optimizers.transformation import Column, Moment, Moved, Selection, selected


class Groups(Optimizer):
    """Optimizers for groups of parameters, chosen by name.

    A parameter belongs to the first group that chooses it, else to the default one. Names are those
    of Variables (``dense/kernel``), or paths in a tree (``encoder/0/w``).

    Args:
        groups: pairs of a selection (a regular expression to search for in names, or a function of
            name and parameter) and an optimizer, or ``None`` for parameters that stay as they are;
            or a dictionary of them.
        default: for all others; ``None`` leaves them as they are.

    Raises:
        SettingError: when something is no optimizer.

    Example:
        >>> import unigrad as ug
        >>> from unigrad.optimizers import SGD, Groups
        >>> optimizer = Groups({"bias": SGD(1.0), "embedding": None}, SGD(0.5))
        >>> w, b = ug.Variable(0.0, name="kernel"), ug.Variable(0.0, name="bias")
        >>> optimizer.apply_gradients([(ug.asarray(1.0), w), (ug.asarray(1.0), b)])
        >>> w.item(), b.item()
        (-0.5, -1.0)
    """

    by_name = True

    def __init__(
        self,
        groups: Mapping[str, Optimizer | None] | Sequence[tuple[Selection, Optimizer | None]],
        default: Optimizer | None,
    ) -> None:
        super().__init__()
        pairs = list(groups.items()) if isinstance(groups, Mapping) else list(groups)
        self.selections: tuple[Selection, ...] = tuple(selection for selection, _ in pairs)
        #: One per group, and the default one.
        self.optimizers: tuple[Optimizer | None, ...] = (*(one for _, one in pairs), default)
        for one in self.optimizers:
            if one is not None and not isinstance(one, Optimizer):
                raise SettingError(f"Groups: a {type(one).__name__} is no optimizer")
        # Slots of one name are shared: each parameter has those of its own optimizer alone.
        named = [name for one in self._present() for name in one.slot_names]
        self.slot_names = tuple(dict.fromkeys(named))
        shared = [name for one in self._present() for name in one.shared_names]
        self.shared_names = distinct(shared)

    def _present(self) -> Iterator[Optimizer]:
        return (one for one in self.optimizers if one is not None)

    @property
    def learning_rate(self) -> Any:
        """The rate of the default optimizer."""
        return self._default.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: LearningRate | Tensor) -> None:
        self._default.learning_rate = rate

    @property
    def _default(self) -> Optimizer:
        default = self.optimizers[-1]
        if default is None:
            raise SettingError("Groups: the default group has no optimizer, and so no rate")
        return default

    def _all_numbers(self) -> Iterator[Number]:
        for one in self._present():
            yield from one._all_numbers()

    def _group_of(self, name: str, parameter: Any) -> int:
        for i, selection in enumerate(self.selections):
            if selected(selection, [name], [parameter])[0]:
                return i
        return len(self.selections)

    def _spread(self, optimizer: Optimizer | None, some: Sequence[Any], absent: Any) -> list[Any]:
        """Return an optimizer's slots by the names of all."""
        own = dict(zip(optimizer.slot_names, some, strict=True)) if optimizer else {}
        return [own.get(name, absent) for name in self.slot_names]

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        optimizer = self.optimizers[self._group_of(name, _Shaped(shape))]
        shapes = optimizer._slot_shapes(name, shape) if optimizer else []
        return self._spread(optimizer, shapes, ())

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        optimizer = self.optimizers[self._group_of(name, parameter)]
        slots = optimizer._slots_of(name, parameter) if optimizer else []
        return self._spread(optimizer, slots, zeros((), dtype=parameter.dtype, like=parameter))

    def _shared_of(self, like: Tensor) -> list[Tensor]:
        return [number for one in self._present() for number in one._shared_of(like)]

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        names = list(moment.names())
        members: list[list[int]] = [[] for _ in self.optimizers]
        for i, (name, parameter) in enumerate(zip(names, parameters, strict=True)):
            members[self._group_of(name, parameter)].append(i)
        values, new_slots = list(parameters), [list(column) for column in slots]
        new_shared: list[Tensor] = []
        for optimizer, positions in zip(self.optimizers, members, strict=True):
            if optimizer is None:
                continue
            count = len(optimizer.shared_names)
            mine, shared = shared[:count], shared[count:]
            if not positions:
                new_shared += mine
                continue
            columns = [self.slot_names.index(name) for name in optimizer.slot_names]
            moved = optimizer._move(
                Moment(moment.done, moment.step, _picked(names, positions)),
                [parameters[i] for i in positions],
                [gradients[i] for i in positions],
                [[slots[column][i] for i in positions] for column in columns],
                mine,
            )
            new_shared += moved.shared
            for k, i in enumerate(positions):
                values[i] = moved.values[k]
                for column, found in zip(columns, moved.slots, strict=True):
                    new_slots[column][i] = found[k]
        return Moved(values, new_slots, new_shared)


class _Shaped:
    """What selections may ask of a parameter when its slots are checked."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.ndim = len(shape)


def _picked(names: Sequence[str], positions: Sequence[int]) -> Any:
    return lambda: [names[i] for i in positions]


def freeze(optimizer: Optimizer, selection: Selection) -> Groups:
    """Return the optimizer for all parameters but the chosen ones, which stay as they are.

    Args:
        optimizer: does the steps.
        selection: a regular expression to search for in names, or a function of name and parameter.

    Example:
        >>> import unigrad as ug
        >>> from unigrad.optimizers import SGD, freeze
        >>> w = ug.Variable(1.0, name="embedding/table")
        >>> freeze(SGD(0.5), "^embedding").apply_gradients([(ug.asarray(1.0), w)])
        >>> w.item()
        1.0
    """
    return Groups([(selection, None)], optimizer)
