"""Which op is tried at the ends of which dtypes, in arrays of which lengths.

A quick run tries one sample of each op. Of a backend that compiles for every shape it tries values
in few dtypes, at one length, whose array holds every special number. A thorough run tries all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from unigrad.core import dtypes
from unigrad.core.registry import current_backend
from unigrad_conformance.ends import FLOATS, LENGTHS, check_ends, flushes, samples_at_ends
from unigrad_conformance.ends_of_gradients import check_gradients_at_ends
from unigrad_conformance.ends_of_integers import INTEGERS, check_integers
from unigrad_conformance.ends_of_integers import TABLE as OF_INTEGERS
from unigrad_conformance.ends_of_rows import TABLE as OF_ROWS
from unigrad_conformance.ends_of_rows import check_rows
from unigrad_conformance.sample import Sample

Check = tuple[str, Callable[[], None]]

#: What a quick run tries of a backend that compiles: floats, those of rows, integers.
_FEW = ((dtypes.float32, dtypes.float64), (dtypes.float32,), (dtypes.int8,))
_ALL = (FLOATS, FLOATS, INTEGERS)


def ops_at_ends() -> list[str]:
    """Return the names of all ops that are tried at the ends."""
    names = [*samples_at_ends(), *(one.op for one in OF_ROWS), *OF_INTEGERS]
    return list(dict.fromkeys(names))


def checks_at_ends(op: str, thorough: bool, compiles: bool) -> Iterator[Check]:
    """Return all checks of an op, with names, for the current backend."""
    wide = thorough or not compiles
    lengths = LENGTHS if wide else (1000,)
    floats, floats_of_rows, integers = _ALL if wide else _FEW
    for dtype in floats:
        # The checks say of a dtype that the backend has not that it is unsupported.
        flushing = dtype in current_backend().dtypes() and flushes(dtype)
        for number, sample in enumerate(samples_at_ends().get(op, ())):
            if number and not thorough:
                continue
            for length in lengths:
                yield (
                    f"ends of {dtype.name}, length {length}",
                    partial(check_ends, sample, dtype, length, thorough, flushing),
                )
            if wide and _has_slope(sample):
                yield (
                    f"gradients at the ends of {dtype.name}",
                    partial(check_gradients_at_ends, sample, dtype, flushing),
                )
        for one in (one for one in OF_ROWS if one.op == op):
            for length in (LENGTHS if wide else (16,)) if dtype in floats_of_rows else ():
                yield (
                    f"rows with ends of {dtype.name}, length {length}",
                    partial(check_rows, one, dtype, length, flushing),
                )
    if op in OF_INTEGERS:
        for integer in integers:
            for length in lengths:
                yield (
                    f"ends of {integer.name}, length {length}",
                    partial(check_integers, op, integer, length),
                )


def _has_slope(sample: Sample) -> bool:
    """Tell whether a sample has a derivative that is not 0 everywhere."""
    return sample.differentiable and not sample.zero_gradient and sample.dtype is None
