"""The derivative of a fixed point, by the implicit function theorem rather than through the loop.

    python examples/implicit_differentiation.py --backend numpy

z(a) solves z = f(a, z). Differentiating both sides, dz = (I − ∂f/∂z)⁻¹ ∂f/∂a da: the backward pass
is another fixed point, u = g + (∂f/∂z)ᵀ u, and needs nothing of the forward iteration but its end.

Source: Bai, Kolter and Koltun, Deep Equilibrium Models (2019), theorem 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import unigrad as ug

STEPS = 60
Map = Callable[[Any, ug.Tensor], ug.Tensor]


def iterated(f: Callable[[ug.Tensor], ug.Tensor], z: ug.Tensor) -> ug.Tensor:
    """Apply a contraction until it moves no more."""
    end: ug.Tensor = ug.fori_loop(0, STEPS, lambda _, z: f(z), z)
    return end


def fixed_point(f: Map) -> Callable[[Any, ug.Tensor], ug.Tensor]:
    """Return the function that solves z = f(a, z) from a first guess, differentiable by ``a``."""

    @ug.custom_vjp
    def solve(a: Any, guess: ug.Tensor) -> ug.Tensor:
        return iterated(lambda z: f(a, z), guess)

    def forward(a: Any, guess: ug.Tensor) -> tuple[ug.Tensor, Any]:
        z = solve(a, guess)
        return z, (a, z)

    def backward(saved: Any, g: ug.Tensor) -> tuple[Any, None]:
        a, z = saved
        _, by_z = ug.vjp(lambda z: f(a, z), z)
        u = iterated(lambda u: g + by_z(u)[0], g)
        _, by_a = ug.vjp(lambda a: f(a, z), a)
        return by_a(u)[0], None

    solve.defvjp(forward, backward)
    return solve


def newton_sqrt(a: ug.Tensor, z: ug.Tensor) -> ug.Tensor:
    """Return Newton's next guess of a square root."""
    return 0.5 * (z + a / z)


def main(arguments: Sequence[str] | None = None) -> tuple[float, np.ndarray]:
    """Return d√a/da at 2, and the gradient of an equilibrium layer by its matrix."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    with ug.use_backend(chosen.backend):
        root = fixed_point(newton_sqrt)
        slope = ug.grad(root)(ug.asarray(2.0, dtype=ug.float64), ug.asarray(1.0, dtype=ug.float64))
        print(f"d√a/da at 2: {float(slope):.6f}, exactly {0.5 / np.sqrt(2.0):.6f}")

        x = ug.asarray(rng.normal(size=4))
        w = ug.asarray(0.2 * rng.normal(size=(4, 4)))
        layer = fixed_point(lambda w, z: ug.tanh(w @ z + x))
        gradient = ug.grad(lambda w: ug.sum(layer(w, ug.zeros_like(x)) ** 2))(w)
        through = ug.grad(
            lambda w: ug.sum(iterated(lambda z: ug.tanh(w @ z + x), ug.zeros_like(x)) ** 2)
        )(w)
        apart = float(ug.max(ug.abs(gradient - through)))
        print(f"an equilibrium layer: {apart:.1e} from the gradient through {STEPS} steps")
        return float(slope), (gradient - through).numpy()


if __name__ == "__main__":
    main()
