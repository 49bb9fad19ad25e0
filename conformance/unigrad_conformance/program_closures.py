"""Tensors that compiled functions take from around them, followed from outside.

In a captured graph such a tensor is a constant. Whoever differentiates by it must get the same
gradient as where nothing is compiled, whichever way the function came by it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation, quiet

Function = Callable[[ug.Tensor], ug.Tensor]


class _Holder:
    """An object with a tensor in an attribute, and a method that reads it."""

    def __init__(self, x: ug.Tensor) -> None:
        self.x = x

    def times(self, a: ug.Tensor) -> ug.Tensor:
        return a * self.x


def _filled(x: ug.Tensor) -> ug.Tensor:
    out = ug.zeros_like(x)
    out[:] = x
    return out


def _held(x: ug.Tensor) -> Function:
    held, listed = {"x": x}, [x]
    return lambda a: a * held["x"] + 0.0 * listed[0]


def _in_an_op(x: ug.Tensor) -> Function:
    held = {"x": x}
    return lambda a: a * (held["x"] * 1.0)


def _returned(x: ug.Tensor) -> Function:
    held = {"x": x}
    return lambda a: held["x"]


def _by_default(x: ug.Tensor) -> Function:
    def times(a: ug.Tensor, b: ug.Tensor = x) -> ug.Tensor:
        return a * b

    return times


#: Functions of ``a`` that close over ``x``: of ``a = x`` each gives x².
CLOSURES: dict[str, Callable[[ug.Tensor], Function]] = {
    "by name": lambda x: lambda a: a * x,
    "of an op before": lambda x: _Holder(x * 1.0).times,
    "in an op of its own": _in_an_op,
    "in a container": _held,
    "in an attribute": lambda x: _Holder(x).times,
    "as a default": _by_default,
    "in a partial function": lambda x: functools.partial(lambda b, a: a * b, x),
    "assigned to elements": lambda x: lambda a: a * _filled(x),
    "in a loop": lambda x: lambda a: ug.fori_loop(0, 1, lambda i, c: c * x, a),
    "in a branch": lambda x: lambda a: ug.cond(ug.sum(a) > 0.0, lambda b: b * x, lambda b: b, a),
    "in a compiled function inside": lambda x: lambda a: ug.jit(lambda b: b * x)(a),
    "in checkpoint": lambda x: lambda a: ug.checkpoint(lambda b: b * x)(a),
    "without the argument": lambda x: lambda a: x * x,
    "as the result": _returned,
}


def _total(close: Callable[[ug.Tensor], Function], x: ug.Tensor) -> ug.Tensor:
    out = ug.jit(close(x))(x)
    # The result itself is x alone.
    return ug.sum(out * x if close is CLOSURES["as the result"] else out)


def follows(name: str) -> None:
    """Compare derivatives of both orders and modes with those of the sum of squares."""
    x = ug.asarray(np.array([1.0, 2.0, 3.0]))
    f = functools.partial(_total, CLOSURES[name])
    with quiet():
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        found: dict[str, Any] = {
            "tape": tape.gradient(y, x),
            "grad": ug.grad(f)(x),
            "jvp": ug.jvp(f, (x,), (x,))[1],
            "second": ug.grad(lambda x: ug.sum(ug.grad(f)(x)))(x),
            "compiled grad": ug.jit(ug.grad(f))(x),
        }
    expected = {"jvp": 2.0 * np.sum(x.numpy() ** 2), "second": np.full(3, 2.0)}
    for way, one in found.items():
        wanted = expected.get(way, 2.0 * x.numpy())
        if one is None or not np.allclose(one.numpy(), wanted):
            raise Deviation(f"{name}, {way}: {one}, not {wanted.tolist()}")


def followed_later() -> None:
    """A program is made while nobody follows what it closes over; then somebody does."""
    for name in ("by name", "in a container", "in an attribute", "as the result"):
        x, ones = ug.asarray(np.array([1.0, 2.0])), ug.ones(2, dtype="float64")
        program = ug.jit(CLOSURES[name](x))
        gradients = []
        with quiet():
            for source in (ones, x, ones):
                with ug.GradientTape() as tape:
                    tape.watch(source)
                    y = ug.sum(program(ones) * 1.0)
                gradients.append(tape.gradient(y, x if source is x else ones))
        if gradients[1] is None or not np.allclose(gradients[1].numpy(), 1.0):
            raise Deviation(f"{name}: {gradients[1]}, not ones")
        wanted = None if name == "as the result" else x.numpy()
        for one in (gradients[0], gradients[2]):
            same = one is None if wanted is None else np.allclose(one.numpy(), wanted)
            if not same:
                raise Deviation(f"{name}, by the argument: {one}, not {wanted}")


#: By name.
PROGRAM_CLOSURES: dict[str, Callable[[], None]] = {
    **{f"a closure {name}": functools.partial(follows, name) for name in CLOSURES},
    "closures that are followed later": followed_later,
}
