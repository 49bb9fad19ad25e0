"""Transforms of what is compiled, looped or assigned to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.transforms import both, require


def _number(x: float) -> ug.Tensor:
    return ug.asarray(np.array(x))


def loops_in_linearisations_and_checkpoints() -> None:
    """The value that a loop or a branch stands for is the value that it has."""

    def branched(x: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.sin(ug.cond(x > 0, lambda c: c * c + c, lambda c: c, x))
        return out

    def looped(x: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.fori_loop(0, 3, lambda i, c: c * 2.0, x) * x
        return out

    for f, value, slope in (
        (branched, np.sin(0.75), 2.0 * np.cos(0.75)),
        (looped, 8.0 * 0.25, 16.0 * 0.5),
    ):
        x = _number(0.5)
        y, forward = ug.linearize(f, x)
        require("value of linearize", y, np.float64(value))
        require("its derivative", forward(_number(1.0)), np.float64(slope))
        kept = ug.checkpoint(f)
        found = ug.value_and_grad(kept)(x)
        require("value and gradient of checkpoint", found, (np.float64(value), np.float64(slope)))
        pushed = ug.jvp(kept, (x,), (_number(1.0),))[1]
        require("tangent of checkpoint", pushed, np.float64(slope))


def compiled_functions_with_their_own_derivative() -> None:
    """`jit` takes nothing over from a function but its code."""

    @ug.custom_vjp
    def f(x: ug.Tensor) -> ug.Tensor:
        return x * 2.0

    f.defvjp(lambda x: (x * 2.0, x), lambda x, g: (g * 7.0,))
    for made in (ug.jit(f), ug.jit(ug.jit(f)), ug.jit(ug.checkpoint(f))):
        require("gradient", ug.grad(made)(_number(1.5)), np.float64(7.0))


def closures_of_transformed_functions() -> None:
    """What a function closes over is seen through the transforms that wrap it."""
    scale = 2.0

    def f(x: ug.Tensor) -> ug.Tensor:
        return x * x * scale

    made: list[Callable[..., Any]] = [
        ug.jit(one) for one in (f, ug.checkpoint(f), ug.vmap(f), ug.grad(f), ug.jacobian(f))
    ]
    points = [_number(1.5), _number(1.5), ug.asarray(np.array([1.5])), _number(1.5), _number(1.5)]
    for factor in (2.0, 3.0):
        scale = factor
        right = [2.25 * scale, 2.25 * scale, [2.25 * scale], 3.0 * scale, 3.0 * scale]
        for run, x, expected in zip(made, points, right, strict=True):
            require(f"scaled by {factor}", run(x), np.asarray(expected))


def jacobians_of_compiled_functions() -> None:
    """A batch of cotangents goes through a compiled function."""
    x = ug.asarray(np.array([1.0, 2.0]))
    square = ug.jit(lambda x: x * x)
    for mode in ("auto", "forward", "reverse"):
        require(mode, ug.jacobian(square, mode=mode)(x), np.diag([2.0, 4.0]))
    pullback = ug.vjp(square, x)[1]
    require("pullbacks", ug.vmap(pullback)(ug.asarray(np.eye(2)))[0], np.diag([2.0, 4.0]))


def items_assigned_while_tracing() -> None:
    """An element of a tensor from Python may be assigned a traced value."""

    def f(x: ug.Tensor) -> ug.Tensor:
        y = ug.zeros(3, dtype=ug.float64)
        y[1] = x
        y[2] = x * 2.0
        return y * 2.0

    both("value", f, (_number(1.5),), [0.0, 3.0, 6.0])
    total: Callable[..., Any] = ug.grad(lambda x: ug.sum(f(x)))
    both("gradient", total, (_number(1.5),), np.float64(6.0))
    mapped = ug.vmap(f)(ug.asarray(np.array([1.0, 2.0])))
    require("per example", mapped, [[0.0, 2.0, 4.0], [0.0, 4.0, 8.0]])


def variables_in_functions_with_their_own_derivative() -> None:
    """Such a function may read a Variable, compiled and mapped too, as it is at each call."""
    v = ug.Variable(np.array(2.0))
    f = ug.custom_jvp(lambda x: x * v)
    f.defjvps(lambda t, out, x: t * v)
    compiled = ug.jit(lambda x: f(x))
    require("value", compiled(_number(1.0)), np.float64(2.0))
    require("gradient", ug.jit(ug.grad(lambda x: f(x)))(_number(1.0)), np.float64(2.0))
    require("mapped", ug.vmap(lambda x: f(x))(ug.asarray(np.ones(2))), [2.0, 2.0])
    v.assign(5.0)
    require("after an assignment", compiled(_number(1.0)), np.float64(5.0))


def textbook_derivatives_in_branches() -> None:
    """An op whose derivative is unigrad's own is differentiated in a compiled branch, too."""

    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.softmax(x)) + ug.max(x) * ug.std(x) + ug.hypot(x[0], x[1])

    def branched(x: ug.Tensor) -> ug.Tensor:
        given = ug.cond(x[0] > 0.0, f, ug.sum, x)
        out: ug.Tensor = given + ug.cond(x[0] > 0.0, lambda: f(x), lambda: x[0])
        return out

    x = ug.asarray(np.array([0.5, -0.3, 1.2]))
    require("gradient", ug.jit(ug.grad(branched))(x), 2.0 * ug.grad(f)(x))


def results_beside_the_result() -> None:
    """What ``has_aux`` hands on is the function's own, compiled and mapped too."""

    def f(x: ug.Tensor) -> Any:
        return ug.sum(x * x), {"twice": x * 2.0}

    x = ug.asarray(np.array([1.0, 3.0]))

    def everything(x: ug.Tensor) -> list[Any]:
        out, pullback, first = ug.vjp(f, x, has_aux=True)
        _, tangent, second = ug.jvp(f, (x,), (x,), has_aux=True)
        _, linear, third = ug.linearize(f, x, has_aux=True)
        beside = first["twice"] + second["twice"] + third["twice"]
        return [out, pullback(1.0)[0], tangent, linear(x), beside]

    expected = [10.0, [2.0, 6.0], 20.0, 20.0, [6.0, 18.0]]
    for way, function in (("eager", everything), ("compiled", ug.jit(everything))):
        for got, want in zip(function(x), expected, strict=True):
            require(way, got, np.asarray(want))
    mapped = ug.vmap(everything)(ug.stack([x, x]))
    for got, want in zip(mapped, expected, strict=True):
        require("mapped", got, np.asarray([want, want]))


PROGRAMS_TRANSFORMED: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        loops_in_linearisations_and_checkpoints,
        compiled_functions_with_their_own_derivative,
        closures_of_transformed_functions,
        jacobians_of_compiled_functions,
        items_assigned_while_tracing,
        variables_in_functions_with_their_own_derivative,
        textbook_derivatives_in_branches,
        results_beside_the_result,
    )
}
