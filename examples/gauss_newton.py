"""Least squares by Gauss-Newton, without ever making the Jacobian.

    python examples/gauss_newton.py --backend tensorflow

Each step solves (JᵀJ) d = Jᵀr by conjugate gradients. J v is a `linearize`d forward pass, Jᵀ u the
pullback of `vjp`; so a step costs a few passes through the model, whatever its size.

Source: Nocedal and Wright, Numerical Optimization (2006), section 10.3 and algorithm 5.2.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import unigrad as ug


def conjugate_gradients(
    product: Callable[[ug.Tensor], ug.Tensor], b: ug.Tensor, steps: int
) -> ug.Tensor:
    """Solve A x = b, where A is symmetric and given by its product with a vector."""
    x, r = ug.zeros_like(b), b
    p, square = r, ug.sum(r * r)
    for _ in range(steps):
        if float(square) == 0.0:
            break
        along = product(p)
        length = square / ug.sum(p * along)
        x, r = x + length * p, r - length * along
        before, square = square, ug.sum(r * r)
        p = r + square / before * p
    return x


def gauss_newton(
    residuals: Callable[[ug.Tensor], ug.Tensor], x: ug.Tensor, steps: int
) -> tuple[ug.Tensor, list[float]]:
    """Minimise ½‖r(x)‖²; return the point, and the sum of squares at each step."""
    history = []
    for _ in range(steps):
        r, forward = ug.linearize(residuals, x)
        _, pullback = ug.vjp(residuals, x)
        history.append(float(ug.sum(r * r)))
        [slope] = pullback(r)

        def product(v: ug.Tensor, forward: Any = forward, pullback: Any = pullback) -> Any:
            return pullback(forward(v))[0]

        x = x - conjugate_gradients(product, slope, x.shape[0])
    return x, history


def main(arguments: Sequence[str] | None = None) -> tuple[np.ndarray, list[float]]:
    """Fit a decaying oscillation to exact data; return its parameters and the sums of squares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    chosen = parser.parse_args(arguments)
    true = np.array([2.0, 0.7, 3.0])
    with ug.use_backend(chosen.backend):
        t = ug.linspace(0.0, 3.0, 40, dtype=ug.float64)

        def model(p: ug.Tensor) -> ug.Tensor:
            return p[0] * ug.exp(-p[1] * t) * ug.cos(p[2] * t)

        data = model(ug.asarray(true))
        found, history = gauss_newton(lambda p: model(p) - data, ug.asarray(true * 1.15), 8)
        print("sums of squares:", " ".join(f"{one:.1e}" for one in history))
        print("parameters:", np.round(found.numpy(), 6))
        return found.numpy(), history


if __name__ == "__main__":
    main()
