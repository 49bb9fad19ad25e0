"""A sample worked out in NumPy alone: its inputs, what must come out, and its derivative.

Nothing here has heard of a backend, and everything is computed once for all of them. The oracle
runs in float64 on inputs that were first rounded to the dtype under test, so that only the
backend's own error is measured. Derivatives are finite differences of the oracle. Those by a
complex number are taken by its two parts: the gradient of L by a + bi is ∂L/∂a + i ∂L/∂b.

How far a result may be off is measured in units. The unit of an element is the dtype's epsilon
times the larger of the element's magnitude and its condition: how much it moves when the inputs
move by one part, found by moving them. So a sum that cancels and a sine near π are given what
rounding the inputs costs, and nothing else is.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import ml_dtypes
import numpy as np
import optree

from unigrad.core import dtypes
from unigrad_conformance.sample import Array, Sample

#: How many random directions the inputs are moved in to find an element's condition.
_DIRECTIONS = 4
#: The relative size of those moves.
_MOVE = 2.0**-26
#: An element whose condition is beyond this is a jump, not a slope.
_STEEPEST = 100.0

#: Python's own.
_NUMBERS = {bool, int, float}

#: Knows bfloat16 as well.
_finfo: Any = ml_dtypes.finfo

_problems: dict[int, Problem] = {}


class Problem:
    """One sample, worked out. See the module's docstring."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        drawn: Any = sample.draw()
        self.leaves: list[Any]
        self.leaves, structure = optree.tree_flatten(drawn, none_is_leaf=True)
        self.structure = structure
        #: Positions of the leaves that can be differentiated.
        self.inexact = [
            i
            for i, leaf in enumerate(self.leaves)
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fc"
        ]
        self.plain = False
        self._expected: dict[dtypes.DType, list[Array]] = {}
        self._units: dict[dtypes.DType, list[Array]] = {}

    def generator(self, purpose: str) -> np.random.Generator:
        """Return a source of random numbers for one purpose, the same at every call."""
        return np.random.default_rng(zlib.crc32(f"{self.sample.id} {purpose}".encode()))

    # -- inputs

    def rounded(self, dtype: dtypes.DType) -> list[Any]:
        """Return the leaves with floats in a dtype (complex ones in its complex partner)."""
        return [
            leaf.astype(partner(dtype) if leaf.dtype.kind == "c" else dtype)
            if i in self.inexact
            else leaf
            for i, leaf in enumerate(self.leaves)
        ]

    def unflatten(self, leaves: Sequence[Any]) -> list[Any]:
        """Return the op's inputs from leaves."""
        inputs: Any = optree.tree_unflatten(self.structure, leaves)
        return list(inputs)

    # -- what must come out

    def oracle(self, leaves: Sequence[Any], function: Any = None) -> list[Array]:
        """Run the oracle (or another function) on ndarrays, all floats in float64."""
        copies = [
            wide(leaf)
            if i in self.inexact
            else leaf.copy()
            if isinstance(leaf, np.ndarray)
            else leaf
            for i, leaf in enumerate(leaves)
        ]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            function = function or self.sample.oracle
            found = function(*self.unflatten(copies), **self.sample.case.settings)
        # A shape, say, is one result: an array of Python's numbers.
        numbers = isinstance(found, (tuple, list)) and {type(one) for one in found} <= _NUMBERS
        many = found if isinstance(found, (tuple, list)) and not numbers else (found,)
        # Some functions return Python's own bools and numbers, and then so must the op.
        self.plain = type(found) in _NUMBERS
        return [np.asarray(one) for one in many]

    def expected(self, dtype: dtypes.DType) -> list[Array]:
        """Return what must come out for inputs of a dtype, in float64."""
        if dtype not in self._expected:
            self._expected[dtype] = self.oracle(self.rounded(dtype))
        return self._expected[dtype]

    def result_dtypes(self, dtype: dtypes.DType) -> list[dtypes.DType]:
        """Return the dtypes that the results must have."""
        count = len(self.expected(dtypes.float64))
        declared = self.sample.dtype
        names = declared if isinstance(declared, tuple) else (declared,) * count
        arrays = [leaf for leaf in self.rounded(dtype) if isinstance(leaf, np.ndarray)]
        found = []
        for name, want in zip(names, self.expected(dtypes.float64), strict=True):
            if name is not None:
                found.append(dtypes.as_dtype(name))
                continue
            if not arrays:
                kind = {"b": bool, "f": float, "c": complex}.get(want.dtype.kind, int)
                found.append(dtypes.default_dtype_of_kind(kind))
                continue
            if want.dtype.kind == "b":
                found.append(dtypes.bool_)
                continue
            promoted = dtypes.result_dtype(*[one.dtype for one in arrays])
            if want.dtype.kind == "f" and promoted in dtypes.COMPLEX:
                # A magnitude.
                found.append(dtypes.float64 if promoted == dtypes.complex128 else dtypes.float32)
                continue
            if want.dtype.kind == "c" and promoted not in dtypes.COMPLEX:
                # Roots of reals, or their transforms.
                found.append(
                    partner(promoted if promoted in dtypes.INEXACT else dtypes.default_dtype())
                )
                continue
            floating = want.dtype.kind in "fc" and promoted not in dtypes.INEXACT
            found.append(dtypes.default_dtype() if floating else promoted)
        return found

    def units(self, dtype: dtypes.DType) -> list[Array]:
        """Return the unit of every element of the results for inputs of a dtype."""
        if dtype not in self._units:
            self._units[dtype] = self._find_units(dtype)
        return self._units[dtype]

    def _find_units(self, dtype: dtypes.DType) -> list[Array]:
        rounded, expected = self.rounded(dtype), self.expected(dtype)
        units = [np.abs(wide(one)) for one in expected]
        if self.sample.terms is not None:
            terms = np.abs(self.oracle(rounded, self.sample.terms)[0])
            units = [np.maximum(unit, terms) for unit in units]
        generator = self.generator("condition")
        floats = [np.abs(rounded[i]).astype(np.float64) for i in self.inexact]
        most = _STEEPEST * (1.0 + max(_largest(one) for one in (*units, *floats)))
        for _ in range(_DIRECTIONS if self.inexact else 0):
            moved = list(rounded)
            for i in self.inexact:
                sign = generator.choice([-1.0, 1.0], rounded[i].shape)
                moved[i] = wide(rounded[i]) * (1.0 + _MOVE * sign)
            for k, (before, after) in enumerate(zip(expected, self.oracle(moved), strict=True)):
                if after.shape != before.shape:
                    continue
                with np.errstate(all="ignore"):
                    slope = np.abs(wide(after) - wide(before)) / _MOVE
                usable = np.isfinite(slope) & (slope < most) & np.isfinite(units[k])
                units[k] = np.where(usable, np.maximum(units[k], slope), units[k])
        results = self.result_dtypes(dtype)
        return [
            unit * epsilon(one) + smallest(one) for unit, one in zip(units, results, strict=True)
        ]

    # -- derivatives

    @cached_property
    def is_complex(self) -> bool:
        """True when an input is complex."""
        return any(self.leaves[i].dtype.kind == "c" for i in self.inexact)

    @cached_property
    def is_smooth(self) -> bool:
        """True when there is something to differentiate and all of it is finite.

        Samples with infinities and NaNs are about values; derivatives there are edges.
        """
        results = [one for one in self.expected(dtypes.float64) if one.dtype.kind in "fc"]
        floats = [self.leaves[i] for i in self.inexact]
        return (
            bool(floats and results)
            and self.sample.differentiable
            and all(np.isfinite(one).all() for one in (*floats, *results))
        )

    @cached_property
    def weights(self) -> list[Array | None]:
        """A cotangent per result; None for a result that is no float."""
        generator = self.generator("weights")
        return [
            _uniform(generator, one) if one.dtype.kind in "fc" else None
            for one in self.expected(dtypes.float64)
        ]

    def directions(self, purpose: str) -> list[Array]:
        """Return a random array per differentiable input."""
        generator = self.generator(purpose)
        return [_uniform(generator, self.leaves[i]) for i in self.inexact]

    def inner(self, leaves: Sequence[Any]) -> float:
        """Return Re Σ conj(weight) result, the inner product of the results with the weights."""
        return sum(
            float(np.sum(inner_terms(weight, one)))
            for weight, one in zip(self.weights, self.oracle(leaves), strict=True)
            if weight is not None
        )

    @cached_property
    def gradient(self) -> list[tuple[Array, Array]]:
        """Finite differences of the inner product by each input, with their uncertainty."""
        found = []
        for i in self.inexact:
            value, doubt = np.zeros_like(wide(self.leaves[i])), np.zeros(self.leaves[i].shape)
            for index in np.ndindex(value.shape):
                for unit in (1.0, 1.0j) if value.dtype.kind == "c" else (1.0,):

                    def along(
                        step: float,
                        i: int = i,
                        index: tuple[int, ...] = index,
                        unit: complex = unit,
                    ) -> float:
                        leaves = list(self.leaves)
                        leaves[i] = leaves[i].copy()
                        leaves[i][index] += step * unit
                        return self.inner(leaves)

                    one, doubtful = slope(along, self.sample.step)
                    value[index] += one * unit
                    doubt[index] += doubtful
            found.append((value, doubt))
        return found

    @cached_property
    def tangents(self) -> list[tuple[Array, Array] | None]:
        """Finite differences of each float result along the direction "tangent", with doubts."""
        directions = self.directions("tangent")

        def along(step: float, k: int) -> Array:
            leaves = list(self.leaves)
            for i, way in zip(self.inexact, directions, strict=True):
                leaves[i] = wide(leaves[i]) + step * way
            return wide(self.oracle(leaves)[k])

        return [
            None if weight is None else slope(partial(along, k=k), self.sample.step)
            for k, weight in enumerate(self.weights)
        ]


def _uniform(generator: np.random.Generator, like: Array) -> Array:
    """Return random numbers away from zero, complex ones beside complex ones."""
    found: Array = generator.uniform(0.5, 1.5, like.shape)
    if like.dtype.kind == "c":
        found = found + 1j * generator.uniform(-1.5, 1.5, like.shape)
    return found


def inner_terms(x: Array, y: Array) -> Array:
    """Return the terms of the inner product Re Σ conj(x) y: of the parts as real numbers."""
    return np.real(np.conj(x) * y)


def slope(function: Any, step: float) -> tuple[Any, Any]:
    """Return the derivative at 0 of a function of a number, and how much it is in doubt.

    The five-point formula, at two steps: their difference bounds what is left of its error.
    """
    first, second = (_five_points(function, h) for h in (step, step / 4.0))
    return second, abs(first - second)


def _five_points(function: Any, h: float) -> Any:
    near = function(h) - function(-h)
    far = function(2 * h) - function(-2 * h)
    return (8.0 * near - far) / (12.0 * h)


def wide(array: Array) -> Array:
    """Return a copy in float64, or complex128."""
    array = np.asarray(array)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _largest(array: Array) -> float:
    finite = array[np.isfinite(array)]
    return float(finite.max()) if finite.size else 0.0


def partner(dtype: dtypes.DType) -> dtypes.DType:
    """Return the complex dtype whose parts have a floating dtype."""
    return dtypes.complex128 if dtype == dtypes.float64 else dtypes.complex64


def epsilon(dtype: dtypes.DType) -> float:
    """Return the distance from 1 to the next number of a dtype (0 for integers and bools)."""
    return float(_finfo(dtype).eps) if dtype in dtypes.INEXACT else 0.0


def smallest(dtype: dtypes.DType) -> float:
    """Return the smallest normal number of a dtype: what lies below may be flushed to zero."""
    return float(_finfo(dtype).tiny) if dtype in dtypes.INEXACT else 0.0


def problem_of(sample: Sample) -> Problem:
    """Return the worked-out sample, always the same one."""
    if id(sample) not in _problems:
        _problems[id(sample)] = Problem(sample)
    return _problems[id(sample)]
