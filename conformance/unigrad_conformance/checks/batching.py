"""Batches: `ug.vmap` gives what a loop over the examples gives, and so do derivatives under it.

Every subset of an op's inputs is given a batch of examples: the sample's own values and others that
are as good. What an op reads from Python's side (a shape, an axis) is the same for all.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.checks.layouts import require_same
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, place, quiet, run, weighed

#: How many examples a batch has.
SIZE = 3


def check_batching(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare the values, and the gradients, for every subset of inputs."""
    for which in subsets(problem):
        check_subset(problem, dtype, which)
    for which in subsets(problem)[-1:]:
        _check_no_examples(problem, dtype, which)


def check_one_batch(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare them where all inputs have a batch: where every op is compiled, one must do."""
    for which in subsets(problem)[-1:]:
        check_subset(problem, dtype, which)


def check_compiled_batch(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare the values of a compiled map where all inputs have a batch."""
    if problem.sample.op in _BY_VALUE or problem.sample.family == "optimizers":
        return  # Samples of optimizers make variables.
    for which in subsets(problem)[-1:]:
        if not any(problem.leaves[i].dtype.kind == "b" for i in which):
            _check_values(problem, dtype, which, ug.jit)


def check_subset(problem: Problem, dtype: dtypes.DType, which: Sequence[int]) -> None:
    """Compare the values, and the gradients, where some inputs have a batch."""
    masks = any(problem.leaves[i].dtype.kind == "b" for i in which)
    try:
        _check_values(problem, dtype, which)
        if set(which) & set(problem.inexact):
            _check_gradients(problem, dtype, which)
    except ug.TracingError:
        if not masks and problem.sample.op not in _BY_VALUE:
            raise
    else:
        if problem.sample.op in _BY_VALUE:
            raise Deviation("its result depends on values, yet it is not refused")


def subsets(problem: Problem) -> list[tuple[int, ...]]:
    """Return the places of the inputs that are given a batch: all subsets, of many inputs a few."""
    arrays = [i for i, leaf in enumerate(problem.leaves) if isinstance(leaf, np.ndarray)]
    sizes = range(1, len(arrays) + 1) if len(arrays) <= 3 else (1, len(arrays))
    return [one for size in sizes for one in itertools.combinations(arrays, size)]


def examples(leaf: Array, number: int) -> Array:
    """Return one of the values that a leaf takes from example to example.

    Reals shrink, which leaves their order and their domain as they are; integers and bools change
    places along the first axis, so that indices stay within bounds.
    """
    if leaf.dtype.kind in "fcV":
        return np.asarray(leaf * (1 - number / 32), leaf.dtype)
    return np.roll(leaf, number, 0) if leaf.ndim else leaf


#: Ops that take a sorted vector: integers grow instead.
_SORTED = frozenset({"searchsorted"})
#: Ops whose result has a shape, or is a number of Python's, that depends on values.
_BY_VALUE = frozenset(
    {"allclose", "intersect1d", "nonzero", "setdiff1d", "to_numpy", "union1d", "unique_all",
     "unique_counts", "unique_inverse", "unique_values"}
)  # fmt: skip


def _batched(problem: Problem, dtype: dtypes.DType, which: Sequence[int]) -> list[list[Any]]:
    """Return the leaves of each example."""
    return [
        [
            leaf
            if i not in which
            else leaf * (1 + number)
            if leaf.dtype.kind == "i" and problem.sample.op in _SORTED
            else examples(leaf, number)
            for i, leaf in enumerate(problem.rounded(dtype))
        ]
        for number in range(SIZE)
    ]


def _check_values(
    problem: Problem, dtype: dtypes.DType, which: Sequence[int], compiling: Any = None
) -> None:
    problem.expected(dtype)  # It finds out whether the op returns Python's own numbers.
    rows = _batched(problem, dtype, which)

    def function(*given: Any) -> Any:
        full = place(rows[0])
        for i, x in zip(which, given, strict=True):
            full[i] = x
        return tuple(run(problem, full))

    found = mapped(function, *_columns(rows, which), compiling=compiling)
    with quiet():
        expected = _stacked([run(problem, place(row)) for row in rows])
    require_same(_what(which), found, expected)


def _check_no_examples(problem: Problem, dtype: dtypes.DType, which: Sequence[int]) -> None:
    """Check that results of no examples have one example's shapes, and their dtypes."""
    if problem.sample.op in _BY_VALUE or any(problem.leaves[i].dtype.kind == "b" for i in which):
        return
    leaves = problem.rounded(dtype)

    def function(*given: Any) -> Any:
        full = place(leaves)
        for i, x in zip(which, given, strict=True):
            full[i] = x
        return tuple(run(problem, full))

    nothing = [ug.asarray(np.zeros((0, *leaves[i].shape), leaves[i].dtype)) for i in which]
    with quiet():
        one = run(problem, place(leaves))
    for found, expected in zip(mapped(function, *nothing), one, strict=True):
        if found.shape != (0, *expected.shape) or found.dtype != expected.dtype:
            raise Deviation(f"no examples give {found.dtype.name}{list(found.shape)}")


def _check_gradients(problem: Problem, dtype: dtypes.DType, which: Sequence[int]) -> None:
    if problem.sample.zero_gradient or not problem.is_smooth:
        return
    rows = _batched(problem, dtype, which)
    floats = [n for n, i in enumerate(which) if i in problem.inexact]

    def pulled(*given: Any) -> Any:
        def function(*xs: Any) -> Any:
            full, moved = place(rows[0]), list(given)
            for n, x in zip(floats, xs, strict=True):
                moved[n] = x
            for i, x in zip(which, moved, strict=True):
                full[i] = x
            return weighed(problem, run(problem, full))[0]

        out, pullback = ug.vjp(function, *[given[n] for n in floats])
        weights = [one for one in problem.weights if one is not None]
        return pullback([place([w.astype(x.dtype)])[0] for x, w in zip(out, weights, strict=True)])

    columns = _columns(rows, which)
    with quiet():
        expected = _stacked([pulled(*[one[b] for one in columns]) for b in range(SIZE)])
    require_same(f"gradient, {_what(which)}", mapped(pulled, *columns), expected)


def mapped(function: Any, *columns: ug.Tensor, compiling: Any = None) -> Any:
    """Map a function over batches; a loop over them is a deviation."""
    whole = ug.vmap(function)
    with quiet(), warnings.catch_warnings():
        warnings.filterwarnings("error", message="vmap: ", category=ug.GradientWarning)
        return (whole if compiling is None else compiling(whole))(*columns)


def _columns(rows: Sequence[Sequence[Any]], which: Sequence[int]) -> list[ug.Tensor]:
    """Return the batches of the leaves that differ."""
    return [ug.asarray(np.stack([row[i] for row in rows])) for i in which]


def _stacked(rows: Sequence[Sequence[ug.Tensor]]) -> list[ug.Tensor]:
    """Stack what the examples gave."""
    return [ug.stack(column) for column in zip(*rows, strict=True)]


def _what(which: Sequence[int]) -> str:
    return f"batches of input {', '.join(map(str, which))}"
