"""The norm of every example's own gradient, in one pass.

    python examples/per_example_gradients.py --backend jax

`vmap` of `grad` gives the gradient of each example of a batch; their norms tell which examples pull
hardest, and are what differentially private training clips.

Source: Abadi et al., Deep Learning with Differential Privacy (2016).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

import unigrad as ug

BOUND = 1.0


def loss(weights: dict[str, ug.Tensor], x: ug.Tensor, label: ug.Tensor) -> ug.Tensor:
    """Return the loss of one example."""
    hidden = ug.tanh(x @ weights["w1"] + weights["b1"])
    scores = hidden @ weights["w2"]
    return -ug.log_softmax(scores)[label]


def norms_of(gradients: dict[str, ug.Tensor]) -> ug.Tensor:
    """Return the norm of each example's gradient over all weights."""
    squares = [ug.sum(ug.reshape(g, (g.shape[0], -1)) ** 2, axis=1) for g in gradients.values()]
    total = squares[0]
    for one in squares[1:]:
        total = total + one
    return ug.sqrt(total)


def main(arguments: Sequence[str] | None = None) -> np.ndarray:
    """Return the norms; print the largest and the mean of the clipped gradients."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    with ug.use_backend(chosen.backend):
        weights = {
            name: ug.asarray(rng.normal(size=shape).astype(np.float32) / 3)
            for name, shape in {"w1": (8, 16), "b1": (16,), "w2": (16, 4)}.items()
        }
        x = ug.asarray(rng.normal(size=(64, 8)).astype(np.float32))
        labels = ug.asarray(rng.integers(0, 4, 64))
        per_example = ug.jit(ug.vmap(ug.grad(loss), in_axes=(None, 0, 0)))(weights, x, labels)
        norms = norms_of(per_example)
        scale = ug.minimum(BOUND / norms, 1.0)
        clipped = {
            name: ug.mean(g * ug.reshape(scale, (-1, *[1] * (g.ndim - 1))), axis=0)
            for name, g in per_example.items()
        }
        print(f"norms from {float(norms.min()):.4f} to {float(norms.max()):.4f}")
        for name, g in clipped.items():
            print(f"{name}: the mean clipped gradient has norm {float(ug.sqrt((g * g).sum())):.4f}")
        return norms.numpy()


if __name__ == "__main__":
    main()
