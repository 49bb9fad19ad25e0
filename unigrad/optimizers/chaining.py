"""`chain`: functions of gradients, one after the other, and an optimizer at their end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.numbers import Number
from unigrad.optimizers.transformation import Column, Moment, Moved, Transformation


def chain(*links: Transformation) -> Any:
    """Return the transformation that hands what each link gives to the next one.

    With an optimizer at the end it is an `Optimizer`, whose rate is that one's, else a
    `Transformation`.

    Raises:
        SettingError: when an optimizer comes before the end, or something is no transformation.

    Example:
        >>> import unigrad as ug
        >>> from unigrad.optimizers import SGD, chain, clip_by_global_norm
        >>> w, optimizer = ug.Variable([0.0, 0.0]), chain(clip_by_global_norm(1.0), SGD(1.0))
        >>> optimizer.apply_gradients([(ug.asarray([3.0, 4.0]), w)])
        >>> [round(x, 6) for x in w.tolist()]
        [-0.6, -0.8]
    """
    for i, link in enumerate(links):
        if not isinstance(link, Transformation):
            raise SettingError(f"chain: link {i} is no transformation but a {type(link).__name__}")
        if isinstance(link, Optimizer) and i < len(links) - 1:
            raise SettingError(
                f"chain: link {i}, {type(link).__name__}, is an optimizer: it gives parameters, "
                "and so must come last"
            )
    if links and isinstance(links[-1], Optimizer):
        return ChainedOptimizer(links)
    return ChainedTransformation(links)


class ChainedTransformation(Transformation):
    """Transformations one after the other: what `chain` returns."""

    def __init__(self, links: Sequence[Transformation]) -> None:
        super().__init__()
        self.links = tuple(links)
        self.slot_names = distinct([name for one in links for name in one.slot_names])
        self.shared_names = distinct([name for one in links for name in one.shared_names])
        self.by_name = any(one.by_name for one in links)

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        return [some for one in self.links for some in one._slot_shapes(name, shape)]

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        return [slot for one in self.links for slot in one._slots_of(name, parameter)]

    def _shared_of(self, like: Tensor) -> list[Tensor]:
        return [number for one in self.links for number in one._shared_of(like)]

    def _all_numbers(self) -> Iterator[Number]:
        for one in self.links:
            yield from one._all_numbers()

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        values, new_slots, new_shared = gradients, [], []
        for one in self.links:
            own, slots = slots[: len(one.slot_names)], slots[len(one.slot_names) :]
            mine, shared = shared[: len(one.shared_names)], shared[len(one.shared_names) :]
            moved = one._move(moment, parameters, values, own, mine)
            values = moved.values
            new_slots += moved.slots
            new_shared += moved.shared
        return Moved(values, new_slots, new_shared)


class ChainedOptimizer(ChainedTransformation, Optimizer):
    """Transformations and an optimizer at their end: what `chain` returns."""

    @property
    def learning_rate(self) -> Any:
        """The rate of the optimizer at the end."""
        return self._last.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: LearningRate | Tensor) -> None:
        self._last.learning_rate = rate

    @property
    def _last(self) -> Optimizer:
        last = self.links[-1]
        assert isinstance(last, Optimizer)
        return last


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names with a number behind those that have come before.

    Example:
        >>> distinct(["m", "v", "m"])
        ('m', 'v', 'm2')
    """
    found: list[str] = []
    for name in names:
        count = 1 + sum(one.rstrip("0123456789") == name for one in found)
        found.append(name if count == 1 else f"{name}{count}")
    return tuple(found)
