"""Run random programs on backends: ``python -m unigrad_conformance.fuzz --backend jax``."""

from __future__ import annotations

import argparse
import os

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import installed
from unigrad_conformance.fuzz.check import check_program
from unigrad_conformance.fuzz.program import make_program
from unigrad_conformance.subject import Deviation


def main() -> int:
    """Print every program on which a backend deviates; return how many there were."""
    parser = argparse.ArgumentParser(description="Compare backends with NumPy on random programs.")
    parser.add_argument("--backend", action="append", help="may be repeated; default: all")
    parser.add_argument("--programs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="the first program's number")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    names = installed()
    found = 0
    for backend in arguments.backend or names:
        with ug.use_backend(backend):
            for seed in range(arguments.seed, arguments.seed + arguments.programs):
                generator = np.random.default_rng(seed)
                program = make_program(lambda n, g=generator: int(g.integers(n)))  # type: ignore[misc]
                try:
                    check_program(program)
                except Deviation as deviation:
                    found += 1
                    print(f"-- {backend}, program {seed}\n{deviation}\n", flush=True)
    print(f"{found} deviations")
    return found


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
