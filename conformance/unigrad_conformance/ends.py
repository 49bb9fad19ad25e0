"""The ends of the dtypes: largest, smallest and subnormal numbers, signed zeros, infinities, NaN.

Vectorised kernels have a body and a tail, and branches for what is extreme: an op may be right for
mild numbers, for four elements or in float64 alone. So every elementwise op that has a sample is
run on all special numbers of every dtype (two inputs: on all pairs), one at a time and among 7, 16
and 1,000 elements, with the special ones in the body and in the tail. Values are compared with the
sample's oracle in float64; NaN and infinities must be where the oracle has them, and zeros must
have its sign.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.problem import Problem, epsilon, smallest, wide
from unigrad_conformance.sample import Array, Case, Draw, Sample
from unigrad_conformance.subject import Deviation, place, quiet, run

LENGTHS = (1, 7, 16, 1000)
FLOATS = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)
#: The families whose ops with inputs of one shape are elementwise.
_FAMILIES = ("elementwise", "activations")
#: The relative move by which an element's condition is found.
_MOVE = 1e-6
#: How many units a function of two halves' steps may be off: a few ops, each rounded.
_HALVES = 4.0
_finfo: Any = ml_dtypes.finfo


@cache
def special(dtype: dtypes.DType) -> Array:
    """Return the special numbers of a floating dtype, and some mild ones beside them."""
    info = _finfo(dtype)
    large, tiny = float(info.max), float(info.tiny)
    ends = [large, 0.875 * large, tiny, tiny / 4, float(info.smallest_subnormal), 0.0, np.inf]
    sizes = np.array([*ends, 1.0, 0.4375])
    found: Array = np.concatenate([sizes, -sizes, [np.nan]]).astype(dtype)
    return found


def mild(dtype: dtypes.DType, generator: np.random.Generator, size: int) -> Array:
    """Return numbers of both signs between 2⁻⁸ and 2⁴."""
    sizes = 2.0 ** generator.uniform(-8, 4, size)
    return np.asarray(sizes * generator.choice([-1, 1], size)).astype(dtype)


def is_elementwise(sample: Sample) -> bool:
    """Tell whether a sample is an elementwise op of floats (and bools) of one shape."""
    inputs = sample.case.inputs
    if sample.family not in _FAMILIES or not any(isinstance(one, Draw) for one in inputs):
        return False
    drawn = [one for one in sample.draw() if isinstance(one, np.ndarray)]
    return (
        len({one.shape for one in drawn}) == 1
        and drawn[0].size > 1
        and {one.dtype.kind for one in drawn} <= {"f", "b"}
        and any(one.dtype.kind == "f" for one in drawn)
    )


@cache
def samples_at_ends() -> dict[str, list[Sample]]:
    """Return, by op, the samples that are tried at the ends: one per settings and constants."""
    from unigrad_conformance.samples import every_sample

    found: dict[str, dict[Any, Sample]] = {}
    for one in every_sample():
        if is_elementwise(one) and one.op not in WITHOUT:
            rest = [None if isinstance(x, Draw) else x for x in one.case.inputs]
            key = repr((rest, dict(one.case.settings), one.call is None))
            found.setdefault(one.op, {}).setdefault(key, one)
    return {op: list(many.values()) for op, many in found.items()}


#: Ops of one shape that are no function of each element, or that have no one answer at the ends.
WITHOUT = {
    "softmax": "reduces",
    "log_softmax": "reduces",
    "logsumexp": "reduces",
    "nan_to_num": "its default depends on the dtype",
    "isclose": "its bounds are rounded",
    "nextafter": "a step is one of the dtype, not of float64, in which the oracle runs",
    "safe_where": "its sample takes roots of what is above 0 alone",
}


def batches(count: int, dtype: dtypes.DType, length: int, seed: str) -> Iterator[list[Array]]:
    """Return ``count`` inputs of a length, again and again, until all special tuples were there.

    Of 1,000 elements the special ones take every second place from the front, and the end.
    """
    tuples = list(itertools.product(special(dtype), repeat=min(count, 2)))
    if count > 2:
        tuples = [(*one, one[0]) for one in tuples]
    columns = [np.array(one, dtype) for one in zip(*tuples, strict=True)]
    generator = np.random.default_rng(zlib.crc32(seed.encode()))
    if length < 1000:
        # Windows that step by a number without common factors, so that neighbours differ.
        order = np.arange(-(-len(tuples) // length) * length) * 37 % len(tuples)
        for window in order.reshape(-1, length):
            yield [one[window] for one in columns]
        return
    out = [mild(dtype, generator, length) for _ in columns]
    places = np.arange(0, 880, 2)[: len(tuples)]
    tail = np.arange(length - 1, length - 1 - min(len(tuples), 100), -1)
    for x, column in zip(out, columns, strict=True):
        x[places] = column[: len(places)]
        x[tail] = column[: len(tail)]
    yield out


def case_of(sample: Sample, inputs: Sequence[Array]) -> Problem:
    """Return a sample's op on other arrays, worked out."""
    arrays = iter(inputs)
    drawn = sample.draw()
    new = []
    for one in drawn:
        if not isinstance(one, np.ndarray):
            new.append(one)
        elif one.dtype.kind == "b":
            new.append(_given(np.arange(inputs[0].size) % 2 == 0))
        else:
            new.append(_given(wide(next(arrays))))
    return Problem(replace(sample, case=Case(tuple(new), sample.case.settings)))


def _given(array: Array) -> Draw:
    return Draw(lambda generator: array)


_worked: dict[tuple[str, dtypes.DType, int], list[Problem]] = {}


def worked_out(sample: Sample, dtype: dtypes.DType, length: int) -> list[Problem]:
    """Return the problems of a sample's op at the ends of a dtype, once for all backends."""
    key = sample.id, dtype, length
    if key not in _worked:
        count = sum(isinstance(x, np.ndarray) and x.dtype.kind == "f" for x in sample.draw())
        _worked[key] = [
            case_of(sample, inputs) for inputs in batches(count, dtype, length, sample.id)
        ]
    return _worked[key]


def flushes(dtype: dtypes.DType) -> bool:
    """Tell whether the current backend takes a dtype's subnormal numbers for zeros."""
    info = _finfo(dtype)
    tiny = ug.asarray(np.array([info.tiny] * 8, dtype))
    half = (tiny * ug.asarray(np.array([0.5] * 8, dtype))).numpy()
    return not half.all() or not ug.not_equal(tiny / 4.0, 0.0).numpy().all()


def check_ends(
    sample: Sample, dtype: dtypes.DType, length: int, thorough: bool, flushing: bool
) -> None:
    """Compare values at the ends of a dtype, in arrays of a length, with the oracle."""
    every = worked_out(sample, dtype, length)
    for problem in every if thorough else every[:: max(1, len(every) // 3)][:4]:
        leaves = problem.rounded(dtype)
        with quiet():
            (result,) = run(problem, place(leaves))
        want = problem.expected(dtype)[0]
        wanted = problem.result_dtypes(dtype)[0]
        if result.shape != want.shape or result.dtype != wanted:
            raise Deviation(
                f"{result.dtype.name}{list(result.shape)}, not {wanted.name}{list(want.shape)}"
            )
        bad = ~_agrees(problem, dtype, leaves, result.numpy(), want, wanted, flushing)
        if flushing:
            # What such a backend makes of them is a known deviation, op by op.
            for leaf in leaves:
                bad &= ~is_subnormal(leaf, dtype)
        if problem.sample.op in OPEN:
            with np.errstate(all="ignore"):
                bad &= ~OPEN[problem.sample.op](float(_finfo(dtype).max), *map(wide, leaves))
        if bad.any():
            index = int(np.argmax(bad))
            at = [leaf.flat[index] for leaf in leaves if isinstance(leaf, np.ndarray)]
            got = result.numpy().astype(wide(want).dtype).flat[index]
            raise Deviation(
                f"{got!r} at {', '.join(map(repr, map(float, at)))}, place {index} of {length}, "
                f"not {want.flat[index]!r} ({int(bad.sum())} of {bad.size} elements are off)"
            )


def is_subnormal(leaf: Any, dtype: dtypes.DType) -> Any:
    """Tell where a leaf has subnormal numbers."""
    if not isinstance(leaf, np.ndarray) or leaf.dtype != dtype:
        return np.False_
    size = np.abs(wide(leaf))
    return (size > 0) & (size < smallest(dtype))


def _agrees(
    problem: Problem,
    dtype: dtypes.DType,
    leaves: list[Any],
    found: Array,
    want: Array,
    wanted: dtypes.DType,
    flushing: bool,
) -> Array:
    """Tell element by element whether a result is what the oracle says, within the budget."""
    if wanted not in dtypes.INEXACT:
        return np.asarray(found == want)
    got, want = wide(found), wide(want)
    with np.errstate(all="ignore"):
        nearest = wide(want.astype(wanted))
        # Results below the normal numbers may be 0, but not those of ops that round once.
        exact = problem.sample.ulps <= 1 and not flushing
        least = float(_finfo(wanted).smallest_subnormal) if exact else smallest(wanted)
        unit = epsilon(wanted) * np.maximum(np.abs(want), _condition(problem, leaves, want))
        budget = max(1.0, problem.sample.ulps) * (unit + least)
        if wanted.itemsize == 2:
            budget = np.maximum(budget, _HALVES * unit)
        # An infinity stands for the first number beyond the dtype's range.
        limit = float(_finfo(wanted).max) * (1 + epsilon(wanted))
        close = np.abs(_reach(got, limit) - _reach(want, limit)) <= budget
        same = (got == nearest) | (np.isnan(got) & np.isnan(want)) | (close & ~np.isinf(want))
    zero = (got == 0) & (want == 0)
    if problem.sample.op in SIGNED and not flushing:
        same &= ~(zero & (np.signbit(got) != np.signbit(want)))
    return np.asarray(same)


#: What is left open everywhere: where a known deviation of docs/backends.md is, by the largest
#: number of the dtype and the inputs.
OPEN: dict[str, Callable[..., Any]] = {
    "remainder": lambda most, *xs: np.abs(xs[0] / xs[-1]) > most / 2,
}

#: Ops whose zeros have a sign by IEEE 754 or C's annex F; that of the others is left open.
SIGNED = frozenset(
    [
        *["abs", "add", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "conj", "copysign"],
        *[
            "divide",
            "erf",
            "expm1",
            "floor",
            "floor_divide",
            "log1p",
            "multiply",
            "negative",
            "positive",
        ],
        *[
            "reciprocal",
            "remainder",
            "round",
            "sin",
            "sinh",
            "sqrt",
            "square",
            "subtract",
            "tan",
            "tanh",
        ],
        "trunc",
    ]
)


def _reach(x: Array, limit: float) -> Array:
    return np.clip(x, -limit, limit)


def _condition(problem: Problem, leaves: list[Any], want: Array) -> Array:
    """Return how much the oracle moves when its inputs move by one part; 0 where unknown."""
    most = np.zeros_like(want)
    for i in problem.inexact:
        moved = list(leaves)
        ends = []
        for part in (1 + _MOVE, 1 - _MOVE):
            moved[i] = wide(leaves[i]) * part
            ends.append(wide(problem.oracle(moved)[0]))
        slope = np.abs(ends[0] - ends[1]) / (2 * _MOVE)
        usable = np.isfinite(slope) & (slope < 1e3 * (1 + np.abs(want)))
        most = np.where(usable, np.maximum(most, slope), most)
    if problem.sample.terms is not None:
        terms = np.abs(wide(problem.oracle(leaves, problem.sample.terms)[0]))
        most = np.maximum(most, np.where(np.isfinite(terms), terms, 0))
    return most
