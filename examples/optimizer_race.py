"""Race optimizers: paths on four surfaces, losses on the digits, and what each keeps in memory.

    python examples/optimizer_race.py --backend numpy --output runs/race

It writes ``paths.gif`` (Rosenbrock's and Beale's functions, a saddle and a noisy ravine),
``digits.png`` (training losses of a small perceptron), and ``race.json`` with every figure: where
the paths end, losses and test accuracy, and the bytes that each optimizer keeps per parameter.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from data_digits import Digits, read_digits

import unigrad as ug
from unigrad import optimizers as o

#: The four of the lecture, and five from after it, with rates that suit the digits.
RACERS: dict[str, Callable[[], o.Optimizer]] = {
    "SGD": lambda: o.SGD(0.1),
    "Momentum": lambda: o.Momentum(0.3),
    "RMSprop": lambda: o.RMSprop(1e-3),
    "Adam": lambda: o.Adam(2e-3),
    "AdamW": lambda: o.AdamW(2e-3, weight_decay=0.05),
    "Lion": lambda: o.Lion(5e-4),
    "Adan": lambda: o.Adan(2e-3),
    "Muon": lambda: o.Muon(0.02, rate_ratio=0.1),
    "ScheduleFreeAdamW": lambda: o.ScheduleFreeAdamW(5e-3),
}
#: Those of the animation, with rates for its surfaces.
WALKERS: dict[str, Callable[[float], o.Optimizer]] = {
    "SGD": lambda rate: o.SGD(0.02 * rate),
    "Momentum": lambda rate: o.Momentum(0.1 * rate),
    "RMSprop": lambda rate: o.RMSprop(0.5 * rate),
    "Adam": lambda rate: o.Adam(rate),
    "AdaBelief": lambda rate: o.AdaBelief(rate),
    "Lion": lambda rate: o.Lion(0.3 * rate),
}


class Surface(NamedTuple):
    """A function of two numbers, where to start, what to draw, and the noise of its gradient."""

    value: Callable[[Any, Any], Any]
    start: tuple[float, float]
    window: tuple[float, float, float, float]
    rate: float
    noise: float = 0.0


#: Rosenbrock and Beale: Moré, Garbow & Hillstrom, "Testing unconstrained optimization software"
#: (1981), problems 1 and 5.
SURFACES = {
    "Rosenbrock": Surface(
        lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
        (-1.2, 1.0),
        (-1.8, 1.8, -0.8, 2.2),
        0.04,
    ),
    "Beale": Surface(
        lambda x, y: (
            (1.5 - x * (1 - y)) ** 2 + (2.25 - x * (1 - y**2)) ** 2 + (2.625 - x * (1 - y**3)) ** 2
        ),
        (1.0, 1.2),
        (-0.5, 4.0, -1.5, 1.8),
        0.05,
    ),
    "saddle": Surface(
        lambda x, y: 0.5 * x * x - 0.5 * y * y + 0.125 * y**4,
        (2.0, 1e-3),
        (-2.5, 2.5, -2.0, 2.0),
        0.1,
    ),
    "noisy ravine": Surface(
        lambda x, y: 0.5 * (0.05 * x * x + 5.0 * y * y),
        (-4.0, 1.5),
        (-5.0, 2.0, -2.0, 2.0),
        0.1,
        1.0,
    ),
}


def walk(surface: Surface, make: Callable[[float], o.Optimizer], steps: int) -> np.ndarray:
    """Return the places of an optimizer on a surface, one row per step."""
    w = ug.Variable(np.array(surface.start))
    optimizer = make(surface.rate)
    key = ug.random.key(0)

    @ug.jit
    def step(noise: ug.Tensor) -> None:
        with ug.GradientTape() as tape:
            loss = surface.value(w[0], w[1])
        slope = tape.gradient(loss, w)
        slope = o.clip_by_global_norm([slope + noise], 10.0)[0]
        optimizer.apply_gradients([(slope, w)])

    places = [w.numpy().copy()]
    for number in range(steps):
        noise = ug.random.normal(ug.random.fold_in(key, number), (2,), dtype="float64")
        step(surface.noise * noise)
        places.append(w.numpy().copy())
    return np.stack(places)


def train(
    make: Callable[[], o.Optimizer], data: Digits, test: Digits, steps: int
) -> dict[str, Any]:
    """Train a perceptron; return losses, accuracy, and the bytes kept per byte of parameters."""
    ug.layers.set_seed(0)
    model = ug.layers.Sequential(
        ug.layers.Dense(100, activation="relu", kernel_initializer="he_uniform"),
        ug.layers.Dense(10),
    )
    model(data.images[:1])
    optimizer = make()

    @ug.jit
    def step(images: ug.Tensor, labels: ug.Tensor) -> ug.Tensor:
        return optimizer.minimize(
            lambda: ug.losses.sparse_categorical_crossentropy(
                labels, model(images), from_logits=True
            ).mean(),
            model.trainable_variables,
        )

    batches = ug.data.batches(
        (data.images, data.labels), 100, key=ug.random.key(1), drop_remainder=True, epochs=None
    )
    losses = [float(step(*batch)) for batch, _ in zip(batches, range(steps))]
    right = ug.argmax(model(ug.asarray(test.images)), axis=-1).numpy() == test.labels
    parameters = sum(one.size * one.dtype.itemsize for one in model.trainable_variables)
    kept = sum(one.size * one.dtype.itemsize for one in optimizer.variables)
    return {"losses": losses, "accuracy": float(np.mean(right)), "memory": kept / parameters}


def draw_paths(paths: dict[str, dict[str, np.ndarray]], path: Path, frames: int) -> None:
    """Draw the paths on all surfaces as an animation."""
    from matplotlib import pyplot
    from matplotlib.animation import FuncAnimation, PillowWriter

    figure, grid = pyplot.subplots(2, 2, figsize=(9, 7), layout="constrained")
    lines = []
    for axes, (name, surface) in zip(grid.flat, SURFACES.items()):
        left, right, low, high = surface.window
        x, y = np.meshgrid(np.linspace(left, right, 120), np.linspace(low, high, 120))
        height = surface.value(x, y)
        # One grey, no smoothed edges: a GIF has few colours, and the paths need them.
        axes.contour(
            x, y, np.log1p(height - height.min()), 25,
            colors="0.85", linewidths=0.6, antialiased=False,
        )  # fmt: skip
        axes.set(title=name, xlim=(left, right), ylim=(low, high))
        for walker, places in paths[name].items():
            (line,) = axes.plot([], [], linewidth=1.5, label=walker)
            lines.append((line, places))
    grid.flat[0].legend(fontsize="small")

    def show(frame: int) -> list[Any]:
        for line, places in lines:
            end = 1 + frame * (len(places) - 1) // (frames - 1)
            line.set_data(places[:end, 0], places[:end, 1])
        return [line for line, _ in lines]

    FuncAnimation(figure, show, frames=frames).save(path, writer=PillowWriter(fps=12))
    pyplot.close(figure)


def draw_losses(results: dict[str, dict[str, Any]], path: Path) -> None:
    """Draw the training losses, smoothed over ten steps."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
    for name, result in results.items():
        smooth = np.convolve(result["losses"], np.full(10, 0.1), mode="valid")
        axes.plot(smooth, linewidth=1.2, label=f"{name}: {result['accuracy']:.1%}")
    axes.set(title="digits: loss, and test accuracy", xlabel="step", ylabel="loss", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Race, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default="numpy", help="which library computes")
    parser.add_argument(
        "--steps", type=int, default=300, help="steps on each surface, and of training"
    )
    parser.add_argument("--frames", type=int, default=60, help="pictures of the animation")
    parser.add_argument("--output", type=Path, default=Path("runs") / "optimizer_race")
    chosen = parser.parse_args(arguments)
    if chosen.steps < 10 or chosen.frames < 2:
        parser.error("it takes at least 10 steps and 2 frames")
    import matplotlib

    matplotlib.use("Agg")
    chosen.output.mkdir(parents=True, exist_ok=True)
    with ug.use_backend(chosen.backend):
        paths = {
            name: {walker: walk(surface, make, chosen.steps) for walker, make in WALKERS.items()}
            for name, surface in SURFACES.items()
        }
        data, test = read_digits(0)
        results = {name: train(make, data, test, chosen.steps) for name, make in RACERS.items()}
    draw_paths(paths, chosen.output / "paths.gif", chosen.frames)
    draw_losses(results, chosen.output / "digits.png")
    ends = {
        name: {
            walker: {
                "place": places[-1].tolist(),
                "value": float(SURFACES[name].value(*places[-1])),
            }
            for walker, places in walks.items()
        }
        for name, walks in paths.items()
    }
    text = json.dumps({"paths": ends, "digits": results}, indent=1)
    (chosen.output / "race.json").write_text(text + "\n")
    print(f"{'optimizer':18} {'last loss':>9} {'accuracy':>9} {'memory by parameters':>21}")
    for name, result in results.items():
        last = float(np.mean(result["losses"][-10:]))
        print(f"{name:18} {last:9.4f} {result['accuracy']:9.1%} {result['memory']:21.2f}")
    print(f"wrote {chosen.output}")


if __name__ == "__main__":
    main()
