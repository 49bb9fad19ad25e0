"""Calls of functions whose derivative is given by hand: arguments and results as flat tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import optree

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.calls import check_function
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.tracing.signature import is_input


class Custom:
    """A function whose derivative is given afterwards, in a method of its own."""

    def __init__(
        self, function: Callable[..., Any], nondiff_argnums: int | Sequence[int] = ()
    ) -> None:
        check_function(f"{type(self).__name__}: function", function)
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        self._function = function
        self._name = getattr(function, "__name__", "function")
        places = [nondiff_argnums] if isinstance(nondiff_argnums, int) else [*nondiff_argnums]
        self._fixed = tuple(places)
        self._count = _count_of_positions(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        if kwargs or len(args) < self._count:
            bound = inspect.signature(self._function).bind(*args, **kwargs)
            bound.apply_defaults()
            if bound.kwargs:
                raise SettingError(
                    f"{self._name}: a function with a derivative of its own takes no arguments "
                    f"by keyword only: {', '.join(bound.kwargs)}"
                )
            args = bound.args
        for i in self._fixed:
            if not -len(args) <= i < len(args):
                raise SettingError(f"{self._name}: nondiff_argnums {i} for {len(args)} arguments")
        return Call(self._name, args, [i % len(args) for i in self._fixed])


def _count_of_positions(function: Callable[..., Any]) -> int:
    """Return how many arguments a function takes by position, those with defaults included."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # Some of C's do not tell.
        return 0
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in by_position for one in parameters)


class Call:
    """One call: its arguments as tensors and the rest, and the structure of its result."""

    def __init__(self, name: str, args: tuple[Any, ...], fixed: Sequence[int]) -> None:
        self.name = name
        #: Arguments that are handed on as they are, in order.
        self.fixed = [args[i] for i in fixed]
        self._places = {i: args[i] for i in fixed}
        self._count = len(args)
        moving = tuple([x for i, x in enumerate(args) if i not in self._places])
        self.leaves, self._structure = tree.flatten(moving)
        self._is_tensor = [isinstance(x, Variable) or is_input(x) for x in self.leaves]
        self.tensors = [
            as_tensor(x) for x, one in zip(self.leaves, self._is_tensor, strict=True) if one
        ]
        self.result: Any = None

    def moving(self, tensors: Sequence[Tensor]) -> tuple[Any, ...]:
        """Return the arguments that may be differentiated by, of these tensors."""
        given = iter(tensors)
        leaves = [
            next(given) if one else x for x, one in zip(self.leaves, self._is_tensor, strict=True)
        ]
        args: tuple[Any, ...] = tree.unflatten(self._structure, leaves)
        return args

    def args(self, tensors: Sequence[Tensor]) -> list[Any]:
        """Return all arguments, in the function's order."""
        rest = iter(self.moving(tensors))
        return [self._places[i] if i in self._places else next(rest) for i in range(self._count)]

    def flat(self, result: Any) -> tuple[Tensor, ...]:
        """Return a result's leaves, and remember its structure."""
        leaves, self.result = tree.flatten(result)
        return tuple(map(as_tensor, leaves))

    def key(self) -> Any:
        """Return a key of all that a result's structure, shapes and dtypes may depend on.

        ``None`` is returned where an argument that is no tensor has no hash.
        """
        kinds = tuple([(x.shape, x.dtype, x.backend) for x in self.tensors])
        rest = [x for x, one in zip(self.leaves, self._is_tensor, strict=True) if not one]
        others = tuple([(type(x), x) for x in (*rest, *self.fixed)])
        key = self._structure, kinds, others
        try:
            hash(key)
        except TypeError:
            return None
        return key

    def structure_of(self, result: Any) -> tuple[Any, list[Any]]:
        """Return a result's structure, and of each leaf the shape and the dtype."""
        leaves, structure = tree.flatten(result)
        return structure, [(x.shape, x.dtype) for x in map(as_tensor, leaves)]

    def check(self, given: Any, what: str, outputs: Sequence[Tensor]) -> None:
        """Check something that ought to be the call's result. Raises as `check_like`."""
        self.check_like(given, what, self.result, [(x.shape, x.dtype) for x in outputs])

    def check_like(self, given: Any, what: str, structure: Any, kinds: Sequence[Any]) -> None:
        """Check something that ought to be like the function's result.

        Raises:
            ShapeError: when its structure, or a shape in it, is another.
            DTypeError: when a dtype is; Python's numbers have none.
        """
        leaves, found = tree.flatten(given)
        if found != structure:
            raise ShapeError(
                f"{self.name}: {what} has structure {found}, that of the function {structure}"
            )
        for leaf, (shape, dtype) in zip(leaves, kinds, strict=True):
            x = as_tensor(leaf)
            if x.shape != shape:
                raise ShapeError(
                    f"{self.name}: {what} has shape {x.shape}, that of the function {shape}"
                )
            if isinstance(leaf, Tensor) and x.dtype != dtype:
                raise DTypeError(
                    f"{self.name}: {what} is {x.dtype.name}, that of the function {dtype.name}"
                )

    def of_inputs(self, given: Any, what: str) -> list[Any]:
        """Return something given per argument as one entry per tensor; ``None`` is zero.

        Raises:
            ShapeError: when its structure, or a shape in it, is not the argument's.
        """
        arguments = self.moving(self.tensors)
        if not isinstance(given, (tuple, list)) or len(given) != len(arguments):
            count = len(given) if isinstance(given, (tuple, list)) else type(given).__name__
            raise ShapeError(
                f"{self.name}: {what} for {len(arguments)} arguments are a tuple of as many, "
                f"not {count}"
            )
        entries: list[tuple[int, Any]] = []
        for i, (one, argument) in enumerate(zip(given, arguments, strict=True)):
            # A part that is zero may be left out.
            leaves, structure = optree.tree_flatten(argument, none_is_leaf=True)
            found, other = optree.tree_flatten(one, none_is_leaf=True)
            if one is None:
                found, other = [None] * len(leaves), structure
            if other != structure:
                raise ShapeError(
                    f"{self.name}: {what} for argument {i} have structure {other}, not {structure}"
                )
            entries += [(i, x) for x, leaf in zip(found, leaves, strict=True) if leaf is not None]
        kept = [x for x, one in zip(entries, self._is_tensor, strict=True) if one]
        return [
            None if x is None else _like(f"{self.name}: {what}: that for argument {i}", x, like)
            for (i, x), like in zip(kept, self.tensors, strict=True)
        ]


def _like(what: str, x: Any, like: Tensor) -> Tensor:
    """Return a cotangent as `of_shape` does.

    Raises:
        DTypeError: when it is no number, and no array of numbers.
        ShapeError: when its shape is another.
    """
    try:
        x = as_tensor(x, like)
    except DTypeError as error:
        raise DTypeError(f"{what}: {error}") from None
    return of_shape(what, x, like)


def of_shape(what: str, x: Tensor, like: Tensor) -> Tensor:
    """Return a cotangent or tangent of its value's shape, in the value's dtype.

    Raises:
        ShapeError: when its shape is another.
    """
    if x.shape != like.shape:
        raise ShapeError(f"{what} has shape {x.shape} for a value of shape {like.shape}")
    return cast(x, like.dtype) if like.dtype in INEXACT else x
