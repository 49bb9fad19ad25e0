"""What `unigrad bench` measures: rows of candidates that do the same work, with bars for ours.

A `Row` builds its candidates when it is run, ours and its peers, which then take turns in one
process (`benchmarks.timing`). A bar says what ours may cost beside the peers. Modules with rows
list them by ``rows(backend)``; `all_rows` gathers them.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from benchmarks.timing import Candidate, Timing, measure, summarize

#: The name of our candidate in every row.
OURS = "unigrad"
BACKENDS = ("numpy", "torch", "jax", "tensorflow")
#: The modules that have rows, in the order of the table.
_MODULES = (
    "mlp", "keras_steps", "pronouncer", "decoding", "curvature", "vmap", "loops",
    "twenty_variables", "interop",
)  # fmt: skip

Seconds: TypeAlias = Mapping[str, float]


class Effort(NamedTuple):
    """How long to measure."""

    rounds: int
    warmup: int
    #: How long one block of calls lasts.
    seconds: float
    #: Whether peers that compile for long, and long series, are left out.
    quick: bool


FULL = Effort(rounds=25, warmup=5, seconds=0.02, quick=False)
QUICK = Effort(rounds=5, warmup=2, seconds=0.005, quick=True)


@dataclass(frozen=True)
class Bar:
    """What ours may cost at most.

    Attributes:
        most: the largest figure that is within the bar.
        figure: gives the figure from the seconds per call of every candidate.
        text: what the figure is.
        unit: stands behind it.
    """

    most: float
    figure: Callable[[Seconds], float]
    text: str
    unit: str = ""


def ratio(most: float, *peers: str) -> Bar:
    """Return a bar for our time over that of the quickest of some peers that were timed."""

    def figure(seconds: Seconds) -> float:
        return seconds[OURS] / min(seconds[one] for one in peers if one in seconds)

    text = peers[0] if len(peers) == 1 else f"the quickest of {', '.join(peers)}"
    return Bar(most, figure, f"× {text}")


def extra(most: float, peer: str) -> Bar:
    """Return a bar for the microseconds that a call of ours takes beyond a peer's."""
    return Bar(most, lambda s: 1e6 * (s[OURS] - s[peer]), f"beyond {peer}", " µs")


def seconds(most: float) -> Bar:
    """Return a bar for our seconds by themselves."""
    return Bar(most, lambda s: s[OURS], "by itself", " s")


class Verdict(NamedTuple):
    """A bar beside what was measured."""

    text: str
    figure: float
    most: float
    unit: str

    @property
    def within(self) -> bool:
        """Whether the figure is within the bar."""
        return self.figure <= self.most


@dataclass(frozen=True)
class Row:
    """A row of the table on one backend.

    Attributes:
        name: what is measured.
        backend: on which backend of ours.
        build: makes the candidates; ours is called `OURS`.
        bars: for ours.
        once: each candidate is a first call, timed once.
    """

    name: str
    backend: str
    build: Callable[[Effort], dict[str, Candidate]]
    bars: tuple[Bar, ...] = ()
    once: bool = False

    def run(self, effort: Effort) -> dict[str, Timing]:
        """Build the candidates and time them by turns."""
        candidates = self.build(effort)
        if self.once:
            took = {name: _first_call(one) for name, one in candidates.items()}
            return {name: summarize([one], [took[OURS]], 1) for name, one in took.items()}
        return measure(candidates, effort.rounds, effort.warmup, OURS, effort.seconds)

    def verdicts(self, timings: Mapping[str, Timing]) -> list[Verdict]:
        """Judge by the bars: ratios are the medians of those within each round."""
        ours = timings[OURS].median
        paired = {name: ours * one.paired_ratio for name, one in timings.items()}
        return [Verdict(one.text, one.figure(paired), one.most, one.unit) for one in self.bars]


def _first_call(candidate: Candidate) -> float:
    start = time.perf_counter()
    candidate()
    return time.perf_counter() - start


def all_rows(backend: str) -> list[Row]:
    """Return the rows of one backend, in the order of the table."""
    modules = [importlib.import_module(f"benchmarks.{name}") for name in _MODULES]
    return [row for module in modules for row in module.rows(backend)]
