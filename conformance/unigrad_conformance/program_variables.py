"""Variables read around, inside and after whatever else a compiled function does are its inputs.

A construct that is traced by itself (a loop's body, a batch, a function with a derivative of its
own) must leave the trace around it as it was. So each is run in a compiled function that reads one
variable before it, one inside and one afterwards; then all three are assigned. And each is run in
a compiled function that assigns the variable before it and afterwards, and with a function that
assigns one itself: that holds as it does in Python, or is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation

#: Takes a function of a tensor that reads a variable, and a vector; returns a tensor.
Function = Callable[[Any], Any]
Construct = Callable[[Function, Any], Any]


def _tape(f: Function, x: Any) -> Any:
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sum(f(x))
    return tape.gradient(y, x)


def _paused_tape(f: Function, x: Any) -> Any:
    with ug.GradientTape() as tape:
        tape.watch(x)
        with tape.stop_recording():
            y = f(x)
        z = ug.sum(x * x)
    return y + tape.gradient(z, x)


def _tapes_inside(f: Function, x: Any) -> Any:
    with ug.GradientTape() as outer:
        outer.watch(x)
        with ug.GradientTape() as inner:
            inner.watch(x)
            y = ug.sum(f(x))
        slope = inner.gradient(y, x)
    return outer.gradient(slope, x)


def _accumulator(f: Function, x: Any) -> Any:
    with ug.ForwardAccumulator(x, ug.ones_like(x)) as forward:
        y = f(x)
    return forward.jvp(y)


def _initial_values(f: Function, x: Any) -> Any:
    y = f(x)
    with ug.init_scope():
        ug.zeros(1)
    return y


def _custom_vjp(f: Function, x: Any) -> Any:
    g = ug.custom_vjp(lambda x: ug.sin(x))
    g.defvjp(lambda x: (ug.sin(x), x), lambda x, dy: (dy * f(x),))
    return ug.grad(lambda x: ug.sum(g(x)))(x)


def _custom_jvp(f: Function, x: Any) -> Any:
    g = ug.custom_jvp(lambda x: ug.sin(x))
    g.defjvp(lambda primals, tangents: (ug.sin(primals[0]), tangents[0] * f(primals[0])))
    return ug.jvp(g, (x,), (ug.ones_like(x),))[1]


def _custom_gradient(f: Function, x: Any) -> Any:
    @ug.custom_gradient
    def g(x: Any) -> Any:
        return ug.sin(x), lambda dy: dy * f(x)

    return ug.grad(lambda x: ug.sum(g(x)))(x)


def _with_custom_vjp(f: Function, x: Any) -> Any:
    g = ug.custom_vjp(f)
    g.defvjp(lambda x: (f(x), x), lambda x, dy: (dy * ug.cos(x),))
    return g(x) + ug.grad(lambda x: ug.sum(g(x)))(x)


def _with_custom_jvp(f: Function, x: Any) -> Any:
    g = ug.custom_jvp(f)
    g.defjvp(lambda primals, tangents: (g(*primals), tangents[0] * ug.cos(primals[0])))
    return g(x) + ug.grad(lambda x: ug.sum(g(x)))(x)


def _with_custom_gradient(f: Function, x: Any) -> Any:
    g = ug.custom_gradient(lambda x: (f(x), lambda dy: dy * ug.cos(x)))
    return g(x) + ug.grad(lambda x: ug.sum(g(x)))(x)


def _linearized(f: Function, x: Any) -> Any:
    out, tangent = ug.linearize(f, x)
    return out + tangent(ug.ones_like(x))


def _recurrent(layer: Callable[[], Any], f: Any, x: ug.Tensor) -> ug.Tensor:
    """Run a layer, whose own variables count too, on what the function gives."""
    return ug.sum(layer()(ug.reshape(f(x), (1, 3, 1)))) + x


#: By name.
CONSTRUCTS: dict[str, Construct] = {
    "nothing": lambda f, x: f(x),
    "scan": lambda f, x: ug.scan(lambda c, row: (f(c) * row, c), x, ug.ones((3,)))[0],
    "map": lambda f, x: ug.map(f, ug.stack([x, x]))[1],
    "fori_loop": lambda f, x: ug.fori_loop(0, 2, lambda i, c: f(c), x),
    "while_loop": lambda f, x: ug.while_loop(
        lambda c: c[0] < 2, lambda c: (c[0] + 1, f(c[1])), (ug.asarray(0), x), max_steps=4
    )[1],
    "unbounded while_loop": lambda f, x: ug.while_loop(
        lambda c: c[0] < 2, lambda c: (c[0] + 1, f(c[1])), (ug.asarray(0), x)
    )[1],
    "a loop's condition": lambda f, x: ug.while_loop(
        lambda c: ug.max(f(c)) < 90.0, lambda c: c * 2.0, x
    ),
    "cond": lambda f, x: ug.cond(ug.sum(x) > 0, f, lambda x: x, x),
    "switch": lambda f, x: ug.switch(ug.argmin(x), [f, lambda x: x], x),
    "associative_scan": lambda f, x: ug.associative_scan(lambda a, b: f(a + b), x),
    "vmap": lambda f, x: ug.vmap(lambda one: f(one))(x),
    "vmap of vmap": lambda f, x: ug.vmap(ug.vmap(f))(ug.stack([x, x]))[1],
    "scan in vmap": lambda f, x: ug.vmap(
        lambda one: ug.scan(lambda c, row: (f(c) * row, None), one, ug.ones((2,)))[0]
    )(x),
    "vmap in scan": lambda f, x: ug.scan(
        lambda c, row: (ug.vmap(f)(c) * row, None), x, ug.ones((2,))
    )[0],
    "checkpoint": lambda f, x: ug.grad(lambda x: ug.sum(ug.checkpoint(f)(x)))(x),
    "grad": lambda f, x: ug.grad(lambda x: ug.sum(f(x) ** 2))(x),
    "grad of scan": lambda f, x: ug.grad(
        lambda x: ug.sum(ug.scan(lambda c, row: (f(c) * row, None), x, ug.ones((2,)))[0])
    )(x),
    "vjp": lambda f, x: ug.vjp(f, x)[1](ug.ones_like(x))[0],
    "jvp": lambda f, x: ug.jvp(f, (x,), (ug.ones_like(x),))[1],
    "linearize": _linearized,
    "jacobian": lambda f, x: ug.sum(ug.jacobian(f)(x), axis=0),
    "forward jacobian": lambda f, x: ug.sum(ug.jacobian(f, mode="forward")(x), axis=0),
    "hessian": lambda f, x: ug.sum(ug.hessian(lambda x: ug.sum(f(x) ** 3))(x), axis=0),
    "hvp": lambda f, x: ug.hvp(lambda x: ug.sum(f(x) ** 3), (x,), (ug.ones_like(x),)),
    "tape": _tape,
    "a tape that is paused": _paused_tape,
    "tapes inside one another": _tapes_inside,
    "accumulator": _accumulator,
    "custom_vjp": _custom_vjp,
    "custom_jvp": _custom_jvp,
    "custom_gradient": _custom_gradient,
    "a function with a custom_vjp": _with_custom_vjp,
    "a function with a custom_jvp": _with_custom_jvp,
    "a function with a custom_gradient": _with_custom_gradient,
    "a compiled function": lambda f, x: ug.jit(f)(x),
    "init_scope": _initial_values,
}


def _stays(name: str, construct: Construct) -> None:
    """Compare a compiled function with an uncompiled one, before and after each assignment.

    Raises:
        Deviation: when they differ.
    """
    before, inside, after = (ug.Variable(one) for one in (1.25, 0.5, 2.0))

    def function(x: Any) -> Any:
        y = construct(lambda one: ug.sin(one) * inside + one * one * inside, x * before)
        return y * after

    compiled, x = ug.jit(function), ug.asarray([0.25, 0.5, 1.0])
    _compare(name, compiled, function, x)
    for what, variable in (("before", before), ("inside", inside), ("after", after)):
        variable.assign(variable * 1.5)
        _compare(f"{name}: a variable read {what} it is assigned", compiled, function, x)


def _follow_each_other(name: str, construct: Construct) -> None:
    """Assign a variable, read it within a construct, and assign it again, in one function.

    Raises:
        Deviation: when compiled calls and uncompiled ones differ.
    """
    variables = [ug.Variable(0.5), ug.Variable(0.5)]

    def function(x: Any, variable: ug.Variable) -> Any:
        variable.assign(variable + x[0])
        y = construct(lambda one: ug.sin(one) * variable + one * one * variable, x)
        variable.assign(variable * 1.25)
        return y * variable

    functions = [partial(function, variable=variable) for variable in variables]
    compiled, x = ug.jit(functions[0]), ug.asarray([0.25, 0.5, 1.0])
    for call in ("the first call", "the second call"):
        _compare(f"{name}, between two assignments: {call}", compiled, functions[1], x)


def _assigning(variable: ug.Variable) -> Function:
    def function(one: Any) -> Any:
        variable.assign_add(1.0)
        return ug.sin(one) * variable

    return function


def _assigned_inside(name: str, construct: Construct) -> None:
    """Assign a variable within a construct: compiled as uncompiled, or refused.

    Raises:
        Deviation: when the two differ.
    """
    found = []
    for compiled in (True, False):
        variable = ug.Variable(0.5, trainable=False)

        function = partial(construct, _assigning(variable))
        call: Any = ug.jit(function) if compiled else function
        try:
            for _ in range(2):
                call(ug.asarray([0.25, 0.5, 1.0]))
        except ug.TracingError:
            if compiled:
                return
            raise Deviation(f"{name}: refuses to assign a variable only uncompiled") from None
        found.append(float(variable))
    if found[0] != found[1]:
        raise Deviation(f"{name}: {found[0] - 0.5} assignments compiled, {found[1] - 0.5} not")


def _compare(what: str, compiled: Any, function: Any, x: ug.Tensor, absolute: float = 1e-6) -> None:
    found, expected = compiled(x).numpy(), function(x).numpy()
    if not np.allclose(found, expected, 2e-5, absolute):
        raise Deviation(f"{what}: {found} where {expected} is right")


#: Results are sums of numbers around 1, whose rounding stays when they cancel. Another value of any
#: weight changes one by 0.007 or more, as 60 seeds have it.
_ROUNDING = 1e-5


def _follows(make: Callable[[], Any]) -> None:
    """A compiled layer computes with each of its weights as it is now, and with what follows it.

    Raises:
        Deviation: when it does not.
    """
    layer, scale = make(), ug.Variable(1.0)
    x = ug.asarray(np.linspace(-1, 1, 12).reshape(2, 3, 2).astype("float32"))
    layer(x)

    def function(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(layer(x), axis=0) * scale

    compiled = ug.jit(function)
    _compare("before", compiled, function, x, _ROUNDING)
    for variable in (*layer.trainable_variables, scale):
        variable.assign(variable + 0.5)
        _compare(f"after {variable.name} was assigned", compiled, function, x, _ROUNDING)


_LAYERS: dict[str, Callable[[], Any]] = {
    "GRU": lambda: ug.layers.GRU(2),
    "LSTM": lambda: ug.layers.LSTM(2, return_sequences=True),
    "Bidirectional": lambda: ug.layers.Bidirectional(ug.layers.GRU(2, return_sequences=True)),
    # Of two units a LayerNorm makes ±1, whatever they are, and of their rounding too much.
    "a stack": lambda: ug.layers.Sequential(
        [ug.layers.GRU(8, return_sequences=True), ug.layers.LayerNorm(), ug.layers.Dense(2)]
    ),
}

_CHECKS: dict[str, partial[None]] = {
    f"variables around {name}": partial(_stays, name, one) for name, one in CONSTRUCTS.items()
} | {f"weights of {name}": partial(_follows, make) for name, make in _LAYERS.items()}
_ASSIGNMENTS: dict[str, partial[None]] = {
    f"assigned around {name}": partial(_follow_each_other, name, one)
    for name, one in CONSTRUCTS.items()
} | {
    f"assigned inside {name}": partial(_assigned_inside, name, one)
    for name, one in CONSTRUCTS.items()
}
#: Those that assign, by name.
ASSIGNED: dict[str, Callable[[], None]] = {**_ASSIGNMENTS}
#: Those that read, by name.
PROGRAM_VARIABLES: dict[str, Callable[[], None]] = {**_CHECKS}
