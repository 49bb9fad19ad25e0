"""What loss, data, learning rate and batch size do to training: the lecture's section 4.1 to 4.3.

    python examples/training_study.py --backend jax

A network of the lecture's size (784, 100, 100, 10, relu) learns digits. Measured are the losses of
examples about their mean, the cost; the error by the number of examples; the losses by the learning
rate; and by the batch size the updates per second, the noise of the gradient, the memory of a step
and the time to an accuracy. Figures and numbers are left in a folder.
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from data_digits import Digits, read_digits
from training import at_least, backend

import unigrad as ug

SIZES = (784, 100, 100, 10)
BATCH, RATE = 64, 0.1
#: How many examples there are to learn from.
AMOUNTS = (50, 100, 200, 500, 1000, 2000, 4000)
RATES = (1e-4, 1e-3, 1e-2, 0.1, 0.5, 2.0, 10.0)
BATCHES = (32, 64, 128, 256, 512)
#: Of subsets of a size so many are drawn.
DRAWS = 30
ACCURACY = 0.9


@dataclass
class Network:
    """Layers of a network, and one step of training it."""

    weights: list[ug.Variable]
    biases: list[ug.Variable]

    @classmethod
    def made(cls, seed: int) -> Network:
        """Draw the weights by He's rule."""
        keys = ug.random.split(ug.random.key(seed), len(SIZES) - 1)
        shapes = list(pairwise(SIZES))
        weights = [ug.initializers.he_normal(k, s) for k, s in zip(keys, shapes, strict=True)]
        return cls(list(map(ug.Variable, weights)), [ug.Variable(ug.zeros(s[1])) for s in shapes])

    @property
    def variables(self) -> list[ug.Variable]:
        """All that is trained."""
        return [*self.weights, *self.biases]

    def logits(self, x: Any) -> ug.Tensor:
        """Return the scores of images."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = ug.relu(ug.linear(x, weight, bias))
        return ug.linear(x, self.weights[-1], self.biases[-1])

    def losses(self, x: Any, y: Any) -> ug.Tensor:
        """Return the loss of each example."""
        return ug.losses.sparse_categorical_crossentropy(y, self.logits(x), from_logits=True)

    def gradient(self, x: Any, y: Any) -> tuple[ug.Tensor, list[Any]]:
        """Return the cost, and its gradient by all variables."""
        with ug.GradientTape() as tape:
            cost = self.losses(x, y).mean()
        return cost, tape.gradient(cost, self.variables)

    def error(self, data: Digits) -> float:
        """Return the share of images that are taken for another digit."""
        right = ug.metrics.sparse_categorical_accuracy(data.labels, self.logits(data.images))
        return 1.0 - float(right.mean())


def training_step(network: Network, optimizer: ug.optimizers.Optimizer) -> Any:
    """Return a compiled function from a batch to its cost before the step."""

    @ug.jit
    def step(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
        cost, gradient = network.gradient(x, y)
        optimizer.apply_gradients(zip(gradient, network.variables))
        return cost

    return step


def rows(number: int, size: int, examples: int) -> Any:
    """Return which examples a step sees: one batch after the other, from the front again."""
    return np.arange(number * size, (number + 1) * size) % examples


def batch_of(data: Digits, chosen: Any) -> tuple[ug.Tensor, ug.Tensor]:
    """Return some examples."""
    return ug.asarray(data.images[chosen]), ug.asarray(data.labels[chosen])


def train(
    data: Digits, rate: float, steps: int, seed: int, batch: int = BATCH
) -> tuple[Network, list[float]]:
    """Train by gradient descent; return the network and the costs of its batches."""
    network = Network.made(seed)
    step = training_step(network, ug.optimizers.SGD(rate))
    costs = []
    for number in range(steps):
        x, y = batch_of(data, rows(number, min(batch, len(data)), len(data)))
        costs.append(float(step(x, y)))
    return network, costs


def loss_and_cost(data: Digits, steps: int, seed: int) -> dict[str, Any]:
    """Return the losses of examples, and how far costs of subsets are from that of all."""
    network, _ = train(data, RATE, max(steps // 10, 1), seed)
    losses = network.losses(data.images, data.labels).numpy()
    chance = np.random.default_rng(seed)
    spread = {
        size: float(np.std([chance.choice(losses, size).mean() for _ in range(20 * DRAWS)]))
        for size in (1, *BATCHES)
    }
    return {"losses": losses.tolist(), "cost": float(losses.mean()), "spread": spread}


def error_by_amount(data: Digits, test: Digits, steps: int, seed: int) -> dict[int, Any]:
    """Return the error on seen and unseen digits after as many steps, by the number seen."""
    found = {}
    for amount in AMOUNTS:
        some = Digits(data.images[:amount], data.labels[:amount])
        network, _ = train(some, RATE, steps, seed)
        found[amount] = {"seen": network.error(some), "unseen": network.error(test)}
    return found


def noise_of(network: Network, data: Digits, size: int, seed: int) -> float:
    """Return how far gradients of batches are from the full one, by its length, on average."""
    full = flat(network.gradient(data.images, data.labels)[1])
    chance = np.random.default_rng(seed)
    distances = []
    for _ in range(DRAWS):
        chosen = chance.choice(len(data), size, replace=False)
        distances.append(np.sum((flat(network.gradient(*batch_of(data, chosen))[1]) - full) ** 2))
    return float(np.sqrt(np.mean(distances) / np.sum(full**2)))


def flat(gradient: Sequence[Any]) -> Any:
    """Return a gradient as one vector."""
    return np.concatenate([one.numpy().ravel() for one in gradient]).astype(np.float64)


def memory_of_step(data: Digits, size: int, seed: int) -> int:
    """Return the bytes that a forward and backward pass takes at most, on NumPy."""
    with ug.use_backend("numpy"):
        network = Network.made(seed)
        x, y = batch_of(data, np.arange(size) % len(data))
        network.gradient(x, y)
        tracemalloc.start()
        network.gradient(x, y)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


def race(data: Digits, test: Digits, size: int, steps: int, seed: int) -> dict[str, Any]:
    """Train with a batch size until the accuracy is reached, or for as many examples as all."""
    network = Network.made(seed)
    step = training_step(network, ug.optimizers.SGD(RATE))
    step(*batch_of(data, rows(0, size, len(data))))  # Compiles.
    spent, done, error = 0.0, 1, 1.0
    while error > 1 - ACCURACY and done * size < steps * 512:
        start = time.perf_counter()
        for _ in range(10):
            cost = step(*batch_of(data, rows(done, size, len(data))))
            done += 1
        float(cost)
        spent += time.perf_counter() - start
        error = network.error(test)
    return {
        "updates per second": (done - 1) / spent,
        "examples per second": (done - 1) * size / spent,
        "updates": done,
        "seconds": spent,
        "error": error,
    }


def by_batch(data: Digits, test: Digits, steps: int, seed: int) -> dict[int, Any]:
    """Return what depends on the batch size."""
    network, _ = train(data, RATE, max(steps // 10, 1), seed)
    return {
        size: {
            **race(data, test, size, steps, seed),
            "noise": noise_of(network, data, size, seed),
            "bytes": memory_of_step(data, size, seed),
        }
        for size in BATCHES
    }


def study(steps: int, seed: int) -> dict[str, Any]:
    """Return all numbers."""
    data, test = read_digits(seed)
    return {
        "loss and cost": loss_and_cost(data, steps, seed),
        "amount": error_by_amount(data, test, steps, seed),
        "rate": {rate: train(data, rate, steps, seed)[1] for rate in RATES},
        "batch": by_batch(data, test, steps, seed),
    }


def draw(found: dict[str, Any], folder: Path) -> None:
    """Write two figures: costs, data and rates; batch sizes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4))
    left.hist(found["loss and cost"]["losses"], bins=50, log=True)
    left.axvline(found["loss and cost"]["cost"], color="black", label="cost: their mean")
    left.set(xlabel="loss of an example", ylabel="examples")
    left.legend()
    for kind in ("seen", "unseen"):
        errors = [100 * one[kind] for one in found["amount"].values()]
        middle.plot(list(found["amount"]), errors, marker="o", label=f"{kind} digits")
    middle.set(xlabel="examples to learn from", ylabel="error, %", xscale="log")
    middle.legend()
    for rate, costs in found["rate"].items():
        right.plot(costs, label=f"α = {rate:g}", linewidth=0.8)
    right.set(xlabel="step", ylabel="cost of a batch", yscale="log")
    right.legend(fontsize="small")
    _save(figure, folder / "data_and_rates.png")
    panels = (
        ("updates per second", "updates per second"),
        ("noise", "‖batch − full‖ / ‖full‖"),
        ("bytes", "bytes of a step"),
        ("seconds", f"seconds to {100 * ACCURACY:.0f} % right"),
    )
    figure, axes = plt.subplots(1, len(panels), figsize=(13, 3.5))
    for axis, (quantity, label) in zip(axes, panels, strict=True):
        axis.plot(BATCHES, [found["batch"][size][quantity] for size in BATCHES], marker="o")
        axis.set(xlabel="batch size", title=label, xscale="log", ylim=(0, None))
        axis.set_xticks(BATCHES, list(map(str, BATCHES)))
        axis.minorticks_off()
    _save(figure, folder / "batch_sizes.png")


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=100)


def summary(found: dict[str, Any]) -> str:
    """Return the numbers as tables."""
    cost = found["loss and cost"]
    lines = [f"cost {cost['cost']:.3f}, largest loss {max(cost['losses']):.2f}", ""]
    lines += ["| examples | deviation of their mean loss |", "| --- | --- |"]
    lines += [f"| {size} | {spread:.3f} |" for size, spread in cost["spread"].items()]
    lines += ["", "| examples | error seen, % | unseen, % |", "| --- | --- | --- |"]
    lines += [
        f"| {amount} | {100 * one['seen']:.1f} | {100 * one['unseen']:.1f} |"
        for amount, one in found["amount"].items()
    ]
    lines += ["", "| α | first cost | largest | last |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {rate:g} | {costs[0]:.2f} | {max(costs):.3g} | {np.mean(costs[-10:]):.3f} |"
        for rate, costs in found["rate"].items()
    ]
    heads = ("updates per second", "examples per second", "noise", "bytes", "updates", "seconds")
    lines += ["", f"| batch | {' | '.join(heads)} |", "| --- " * (len(heads) + 1) + "|"]
    lines += [
        f"| {size} | {' | '.join(f'{one[head]:.3g}' for head in heads)} |"
        for size, one in found["batch"].items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, draw, and print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backend", type=backend, default="", help="numpy, torch, jax, tensorflow")
    parser.add_argument("--steps", type=at_least(1), default=400, help="steps of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("runs/training_study"))
    chosen = parser.parse_args(arguments)
    with ug.use_backend(chosen.backend), np.errstate(all="ignore"):
        found = study(chosen.steps, chosen.seed)
    chosen.output.mkdir(parents=True, exist_ok=True)
    (chosen.output / "numbers.json").write_text(json.dumps(found))
    draw(found, chosen.output)
    print(summary(found))


if __name__ == "__main__":
    main()
