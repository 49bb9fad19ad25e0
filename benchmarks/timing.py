"""A fair interleaved timer for alternatives that do the same work.

What: `compare` times several callables in one process by turns. Each round gives every candidate
one block of calls, just long enough to dwarf the clock's resolution, and each round starts with
another candidate; the figure is the median over rounds of a block's time per call. Why: on a
shared machine the speed drifts by more than the differences we look for. Taking turns spreads
the drift over all candidates alike, and the paired ratio (the median over rounds of a
candidate's time over the base's in the same round) cancels most of what is left.

A candidate is a callable without arguments that returns only when its work is done (for JAX:
``jax.block_until_ready``). The garbage collector stays on, as it is for users, but what lives
before the timing is frozen out of its reach, so that no candidate pays for the modules that
another one imported.

Threads are the caller's business, set in the environment before Python starts::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.native_mlp

``OMP_NUM_THREADS=1`` holds OpenBLAS, OpenMP and torch to one thread, ``taskset`` does the same to
JAX's and TensorFlow's own pools (they size themselves by the cores they may use), and
``GOMP_SPINCOUNT=0`` keeps an idle OpenMP worker from spinning on a core that another candidate
needs. Triton (for torch.compile) has to be imported before TensorFlow: the other way round the
process aborts.

The method is ours; there is no formula beyond quartiles by linear interpolation (NumPy's).
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

Candidate = Callable[[], object]

RECORDED_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "GOMP_SPINCOUNT",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "CUDA_VISIBLE_DEVICES",
)
RECORDED_MODULES = ("numpy", "autograd", "torch", "jax", "tensorflow", "unigrad")


@dataclass(frozen=True)
class Timing:
    """Seconds per call of one candidate over the rounds, and its ratios to the base."""

    median: float
    lower_quartile: float
    upper_quartile: float
    fastest: float
    calls_per_block: int
    ratio: float  # of the medians
    paired_ratio: float  # median of the ratios within each round


def block_seconds(candidate: Candidate, calls: int) -> float:
    """Wall time of `calls` calls in a row."""
    repeats = range(calls)
    start = time.perf_counter()
    for _ in repeats:
        candidate()
    return time.perf_counter() - start


def calls_for(candidate: Candidate, seconds: float) -> int:
    """How many calls make a block last about `seconds`."""
    calls = 1
    while (elapsed := block_seconds(candidate, calls)) < seconds / 4:
        calls *= 2
    return max(1, round(calls * seconds / elapsed))


def collect_rounds(
    candidates: Mapping[str, Candidate], calls: Mapping[str, int], rounds: int
) -> dict[str, list[float]]:
    """Seconds per call of every candidate in every round, the order turning by one each time."""
    names = list(candidates)
    samples: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            gc.collect()
            seconds = block_seconds(candidates[name], calls[name])
            samples[name].append(seconds / calls[name])
    return samples


def summarize(samples: list[float], base: list[float], calls: int) -> Timing:
    """Median, quartiles and ratios of one candidate's samples."""
    lower, median, upper = (float(q) for q in np.quantile(samples, [0.25, 0.5, 0.75]))
    return Timing(
        median=median,
        lower_quartile=lower,
        upper_quartile=upper,
        fastest=min(samples),
        calls_per_block=calls,
        ratio=median / float(np.median(base)),
        paired_ratio=float(np.median(np.divide(samples, base))),
    )


def measure(
    candidates: Mapping[str, Candidate],
    rounds: int,
    warmup: int,
    base: str | None = None,
    seconds: float = 0.01,
) -> dict[str, Timing]:
    """Time the candidates by turns; `base` is the first one unless named."""
    if not candidates:
        raise ValueError("no candidates to time")
    if rounds < 1:
        raise ValueError(f"at least one round is needed, not {rounds}")
    base = base if base is not None else next(iter(candidates))
    if base not in candidates:
        raise ValueError(f"base {base!r} is none of the candidates {list(candidates)}")
    for candidate in candidates.values():
        block_seconds(candidate, warmup)
    calls = {name: calls_for(candidate, seconds) for name, candidate in candidates.items()}
    gc.collect()
    gc.freeze()
    try:
        samples = collect_rounds(candidates, calls, rounds)
    finally:
        gc.unfreeze()
    return {name: summarize(samples[name], samples[base], calls[name]) for name in candidates}


def environment() -> dict[str, Any]:
    """What a reader needs to judge the figures: machine, threads, versions, load."""
    versions = {
        name: getattr(sys.modules[name], "__version__", "unknown")
        for name in RECORDED_MODULES
        if name in sys.modules
    }
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": cores,
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
        "variables": {name: os.environ.get(name) for name in RECORDED_VARIABLES},
        "versions": versions,
    }


def markdown_table(timings: Mapping[str, Timing], base: str) -> str:
    """The timings in microseconds as a Markdown table."""
    lines = [
        f"| candidate | median µs | quartiles µs | ratio to {base} | paired ratio |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, timing in timings.items():
        quartiles = f"{timing.lower_quartile * 1e6:.2f} – {timing.upper_quartile * 1e6:.2f}"
        lines.append(
            f"| {name} | {timing.median * 1e6:.2f} | {quartiles} "
            f"| {timing.ratio:.2f} | {timing.paired_ratio:.2f} |"
        )
    return "\n".join(lines)


def write_json(path: Path, timings: Mapping[str, Timing], base: str, rounds: int) -> None:
    """Timings with the environment they were taken in; times are in seconds per call."""
    record = {
        "base": base,
        "rounds": rounds,
        "environment": environment(),
        "timings": {name: asdict(timing) for name, timing in timings.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def compare(
    candidates: Mapping[str, Candidate],
    rounds: int = 30,
    warmup: int = 5,
    *,
    base: str | None = None,
    json_path: str | Path | None = None,
    seconds: float = 0.01,
) -> dict[str, float]:
    """Median seconds per call of every candidate; prints the table, writes JSON if asked to."""
    timings = measure(candidates, rounds, warmup, base, seconds)
    base = base if base is not None else next(iter(candidates))
    print(markdown_table(timings, base), flush=True)
    if json_path is not None:
        write_json(Path(json_path), timings, base, rounds)
    return {name: timing.median for name, timing in timings.items()}
