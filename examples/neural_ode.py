"""A neural ODE: a vector field that is trained so that its flow ends where it should.

    python examples/neural_ode.py --backend numpy

dz/dt = f(w, z) is solved by RK4 in a `while_loop` with `max_steps`, one loop in the compiled step.
The gradient is taken in two ways: through the loop's steps, and by the adjoint equation, which
needs none of them: with a = ∂L/∂z, da/dt = −(∂f/∂z)ᵀ a backwards in time, and ∂L/∂w is the integral
of (∂f/∂w)ᵀ a.

Source: Chen, Rubanova, Bettencourt and Duvenaud, Neural Ordinary Differential Equations (2018).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import unigrad as ug

#: The step and the end of time.
STEP, END = 0.05, 1.0
MOST_STEPS = 40
Field = Callable[[Any], Any]


def moved(state: Any, slope: Any, by: float) -> Any:
    """Return a pytree moved along a slope."""
    return ug.tree.map(lambda x, s: x + by * s, state, slope)


def rk4(field: Field, state: Any) -> Any:
    """Return the state after one step of the classical Runge-Kutta method."""
    k1 = field(state)
    k2 = field(moved(state, k1, STEP / 2))
    k3 = field(moved(state, k2, STEP / 2))
    k4 = field(moved(state, k3, STEP))
    return ug.tree.map(
        lambda x, a, b, c, d: x + STEP / 6 * (a + 2.0 * b + 2.0 * c + d), state, k1, k2, k3, k4
    )


def solved(field: Field, state: Any) -> Any:
    """Return the state at the end of time."""
    return ug.while_loop(
        lambda carry: carry[0] < END - STEP / 2,
        lambda carry: (carry[0] + STEP, rk4(field, carry[1])),
        (0.0, state),
        max_steps=MOST_STEPS,
    )[1]


def field(weights: Any, z: ug.Tensor) -> ug.Tensor:
    """Return the slopes at some points (points, 2): a network with one hidden layer."""
    first, second = weights
    slope: ug.Tensor = ug.tanh(z @ first) @ second
    return slope


def through_the_steps(weights: Any, start: ug.Tensor) -> ug.Tensor:
    """Return where points end; its gradient keeps what each step leaves."""
    end: ug.Tensor = solved(lambda z: field(weights, z), start)
    return end


@ug.custom_vjp
def by_the_adjoint(weights: Any, start: ug.Tensor) -> ug.Tensor:
    """Return where points end; its gradient solves another equation, back in time."""
    return through_the_steps(weights, start)


def _forward(weights: Any, start: ug.Tensor) -> tuple[ug.Tensor, Any]:
    end = by_the_adjoint(weights, start)
    return end, (weights, end)


def _backward(saved: Any, g: ug.Tensor) -> tuple[Any, ug.Tensor]:
    weights, end = saved

    def backwards(state: Any) -> Any:
        z, a, _ = state
        slope, pullback = ug.vjp(field, weights, z)
        by_weights, by_z = pullback(a)
        return -slope, by_z, by_weights

    nothing = ug.tree.map(ug.zeros_like, weights)
    _, a, by_weights = solved(backwards, (end, g, nothing))
    return by_weights, a


by_the_adjoint.defvjp(_forward, _backward)


def main(arguments: Sequence[str] | None = None) -> tuple[float, float, float]:
    """Train; return the first loss, the last, and how far the two gradients are apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    parser.add_argument("--steps", type=int, default=60)
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    with ug.use_backend(chosen.backend):
        start = ug.asarray(rng.normal(size=(16, 2)))
        turned = start @ ug.asarray([[0.0, 1.0], [-1.0, 0.0]], dtype=ug.float64)
        weights = ug.asarray(0.5 * rng.normal(size=(2, 8))), ug.asarray(rng.normal(size=(8, 2)))

        def loss(flow: Callable[..., ug.Tensor], weights: Any) -> ug.Tensor:
            return ug.mean((flow(weights, start) - turned) ** 2)

        one = ug.jit(ug.grad(lambda w: loss(through_the_steps, w)))(weights)
        other = ug.jit(ug.grad(lambda w: loss(by_the_adjoint, w)))(weights)
        apart = max(float(ug.max(ug.abs(a - b))) for a, b in zip(one, other, strict=True))
        print(f"the two gradients differ by {apart:.1e}")

        @ug.jit
        def step(weights: Any) -> Any:
            value, slope = ug.value_and_grad(lambda w: loss(by_the_adjoint, w))(weights)
            return value, moved(weights, slope, -0.3)

        losses = []
        for _ in range(chosen.steps):
            value, weights = step(weights)
            losses.append(float(value))
        print(f"loss {losses[0]:.4f} at first, {losses[-1]:.6f} after {chosen.steps} steps")
        return losses[0], losses[-1], apart


if __name__ == "__main__":
    main()
