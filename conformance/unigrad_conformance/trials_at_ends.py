"""Which op is tried at the ends of which dtypes, in arrays of which lengths.

A quick run tries one sample of each op. A backend that compiles for every shape gets one length,
whose array holds every special number, and derivatives in float32 alone. A thorough run tries all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from unigrad.core import dtypes
from unigrad_conformance.ends import FLOATS, LENGTHS, check_ends, flushes, samples_at_ends
from unigrad_conformance.ends_of_gradients import check_gradients_at_ends
from unigrad_conformance.ends_of_integers import INTEGERS, check_integers
from unigrad_conformance.ends_of_integers import TABLE as OF_INTEGERS
from unigrad_conformance.ends_of_rows import TABLE as OF_ROWS
from unigrad_conformance.ends_of_rows import check_rows
from unigrad_conformance.sample import Sample

Check = tuple[str, Callable[[], None]]


def ops_at_ends() -> list[str]:
    """Return the names of all ops that are tried at the ends."""
    names = [*samples_at_ends(), *(one.op for one in OF_ROWS), *OF_INTEGERS]
    return list(dict.fromkeys(names))


def checks_at_ends(op: str, thorough: bool, compiles: bool) -> Iterator[Check]:
    """Return all checks of an op, with names, for the current backend."""
    lengths = LENGTHS if thorough or not compiles else (1000,)
    for dtype in FLOATS:
        flushing = flushes(dtype)
        for number, sample in enumerate(samples_at_ends().get(op, ())):
            if number and not thorough:
                continue
            for length in lengths:
                yield (
                    f"ends of {dtype.name}, length {length}",
                    partial(check_ends, sample, dtype, length, thorough, flushing),
                )
            if _has_slope(sample) and (thorough or not compiles or dtype == dtypes.float32):
                yield (
                    f"gradients at the ends of {dtype.name}",
                    partial(check_gradients_at_ends, sample, dtype, flushing),
                )
        for one in (one for one in OF_ROWS if one.op == op):
            for length in LENGTHS if thorough or not compiles else (16,):
                yield (
                    f"rows with ends of {dtype.name}, length {length}",
                    partial(check_rows, one, dtype, length, flushing),
                )
    if op in OF_INTEGERS:
        for dtype in INTEGERS:
            for length in lengths:
                yield (
                    f"ends of {dtype.name}, length {length}",
                    partial(check_integers, op, dtype, length),
                )


def _has_slope(sample: Sample) -> bool:
    """Tell whether a sample has a derivative that is not 0 everywhere."""
    return sample.differentiable and not sample.zero_gradient and sample.dtype is None
