"""``unigrad conformance fuzz``: random programs on backends for as long as one likes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import unigrad as ug
from unigrad_conformance.compositions import check, draw
from unigrad_conformance.fuzz.check import check_program
from unigrad_conformance.fuzz.program import Program
from unigrad_conformance.fuzz.shrinking import drawn, program_of, shrunk
from unigrad_conformance.subject import Deviation

#: After so many programs comes a composition of transforms and control flow.
_PROGRAMS_PER_COMPOSITION = 8
#: A line says how far it is, so often, in seconds.
_SILENCE = 20.0


def fuzz(
    backends: Sequence[str],
    *,
    seconds: float,
    seed: int,
    say: Callable[[str], None],
    jitted: bool = True,
) -> int:
    """Try programs on each backend in turn until the time is over; return how many disagreed.

    Each is run eagerly and compiled, in reverse mode (natively and by the reference), in forward
    mode, and to second order, and compared with NumPy's complex steps. A program in which a value
    comes near a kink or a pole, or grows beyond 30, is not made in the first place: two right
    answers may differ there (see `unigrad_conformance.fuzz.vocabulary`). Programs that disagree
    are made small, and printed with the row of choices that makes them.

    Args:
        backends: their names.
        seconds: how long.
        seed: the first program's number.
        say: prints a text.
        jitted: whether to compile each program, too.
    """
    start = said = time.monotonic()
    tried = wrong = 0
    for number in count(seed):
        for backend in backends:
            with ug.use_backend(backend):
                for text in _disagreements(number, jitted):
                    wrong += 1
                    say(f"-- {backend}, seed {number}\n{text}\n")
            tried += 1
            now = time.monotonic()
            if now - start > seconds:
                say(f"{tried} programs from seed {seed} on, {wrong} disagree")
                return wrong
            if now - said > _SILENCE:
                said = now
                left = round(seconds - (now - start))
                say(f"{tried} programs, {wrong} disagree, {left} s left")
    raise AssertionError("there is always another number")


def _disagreements(number: int, jitted: bool) -> Iterator[str]:
    """Try one program of a number; give a text for each thing that is wrong."""
    choices = drawn(number)
    if _fault(program_of(choices), jitted) is not None:
        small = shrunk(choices, lambda program: _fault(program, jitted) is not None)
        yield f"{_fault(program_of(small), jitted)}\nchoices: {small}"
    if number % _PROGRAMS_PER_COMPOSITION == 0:
        try:
            check(draw(number))
        except Exception as error:
            kind = "" if isinstance(error, Deviation) else f"{type(error).__name__}: "
            yield f"{kind}{error}\ncomposition {number}: {draw(number)}"


def _fault(program: Program, jitted: bool) -> str | None:
    """Return what is wrong with a program on the current backend, or None."""
    try:
        check_program(program, jitted=jitted)
    except Deviation as deviation:
        return str(deviation)
    return None
