"""What the checks do with the library under test: place inputs, run a sample, differentiate it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array


class Deviation(AssertionError):
    """The library does not do what the specification says."""


class Unsupported(Exception):
    """The backend does not offer what a check asks for, and need not."""


@contextmanager
def quiet() -> Iterator[None]:
    """Expect warnings about gradients that are None and about IEEE arithmetic."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ug.GradientWarning)
        yield


def place(leaves: Sequence[Any]) -> list[Any]:
    """Put the ndarrays among some leaves on the current backend."""
    return [ug.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in leaves]


def run(problem: Problem, placed: Sequence[Any]) -> list[ug.Tensor]:
    """Run the sample's op on placed leaves; return its results as a list."""
    found = problem.sample.run(ug, *problem.unflatten(placed))
    if problem.plain and type(found) in (bool, int, float):
        return [ug.asarray(found)]
    many = list(found) if isinstance(found, (tuple, list)) else [found]
    for one in many:
        if not isinstance(one, ug.Tensor):
            raise Deviation(f"returned a {type(one).__name__}, not a Tensor")
        for x in placed:
            if one is x:
                raise Deviation("returned the very handle that it was given")
            if one.uid and isinstance(x, ug.Tensor) and one.uid == x.uid:
                raise Deviation("returned the recorded value that it was given, not its own")
    return many


def weighed(
    problem: Problem,
    results: Sequence[ug.Tensor],
    making: Callable[[Array], ug.Tensor] = ug.asarray,
) -> tuple[list[Any], list[Any]]:
    """Return the results that are floats and a cotangent for each."""
    pairs = [
        (one, making(weight.astype(one.dtype)))
        for one, weight in zip(results, problem.weights, strict=True)
        if weight is not None
    ]
    return [one for one, _ in pairs], [weight for _, weight in pairs]


def gradient(
    problem: Problem,
    leaves: Sequence[Any],
    reference: bool = False,
    seen: Callable[[list[ug.Tensor]], None] | None = None,
    placing: Callable[[Sequence[Any]], list[Any]] = place,
    making: Callable[[Array], ug.Tensor] = ug.asarray,
) -> list[ug.Tensor | None]:
    """Return the gradient of ⟨weights, results⟩ by the differentiable leaves.

    ``seen`` is shown the results that the tape recorded; ``placing`` puts the leaves on the
    current backend, ``making`` a cotangent.
    """
    placed = placing(leaves)
    sources = [placed[i] for i in problem.inexact]
    with quiet(), ug.GradientTape(reference=reference) as tape:
        tape.watch(sources)
        results = run(problem, placed)
        if problem.sample.zero_gradient:
            # Results may be bools and integers: the tape connects them all the same.
            targets, weights = results, None
        else:
            targets, weights = weighed(problem, results, making)
    if seen is not None:
        seen(results)
    with quiet():
        found: list[ug.Tensor | None] = tape.gradient(targets, sources, weights)
    return found


def second(
    problem: Problem, leaves: Sequence[Any], directions: Sequence[Array], reference: bool = False
) -> list[ug.Tensor]:
    """Return the gradient of Re⟨directions, gradient⟩: the Hessian's product with directions."""
    placed = place(leaves)
    sources = [placed[i] for i in problem.inexact]
    along = place(
        [
            np.conj(one).astype(leaves[i].dtype)
            for one, i in zip(directions, problem.inexact, strict=True)
        ]
    )
    with quiet(), ug.GradientTape(reference=reference) as outer:
        outer.watch(sources)
        with ug.GradientTape(reference=reference) as inner:
            inner.watch(sources)
            targets, weights = weighed(problem, run(problem, placed))
        first = inner.gradient(targets, sources, weights, unconnected_gradients="zero")
        total = sum(ug.sum(a * b) for a, b in zip(along, first, strict=True))
    with quiet():
        found: list[ug.Tensor] = outer.gradient(total, sources, unconnected_gradients="zero")
    return found


def scale(*arrays: Array) -> float:
    """Return the largest finite magnitude in some arrays, at least one."""
    most = 1.0
    for array in arrays:
        finite = np.abs(array)[np.isfinite(array)]
        most = max(most, float(finite.max()) if finite.size else 0.0)
    return most


def require_close(what: str, got: Array, want: Array, allowed: Any) -> None:
    """Raise a `Deviation` when two arrays of one shape differ by more than allowed."""
    if got.shape != want.shape:
        raise Deviation(f"{what}: shape {got.shape}, not {want.shape}")
    with np.errstate(all="ignore"):
        bad = ~(np.abs(got - want) <= allowed)
    bad &= ~((got == want) | (np.isnan(got) & np.isnan(want)))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise Deviation(
            f"{what}: {got[index]!r} at {list(index)}, not {want[index]!r} "
            f"({int(bad.sum())} of {bad.size} elements are off)"
        )


def as_float64(tensor: ug.Tensor) -> Array:
    """Return a tensor's values in double precision."""
    array = tensor.numpy()
    wide: Array = array.astype(np.complex128 if tensor.dtype in dtypes.COMPLEX else np.float64)
    return wide
