"""Watching changes nothing: a value is the same, bit for bit, whoever records it.

Nor does it hang on a library's graph when the tape's block is over.

The update of an optimizer is a whole program, which a compiler rounds otherwise than its ops one by
one, as they run under a tape: its values are the same within the sample's budget of units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import unigrad as ug
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.core import dtypes
from unigrad_conformance.backends import compiles_for_every_shape
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.lifetime import require_no_graph
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, as_float64, place, quiet, run


def check_watching(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare an op's results under a tape, the reference's and a forward accumulator with those
    that nobody records. A dtype that the op does not take is passed over."""
    problem.expected(dtypes.float64)  # tells whether results are plain numbers
    with quiet():
        # Some samples are beyond the range of half precision.
        leaves = problem.rounded(dtype)
    try:
        with quiet():
            alone = run(problem, place(leaves))
    except ug.DTypeError:
        return
    contracted = problem.sample.contracts and compiles_for_every_shape(ug.get_backend())
    for who, watch in WATCHERS.items():
        what = f"the value in {dtype.name} under {who}"
        with quiet():
            watched = watch(problem, leaves)
            if problem.sample.family == "optimizers" or contracted:
                require_within_budget(what, watched, alone, problem, dtype)
            else:
                require_same_bits(what, watched, alone)


def require_within_budget(
    what: str,
    got: list[ug.Tensor],
    want: list[ug.Tensor],
    problem: Problem,
    dtype: dtypes.DType,
) -> None:
    """Raise a `Deviation` when results are further apart than their sample's budget."""
    _require_alike(what, got, want)
    for one, other, units in zip(got, want, problem.units(dtype), strict=True):
        first, second = as_float64(one), as_float64(other)
        apart = np.where(bits(first) == bits(second), 0.0, np.abs(first - second) / units)
        # What is NaN or infinite on one side alone is NaN or infinite here.
        if not (apart <= problem.sample.ulps).all():
            raise Deviation(
                f"{what} is {float(apart.max()):.3g} units off the other, allowed are "
                f"{problem.sample.ulps:g}"
            )


def require_same_bits(what: str, got: list[ug.Tensor], want: list[ug.Tensor]) -> None:
    """Raise a `Deviation` when results differ in shape, dtype or a bit; all NaNs are one."""
    _require_alike(what, got, want)
    for one, other in zip(got, want, strict=True):
        first, second = one.numpy(), other.numpy()
        different = bits(first) != bits(second)
        if different.any():
            index = tuple(int(i) for i in np.argwhere(different)[0])
            raise Deviation(
                f"{what}: {first[index[: first.ndim]]!r} at {list(index)}, not "
                f"{second[index[: first.ndim]]!r} ({int(different.sum())} elements differ)"
            )


def _require_alike(what: str, got: list[ug.Tensor], want: list[ug.Tensor]) -> None:
    """Raise a `Deviation` when results differ in number, shape or dtype."""
    if len(got) != len(want):
        raise Deviation(f"{what}: {len(got)} results, not {len(want)}")
    for one, other in zip(got, want, strict=True):
        if one.shape != other.shape or one.dtype != other.dtype:
            raise Deviation(
                f"{what} is {one.dtype.name}{list(one.shape)}, not "
                f"{other.dtype.name}{list(other.shape)}"
            )


def bits(array: Array) -> Array:
    """Return an array's elements as unsigned integers, every NaN the same; complex ones by parts
    along a last axis."""
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], -1)
    if array.dtype.kind not in "fV":
        return array
    array = np.where(np.isnan(array), np.asarray(np.nan, array.dtype), array)
    return array.view(f"u{array.dtype.itemsize}")


def _by_tape(reference: bool) -> Callable[[Problem, list[object]], list[ug.Tensor]]:
    def watch(problem: Problem, leaves: list[object]) -> list[ug.Tensor]:
        placed = place(leaves)
        with ug.GradientTape(reference=reference) as tape:
            tape.watch([placed[i] for i in problem.inexact])
            results = run(problem, placed)
        for one in results:
            require_no_graph("the value of a tape", one)
        return results

    return watch


def _by_accumulator(problem: Problem, leaves: list[object]) -> list[ug.Tensor]:
    placed = place(leaves)
    primals = [placed[i] for i in problem.inexact]
    with ForwardAccumulator(primals, [ug.ones_like(one) for one in primals]):
        return run(problem, placed)


#: Who records: a function that runs a problem's op on leaves in its sight.
WATCHERS: dict[str, Callable[[Problem, list[object]], list[ug.Tensor]]] = {
    "a tape": _by_tape(False),
    "the reference's tape": _by_tape(True),
    "a forward accumulator": _by_accumulator,
}


def dtypes_of(problem: Problem) -> Iterator[dtypes.DType]:
    """Return the floating dtypes that a problem is watched in."""
    yield dtypes.float64
    yield dtypes.float32
    if not problem.is_complex:
        yield dtypes.float16
        yield dtypes.bfloat16
