"""How initial weights decide whether a deep network learns: the lecture's section 3, measured.

    python examples/initialization_study.py --backend jax

Digits go through 50 layers of 100 units under six ways to begin and three nonlinearities; the
variances of activations and of gradients are taken at each layer. Then networks of 10 layers are
trained from each beginning. Figures and numbers are left in a folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from data_digits import read_digits
from training import at_least, backend

import unigrad as ug

LAYERS, UNITS, EXAMPLES = 50, 100, 200
TRAINED_LAYERS, BATCH, LEARNING_RATE = 10, 100, 0.05
ACTIVATIONS: dict[str, Callable[[Any], ug.Tensor]] = {
    "tanh": ug.tanh,
    "sigmoid": ug.sigmoid,
    "relu": ug.relu,
}
#: Small and large are those of the lecture: far below, and far above, what the fans ask for.
BEGINNINGS: dict[str, Any] = {
    "zero": ug.initializers.zeros,
    "too small": ug.initializers.Normal(0.01),
    "too large": ug.initializers.Normal(1.0),
    "Xavier, 1/n": ug.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal"),
    "Glorot": ug.initializers.VarianceScaling(1.0, "fan_avg", "untruncated_normal"),
    "He": ug.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal"),
}


def weights_of(beginning: Any, sizes: Sequence[int], seed: int) -> list[ug.Variable]:
    """Return one weight matrix for each step from a layer's size to the next."""
    keys = ug.random.split(ug.random.key(seed), len(sizes) - 1)
    shapes = pairwise(sizes)
    return [ug.Variable(beginning(key, shape)) for key, shape in zip(keys, shapes, strict=True)]


def through(
    images: Any, weights: Sequence[Any], activation: Callable[[Any], ug.Tensor]
) -> list[ug.Tensor]:
    """Return the activations after each layer."""
    found, x = [], ug.asarray(images)
    for weight in weights:
        x = activation(x @ ug.asarray(weight))
        found.append(x)
    return found


def measured(beginning: Any, activation: Any, images: Any, seed: int) -> dict[str, list[float]]:
    """Return mean and variance of activations and of gradients by them, layer by layer.

    The gradient that comes from above is normal, of variance 1.
    """
    weights = weights_of(beginning, [images.shape[1], *[UNITS] * LAYERS], seed)
    above = ug.random.normal(ug.random.key(seed + 1), (len(images), UNITS))
    with ug.GradientTape() as tape:
        layers = through(images, weights, activation)
        loss = ug.sum(layers[-1] * above)
    gradients = tape.gradient(loss, layers)
    return {
        "mean": [float(ug.mean(x)) for x in layers],
        "variance": [float(ug.var(x)) for x in layers],
        "gradient mean": [float(ug.mean(g)) for g in gradients],
        "gradient variance": [float(ug.var(g)) for g in gradients],
    }


def spread_of_units(value: float, steps: int, seed: int) -> float:
    """Train two layers from equal weights; return how far the hidden units are apart afterwards.

    Units that begin alike get the same gradient, so they stay one unit: but for the rounding of
    sums, which some libraries add up otherwise for some columns. In float64 that stays small.
    """
    images, labels = _digits(seed)
    images = images.astype(np.float64)
    first = ug.Variable(ug.initializers.Constant(value)(None, (images.shape[1], UNITS), "float64"))
    last = ug.Variable(ug.initializers.glorot_normal(ug.random.key(seed), (1, 10), "float64"))
    optimizer = ug.optimizers.SGD(LEARNING_RATE)
    ones = ug.ones((UNITS, 1), dtype="float64")
    for step in range(steps):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        with ug.GradientTape() as tape:
            hidden = ug.tanh(ug.asarray(images[rows]) @ ug.asarray(first))
            logits = hidden @ (ones @ ug.asarray(last))
            loss = ug.losses.sparse_categorical_crossentropy(
                labels[rows], logits, from_logits=True
            ).mean()
        gradients = tape.gradient(loss, [first, last])
        optimizer.apply_gradients(zip(gradients, [first, last]))
    found = first.numpy()
    return float(np.abs(found - found[:, :1]).max())


def _digits(seed: int) -> tuple[Any, Any]:
    """Return images of mean 0 and variance 1, and labels."""
    training, _ = read_digits(seed)
    images = training.images
    return (images - images.mean()) / images.std(), training.labels


def trained(beginning: Any, activation: Any, steps: int, seed: int) -> list[float]:
    """Train a deep network; return its losses."""
    images, labels = _digits(seed)
    sizes = [images.shape[1], *[UNITS] * (TRAINED_LAYERS - 1), 10]
    weights = weights_of(beginning, sizes, seed)
    optimizer = ug.optimizers.SGD(LEARNING_RATE)

    @ug.jit
    def step(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            hidden = through(x, weights[:-1], activation)[-1]
            logits = hidden @ ug.asarray(weights[-1])
            loss = ug.losses.sparse_categorical_crossentropy(y, logits, from_logits=True).mean()
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    losses = []
    for number in range(steps):
        first = number * BATCH % (len(images) - BATCH + 1)
        rows = slice(first, first + BATCH)
        losses.append(float(step(ug.asarray(images[rows]), ug.asarray(labels[rows]))))
    return losses


def study(steps: int, seed: int) -> dict[str, Any]:
    """Return all numbers: by nonlinearity and beginning, and the spread of equal units."""
    images = _digits(seed)[0][:EXAMPLES]
    found: dict[str, Any] = {"layers": {}, "training": {}}
    for name, activation in ACTIVATIONS.items():
        found["layers"][name] = {
            how: measured(one, activation, images, seed) for how, one in BEGINNINGS.items()
        }
        found["training"][name] = {
            how: trained(one, activation, steps, seed) for how, one in BEGINNINGS.items()
        }
    found["spread of equal units"] = {
        str(value): spread_of_units(value, min(steps, 20), seed) for value in (0.0, 0.01, 0.1)
    }
    return found


def draw(found: dict[str, Any], folder: Path) -> None:
    """Write three figures: forward, backward, and the losses."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = (
        ("forward", "layers", ("variance", "mean"), " of activations"),
        ("backward", "layers", ("gradient variance", "gradient mean"), "s"),
        ("training", "training", ("cross-entropy",), ""),
    )
    for file, part, quantities, of in panels:
        rows = len(quantities)
        figure, grid = plt.subplots(
            rows, len(ACTIVATIONS), figsize=(13, 1 + 3 * rows), sharey="row", squeeze=False
        )
        for axes, quantity in zip(grid, quantities, strict=True):
            for axis, name in zip(axes, ACTIVATIONS, strict=True):
                for how, numbers in found[part][name].items():
                    _plot(axis, numbers[quantity] if part == "layers" else numbers, how, quantity)
                axis.set_title(name)
                axis.set_xlabel("layer" if part == "layers" else "step")
            axes[0].set_ylabel(quantity + of)
        grid[0, -1].legend(fontsize="small")
        figure.tight_layout()
        figure.savefig(folder / f"{file}.png", dpi=100)
        plt.close(figure)


def _plot(axis: Any, line: list[float], label: str, quantity: str) -> None:
    """Draw numbers on a logarithmic axis; that of means has both signs, and is linear around 0."""
    signed = quantity.endswith("mean")
    # What is exactly 0 or overflows has no place on a logarithmic axis.
    least = -1.0 if signed else 1e-45
    shown = [x if least < abs(x) < 1e30 else float("nan") for x in line]
    axis.plot(range(1, len(shown) + 1), shown, label=label)
    if signed:
        axis.set_yscale("symlog", linthresh=1e-3)
    else:
        axis.set_yscale("log")


def summary(found: dict[str, Any]) -> str:
    """Return a table: variances at the last layer, of gradients at the first, and the last loss."""
    lines = ["| | beginning | var. of activations | var. of gradients | loss |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for name in ACTIVATIONS:
        for how in BEGINNINGS:
            layers = found["layers"][name][how]
            last = np.mean(found["training"][name][how][-10:])
            lines.append(
                f"| {name} | {how} | {layers['variance'][-1]:.1e} | "
                f"{layers['gradient variance'][0]:.1e} | {last:.2f} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, draw, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backend", type=backend, default="", help="numpy, torch, jax, tensorflow")
    parser.add_argument("--steps", type=at_least(1), default=300, help="steps of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/initialization_study"))
    chosen = parser.parse_args(arguments)
    with ug.use_backend(chosen.backend), np.errstate(all="ignore"):
        found = study(chosen.steps, chosen.seed)
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "numbers.json").write_text(json.dumps(found))
    draw(found, chosen.output)
    print(summary(found))
    print("spread of equal units:", found["spread of equal units"])


if __name__ == "__main__":
    main()
