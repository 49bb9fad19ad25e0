"""`native_call`: a library's own function as one differentiable op.

The call is an op of its own, whose kernel is the function. Where the library takes notes for a
tape, its graph runs through the function; where a rule is asked for, by forward mode or by the
reference tape, the rule asks the library for the derivative, in an op of the same kind. So it nests
to any order that the library can follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from unigrad.autodiff.rules.registry import Rule
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.calls import check_function
from unigrad.core.errors import (
    HOW_TO_MOVE,
    BackendMismatchError,
    DTypeError,
    NotDifferentiableError,
    ShapeError,
)
from unigrad.core.host_errors import own_errors
from unigrad.core.native_tape import Kernel, Native
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.op import OPS, Op
from unigrad.core.registry import current_backend
from unigrad.core.tensor import Tensor
from unigrad.native.interop import home_of, name_of


def native_call(
    function: Callable[..., Any],
    /,
    *args: Any,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
) -> Any:
    """Call a function of a library's own arrays on Tensors, as one op.

    The library differentiates it by its own autograd, to any order, in both modes where it can.
    NumPy has none: give a derivative.

    Args:
        function: takes and returns pytrees of native arrays. It must not change its inputs.
        args: pytrees of Tensors, Variables and arrays, of one library. What is no array in them,
            a number for example, is handed through.
        vjp: ``vjp(cotangent, result, *args)`` gives a tuple with one gradient per argument, in its
            structure (``None`` for what has none), all of native arrays; to be used in place of the
            library's.
        jvp: ``jvp(tangents, result, *args)``, with one tangent per argument, gives the result's.

    Returns:
        The result, with Tensors for the arrays.

    Raises:
        DTypeError: when there is no array among the arguments, or when the function returns
            anything else than arrays of the library.
        BackendMismatchError: when arguments live on two backends.
        ShapeError: when ``vjp`` or ``jvp`` gives something of another structure or shape.
        NotDifferentiableError: when a derivative is wanted that neither the library has nor you
            gave.

    Example:
        >>> import numpy as np
        >>> import unigrad as ug
        >>> with ug.use_backend("numpy"):
        ...     cube = ug.asarray(2.0)
        >>> def slope(g, y, x):
        ...     return (3 * g * x**2,)
        >>> float(ug.grad(lambda x: native_call(lambda a: a**3, x, vjp=slope))(cube))
        12.0
    """
    check_function("native_call: function", function)
    leaves, structure = tree.flatten(args)
    home = _common_home(function, leaves)
    places = [i for i, leaf in enumerate(leaves) if home_of(leaf) is not None]
    if not places:
        raise DTypeError(f"native_call: {name_of(function)} was given no tensor")
    like = next((leaf for leaf in leaves if type(leaf) is Tensor), None)
    tensors = [as_tensor(leaves[i], like) for i in places]
    call = _Call(function, home, vjp, jvp, _Layout(structure, leaves, places))
    result = _run(home, call.kernel, call.rule(), tensors, given=bool(vjp or jvp))
    return tree.unflatten(call.structure, result if isinstance(result, tuple) else [result])


def _common_home(function: Callable[..., Any], leaves: Sequence[Any]) -> Backend:
    """Return the one backend of the arguments; ndarrays are taken along.

    Raises:
        BackendMismatchError: when there are two.
    """
    homes = {
        one: None
        for leaf in leaves
        if type(leaf) is not np.ndarray and (one := home_of(leaf)) is not None
    }
    if len(homes) > 1:
        names = " and ".join(one.name for one in homes)
        raise BackendMismatchError(
            f"native_call: {name_of(function)} was given arrays of {names}; {HOW_TO_MOVE}"
        )
    return next(iter(homes), None) or current_backend()


def _run(
    home: Backend,
    kernel: Callable[..., Any],
    rule: Rule,
    tensors: Sequence[Tensor],
    given: bool = False,
) -> Any:
    """Run native code as an op; ``given`` when the rule overrides the library's own derivative."""
    op = Op("native_call")
    op.foreign = op.opaque = True
    op.rule = rule
    op.kernels = _Kernels(op)
    op.kernels[home] = home.differentiable(kernel, lambda: rule) if given else kernel
    return op(*tensors)


class _Kernels(dict[Backend, Kernel | None]):
    """The kernels of a native function: itself, and what interpreters make of it."""

    def __init__(self, op: Op) -> None:
        self._op = op

    def __missing__(self, backend: Backend) -> Kernel | None:
        return backend.kernel(self._op)


_Arrays: TypeAlias = Sequence[Any]
_Derivative: TypeAlias = Callable[[_Arrays, _Arrays, _Arrays], _Arrays]


class _Layout:
    """Where the arrays are among the arguments."""

    def __init__(self, structure: Any, leaves: Sequence[Any], places: Sequence[int]) -> None:
        self.structure = structure
        self.places = places
        self._leaves = leaves

    def filled(self, arrays: Sequence[Any]) -> Any:
        """Return the arguments with these in place of their arrays."""
        leaves = [*self._leaves]
        for i, one in zip(self.places, arrays, strict=True):
            leaves[i] = one
        return tree.unflatten(self.structure, leaves)


class _Call:
    """One call of a native function: its kernel on a flat list of arrays, and its derivative."""

    def __init__(
        self,
        function: Callable[..., Any],
        home: Backend,
        vjp: Callable[..., Any] | None,
        jvp: Callable[..., Any] | None,
        layout: _Layout,
    ) -> None:
        self._function = function
        self._home = home
        self._vjp = vjp
        self._jvp = jvp
        self._layout = layout
        #: The result's, once it has run.
        self.structure: Any = None

    def kernel(self, *arrays: Native) -> Any:
        """Call the function; return its array, or a tuple of them."""
        with own_errors():
            result = self._function(*self._layout.filled(arrays))
        found, self.structure = tree.flatten(result)
        self._check(found)
        return found[0] if self.structure.is_leaf() else tuple(found)

    def _check(self, found: Sequence[Any]) -> None:
        """Refuse results that are no arrays of the library."""
        if not found:
            raise DTypeError(f"native_call: {name_of(self._function)} returned no array")
        for one in found:
            refuse_mask(one)
            if not self._home.owns(one) and not self._is_scalar(one):
                kind = f"{type(one).__module__}.{type(one).__qualname__}"
                raise DTypeError(
                    f"native_call: {name_of(self._function)} gave a "
                    f"{kind.removeprefix('builtins.')}, where an array of {self._home.name} was "
                    "expected"
                )

    def _is_scalar(self, one: Any) -> bool:
        """Tell whether a result is what NumPy's functions return for a 0-d array."""
        return isinstance(one, np.generic) and self._home.array_type is np.ndarray

    def rule(self) -> Rule:
        """Return the derivative, in ops of the same kind."""
        forward = self._jvp is not None or self._vjp is None
        return _NativeRule(self._home, self._pullback, self._pushforward if forward else None)

    def _pullback(self, inputs: _Arrays, results: _Arrays, cotangents: _Arrays) -> _Arrays:
        if self._vjp is None:
            return self._library(lambda: self._home.vjp(self._listed, inputs)[1](cotangents))
        args = self._layout.filled(inputs)
        found = self._vjp(self._result(cotangents), self._result(results), *args)
        if not isinstance(found, (tuple, list)) or len(found) != len(args):
            raise ShapeError(
                f"native_call: vjp of {name_of(self._function)} gave no tuple of {len(args)} "
                "gradients, one for each argument"
            )
        leaves: list[Any] = []
        for arg, one in zip(args, found, strict=True):
            flat, structure = tree.flatten(arg)
            leaves += [None] * len(flat) if one is None else self._leaves("vjp", structure, one)
        return self._fitting("vjp", [leaves[i] for i in self._layout.places], inputs)

    def _pushforward(self, inputs: _Arrays, results: _Arrays, tangents: _Arrays) -> _Arrays:
        if self._jvp is None:
            return self._library(lambda: self._home.jvp(self._listed, inputs, tangents)[1])
        given = [
            _zeros(self._home, x) if one is None else one
            for x, one in zip(inputs, tangents, strict=True)
        ]
        found = self._jvp(
            self._layout.filled(given), self._result(results), *self._layout.filled(inputs)
        )
        return self._fitting("jvp", self._leaves("jvp", self.structure, found), results)

    def _library(self, ask: Callable[[], _Arrays]) -> _Arrays:
        """Ask the library for its own derivative."""
        try:
            return ask()
        except NotDifferentiableError as error:
            raise NotDifferentiableError(
                f"native_call: {name_of(self._function)} has no derivative, since {error}: give "
                "vjp= or jvp="
            ) from None

    def _listed(self, *arrays: Native) -> tuple[Native, ...]:
        found = self.kernel(*arrays)
        return found if isinstance(found, tuple) else (found,)

    def _result(self, leaves: _Arrays) -> Any:
        return tree.unflatten(self.structure, leaves)

    def _leaves(self, what: str, structure: Any, found: Any) -> list[Any]:
        """Return the leaves of a derivative that was given.

        Raises:
            ShapeError: when its structure is another.
        """
        try:
            leaves: list[Any] = structure.flatten_up_to(found)
            nested = [one for one in leaves if one is not None and not tree.is_leaf(one)]
            reason = f"{type(nested[0]).__name__} for an array" if nested else ""
        except ValueError as error:
            reason = str(error)
        if reason:
            raise ShapeError(
                f"native_call: what {what} of {name_of(self._function)} gave is of another "
                f"structure: {reason}"
            )
        return leaves

    def _fitting(self, what: str, found: _Arrays, likes: _Arrays) -> _Arrays:
        """Return a derivative that was given, checked.

        Raises:
            ShapeError: when a shape is another.
            DTypeError: when something in it is no array of the library.
        """
        for one, like in zip(found, likes, strict=True):
            if one is None:
                continue
            self._check([one])
            given, wanted = tuple(np.shape(one)), self._home.shape(like)
            if given != wanted:
                raise ShapeError(
                    f"native_call: {what} of {name_of(self._function)} gave shape {given} where "
                    f"{wanted} was expected"
                )
        return found


def _zeros(home: Backend, like: Native) -> Native:
    return OPS["full_like"].kernels[home](like, value=0)  # type: ignore[misc]


class _NativeRule(Rule):
    """Derivatives by native code: functions of inputs, results and (co)tangents."""

    __slots__ = ("_home", "_pullback", "_pushforward")

    def __init__(
        self, home: Backend, pullback: _Derivative, pushforward: _Derivative | None
    ) -> None:
        super().__init__(variadic=self._one, jvp=None if pushforward is None else self._tangents)
        self._home = home
        self._pullback = pullback
        self._pushforward = pushforward

    def _one(self, position: int, g: Any, out: Any, *inputs: Tensor) -> Tensor:
        return self.cotangents([position], g, out, inputs, {})[0]

    def cotangents(
        self,
        positions: Sequence[int],
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
    ) -> Sequence[Tensor]:
        return self._derived(self._pullback, [*inputs], _listed(out), _listed(g), positions)

    def _tangents(self, tangents: Sequence[Tensor | None], out: Any, *inputs: Tensor) -> Any:
        assert self._pushforward is not None
        results = _listed(out)
        found = self._derived(
            self._pushforward, [*inputs], results, [*tangents], [*range(len(results))]
        )
        return found if isinstance(out, (tuple, list)) else found[0]

    def _derived(
        self,
        derive: _Derivative,
        inputs: list[Tensor],
        results: list[Tensor],
        along: list[Tensor | None],
        positions: Sequence[int],
    ) -> list[Tensor]:
        """Run native code that computes a derivative, as an op; return its results at positions."""
        home, counts = self._home, (len(inputs), len(results))
        given = [one is not None for one in along]

        def split(arrays: _Arrays) -> tuple[_Arrays, _Arrays, _Arrays]:
            rest = iter(arrays[sum(counts) :])
            moving = [next(rest) if one else None for one in given]
            return arrays[: counts[0]], arrays[counts[0] : sum(counts)], moving

        def listed(*arrays: Native) -> tuple[Native, ...]:
            parts = split(arrays)
            found = derive(*parts)
            likes = parts[0] if derive == self._pullback else parts[1]
            return tuple(
                [_zeros(home, likes[i]) if found[i] is None else found[i] for i in positions]
            )

        def kernel(*arrays: Native) -> Any:
            found = listed(*arrays)
            return found if len(found) > 1 else found[0]

        rule = _NativeRule(
            home,
            lambda inputs, results, g: home.vjp(listed, inputs)[1](g),
            lambda inputs, results, tangents: home.jvp(listed, inputs, tangents)[1],
        )
        tensors = [*inputs, *results, *[one for one in along if one is not None]]
        return _listed(_run(home, kernel, rule, tensors))


def _listed(results: Any) -> list[Any]:
    return [*results] if isinstance(results, (tuple, list)) else [results]
