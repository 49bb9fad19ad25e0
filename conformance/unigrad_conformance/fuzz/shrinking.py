"""Making a program that disagrees small: shorter lists of smaller choices that still disagree.

A program is made from a row of numbers, so to make it small is to make the row small. Source:
MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation: Insights from the Hypothesis
Reducer", ECOOP 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unigrad_conformance.fuzz.program import Program, make_program


def drawn(seed: int) -> tuple[int, ...]:
    """Return the choices from which a program's number makes it."""
    generator = np.random.default_rng(seed)
    choices: list[int] = []

    def choose(n: int) -> int:
        choices.append(int(generator.integers(n)))
        return choices[-1]

    make_program(choose)
    return tuple(choices)


def program_of(choices: Sequence[int]) -> Program:
    """Make the program of a row of choices; where it ends, the first of all is chosen."""
    rest = iter(choices)
    return make_program(lambda n: next(rest, 0) % n, least=1)


def shrunk(
    choices: Sequence[int], disagrees: Callable[[Program], bool], tries: int = 400
) -> tuple[int, ...]:
    """Return a smaller row of choices whose program disagrees, or the row itself.

    Args:
        choices: of a program that disagrees.
        disagrees: tells it of a program.
        tries: how many programs are tried at most.
    """
    best = tuple(choices)
    seen = {best}

    def better(row: tuple[int, ...]) -> bool:
        nonlocal best
        if row in seen or len(seen) > tries:
            return False
        seen.add(row)
        if not disagrees(program_of(row)):
            return False
        best = row
        return True

    before = None
    while best != before and len(seen) <= tries:
        before = best
        size = max(1, len(best) // 2)
        while size:
            start = 0
            while start < len(best):
                if not better(best[:start] + best[start + size :]):
                    start += size
            size //= 2
        for i in range(len(best)):
            for value in (0, best[i] // 2, best[i] - 1):
                if i < len(best) and 0 <= value < best[i]:
                    better((*best[:i], value, *best[i + 1 :]))
    return best
