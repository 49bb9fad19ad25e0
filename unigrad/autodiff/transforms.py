"""Derivatives of functions: `grad`, `value_and_grad`, `vjp`, `jvp`.

They are the tape and the accumulator in functional dress, with JAX's signatures: arguments are
pytrees, unconnected means zero, and they compose with each other, with tapes and with `ug.jit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from itertools import islice
from types import NoneType
from typing import Any

import optree

from unigrad.autodiff.as_before import AsBefore
from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function, is_single, pair, positions, sequence
from unigrad.core.copying import kept_handles, own_handles
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.interpreters import stack
from unigrad.core.leaks import warn_program
from unigrad.core.tensor import Tensor
from unigrad.core.traces import traced_by
from unigrad.core.variable import Variable
from unigrad.ops.identity import identity


def grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that computes the gradient of a scalar function.

    Args:
        f: returns a floating scalar; with ``has_aux`` a pair of it and anything else.
        argnums: the position of the argument to differentiate by, or several; then the gradient
            is a tuple.
        has_aux: the new function then returns ``(gradient, aux)``.

    Raises:
        ShapeError: when the result is no scalar, or there is no argument at a position.
        DTypeError: when an argument to differentiate by, or the result, is no float.
        SettingError: when ``argnums`` is no integer, or with ``has_aux`` the result is no pair.

    Example:
        >>> float(grad(lambda x: x**2)(3.0))
        6.0
    """
    check_function("grad: f", f)
    both = value_and_grad(f, argnums, has_aux)

    @wraps(f, updated=())
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return the function that computes a scalar function's value and gradient at once.

    Arguments and errors are those of `grad`. With ``has_aux`` the value is the pair.

    Example:
        >>> value, gradient = value_and_grad(lambda x: x**2)(3.0)
        >>> float(value), float(gradient)
        (9.0, 6.0)
    """
    check_function("value_and_grad: f", f)
    single = is_single(argnums)

    @wraps(f, updated=())
    def both(*args: Any, **kwargs: Any) -> Any:
        places = positions("grad", argnums, len(args))
        args, sources = _sources("grad", args, places)
        tape = _TransformTape()
        with tape:
            tape.watch(sources)
            sources = kept_handles(sources)
            result = f(*args, **kwargs)
            if has_aux:
                result = pair("grad: with has_aux the function returns a value and more", result)
            # Here, where a library's own graph still leads from its array to the arguments.
            value = _single(result[0] if has_aux else result)
        if value.shape != ():
            raise ShapeError(
                f"grad: the function returned shape {value.shape}, not a scalar: "
                "sum it, or use ug.vjp"
            )
        if value.dtype not in INEXACT:
            raise DTypeError(f"grad: the function returned {value.dtype.name}, which has none")
        found = tape.connected("grad", places, value, sources)
        gradients = found[0] if single else tuple(found)
        return own_handles((value, result[1]) if has_aux else value), gradients

    return both


def _single(result: Any) -> Tensor:
    """Return what ought to be a scalar.

    Raises:
        ShapeError: when it is a container.
        DTypeError: when it is no number.
    """
    if isinstance(result, (tuple, list, dict)):
        raise ShapeError(
            f"grad: the function returned a {type(result).__name__} of {len(result)}, not a "
            "scalar: with has_aux=True it returns a pair of a scalar and anything else"
        )
    try:
        return as_tensor(result)
    except DTypeError as error:
        raise DTypeError(f"grad: the function's result: {error}") from None


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return a function's result and its pullback at these arguments: ``(result, pullback)``.

    The pullback takes a cotangent of the result's structure and returns a tuple with one
    gradient (a pytree) per argument: ūᵀ J. It can be called any number of times, and under
    `vmap` for a batch of cotangents. Where a library's own autograd has recorded the function,
    that runs it once more, recorded by the rules.

    Args:
        f: a function of the primals; returns a pytree of tensors, with ``has_aux`` a pair of it
            and anything else.
        primals: pytrees of floating tensors.
        has_aux: return ``(result, pullback, aux)``.

    Raises:
        DTypeError: when an argument is no float.
        ShapeError: when a cotangent's shape is not the result's.
        SettingError: when with ``has_aux`` the function returns no pair.
        TracingError: when the function assigns to a variable and would have to run once more.

    Example:
        >>> out, pullback = vjp(lambda x: x * x, 3.0)
        >>> float(out), float(pullback(2.0)[0])
        (9.0, 12.0)
    """
    check_function("vjp: f", f)
    taped = _Taped(f, primals, has_aux)
    by_rules: list[_Taped] = []

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        if not taped.takes(cotangent):
            if not by_rules:
                seen = taped.tape.seen
                with traced_by(AsBefore(seen)):
                    by_rules.append(_Taped(f, primals, has_aux, reference=True, known=seen))
            return by_rules[0].pullback(cotangent)
        return taped.pullback(cotangent)

    out = own_handles(taped.out)
    return (out, pullback, own_handles(taped.aux)) if has_aux else (out, pullback)


class _Taped:
    """A function that has run on a tape, to be pulled back any number of times."""

    def __init__(
        self,
        f: Callable[..., Any],
        primals: Sequence[Any],
        has_aux: bool = False,
        reference: bool = False,
        known: Mapping[int, Tensor] | None = None,
    ) -> None:
        self.positions = range(len(primals))
        args, self.sources = _sources("vjp", tuple(primals), [*self.positions])
        self.tape = _TransformTape(persistent=True, reference=reference, known=known)
        with self.tape:
            self.tape.watch(self.sources)
            self.sources = kept_handles(self.sources)
            self.out, self.aux = _with_aux("vjp", f(*args), has_aux)

    def takes(self, cotangent: Any) -> bool:
        """Tell whether the tape can carry a cotangent: a library's own cannot carry a batch."""
        if not stack.frames or not any(self.tape.native_tapes.values()):
            return True
        return not any(
            isinstance(one, Tensor) and one.backend.depth for one in tree.leaves(cotangent)
        )

    def pullback(self, cotangent: Any) -> tuple[Any, ...]:
        """Return the gradients by the arguments."""
        _refuse_none(self.out, cotangent)
        found = self.tape.connected("vjp", self.positions, self.out, self.sources, cotangent)
        return tuple(found)


def _with_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    """Return what is differentiated of a function's result, as tensors, and what is not."""
    value, aux = result, None
    if has_aux:
        value, aux = pair(f"{name}: with has_aux f returns a pair of a result and more", result)
    return tree.map(_result, value), aux


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """Return a function's result and its directional derivative J v: ``(result, tangent)``.

    Args:
        f: a function of the primals; returns a pytree of tensors, with ``has_aux`` a pair of it
            and anything else.
        primals: a sequence with one pytree per argument.
        tangents: the direction, in the same structure.
        has_aux: return ``(result, tangent, aux)``.

    Raises:
        DTypeError: when a primal is no float.
        ShapeError: when structures or shapes differ.
        SettingError: when primals or tangents are no tuple or list, or with ``has_aux`` the
            function returns no pair.

    Example:
        >>> out, tangent = jvp(lambda x: x * x, (3.0,), (1.0,))
        >>> float(out), float(tangent)
        (9.0, 6.0)
    """
    return pushed_forward(f, primals, tangents, has_aux, _warn_of_no_path)


def pushed_forward(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
    without_path: Callable[[], object] | None = None,
) -> Any:
    """Do as `jvp`; what to do where the tangent is zero for want of a path is the caller's.

    Example:
        >>> pushed_forward(lambda x: 3.0, (2.0,), (1.0,))[1].item()
        0.0
    """
    check_function("jvp: f", f)
    primals, tangents = sequence("jvp: primals", primals), sequence("jvp: tangents", tangents)
    args, sources = _sources("jvp", primals, range(len(primals)))
    with ForwardAccumulator(sources, list(tangents)) as accumulator:
        out, aux = _with_aux("jvp", f(*args), has_aux)
    tangent = accumulator.jvp(out)
    if without_path is not None and not accumulator.met_steps and not tree.leaves(tangent):
        without_path()  # ``None`` is no leaf.
    found = own_handles(out), accumulator.jvp(out, unconnected_gradients="zero")
    return (*found, own_handles(aux)) if has_aux else found


def _warn_of_no_path() -> None:
    warn_program(
        "jvp: the result was not computed from the arguments by unigrad's ops: the tangent is zero "
        "(what goes by float(x), x.numpy(), x.native, a Variable or a library is not followed)"
    )


def warn_of_arguments(name: str, missing: Sequence[int]) -> None:
    """Warn that a result has no path from the arguments at some positions, if there are such."""
    if missing:
        warn_program(
            f"{name}: the result was not computed from argument {', '.join(map(str, missing))} by "
            "unigrad's ops: the gradient is zero (the way through float(x), x.numpy(), "
            "x.native or another library is not followed)"
        )


class _TransformTape(GradientTape):
    """A tape that answers zeros for ``None``, with one warning if an argument has no path at all.

    A part of an argument that is not used is zero without a word, as in JAX.

    Args:
        persistent: as of any tape.
        reference: as of any tape.
        known: handles of variables' values, by the variables' identity, that those who record
            outside know; their readers get them.
    """

    _cotangents = "vjp: cotangent"

    def __init__(
        self,
        persistent: bool = False,
        reference: bool = False,
        known: Mapping[int, Tensor] | None = None,
    ) -> None:
        super().__init__(persistent, watch_accessed_variables=False, reference=reference)
        self._warned = False
        self._known = known or {}
        #: The values of the variables that were read, by identity, as their readers got them.
        self.seen: dict[int, Tensor] = {}

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        found = super().read(variable, value, handle)
        self.seen.setdefault(variable.uid, found)
        return found

    def handle_of(self, variable: Variable, value: Tensor) -> Tensor | None:
        known = self._known.get(variable.uid)
        return super().handle_of(variable, value) if known is None else known

    def connected(
        self,
        name: str,
        positions: Sequence[int],
        target: Any,
        sources: Sequence[Any],
        cotangent: Any = None,
    ) -> list[Any]:
        """Return the gradients by the arguments at these positions."""
        found, structure = self._ask(target, sources, cotangent, "none")
        answer: list[Any]
        if NoneType not in map(type, found):
            answer = tree.unflatten(structure, found)
            return answer
        missing, rest = [], iter(found)
        for position, source in zip(positions, sources, strict=True):
            parts = [*islice(rest, len(tree.leaves(source)))]
            if parts and all(part is None for part in parts):
                missing.append(position)
        if missing and not self._warned:
            self._warned = True
            warn_of_arguments(name, missing)
        leaves = tree.leaves(sources)
        filled = [zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
        answer = tree.unflatten(structure, filled)
        return answer

    def _warn_of_none(self, source: Any, targets: Sequence[Tensor]) -> None:
        """Say nothing here: it is said once for all."""


def _refuse_none(out: Any, cotangent: Any) -> None:
    """Refuse ``None`` for a cotangent: to a tape it would stand for ones, to a rule for zeros.

    Raises:
        ShapeError: for one, unless its result is no float.
    """
    given, structure = optree.tree_flatten(cotangent, none_is_leaf=True)
    results, wanted = optree.tree_flatten(out, none_is_leaf=True)
    if structure != wanted:
        results = [None] * len(given)
    for one, result in zip(given, results, strict=True):
        missing = result is not None and as_tensor(result).dtype in INEXACT
        if one is None and (missing or structure != wanted):
            raise ShapeError(
                f"vjp: a cotangent is None, where one of the result's structure {wanted} was "
                "expected: give zeros"
            )


def _result(leaf: Any) -> Any:
    """Return a leaf of a function's result, a foreign array as the tensor that stands for it."""
    return leaf if isinstance(leaf, (Tensor, Variable)) else as_tensor(leaf)


def _sources(
    name: str, args: tuple[Any, ...], positions: Sequence[int]
) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the arguments with fresh values, connected to the old ones, at some positions."""
    fresh = list(args)
    for position in positions:
        fresh[position] = tree.map(lambda leaf: _fresh(name, leaf), args[position])
    return tuple(fresh), [fresh[position] for position in positions]


def _fresh(name: str, leaf: Any) -> Tensor:
    """Return a leaf's value as a new one, so that other uses of it do not count."""
    tensor = as_tensor(leaf)
    if tensor.dtype not in INEXACT:
        raise DTypeError(
            f"{name}: an argument of dtype {tensor.dtype.name} has no derivative; "
            "cast it to a floating dtype"
        )
    result = identity(tensor)
    return wrap(result.backend, result._native, result.uid)
