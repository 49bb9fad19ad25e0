"""How a derivative is written down: one line per op, in the language of ops.

A rule's functions get the result (``out``) and the op's inputs and settings, as Tensors, so they
can be recorded again and differentiated to any order on any backend. Broadcasting is undone by
the caller: a cotangent may have the shape of the result.

Conventions: ``g`` is the cotangent of the result; a reverse rule has one function per input; a
forward rule takes the tangents of all inputs, ``None`` where zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor

#: ``vjp(g, out, *inputs, **settings)`` → the cotangent of one input.
Vjp: TypeAlias = Callable[..., Tensor]
#: ``jvp(tangents, out, *inputs, **settings)`` → the tangent of the result(s).
Jvp: TypeAlias = Callable[..., Any]


class Rule:
    """The derivative of one op in both modes."""

    __slots__ = ("jvp", "variadic", "vjps", "zero")

    def __init__(
        self,
        vjps: Sequence[Vjp] = (),
        jvp: Jvp | None = None,
        variadic: Callable[..., Tensor] | None = None,
        zero: bool = False,
    ) -> None:
        self.vjps = vjps
        self.jvp = jvp
        #: ``variadic(position, g, out, *inputs, **settings)`` for any number of inputs.
        self.variadic = variadic
        #: True when the derivative is zero wherever it exists.
        self.zero = zero

    def vjp(
        self, position: int, g: Any, out: Any, inputs: Sequence[Any], settings: Mapping[str, Any]
    ) -> Tensor:
        """Return the cotangent of the input at a position."""
        if self.variadic is not None:
            return self.variadic(position, g, out, *inputs, **settings)
        return self.vjps[position](g, out, *inputs, **settings)

    def cotangents(
        self,
        positions: Sequence[int],
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
    ) -> Sequence[Tensor]:
        """Return the cotangents of the inputs at some positions."""
        return [self.vjp(i, g, out, inputs, settings) for i in positions]


def rule(name: str, *vjps: Vjp, jvp: Jvp) -> None:
    """Write down a derivative in full."""
    OPS[name].rule = Rule(vjps, jvp)


def variadic(name: str, vjp: Callable[..., Tensor], jvp: Jvp) -> None:
    """Write down the derivative of an op of any number of inputs."""
    OPS[name].rule = Rule(variadic=vjp, jvp=jvp)


def zero(*names: str) -> None:
    """Say that ops have derivative zero: connected, never an error."""
    for name in names:
        OPS[name].rule = Rule(zero=True)


def elementwise(name: str, *partials: Callable[..., Any]) -> None:
    """Write down an elementwise op by its partial derivatives, ``partial(out, *inputs)``."""

    def vjp_of(partial: Callable[..., Any]) -> Vjp:
        return lambda g, out, *inputs: g * partial(out, *inputs)

    def jvp(tangents: Sequence[Tensor | None], out: Tensor, *inputs: Any) -> Tensor:
        return add_up(
            [
                tangent * partial(out, *inputs)
                for tangent, partial in zip(tangents, partials, strict=True)
                if tangent is not None
            ]
        )

    OPS[name].rule = Rule([vjp_of(partial) for partial in partials], jvp)


def linear(name: str, vjp: Vjp) -> None:
    """Write down an op that is linear in its one input: its tangent is the op of the tangent."""
    op = OPS[name]

    def jvp(tangents: Sequence[Tensor | None], out: Any, x: Tensor, **settings: Any) -> Any:
        return op(tangents[0], **settings)

    op.rule = Rule([vjp], jvp)


def bilinear(name: str, first: Vjp, second: Vjp) -> None:
    """Write down an op that is linear in each of its two inputs."""
    op = OPS[name]

    def jvp(tangents: Sequence[Tensor | None], out: Any, x: Any, y: Any, **settings: Any) -> Any:
        terms = []
        if tangents[0] is not None:
            terms.append(op(tangents[0], y, **settings))
        if tangents[1] is not None:
            terms.append(op(x, tangents[1], **settings))
        return add_up(terms)

    op.rule = Rule([first, second], jvp)


def add_up(terms: Sequence[Tensor]) -> Tensor:
    """Return the sum of one or more tensors."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
