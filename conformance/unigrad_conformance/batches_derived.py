"""Derivatives of and under `ug.vmap`: each is what a loop gives.

Each check is a function that raises `Deviation`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.batches import looped, numbers, require, same_as_loop
from unigrad_conformance.subject import Deviation, quiet


def _network(w: ug.Tensor, x: ug.Tensor) -> ug.Tensor:
    return ug.sum(ug.tanh(x @ w) ** 2)


def gradients_of_examples() -> None:
    """Per-example gradients, with values and auxiliary results."""
    w, x = numbers(4, 3), numbers(5, 4)
    same_as_loop("grad", lambda x: ug.grad(_network, argnums=(0, 1))(w, x), x)
    same_as_loop("value_and_grad", lambda x: ug.value_and_grad(_network)(w, x), x)
    aux = ug.grad(lambda w, x: (_network(w, x), {"x": x * 2.0}), has_aux=True)
    same_as_loop("aux", lambda x: aux(w, x), x)
    ws = numbers(5, 4, 3)
    same_as_loop("both differ", ug.grad(_network), ws, x)


def forward_mode_and_second_order() -> None:
    """jvp under vmap and around it, and derivatives of derivatives."""
    w, x, v = numbers(4, 3), numbers(5, 4), numbers(5, 4)
    same_as_loop("jvp", lambda x, v: ug.jvp(lambda x: _network(w, x), (x,), (v,))[1], x, v)
    hvp = lambda x, v: ug.jvp(ug.grad(lambda x: _network(w, x)), (x,), (v,))[1]  # noqa: E731
    same_as_loop("hvp", hvp, x, v)
    twice = ug.grad(lambda x, v: ug.sum(ug.grad(lambda x: _network(w, x))(x) * v))
    same_as_loop("grad of grad", twice, x, v)
    each = looped(lambda x, v: ug.jvp(lambda x: _network(w, x), (x,), (v,))[1], x, v)
    whole = ug.jvp(ug.vmap(lambda x: _network(w, x)), (x,), (v,))[1]
    require("jvp of vmap", whole, each)


def gradient_of_a_map() -> None:
    """Reverse mode through vmap, by transforms and by a tape around it."""
    w, x = numbers(4, 3), numbers(5, 4)

    def total(w: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.vmap(lambda x: _network(w, x))(x))

    expected = ug.grad(lambda w: _network(w, x))(w)
    require("grad of vmap", ug.grad(total)(w), expected)
    with ug.GradientTape() as tape:
        tape.watch([w, x])
        out = ug.vmap(lambda x: _network(w, x))(x)
    found = tape.gradient(out, [w, x])
    require("a tape around it", found[0], expected)
    require("a tape around it", found[1], ug.grad(lambda x: _network(w, x))(x))


def a_tape_inside() -> None:
    """A tape opened in the mapped function gives each example's gradient."""
    w = ug.Variable(numbers(4, 3))
    x = numbers(5, 4)

    def f(x: ug.Tensor) -> Any:
        with ug.GradientTape() as tape:
            tape.watch(x)
            loss = _network(w, x)
        return tape.gradient(loss, [w, x])

    same_as_loop("a tape inside", f, x)


def a_map_between_tapes() -> None:
    """An inner tape under vmap, an outer one around it: second order."""
    w, x = numbers(4, 3), numbers(5, 4)

    def norm(w: ug.Tensor, x: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as inner:
            inner.watch(w)
            loss = _network(w, x)
        return ug.sum(inner.gradient(loss, w) ** 2)

    with ug.GradientTape() as outer:
        outer.watch(w)
        total = ug.sum(ug.vmap(lambda x: norm(w, x))(x))
    found = outer.gradient(total, w)
    with ug.GradientTape() as outer:
        outer.watch(w)
        total = ug.sum(ug.stack([norm(w, x[i]) for i in range(5)]))
    require("the outer gradient", found, outer.gradient(total, w))


def mapped_pullbacks() -> None:
    """A pullback made outside takes a batch of cotangents; so does one of a pytree."""
    x = numbers(4)
    w = numbers(4, 3)
    _, pullback = ug.vjp(lambda x: ug.tanh(x @ w), x)
    rows = ug.asarray(np.eye(3))
    [jacobian] = ug.vmap(pullback)(rows)
    require("rows", jacobian, looped(lambda g: pullback(g)[0], rows))
    _, pullback = ug.vjp(lambda x: {"a": ug.sin(x), "b": ug.sum(x * x)}, x)
    seeds = {"a": numbers(3, 4), "b": numbers(3)}
    [found] = ug.vmap(pullback)(seeds)
    require("a pytree", found, ug.cos(x) * seeds["a"] + 2.0 * x * seeds["b"][:, None])
    v = ug.Variable(2.0, dtype="float64")
    _, pullback = ug.vjp(lambda x: ug.sin(x) * v, x)
    v.assign(5.0)
    [found] = ug.vmap(pullback)(seeds["a"])
    require("a variable's value of then", found, 2.0 * ug.cos(x) * seeds["a"])
    [twice] = ug.vmap(ug.vmap(pullback))(seeds["a"][None])
    require("twice", twice, found[None])


def other_transforms_inside() -> None:
    """A jitted function, a scan, whole Jacobians and rematerialising under vmap."""
    w, x = numbers(4, 3), numbers(5, 4)

    def layer(x: ug.Tensor) -> ug.Tensor:
        return ug.tanh(x @ w)

    def sums(x: ug.Tensor) -> Any:
        return ug.scan(lambda carry, one: (carry * 0.5 + one, carry), ug.asarray(0.0), x)

    transforms: dict[str, Callable[..., Any]] = {
        "jit": ug.jit(layer),
        "grad of jit": ug.grad(lambda x: ug.sum(ug.jit(layer)(x))),
        "scan": sums,
        "jacobian": ug.jacobian(layer),
        "jacobian, forward": ug.jacobian(layer, mode="forward"),
        "checkpoint": ug.grad(lambda x: ug.sum(ug.checkpoint(layer)(x))),
    }
    for name, transform in transforms.items():
        require(name, ug.vmap(transform)(x), looped(transform, x))


def a_tape_outside_is_asked_inside() -> None:
    """A tape of rules takes a batch of cotangents; a library's own gives that or says why not."""
    x = numbers(4)
    rows = ug.asarray(np.eye(4))
    for reference in (True, False):
        with ug.GradientTape(persistent=True, reference=reference) as tape:
            tape.watch(x)
            y = ug.sin(x) * x
        mapped = ug.vmap(lambda g, tape=tape, y=y: tape.gradient(y, x, g))
        try:
            found = mapped(rows)
        except ug.TracingError:
            if reference:
                raise
            continue
        require("rows", found, rows * (ug.cos(x) * x + ug.sin(x)))


def what_stops_a_derivative() -> None:
    """stop_gradient and integers stop it under vmap, for tapes inside and outside."""
    x = numbers(3, 2)
    stopped: list[Callable[[ug.Tensor], ug.Tensor]] = [
        lambda x: ug.stop_gradient(x) * x,
        lambda x: ug.astype(x * 9.0, "int64") * x,
    ]
    for f in stopped:
        inside = ug.vmap(ug.grad(lambda x, f=f: ug.sum(f(x))))(x)
        outside = ug.grad(lambda x, f=f: ug.sum(ug.vmap(f)(x)))(x)
        expected = f(x) / x
        require("a gradient inside", inside, expected)
        require("a gradient outside", outside, expected)
    with quiet(), ug.GradientTape() as tape:
        tape.watch(x)
        out = ug.vmap(ug.stop_gradient)(x)
    with quiet():
        if tape.gradient(out, x) is not None:
            raise Deviation("what stop_gradient gives under vmap has a gradient")


BATCHED_DERIVATIVES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        gradients_of_examples,
        forward_mode_and_second_order,
        gradient_of_a_map,
        a_tape_inside,
        a_map_between_tapes,
        mapped_pullbacks,
        other_transforms_inside,
        a_tape_outside_is_asked_inside,
        what_stops_a_derivative,
    )
}
