"""Functions with a derivative of their own, where others trace, loop, batch and differentiate them.

Each check is a function that raises `Deviation`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation
from unigrad_conformance.transforms import both, require


def _number(x: float) -> ug.Tensor:
    return ug.asarray(np.array(x))


def _doubled(kind: str, function: Callable[..., ug.Tensor]) -> Callable[..., ug.Tensor]:
    """Give a function of one tensor the derivative 2, whatever it is."""
    if kind == "custom_gradient":
        return ug.custom_gradient(lambda x: (function(x), lambda g: 2.0 * g))
    if kind == "custom_jvp":
        pushed = ug.custom_jvp(function)
        pushed.defjvp(lambda primals, tangents: (function(*primals), 2.0 * tangents[0]))
        return pushed
    pulled = ug.custom_vjp(function)
    pulled.defvjp(lambda x: (function(x), None), lambda _, g: (2.0 * g,))
    return pulled


def _by_scan(f: Callable[..., Any]) -> Callable[..., Any]:
    """Run a function of a carry and one more value in a loop of one step."""
    return lambda x, y: ug.scan(lambda carry, _: (f(carry, y), None), x, None, length=1)[0]


def what_they_close_over() -> None:
    """A value from outside may be a constant, a Variable, or one of a trace around the call."""
    constant, variable = _number(3.0), ug.Variable(np.array(3.0))
    sources: dict[str, Callable[[ug.Tensor], Any]] = {
        "a constant": lambda y: constant, "a Variable": lambda y: variable, "a value": lambda y: y,
    }  # fmt: skip
    x, y = _number(1.5), _number(3.0)
    for kind in ("custom_vjp", "custom_jvp", "custom_gradient"):
        for what, source in sources.items():

            def f(x: Any, y: Any, kind: str = kind, source: Any = source) -> Any:
                return _doubled(kind, lambda x: x * source(y))(x)

            name = f"{kind} of {what}"
            require(f"{name}, compiled", ug.jit(f)(x, y), np.float64(4.5))
            found = ug.vmap(f, in_axes=(None, 0))(x, y[None])
            require(f"{name}, mapped", found, np.array([4.5]))
            require(f"{name}, compiled and differentiated", ug.grad(ug.jit(f))(x, y), np.float64(2))
            looped = ug.jit(ug.value_and_grad(_by_scan(f)))(x, y)
            require(f"{name}, in a loop", looped, (np.float64(4.5), np.float64(2.0)))


def results_from_outside() -> None:
    """A function may return what was computed before it, which has a derivative of its own.

    With c = x y and a function h that returns c and has the derivative 2: h(x) y + c.
    """

    def f(kind: str, x: Any, y: Any) -> Any:
        c = x * y
        return _doubled(kind, lambda _: c)(x) * y + c

    x, y = _number(1.5), _number(3.0)
    with warnings.catch_warnings():
        # The function's own derivative says nothing of what it closes over.
        warnings.simplefilter("ignore", ug.GradientWarning)
        for kind in ("custom_vjp", "custom_jvp", "custom_gradient"):
            both(kind, ug.grad(partial(f, kind), argnums=(0, 1)), (x, y), (9.0, 6.0))


def what_their_rules_close_over() -> None:
    """A rule's own derivative knows by what it was computed: the arguments, and what it reads.

    The function is x² s with its true derivative, and z = (∂f/∂x)² = 4 x² s².
    """
    variable = ug.Variable(np.array(3.0))

    def slopes(kind: str, of_variable: bool, again: bool, x: ug.Tensor, y: ug.Tensor) -> Any:
        s = variable if of_variable else y
        f = ug.grad(_squared(kind, lambda: s))
        with ug.GradientTape(persistent=again) as tape:
            tape.watch([x, y])
            z = f(x) ** 2
            if again:
                tape.gradient(z, x)
        return tuple(tape.gradient(z, [x, s]))

    x, y = _number(1.5), _number(3.0)
    with warnings.catch_warnings():
        # The function's own derivative says nothing of what it closes over.
        warnings.simplefilter("ignore", ug.GradientWarning)
        for kind in ("custom_vjp", "custom_jvp", "custom_gradient"):
            for of_variable in (True, False):
                for again in (False, True):
                    what = f"{kind} with a {'Variable' if of_variable else 'tensor'}"
                    both(what, partial(slopes, kind, of_variable, again), (x, y), (108.0, 54.0))


def _squared(kind: str, scale: Callable[[], Any]) -> Callable[..., Any]:
    """Return x² s with its derivative by x, where s is closed over."""
    if kind == "custom_gradient":
        return ug.custom_gradient(lambda x: (x * x * scale(), lambda g: 2.0 * x * scale() * g))
    if kind == "custom_jvp":
        pushed = ug.custom_jvp(lambda x: x * x * scale())
        pushed.defjvp(lambda x, t: (x[0] * x[0] * scale(), 2.0 * x[0] * scale() * t[0]))
        return pushed
    pulled = ug.custom_vjp(lambda x: x * x * scale())
    pulled.defvjp(lambda x: (x * x * scale(), x), lambda x, g: (2.0 * x * scale() * g,))
    return pulled


def forward_functions_that_call_the_function() -> None:
    """``f_fwd(x)`` may return ``f(x)``, here as the residual too, to any order and in any mode."""
    f = ug.custom_vjp(lambda x: ug.exp(x))

    def forward(x: ug.Tensor) -> Any:
        y = f(x)
        return y, y

    # f′ = 2 f, whatever f is.
    f.defvjp(forward, lambda y, g: (2.0 * y * g,))
    x, e = _number(0.5), np.exp(0.5)
    require("reverse over reverse", ug.grad(ug.grad(f))(x), 4.0 * e)
    require("forward over reverse", ug.hvp(f, (x,), (_number(1.0),)), 4.0 * e)
    require("third order", ug.grad(ug.hessian(f))(x), 8.0 * e)
    looped = _by_scan(lambda carry, _: f(carry))
    require("in a loop", ug.jit(ug.hessian(lambda x: looped(x, x)))(x), 4.0 * e)


def who_stands_innermost() -> None:
    """A function with a reverse rule only has no tangent, whoever differentiates that."""
    f = ug.custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (x * x, x), lambda x, g: (7.0 * x * g,))

    def pushed(x: ug.Tensor) -> Any:
        return ug.jvp(f, (x,), (_number(1.0),))[1]

    for run in (pushed, ug.grad(pushed), ug.jit(ug.grad(pushed)), ug.grad(ug.jit(pushed))):
        try:
            found = run(_number(1.5))
        except ug.NotDifferentiableError:
            continue
        raise Deviation(f"a tangent of {found}, where there is no rule for it")
    require("forward over reverse", ug.jvp(ug.grad(f), (_number(1.5),), (_number(1.0),))[1], 7.0)
    looped = _by_scan(lambda carry, _: f(carry))
    require("in a loop", ug.jit(ug.grad(lambda x: looped(x, x)))(_number(1.5)), 10.5)


def gradients_in_tensorflows_form_again() -> None:
    """`custom_gradient` leaves forward mode to the function, and the gradient to itself."""
    f = ug.custom_gradient(lambda x: (x * x * x, lambda g: 5.0 * x * x * g))
    x = _number(1.5)
    require("forward", ug.jvp(f, (x,), (_number(1.0),))[1], 3.0 * 2.25)
    require("second order", ug.grad(ug.grad(f))(x), 15.0)
    require("forward over reverse", ug.jit(ug.hessian(f))(x), 15.0)


def arguments_with_defaults() -> None:
    """What is not given has its default in the rules, too."""

    @ug.custom_vjp
    def f(x: ug.Tensor, y: Any = 2.0) -> Any:
        return x * y

    f.defvjp(lambda x, y: (x * y, y), lambda y, g: (10.0 * y * g, None))
    require("a default", ug.grad(lambda x: f(x))(_number(1.0)), np.float64(20.0))
    require("by name", ug.grad(lambda x: f(x, y=3.0))(_number(1.0)), np.float64(30.0))


def functions_of_no_results() -> None:
    """A branch, a body or a checkpoint may return nothing, compiled as well."""

    def f(x: ug.Tensor) -> ug.Tensor:
        none = ug.cond(x > 0.0, lambda x: None, lambda x: None, x)
        rows = ug.map(lambda _: (), ug.stack([x, x]))
        nothing = ug.checkpoint(lambda x: [none, rows])(x)
        if nothing != [None, ()]:
            raise Deviation(f"nothing came back as {nothing}")
        return x * x

    require("value and gradient", ug.jit(ug.value_and_grad(f))(_number(3.0)), (9.0, 6.0))


def compiled_functions_differentiated_forward() -> None:
    """Forward mode needs no pullback, which a loop without bound has not."""

    @ug.jit
    def f(x: ug.Tensor) -> Any:
        return ug.while_loop(lambda carry: carry < 10.0, lambda carry: carry * carry, x)

    x = _number(1.5)
    found = ug.jvp(f, (x,), (_number(1.0),))
    require("value and tangent", found, (1.5**8, 8.0 * 1.5**7))
    require("second order", ug.jvp(lambda x: ug.jvp(f, (x,), (1.0,))[1], (x,), (1.0,))[1],
            56.0 * 1.5**6)  # fmt: skip


BY_HAND: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        what_they_close_over,
        results_from_outside,
        what_their_rules_close_over,
        forward_functions_that_call_the_function,
        who_stands_innermost,
        gradients_in_tensorflows_form_again,
        arguments_with_defaults,
        functions_of_no_results,
        compiled_functions_differentiated_forward,
    )
}
