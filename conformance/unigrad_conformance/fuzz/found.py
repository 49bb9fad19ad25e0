"""Programs on which a backend once disagreed: they are tried in every run of the suite.

`unigrad conformance fuzz` makes them small and prints the row of choices that makes each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from unigrad_conformance.fuzz.check import check_program
from unigrad_conformance.fuzz.shrinking import drawn, program_of

#: Rows of choices (see `unigrad_conformance.fuzz.shrinking.program_of`), by what was wrong.
FOUND: dict[str, tuple[int, ...]] = {}


def found_programs() -> list[tuple[str, Callable[[], None]]]:
    """Return the checks of the stored programs, by name."""
    return [(what, partial(_check, choices)) for what, choices in FOUND.items()]


def random_programs(count: int) -> list[tuple[str, Callable[[], None]]]:
    """Return the checks of the first programs that a seed makes, by name."""
    return [(f"program {seed}", partial(_check_seed, seed)) for seed in range(count)]


def _check(choices: tuple[int, ...]) -> None:
    check_program(program_of(choices), jitted=True)


def _check_seed(seed: int) -> None:
    check_program(program_of(drawn(seed)))
