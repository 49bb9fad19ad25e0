"""Derivatives of functions: `grad`, `value_and_grad`, `vjp`, `jvp`.

They are the tape and the accumulator in functional dress, with JAX's signatures: arguments are
pytrees, unconnected means zero, and they compose with each other, with tapes and with `ug.jit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from types import NoneType
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.copying import own_handles
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.leaks import warn_program
from unigrad.core.tensor import Tensor
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
        ShapeError: when the result is no scalar.
        DTypeError: when an argument to differentiate by, or the result, is no float.

    Example:
        >>> float(grad(lambda x: x**2)(3.0))
        6.0
    """
    both = value_and_grad(f, argnums, has_aux)

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
    single = isinstance(argnums, int)
    positions = [argnums] if isinstance(argnums, int) else list(argnums)

    def both(*args: Any, **kwargs: Any) -> Any:
        args, sources = _sources("grad", args, positions)
        tape = _TransformTape()
        with tape:
            tape.watch(sources)
            result = f(*args, **kwargs)
            # Here, where a library's own graph still leads from its array to the arguments.
            value = as_tensor(result[0] if has_aux else result)
        if value.shape != ():
            raise ShapeError(
                f"grad: the function returned shape {value.shape}, not a scalar: "
                "sum it, or use ug.vjp"
            )
        if value.dtype not in INEXACT:
            raise DTypeError(f"grad: the function returned {value.dtype.name}, which has none")
        found = tape.connected("grad", positions, value, sources)
        gradients = found[0] if single else tuple(found)
        return own_handles((value, result[1]) if has_aux else value), gradients

    return both


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return a function's result and its pullback at these arguments.

    The pullback takes a cotangent of the result's structure and returns a tuple with one
    gradient (a pytree) per argument: ūᵀ J. It can be called any number of times.

    Raises:
        DTypeError: when an argument is no float.
        ShapeError: when a cotangent's shape is not the result's.

    Example:
        >>> out, pullback = vjp(lambda x: x * x, 3.0)
        >>> float(out), float(pullback(2.0)[0])
        (9.0, 12.0)
    """
    args, sources = _sources("vjp", primals, list(range(len(primals))))
    tape = _TransformTape(persistent=True)
    with tape:
        tape.watch(sources)
        out = tree.map(_result, f(*args))
    positions = range(len(primals))

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return tuple(tape.connected("vjp", positions, out, sources, cotangent))

    return own_handles(out), pullback


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return a function's result and its directional derivative J v.

    Args:
        f: a function of the primals; returns a pytree of tensors.
        primals: a sequence with one pytree per argument.
        tangents: the direction, in the same structure.

    Raises:
        DTypeError: when a primal is no float.
        ShapeError: when structures or shapes differ.

    Example:
        >>> out, tangent = jvp(lambda x: x * x, (3.0,), (1.0,))
        >>> float(out), float(tangent)
        (9.0, 6.0)
    """
    args, sources = _sources("jvp", tuple(primals), list(range(len(primals))))
    with ForwardAccumulator(sources, list(tangents)) as accumulator:
        given = f(*args)
        out = tree.map(_result, given)
    tangent = accumulator.jvp(out)
    if not tree.leaves(tangent):  # ``None`` is no leaf.
        warn_program(
            "jvp: the result was not computed from the arguments by unigrad's ops: the tangent is "
            "zero (the way through float(x), x.numpy(), x.native, an assignment to a Variable or "
            "another library is not followed)"
        )
    return own_handles(out), accumulator.jvp(out, unconnected_gradients="zero")


class _TransformTape(GradientTape):
    """A tape that answers zeros for ``None``, with one warning if an argument has no path at all.

    A part of an argument that is not used is zero without a word, as in JAX.
    """

    def __init__(self, persistent: bool = False) -> None:
        super().__init__(persistent, watch_accessed_variables=False)
        self._warned = False

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
                missing.append(str(position))
        if missing and not self._warned:
            self._warned = True
            warn_program(
                f"{name}: the result was not computed from argument {', '.join(missing)} by "
                "unigrad's ops: the gradient is zero (the way through float(x), x.numpy(), "
                "x.native or another library is not followed)"
            )
        leaves = tree.leaves(sources)
        filled = [zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]
        answer = tree.unflatten(structure, filled)
        return answer

    def _warn_of_none(self, source: Any, targets: Sequence[Tensor]) -> None:
        """Say nothing here: it is said once for all."""


def _result(leaf: Any) -> Any:
    """Return a leaf of a function's result, a foreign array as the tensor that stands for it."""
    return leaf if isinstance(leaf, (Tensor, Variable)) else as_tensor(leaf)


def _sources(
    name: str, args: tuple[Any, ...], positions: Sequence[int]
) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the arguments with fresh values, connected to the old ones, at some positions."""
    fresh = list(args)
    for position in positions:
        if not -len(args) <= position < len(args):
            raise ShapeError(f"{name}: argnums {position} for {len(args)} arguments")
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
    return wrap(result.backend, result.native, result.uid)
