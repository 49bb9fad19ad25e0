"""The lecture's figures of computational graphs, drawn and measured.

    python examples/graph_figures.py --backend numpy --output runs/graph_figures

Writes the graph of e = (a + b)(b + 1), reverse mode as an animation, a network folded and open, and
what forward and reverse mode cost for n inputs and m outputs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import unigrad as ug


def lecture(a: ug.Tensor, b: ug.Tensor) -> ug.Tensor:
    """Return (a + b)(b + 1)."""
    return (a + b) * (b + 1)


def seconds(run: Callable[[], Any], times: int = 3) -> float:
    """Return the shortest of a few runs' times."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def costs(inputs: int, outputs: int) -> tuple[float, float]:
    """Return the seconds of all first derivatives by forward and by reverse mode, pass by pass."""
    rng = np.random.default_rng(0)
    matrix = ug.asarray(rng.normal(size=(outputs, inputs)).astype(np.float32) / inputs)
    x = ug.asarray(rng.normal(size=inputs).astype(np.float32))

    def f(x: ug.Tensor) -> ug.Tensor:
        return matrix @ ug.tanh(x)

    def forward() -> None:
        for i in range(inputs):
            direction = np.zeros(inputs, np.float32)
            direction[i] = 1.0
            ug.jvp(f, (x,), (ug.asarray(direction),))

    def reverse() -> None:
        _, pullback = ug.vjp(f, x)
        for i in range(outputs):
            cotangent = np.zeros(outputs, np.float32)
            cotangent[i] = 1.0
            pullback(ug.asarray(cotangent))

    return seconds(forward, 1), seconds(reverse, 1)


def a_million_against_one() -> tuple[float, float]:
    """Return the seconds of one forward pass times a million inputs, and of one reverse pass."""
    x = ug.asarray(np.linspace(-1.0, 1.0, 1_000_000, dtype=np.float32))

    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.mean(ug.tanh(x) ** 2)

    one = seconds(lambda: ug.jvp(f, (x,), (ug.ones_like(x),)))
    return one * x.size, seconds(lambda: ug.grad(f)(x))


def plot(rows: Sequence[tuple[int, int, float, float]], file: Path) -> None:
    """Draw the costs over the number of inputs, at one output, and over outputs at one input."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.6))
    wide, tall = figure.subplots(1, 2, sharey=True)
    for axes, chosen, heading in (
        (wide, [row for row in rows if row[1] == 1], "inputs, one output"),
        (tall, [row for row in rows if row[0] == 1], "outputs, one input"),
    ):
        counts = [max(row[:2]) for row in chosen]
        axes.loglog(counts, [row[2] for row in chosen], "o-", label="forward mode")
        axes.loglog(counts, [row[3] for row in chosen], "s-", label="reverse mode")
        axes.set_xlabel(heading)
        axes.grid(True, alpha=0.3)
    wide.set_ylabel("seconds for all derivatives")
    wide.legend()
    figure.tight_layout()
    figure.savefig(file)


def main(arguments: Sequence[str] | None = None) -> list[tuple[int, int, float, float]]:
    """Write the figures; return the costs as (inputs, outputs, forward, reverse)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    parser.add_argument("--output", type=Path, default=Path("runs/graph_figures"))
    parser.add_argument("--largest", type=int, default=1000)
    chosen = parser.parse_args(arguments)
    chosen.output.mkdir(parents=True, exist_ok=True)
    with ug.use_backend(chosen.backend):
        g = ug.graph.capture(lecture)(2.0, 1.0)
        print(g, g.forward("b"), g.reverse("e"), *g.paths("b", "e"), sep="\n")
        g.draw(chosen.output / "lecture.svg")
        g.animate(chosen.output / "reverse.gif")

        network = ug.layers.Sequential(
            ug.layers.Dense(8, "relu", key=0, name="first"),
            ug.layers.Dense(8, "relu", key=1, name="second"),
            ug.layers.Dense(3, key=2, name="scores"),
        )
        x = ug.ones((4, 5))
        network(x)
        whole = ug.graph.capture(lambda x: ug.mean(ug.log_softmax(network(x))))(x)
        whole.draw(chosen.output / "network-folded.svg", fold=1)
        whole.draw(chosen.output / "network-open.svg", fold=9)

        sizes = [size for size in (1, 10, 100, 1000) if size <= chosen.largest]
        rows = [(n, 1, *costs(n, 1)) for n in sizes] + [(1, m, *costs(1, m)) for m in sizes[1:]]
        print("inputs  outputs  forward (s)  reverse (s)")
        for inputs, outputs, forward, reverse in rows:
            print(f"{inputs:6}  {outputs:7}  {forward:11.5f}  {reverse:11.5f}")
        million, one = a_million_against_one()
        print(
            f"10⁶ inputs: forward mode {million:.0f} s (one pass, times 10⁶), reverse {one:.3f} s"
        )
        plot(rows, chosen.output / "costs.svg")
    return rows


if __name__ == "__main__":
    main()
