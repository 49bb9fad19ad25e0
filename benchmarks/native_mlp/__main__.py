"""Time gradients and steps; one table and one JSON file each."""

from __future__ import annotations

import argparse

from benchmarks.native_mlp import (
    BATCH,
    GRADIENTS,
    STEPS,
    Array,
    Candidate,
    Labels,
    Weights,
    initial_weights,
    random_batch,
)
from benchmarks.timing import compare


def gradient_candidates(weights: Weights, x: Array, y: Labels) -> dict[str, Candidate]:
    """Forward and backward pass in every framework."""
    return {name: build(weights, x, y) for name, build in GRADIENTS.items()}


def step_candidates(weights: Weights, x: Array, y: Labels) -> dict[str, Candidate]:
    """Whole training steps in every framework."""
    return {name: build(weights, x, y) for name, build in STEPS.items()}


def main() -> None:
    """Time gradients and steps; one table and one JSON file each."""
    parser = argparse.ArgumentParser(description="native timings of the 784-100-100-10 perceptron")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--json", help="prefix of the JSON files to write")
    options = parser.parse_args()
    weights, (x, y) = initial_weights(), random_batch()
    for kind, build in (("gradients", gradient_candidates), ("steps", step_candidates)):
        print(f"\n### {kind}, 784-100-100-10, batch {BATCH}\n")
        path = f"{options.json}{kind}.json" if options.json else None
        compare(build(weights, x, y), options.rounds, options.warmup, json_path=path)


if __name__ == "__main__":
    main()
