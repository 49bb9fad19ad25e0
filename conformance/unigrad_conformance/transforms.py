"""What the transforms promise: Jacobians, linearisations, derivatives given by hand, checkpoints.

Each check is a function that raises `Deviation`. It runs eager and, where it makes sense, compiled.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation, quiet


def require(what: str, found: Any, expected: Any) -> None:
    """Compare pytrees of numbers."""
    if isinstance(expected, list) and not isinstance(expected[0], ug.Tensor):
        expected = np.asarray(expected)
    first, second = ug.tree.leaves(found), ug.tree.leaves(expected)
    if ug.tree.structure(found) != ug.tree.structure(expected):
        raise Deviation(f"{what}: {ug.tree.structure(found)}, not {ug.tree.structure(expected)}")
    for one, other in zip(first, second, strict=True):
        one = one.numpy() if isinstance(one, ug.Tensor) else np.asarray(one)
        other = other.numpy() if isinstance(other, ug.Tensor) else np.asarray(other)
        if one.shape != other.shape or not np.allclose(one, other, 1e-9, 1e-12, equal_nan=True):
            raise Deviation(f"{what}: {one.tolist()} where {other.tolist()} is right")


def both(what: str, function: Callable[..., Any], arguments: tuple[Any, ...], right: Any) -> None:
    """Compare what a function gives, eager and compiled."""
    require(what, function(*arguments), right)
    require(f"{what}, jitted", ug.jit(function)(*arguments), right)


def _raises(what: str, error: type[Exception], call: Callable[[], Any]) -> None:
    try:
        call()
    except error:
        return
    raise Deviation(f"{what}: no {error.__name__}")


def _x() -> ug.Tensor:
    return ug.asarray(np.array([0.5, -0.3, 1.2]))


def _point() -> np.ndarray[Any, Any]:
    return np.array([0.5, -0.3, 1.2])


def jacobians_in_every_mode() -> None:
    """Rows are results and columns arguments, in either mode."""
    x = _point()
    right = np.stack([np.cos(x) * [1, 0, 0] + [0, 0, 1], [x[1], x[0], 0.0]])

    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.stack([ug.sin(x[0]) + x[2], x[0] * x[1]])

    right[0] = [np.cos(x[0]), 0.0, 1.0]
    for mode in ("auto", "forward", "reverse"):
        both(f"jacobian, {mode}", ug.jacobian(f, mode=mode), (_x(),), right)


def jacobians_of_pytrees() -> None:
    """Each leaf of the result holds a tree of the arguments; its shape ends in the argument's."""

    def f(w: dict[str, Any], k: ug.Tensor, scale: float) -> Any:
        return {"y": ug.outer(w["a"], k) * scale, "s": ug.sum(w["b"] * k)}

    w = {"a": ug.asarray(np.array([1.0, 2.0])), "b": _x()}
    k = ug.asarray(np.array([0.1, 0.2, 0.3]))
    for mode in ("forward", "reverse"):
        found = ug.jacobian(f, argnums=(0, 1), mode=mode)(w, k, 2.0)
        shapes = {name: ug.tree.map(lambda one: one.shape, found[name]) for name in ("y", "s")}
        if found["y"][0]["a"].shape != (2, 3, 2) or found["s"][1].shape != (3,):
            raise Deviation(f"jacobian, {mode}: shapes {shapes}")
        require(f"∂y/∂a, {mode}", found["y"][0]["a"][:, :, 0], [[0.2, 0.4, 0.6], [0.0, 0.0, 0.0]])
        require(f"∂s/∂b, {mode}", found["s"][0]["b"], k)
        require(f"∂s/∂a, {mode}", found["s"][0]["a"], [0.0, 0.0])


def hessians_and_their_products() -> None:
    """All second derivatives, and their product with a vector."""
    x, v = _point(), np.array([1.0, -2.0, 0.5])

    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(x**3) * x[0]

    right = np.diag(6 * x * x[0])
    right[0] += 3 * x**2
    right[:, 0] += 3 * x**2
    both("hessian", ug.hessian(f), (_x(),), right)
    both("hvp", lambda x, v: ug.hvp(f, (x,), (v,)), (_x(), ug.asarray(v)), right @ v)


def linearisations() -> None:
    """The function runs once; its derivative is linear, and differentiable by the point."""
    runs = 0

    def f(x: ug.Tensor) -> ug.Tensor:
        nonlocal runs
        runs += 1
        return ug.sin(x) * x

    y, forward = ug.linearize(f, _x())
    x, v = _point(), np.array([1.0, 2.0, 3.0])
    require("value", y, np.sin(x) * x)
    for scale in (1.0, -2.0):
        require("J v", forward(ug.asarray(scale * v)), scale * v * (np.cos(x) * x + np.sin(x)))
    if runs != 1:
        raise Deviation(f"the function ran {runs} times")
    second = ug.grad(lambda x: ug.sum(ug.linearize(f, x)[1](ug.asarray(v))))(_x())
    require("derivative of J v", second, v * (2 * np.cos(x) - np.sin(x) * x))


def pullbacks_given_by_hand() -> None:
    """The function's own derivative is never asked for; residuals and structures come through."""

    @ug.custom_vjp
    def f(x: ug.Tensor, extra: dict[str, Any]) -> Any:
        return x * extra["k"]

    def backward(saved: Any, g: ug.Tensor) -> Any:
        x, k, note = saved
        if note != "note":
            raise Deviation(f"the residual 'note' came back as {note!r}")
        return g * 10.0 * k, {"k": ug.sum(g * x) * 100.0, "n": None}

    f.defvjp(lambda x, e: (x * e["k"], (x, e["k"], ("note",)[0])), backward)
    extra = {"k": ug.asarray(np.array(2.0)), "n": ug.asarray(np.array([1, 2]))}
    x = _point()
    both("value", lambda x: f(x, extra), (_x(),), 2 * x)
    by_x: Callable[..., Any] = ug.grad(lambda x, k: ug.sum(f(x, {**extra, "k": k})), (0, 1))
    both("gradient", by_x, (_x(), extra["k"]), (np.full(3, 20.0), np.float64(100 * x.sum())))
    mapped: Callable[..., Any] = ug.vmap(ug.grad(lambda x: ug.sum(f(x, extra))))
    both("per example", mapped, (ug.stack([_x(), _x()]),), np.full((2, 3), 20.0))
    summed: Callable[..., Any] = ug.grad(
        lambda k: ug.sum(ug.vmap(lambda x: f(x, {**extra, "k": k}))(ug.stack([_x(), _x()])))
    )
    both("shared by examples", summed, (extra["k"],), np.float64(200 * x.sum()))


def pullbacks_differentiate_again() -> None:
    """The backward function is made of ops: second derivatives are its derivatives."""

    @ug.custom_vjp
    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.sin(x)

    f.defvjp(lambda x: (ug.sin(x), x), lambda x, g: (3.0 * g * x**2,))
    point = ug.asarray(np.array(0.7))
    both("first", ug.grad(f), (point,), np.float64(3 * 0.7**2))
    both("second", ug.grad(ug.grad(f)), (point,), np.float64(6 * 0.7))
    both("third", ug.grad(ug.grad(ug.grad(f))), (point,), np.float64(6.0))
    _raises("forward mode", ug.NotDifferentiableError, lambda: ug.jvp(f, (point,), (point,)))


def results_that_are_residuals() -> None:
    """A result, or an argument, may be a residual as well, and several results one value."""

    @ug.custom_vjp
    def f(x: ug.Tensor) -> Any:
        return x, x

    f.defvjp(lambda x: ((x, x), (x, x)), lambda saved, g: (2.0 * g[0] + 5.0 * g[1],))
    both("gradient", ug.grad(lambda x: ug.sum(f(x)[0] * 3.0 + f(x)[1])), (_x(),), np.full(3, 11.0))


def residuals_that_overflow() -> None:
    """An infinite residual, which has no cotangent, makes no gradient NaN: zero times infinity."""

    @ug.custom_vjp
    def log1pexp(x: ug.Tensor) -> ug.Tensor:
        return ug.nn.softplus(x)

    def forward(x: ug.Tensor) -> Any:
        return ug.nn.softplus(x), ug.exp(x)

    log1pexp.defvjp(forward, lambda e, g: (g * (1.0 - 1.0 / (1.0 + e)),))

    def in_a_loop(x: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.scan(lambda c, _: (log1pexp(c), None), x, None, length=2)[0]
        return out

    x = ug.asarray(np.array([1000.0, 0.0]))
    for what, function in (("once", log1pexp), ("in a loop", in_a_loop)):
        slope = ug.grad(lambda x, f=function: ug.sum(f(x)))
        with quiet():  # Of the overflow.
            both(what, slope, (x,), [1.0, 0.5 if what == "once" else 1.0 / 3.0])


def residuals_whose_cotangents_are_zero() -> None:
    """A cotangent that happens to be 0 has a derivative: of f'² / 2 at 1, where f' is 0, f''²."""

    @ug.custom_vjp
    def f(x: ug.Tensor) -> ug.Tensor:
        return x**3 - 3.0 * x

    f.defvjp(lambda x: (f(x), 3.0 * x * x - 3.0), lambda slope, g: (g * slope,))
    twice = ug.grad(ug.grad(lambda x: ug.grad(f)(x) ** 2 / 2.0))
    both("second derivative", twice, (ug.asarray(np.array(1.0)),), 36.0)


def tapes_in_derivatives_given_by_hand() -> None:
    """A backward function may use tapes and transforms itself."""

    def g(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.tanh(x) * x)

    @ug.custom_vjp
    def f(x: ug.Tensor) -> ug.Tensor:
        return g(x)

    f.defvjp(lambda x: (g(x), x), lambda x, c: (ug.vjp(g, x)[1](c)[0],))
    both("first", ug.grad(f), (_x(),), ug.grad(g)(_x()))
    twice: Callable[..., Any] = ug.grad(lambda x: ug.sum(ug.grad(f)(x) ** 2))
    both("second", twice, (_x(),), ug.grad(lambda x: ug.sum(ug.grad(g)(x) ** 2))(_x()))
    slope = ug.custom_vjp(lambda x: ug.grad(g)(x))
    slope.defvjp(lambda x: (ug.grad(g)(x), x), lambda x, c: (ug.hvp(g, (x,), (c,)),))
    both("a function that is a gradient", slope, (_x(),), ug.grad(g)(_x()))
    outer = ug.custom_vjp(lambda x: slope(x))
    outer.defvjp(lambda x: (slope(x), x), lambda x, c: (ug.hvp(g, (x,), (c,)),))
    both("such a function in another", outer, (_x(),), ug.grad(g)(_x()))


def tangents_given_by_hand() -> None:
    """Reverse mode is the transpose of the forward rule."""

    @ug.custom_jvp
    def f(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
        return x * y

    f.defjvps(lambda t, out, x, y: 5.0 * t * y, None)
    x, y = _x(), ug.asarray(np.array([2.0, 3.0, 4.0]))
    both("forward", lambda x, y: ug.jvp(f, (x, y), (y, x))[1], (x, y), 5.0 * y * y)
    pair: Callable[..., Any] = ug.grad(lambda x, y: ug.sum(f(x, y)), (0, 1))
    both("reverse", pair, (x, y), (5.0 * y, np.zeros(3)))


def gradients_in_tensorflows_form() -> None:
    """The gradient function takes the results' cotangents."""

    @ug.custom_gradient
    def f(x: ug.Tensor, y: ug.Tensor) -> Any:
        return (x * y, x + y), lambda a, b: (7.0 * a * y, b * x)

    def total(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
        product, total = f(x, y)
        return ug.sum(product) + 2.0 * ug.sum(total)

    x, y = _x(), ug.asarray(np.array([2.0, 3.0, 4.0]))
    pair: Callable[..., Any] = ug.grad(total, (0, 1))
    both("gradient", pair, (x, y), (7.0 * y, 2.0 * x))


def checkpoints() -> None:
    """The same derivatives, of arguments, closures and Variables, to second order."""
    w = ug.Variable(np.array([1.0, 2.0, 3.0]))
    scale = ug.asarray(np.array(0.5))

    def plain(x: ug.Tensor, scale: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.tanh(x * w) * scale)

    def kept(x: ug.Tensor, scale: ug.Tensor) -> ug.Tensor:
        out: ug.Tensor = ug.checkpoint(lambda x: ug.sum(ug.tanh(x * w) * scale))(x)
        return out

    def gradients(f: Callable[..., ug.Tensor], x: ug.Tensor) -> Any:
        with ug.GradientTape() as tape:
            tape.watch([x, scale])
            y = f(x, scale)
        return tape.gradient(y, [x, w, scale])

    require("gradients", gradients(kept, _x()), gradients(plain, _x()))
    both("second order", ug.hessian(lambda x: kept(x, scale)), (_x(),),
          ug.hessian(lambda x: plain(x, scale))(_x()))  # fmt: skip


def checkpoints_compute_again() -> None:
    """A checkpointed function keeps its arguments only: its inner values are computed anew."""
    from unigrad.core.op import OPS

    backend = _x().backend
    honest = OPS["erf"].kernels[backend]
    runs = 0

    def counted(*natives: Any, **settings: Any) -> Any:
        nonlocal runs
        runs += 1
        assert honest is not None
        return honest(*natives, **settings)

    OPS["erf"].kernels[backend] = counted
    try:
        ug.grad(lambda x: ug.sum(ug.checkpoint(lambda x: ug.erf(x) * ug.erf(x))(x)))(_x())
    finally:
        OPS["erf"].kernels[backend] = honest
    if runs < 4:
        raise Deviation(f"the inner op ran {runs} times, not twice forward and twice again")


def values_from_outside_are_named() -> None:
    """A derivative by hand that says nothing of a differentiated value from outside warns."""
    outside = ug.Variable(np.array([1.0, 2.0, 3.0]))

    @ug.custom_vjp
    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(x * outside)

    f.defvjp(lambda x: (ug.sum(x * outside), x), lambda x, g: (g * outside,))
    with warnings.catch_warnings(record=True) as caught, ug.GradientTape() as tape:
        warnings.simplefilter("always")
        x = _x()
        tape.watch(x)
        f(x)
    if not any("from outside" in str(one.message) for one in caught):
        raise Deviation("no warning names the variable from outside")


def functions_compiled_under_a_tape() -> None:
    """A compiled function that is differentiated runs its compiled derivative, to any order."""
    traces = 0
    w = ug.Variable(np.array([1.0, 2.0, 3.0]))

    def f(x: ug.Tensor) -> ug.Tensor:
        nonlocal traces
        traces += 1
        return ug.sum(ug.sin(x * w) * x)

    compiled = ug.jit(f)
    right = ug.grad(f)(_x())
    traces = 0
    for _ in range(3):
        with ug.GradientTape() as tape:
            x = _x()
            tape.watch(x)
            y = compiled(x)
        require("by x", tape.gradient(y, x), right)
    if traces > 1:
        raise Deviation(f"the function was traced {traces} times for three calls under a tape")
    require("second order", ug.hessian(compiled)(_x()), ug.hessian(f)(_x()))
    require("product", ug.hvp(compiled, (_x(),), (_x(),)), ug.hvp(f, (_x(),), (_x(),)))
    require("forward", ug.jvp(compiled, (_x(),), (_x(),))[1], ug.jvp(f, (_x(),), (_x(),))[1])


def wrong_cotangents_are_refused() -> None:
    """What a derivative by hand gives is of its argument's structure and shape."""

    def made(gives: Callable[[ug.Tensor], Any]) -> Callable[[], Any]:
        f = ug.custom_vjp(lambda x: ug.sum(x))
        f.defvjp(lambda x: (ug.sum(x), x), lambda x, g: gives(g * x))
        return lambda: ug.grad(f)(_x())

    _raises("too many", ug.ShapeError, made(lambda g: (g, g)))
    _raises("no tuple", ug.ShapeError, made(lambda g: g))
    _raises("another structure", ug.ShapeError, made(lambda g: ({"a": g},)))
    _raises("another shape", ug.ShapeError, made(lambda g: (g[:2],)))
    unfinished = ug.custom_vjp(lambda x: x)
    _raises("without defvjp", ug.NotDifferentiableError, lambda: unfinished(_x()))


TRANSFORMS: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        jacobians_in_every_mode,
        jacobians_of_pytrees,
        hessians_and_their_products,
        linearisations,
        pullbacks_given_by_hand,
        pullbacks_differentiate_again,
        results_that_are_residuals,
        residuals_that_overflow,
        residuals_whose_cotangents_are_zero,
        tapes_in_derivatives_given_by_hand,
        tangents_given_by_hand,
        gradients_in_tensorflows_form,
        checkpoints,
        checkpoints_compute_again,
        values_from_outside_are_named,
        functions_compiled_under_a_tape,
        wrong_cotangents_are_refused,
    )
}
