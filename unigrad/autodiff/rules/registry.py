"""How a derivative is written down: one line per op, in the language of ops.

A rule's functions get the result (``out``) and the op's inputs and settings, as Tensors, so they
can be recorded again and differentiated to any order on any backend. Broadcasting is undone by
the caller: a cotangent may have the shape of the result.

Conventions: ``g`` is the cotangent of the result; a reverse rule has one function per input; a
forward rule takes the tangents of all inputs, ``None`` where zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar, TypeAlias

from unigrad.core.errors import NotDifferentiableError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor

#: ``vjp(g, out, *inputs, **settings)`` → the cotangent of one input.
Vjp: TypeAlias = Callable[..., Tensor]
#: ``jvp(tangents, out, *inputs, **settings)`` → the tangent of the result(s).
Jvp: TypeAlias = Callable[..., Any]


class Rule:
    """The derivative of one op in both modes."""

    __slots__ = ("flat", "jvp", "symbolic", "transposed", "variadic", "vjps", "zero")
    #: True when it differentiates the op's body.
    of_body: ClassVar[bool] = False

    def __init__(
        self,
        vjps: Sequence[Vjp] = (),
        jvp: Jvp | None = None,
        variadic: Callable[..., Tensor] | None = None,
        zero: bool = False,
        flat: Iterable[int] = (),
    ) -> None:
        self.vjps = vjps
        self.jvp = jvp
        #: ``variadic(position, g, out, *inputs, **settings)`` for any number of inputs.
        self.variadic = variadic
        #: True when the derivative is zero wherever it exists.
        self.zero = zero
        #: The inputs by which it is.
        self.flat = frozenset(flat)
        #: True when a cotangent of several that is zero comes as ``None``.
        self.symbolic = False
        #: True when reverse mode is the transpose of forward mode, as it is unless given by hand.
        self.transposed = True

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


def of_gradients(cotangents: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
    """Let a rule's ``cotangents`` work with gradients as tapes answer them (a decorator).

    Those are the conjugates of what rules carry (see `unigrad.autodiff.differentiation`): what a
    rule computes by a tape, or a user's function, is of that kind.
    """

    @wraps(cotangents)
    def run(
        self: Rule, positions: Sequence[int], g: Any, out: Any, inputs: Any, settings: Any
    ) -> Sequence[Any]:
        found = cotangents(self, positions, [*map(_conjugated, g)], out, inputs, settings)
        return [*map(_conjugated, found)]

    return run


def _conjugated(x: Tensor | None) -> Tensor | None:
    if x is None or x._native.dtype not in x.backend.native_complex:
        return x
    conjugated: Tensor = OPS["conj"](x)
    return conjugated


class _OfGradients(Rule):
    """A rule whose reverse half is written for gradients, by all inputs at once."""

    __slots__ = ("pullback",)

    def __init__(self, pullback: Callable[..., Sequence[Tensor]], jvp: Jvp) -> None:
        super().__init__(jvp=jvp)
        self.pullback = pullback
        self.symbolic = True

    def vjp(
        self, position: int, g: Any, out: Any, inputs: Sequence[Any], settings: Mapping[str, Any]
    ) -> Tensor:
        found: Tensor = self.cotangents([position], g, out, inputs, settings)[0]
        return found

    def cotangents(
        self,
        positions: Sequence[int],
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
    ) -> Sequence[Any]:
        several = isinstance(g, (tuple, list))
        given = [*map(_conjugated, g)] if several else _conjugated(g)
        found = self.pullback(given, out, *inputs, **settings)
        return [_conjugated(found[i]) for i in positions]


def of_matrices(name: str, pullback: Callable[..., Sequence[Tensor]], jvp: Jvp) -> None:
    """Write down an op that mixes its elements with their conjugates, as factors of matrices do.

    ``pullback(g, out, *inputs, **settings)`` returns the gradient by each input; ``g`` is the
    gradient by each result, ``None`` for zero where there are several. Gradients are those of the
    inner product Re Σ conj(ḡ) dx, so that the adjoint of a matrix is its conjugate transpose.
    """
    OPS[name].rule = _OfGradients(pullback, jvp)


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


def elementwise(name: str, *partials: Callable[..., Any] | None) -> None:
    """Write down an elementwise op by its partial derivatives, ``partial(out, *inputs)``.

    ``None`` is a derivative of zero, which no infinite slope before it makes NaN.
    """

    def vjp_of(partial: Callable[..., Any] | None) -> Vjp:
        if partial is None:
            return lambda g, out, *inputs: g * 0.0
        return lambda g, out, *inputs: g * partial(out, *inputs)

    def jvp(tangents: Sequence[Tensor | None], out: Tensor, *inputs: Any) -> Tensor | None:
        terms = [
            tangent * partial(out, *inputs)
            for tangent, partial in zip(tangents, partials, strict=True)
            if tangent is not None and partial is not None
        ]
        return add_up(terms) if terms else None

    flat = [i for i, partial in enumerate(partials) if partial is None]
    OPS[name].rule = Rule([vjp_of(partial) for partial in partials], jvp, flat=flat)


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


def has_no_tangent(name: str) -> NotDifferentiableError:
    """Return the error for a function whose rule is of reverse mode only."""
    return NotDifferentiableError(
        f"{name} has no forward derivative: a function whose rule is of reverse mode "
        "(ug.custom_vjp) is differentiated by that mode, twice for second derivatives; "
        "ug.custom_jvp gives it a rule for both"
    )


def add_up(terms: Sequence[Tensor]) -> Tensor:
    """Return the sum of one or more tensors."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
