"""`ug.interop`: what a caller of the library gets through it is what unigrad's own rules say.

The caller differentiates by the library's own autograd (`Backend.vjp`). A backend that has none is
not put to that: its arrays come and go, and nothing more is promised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad.core.backend import Backend
from unigrad.core.registry import current_backend
from unigrad_conformance.checks.gradients import ROUNDING
from unigrad_conformance.checks.second_order import ROUNDING as ROUNDING_OF_SECOND
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import (
    Deviation,
    Unsupported,
    as_float64,
    gradient,
    place,
    quiet,
    require_close,
    run,
    scale,
    second,
    weighed,
)

Natives = Sequence[Any]


def check_values(problem: Problem) -> None:
    """The caller's arrays come back as arrays of the same library, with the op's values."""
    backend, placed = current_backend(), place(problem.rounded(dtypes.float64))
    with quiet():
        want = run(problem, placed)
        found = _through(problem)(_natives(placed))
    if len(found) != len(want):
        raise Deviation(f"interop gave {len(found)} results, not {len(want)}")
    for i, (one, tensor) in enumerate(zip(found, want, strict=True)):
        if not backend.owns(one):
            raise Deviation(f"interop gave a {type(one).__name__}, no array of {backend.name}")
        if backend.dtype(one) != tensor.dtype:
            raise Deviation(
                f"interop gave {backend.dtype(one).name}, the op itself {tensor.dtype.name}"
            )
        got = np.asarray(backend.to_numpy(one))
        require_close(f"result {i} through interop", _wide(got), as_float64(tensor), 0.0)


def check_gradient(problem: Problem) -> None:
    """The library's own derivative through it is the reference's."""
    leaves = problem.rounded(dtypes.float64)
    backend, found = _derivative(problem, leaves, _through(problem), None)
    by_rule = gradient(problem, leaves, reference=True)
    want = [as_float64(one) for one in by_rule if one is not None]
    for i, (one, other) in enumerate(zip(found, want, strict=True)):
        require_close(
            f"{backend.name}'s own gradient by input {i} through interop",
            one, other, ROUNDING * scale(*want),
        )  # fmt: skip


def check_second_order(problem: Problem) -> None:
    """The library differentiates what a tape inside of the call computed."""
    if problem.sample.zero_gradient:
        return
    leaves = problem.rounded(dtypes.float64)
    directions = problem.directions("interop")
    backend, found = _derivative(problem, leaves, _gradients(problem), directions)
    want = [as_float64(one) for one in second(problem, leaves, directions, reference=True)]
    for i, (one, other) in enumerate(zip(found, want, strict=True)):
        require_close(
            f"{backend.name}'s own derivative by input {i} of a tape's gradient inside of interop",
            one, other, ROUNDING_OF_SECOND * scale(*want),
        )  # fmt: skip


INTEROP: list[tuple[str, Callable[[Problem], None]]] = [
    ("values", check_values),
    ("the library's own gradient", check_gradient),
    ("the library's own gradient of a tape's", check_second_order),
]


def _through(problem: Problem) -> Callable[[Natives], Natives]:
    """Return the sample's op as a caller of the library has it."""
    return ug.interop(lambda leaves: run(problem, leaves))


def _gradients(problem: Problem) -> Callable[[Natives], Natives]:
    """Return the gradient of ⟨weights, results⟩, by a tape inside of the call."""

    def inside(leaves: Sequence[Any]) -> Sequence[ug.Tensor]:
        sources = [leaves[i] for i in problem.inexact]
        with quiet(), ug.GradientTape() as tape:
            tape.watch(sources)
            targets, weights = weighed(problem, run(problem, leaves))
        with quiet():
            found: Sequence[ug.Tensor] = tape.gradient(
                targets, sources, weights, unconnected_gradients="zero"
            )
        return found

    return ug.interop(inside)


def _derivative(
    problem: Problem,
    leaves: Sequence[Any],
    function: Callable[[Natives], Natives],
    cotangents: Sequence[Array] | None,
) -> tuple[Backend, list[Array]]:
    """Return the library's own gradient of a function through interop, by the inexact leaves.

    ``cotangents`` are of the results, the sample's weights by default.
    """
    backend, natives = current_backend(), _natives(place(leaves))

    def of_inexact(*inexact: Any) -> Natives:
        inputs = [*natives]
        for i, one in zip(problem.inexact, inexact, strict=True):
            inputs[i] = one
        return function(inputs)

    primals = [natives[i] for i in problem.inexact]
    weights = problem.weights if cotangents is None else cotangents
    with quiet():
        try:
            results, pullback = backend.vjp(of_inexact, primals)
        except ug.NotDifferentiableError as error:
            if backend.differentiates:
                raise
            raise Unsupported(str(error)) from None
        given = [
            None if one is None else _native(backend, np.conj(one), result)
            for one, result in zip(weights, results, strict=True)
        ]
        found = pullback(given)
    return backend, [
        np.zeros(leaves[i].shape)
        if one is None
        else np.conj(_wide(np.asarray(backend.to_numpy(one))))
        for i, one in zip(problem.inexact, found, strict=True)
    ]


def _native(backend: Backend, array: Array, like: Any) -> Any:
    return backend.from_numpy(array.astype(backend.dtype(like)), None)


def _natives(placed: Sequence[Any]) -> list[Any]:
    return [one.native if isinstance(one, ug.Tensor) else one for one in placed]


def _wide(array: Array) -> Array:
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
