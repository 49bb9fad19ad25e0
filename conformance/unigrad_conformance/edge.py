"""What an edge is and how it is checked: value and derivatives at one point.

Checked in float32 and float64, with the backend's own gradient and with the reference's; where the
table says so, also the second derivative and the tangent of forward mode. Where each program is
compiled, a brief run looks at float32, at the backend's own gradient, and at the value with it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import spares_programs
from unigrad_conformance.levels import Level
from unigrad_conformance.subject import Deviation, quiet

#: Units in the last place.
BUDGET = 8.0


@dataclass(frozen=True)
class Edge:
    """One line of the table."""

    name: str
    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    #: The value there; None where it is not the point.
    value: Any
    #: The gradient of the sum by each input; None where the function has no float inputs.
    gradients: tuple[Any, ...] | None
    #: The gradient of the sum of all gradients by each input, where the second order is the point.
    second: tuple[Any, ...] | None = None
    #: The tangent along ones, where forward mode is the point.
    tangent: Any = None


EDGES: list[Edge] = []
#: Whose derivative: the backend's own, or the textbook's on its arrays.
_MODES = (("native", False), ("reference", True))


def edge(
    name: str,
    function: Callable[..., Any],
    *inputs: Any,
    value: Any = None,
    gradients: Any = None,
    second: Any = None,
    tangent: Any = None,
) -> None:
    """Write down an edge."""
    EDGES.append(Edge(name, function, inputs, value, gradients, second, tangent))


_TABLES = (
    "edges",
    "infinities",
    "dtype_edges",
    "higher_edges",
    "number_edges",
    "edges_of_complex",
    "edges_of_matrices",
    "edges_of_statistics",
    "edges_of_functions",
)


def every_edge() -> list[Edge]:
    """Return the table, importing it at the first call."""
    for table in _TABLES:
        importlib.import_module(f"unigrad_conformance.{table}")
    return EDGES


def check_edge(one: Edge, level: Level = Level.FULL) -> None:
    """Check an edge in both floating dtypes, natively and by the reference."""
    few = spares_programs(level)
    for dtype in ("float64", "float32") if one.inputs and not few else ("float32",):
        inputs = [ug.asarray(x, dtype=dtype) for x in one.inputs]
        with quiet():
            if one.gradients is None or not few:
                _require_value(one, one.function(ug, *inputs), dtype)
            for how, result, gradients in _gradients(one, inputs, few):
                if few:
                    _require_value(one, result, dtype)
                for i, (got, want) in enumerate(zip(gradients, one.gradients or (), strict=True)):
                    if got is None:
                        raise Deviation(f"{how} gradient in {dtype} by input {i} is None")
                    _require(f"{how} gradient in {dtype} by input {i}", got, want, dtype)
            for how, gradients in _second_gradients(one, inputs, few):
                for i, (got, want) in enumerate(zip(gradients, one.second or (), strict=True)):
                    _require(f"{how} second gradient in {dtype} by input {i}", got, want, dtype)
            if one.tangent is not None:
                ones = [ug.ones_like(x) for x in inputs]
                _, tangent = ug.jvp(lambda *xs: one.function(ug, *xs), inputs, ones)
                _require(f"tangent in {dtype}", tangent, one.tangent, dtype)


def _require_value(one: Edge, result: Any, dtype: str) -> None:
    if one.value is not None:
        _require(f"value in {dtype}", result, one.value, dtype)


def _gradients(
    one: Edge, inputs: list[ug.Tensor], few: bool
) -> Iterator[tuple[str, Any, list[Any]]]:
    if one.gradients is None:
        return
    for how, reference in _MODES[:1] if few else _MODES:
        with ug.GradientTape(reference=reference) as tape:
            tape.watch(inputs)
            result = one.function(ug, *inputs)
        yield how, result, tape.gradient(result, inputs)


def _second_gradients(
    one: Edge, inputs: list[ug.Tensor], few: bool
) -> Iterator[tuple[str, list[Any]]]:
    if one.second is None:
        return
    for how, reference in _MODES[:1] if few else _MODES:
        with ug.GradientTape(reference=reference) as outer:
            outer.watch(inputs)
            with ug.GradientTape(reference=reference) as inner:
                inner.watch(inputs)
                result = one.function(ug, *inputs)
            first = inner.gradient(result, inputs)
            total = sum(ug.sum(gradient) for gradient in first)
        yield how, outer.gradient(total, inputs, unconnected_gradients="zero")


def _require(what: str, got: ug.Tensor, want: Any, dtype: str) -> None:
    array, wanted = got.numpy(), np.asarray(want)
    if array.shape != wanted.shape:
        raise Deviation(f"{what}: shape {array.shape}, not {wanted.shape}")
    if array.dtype.kind != wanted.dtype.kind:
        raise Deviation(f"{what}: dtype {array.dtype}, not of the kind of {wanted.dtype}")
    if array.dtype.kind == "f":
        allowed = BUDGET * float(np.finfo(dtype).eps)
        same = np.allclose(array, wanted, rtol=allowed, atol=allowed, equal_nan=True)
    else:
        same = np.array_equal(array, wanted)
    if not same:
        raise Deviation(f"{what}: {array.tolist()!r}, not {wanted.tolist()!r}")
