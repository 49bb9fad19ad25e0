"""`Transformation`: what optimizers, and functions of gradients with or without state, share.

A transformation names what it keeps per parameter (slots) and for all of them (shared state), and
has one method, `_move`, from columns (parameters, gradients, slots) to columns. The pure functions
``init`` and ``update`` over pytrees are made of that here, the objects with Variables in
`unigrad.optimizers.base`: neither knows a formula.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import optree

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.dtypes import COMPLEX, FLOATING, INTEGER, DType, float32, float64, int64
from unigrad.core.errors import (
    HOW_TO_MOVE,
    BackendMismatchError,
    DTypeError,
    SettingError,
    ShapeError,
)
from unigrad.core.tensor import Tensor
from unigrad.ops.filling import zeros
from unigrad.optimizers.numbers import Number
from unigrad.tracing.dependencies import watched

Column: TypeAlias = list[Tensor]
#: Chooses parameters: a regular expression that is searched for in their names, or a function of
#: name and parameter.
Selection: TypeAlias = str | Callable[[str, Tensor], bool]

#: Of many handles at once.
native_of = attrgetter("_native")
_backend_of, _dtype_of, _shape_of = map(attrgetter, ("backend", "dtype", "shape"))


class Moment(NamedTuple):
    """Where an update happens."""

    #: How many steps were done before.
    done: Tensor
    #: The number of this step, from 1.
    step: Tensor
    #: Gives the parameters' names: those of Variables, or paths in a tree, as in "decoder/0/w".
    names: Callable[[], Sequence[str]]


class Moved(NamedTuple):
    """What an update gives."""

    #: New gradients, or, from an optimizer, new parameters.
    values: Column
    #: New slots, one column each.
    slots: list[Column]
    #: The new shared state.
    shared: list[Tensor]


@watched
class Transformation(ABC):
    """A function of gradients, with state: ``init(parameters)`` and ``update(…)``, which are pure.

    What it gives is gradients of the same structure; an `Optimizer` gives new parameters. They are
    put one before the other by `chain`.
    """

    #: The names of what is kept per parameter.
    slot_names: tuple[str, ...] = ()
    #: The names of what is kept for all parameters, beside the number of steps.
    shared_names: tuple[str, ...] = ()

    #: Whether slots depend on a parameter's name.
    by_name: bool = False

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the shapes of the slots of a parameter of some shape ("" if not `by_name`)."""
        return [shape] * len(self.slot_names)

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        """Return the first slots of a parameter (never in half precision): zeros by default."""
        shapes = self._slot_shapes(name, parameter.shape)
        return [zeros(shape, dtype=parameter.dtype, like=parameter) for shape in shapes]

    def _shared_of(self, like: Tensor) -> list[Tensor]:
        """Return the first shared state, in a float as wide as ``like``, and beside it."""
        return [constant(like, 0.0) for _ in self.shared_names]

    def _all_numbers(self) -> Iterator[Number]:
        """Give the numbers that may change from step to step."""
        return iter(())

    @abstractmethod
    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        """Do one step. No tensor is of half precision."""

    # -- as pure functions

    def init(self, parameters: Any) -> dict[str, Any]:
        """Return the state before the first step: its number, slots and shared state by name.

        Args:
            parameters: a pytree of floating Tensors.

        Raises:
            DTypeError: when a parameter is no floating one.
        """
        leaves, structure = tree.flatten(parameters)
        tensors = [as_tensor(leaf) for leaf in leaves]
        paths = _paths(parameters)
        for name, tensor in zip(paths, tensors, strict=True):
            require_floating(type(self).__name__, f"parameter {name!r}", tensor.dtype)
        started = [self._slots_of(*one) for one in zip(paths, map(widened, tensors), strict=True)]
        state: dict[str, Any] = {
            "step": constant(tensors[0], 0, int64) if tensors else as_tensor(0)
        }
        for i, name in enumerate(self.slot_names):
            state[name] = tree.unflatten(structure, [slots[i] for slots in started])
        shared = self._shared_of(wide_like(tensors)) if self.shared_names else []
        return {**state, **dict(zip(self.shared_names, shared, strict=True))}

    def update(
        self, gradients: Any, state: Mapping[str, Any], parameters: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Return new gradients (an optimizer: new parameters) and the state after one step.

        Nothing is changed in place.

        Raises:
            ShapeError: when the trees, or a gradient and its parameter, do not fit.
            DTypeError: when a parameter is no floating one, or a gradient has another dtype.
            BackendMismatchError: when a gradient is of another backend.

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
        names = _Paths(parameters)
        given = _like_tree("gradients", gradients, structure, names)
        tensors = [as_tensor(leaf) for leaf in leaves]
        slots = []
        for name in self.slot_names:
            if name not in state or tree.structure(state[name]) != structure:
                raise ShapeError(f"update: the state has no tree {name!r} like the parameters'")
            slots.append([as_tensor(one) for one in tree.leaves(state[name])])
        for name in self.shared_names:
            if name not in state:
                raise ShapeError(f"update: the state has no {name!r}")
        shared = [as_tensor(state[name]) for name in self.shared_names]
        done = _step_number(type(self).__name__, state["step"])
        moment = Moment(done, done + 1, names)
        slots = self._fitting_slots(type(self).__name__, moment, tensors, slots)
        moved = self._checked_move(moment, tensors, given, slots, shared)
        new = {
            name: tree.unflatten(structure, column)
            for name, column in zip(self.slot_names, moved.slots, strict=True)
        }
        rest = dict(zip(self.shared_names, moved.shared, strict=True))
        return tree.unflatten(structure, moved.values), {"step": moment.step, **new, **rest}

    def _checked_move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Sequence[Any],
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        """Do one step on what somebody gave, in single precision where that was half."""
        checked = self._fitting_gradients(type(self).__name__, moment, parameters, gradients)
        if not any_half(parameters):
            return self._move(moment, parameters, checked, slots, shared)
        wide = [widened(one) for one in parameters]
        moved = self._move(moment, wide, [widened(one) for one in checked], slots, shared)
        values = [cast(new, old.dtype) for new, old in zip(moved.values, parameters, strict=True)]
        return moved._replace(values=values)

    def _fitting_gradients(
        self, owner: str, moment: Moment, parameters: Column, gradients: Sequence[Any]
    ) -> Column:
        """Return gradients as Tensors that fit their parameters."""
        if {*map(type, gradients)} == {Tensor}:
            # Most often all fit, and whole lists are quickly compared.
            new, old = [*map(native_of, gradients)], [*map(native_of, parameters)]
            kinds = [*map(_dtype_of, old)]
            if (
                [*map(_backend_of, gradients)] == [*map(_backend_of, parameters)]
                and [*map(_dtype_of, new)] == kinds
                and [*map(_shape_of, new)] == [*map(_shape_of, old)]
                and parameters[0].backend.native_reals.keys() >= {*kinds}
            ):
                return [*gradients]
        found = []
        for i, (parameter, given) in enumerate(zip(parameters, gradients, strict=True)):
            # Python's numbers take the parameter's dtype.
            gradient = given if type(given) is Tensor else _beside(given, parameter)
            if (
                gradient.backend is not parameter.backend
                or gradient._native.shape != parameter._native.shape
                or gradient._native.dtype != parameter._native.dtype
            ):
                _require_fitting(owner, moment.names()[i], parameter, gradient)
            found.append(gradient)
        for i, parameter in enumerate(parameters):
            if parameter._native.dtype not in parameter.backend.native_reals:
                require_floating(owner, f"parameter {moment.names()[i]!r}", parameter.dtype)
        return found

    def _fitting_slots(
        self, owner: str, moment: Moment, parameters: Column, slots: list[Column]
    ) -> list[Column]:
        """Return slots in the dtype of their parameters' updates.

        Raises:
            ShapeError: when one has another shape than `_slot_shapes` gives.
            DTypeError: when one is complex.
        """
        if type(self)._slot_shapes is Transformation._slot_shapes and not any_half(parameters):
            # Most often all are like their parameters, and whole lists are quickly compared.
            old = [*map(native_of, parameters)]
            kinds, shapes_of_old = [*map(_dtype_of, old)], [*map(_shape_of, old)]
            likes = [*map(_backend_of, parameters)]
            if likes and likes[0].native_reals.keys() >= {*kinds}:
                for column in slots:
                    new = [*map(native_of, column)]
                    if (
                        [*map(_backend_of, column)] != likes
                        or [*map(_dtype_of, new)] != kinds
                        or [*map(_shape_of, new)] != shapes_of_old
                    ):
                        break
                else:
                    return slots
        names = moment.names() if self.by_name else [""] * len(parameters)
        for i, parameter in enumerate(parameters):
            shapes = self._slot_shapes(names[i], parameter.shape)
            for name, shape, column in zip(self.slot_names, shapes, slots, strict=True):
                slot = column[i]
                if slot.shape != shape:
                    raise ShapeError(
                        f"{owner}: a {name} of shape {slot.shape} for a parameter of shape "
                        f"{parameter.shape}, where it has {shape}"
                    )
                if slot.dtype in COMPLEX:
                    raise DTypeError(f"{owner}: a {name} is {slot.dtype.name}; slots are real")
        wanted = [within(parameter.dtype) for parameter in parameters]
        return [[*map(cast, column, wanted)] for column in slots]


class _Paths:
    """The paths of a tree's leaves, found when somebody asks."""

    def __init__(self, parameters: Any) -> None:
        self._parameters = parameters

    def __call__(self) -> list[str]:
        return _paths(self._parameters)


def _paths(parameters: Any) -> list[str]:
    """Return the path of each leaf, as in "decoder/0/w"."""
    return ["/".join(map(str, path)) for path in optree.tree_paths(parameters)]


def _like_tree(what: str, given: Any, structure: Any, names: Callable[[], list[str]]) -> list[Any]:
    """Return the leaves of a tree that must have the parameters' structure."""
    leaves, found = optree.tree_flatten(given, none_is_leaf=True)
    missing = [i for i, leaf in enumerate(leaves) if leaf is None]
    if missing and len(leaves) == structure.num_leaves:
        lacking = ", ".join(repr(names()[i]) for i in missing)
        raise SettingError(f"update: no gradient for {lacking}; give zeros, or leave them out")
    if tree.structure(given) != structure:
        raise ShapeError(
            f"update: the {what}' tree {found} is not that of the parameters, {structure}"
        )
    return leaves


def _beside(value: Any, parameter: Tensor) -> Tensor:
    """Return a gradient that is no Tensor yet: an array keeps its dtype, Python's values do not."""
    tensor = as_tensor(value, parameter)
    if isinstance(value, bool | int | float | list | tuple) and tensor.dtype != parameter.dtype:
        return cast(tensor, parameter.dtype)
    return tensor


def _require_fitting(owner: str, name: str, parameter: Tensor, gradient: Tensor) -> None:
    """Refuse a gradient that does not fit; one of a batch, or beside one, may."""
    require_floating(owner, f"parameter {name!r}", parameter.dtype)
    if gradient.backend.root is not parameter.backend.root:
        raise BackendMismatchError(
            f"{owner}: the gradient of {name!r} lives on {gradient.backend.name!r}, its parameter "
            f"on {parameter.backend.name!r}; {HOW_TO_MOVE}"
        )
    if gradient.shape != parameter.shape:
        raise ShapeError(
            f"{owner}: a gradient of shape {gradient.shape} for {name!r}, a parameter of shape "
            f"{parameter.shape}"
        )
    if gradient.dtype != parameter.dtype:
        raise DTypeError(
            f"{owner}: a gradient of dtype {gradient.dtype.name} for {name!r}, a parameter of "
            f"dtype {parameter.dtype.name}; cast it: gradient.astype({parameter.dtype.name!r})"
        )


def require_floating(owner: str, what: str, dtype: DType) -> None:
    """Refuse a dtype in which there is nothing to update: the formulas are those of real numbers.

    Raises:
        DTypeError: then.
    """
    if dtype not in FLOATING:
        hint = "; give its real and imaginary parts" if dtype in COMPLEX else ""
        raise DTypeError(f"{owner}: {what} is {dtype.name}; only floats are updated{hint}")


def selected(selection: Selection | None, names: Sequence[str], parameters: Column) -> list[bool]:
    """Tell which parameters a selection chooses; ``None`` chooses all.

    Raises:
        SettingError: when it is no selection.
    """
    import re

    if selection is None:
        return [True] * len(parameters)
    if not isinstance(selection, str) and not callable(selection):
        raise SettingError(
            f"a selection of parameters is a regular expression, or a function of name and "
            f"parameter, not {type(selection).__name__}"
        )
    if isinstance(selection, str):
        try:
            return [re.search(selection, name) is not None for name in names]
        except re.error as error:
            raise SettingError(
                f"a selection of parameters is a regular expression, and {selection!r} is none: "
                f"{error}"
            ) from None
    return [bool(selection(name, one)) for name, one in zip(names, parameters, strict=True)]


def within(dtype: DType) -> DType:
    """Return the dtype in which parameters of a dtype are updated."""
    return float32 if dtype.itemsize == 2 else dtype


def any_half(tensors: Sequence[Tensor]) -> bool:
    """Tell whether any of some tensors is of half precision."""
    one_of_each = {one._native.dtype: one for one in tensors}
    return any(one.dtype.itemsize == 2 for one in one_of_each.values())


def widened(x: Tensor) -> Tensor:
    """Return a tensor of half precision in single precision, others as they are."""
    return cast(x, float32) if x.dtype.itemsize == 2 else x


def wide_like(tensors: Sequence[Tensor]) -> Tensor:
    """Return a tensor whose dtype and place shared state has: float64 if any parameter is so."""
    for tensor in tensors:
        if tensor.dtype == float64:
            return tensor
    return widened(tensors[0]) if tensors else as_tensor(0.0)


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
