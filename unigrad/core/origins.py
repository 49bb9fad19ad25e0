"""Where integers that are traced come from, and what they must fit.

A program is not traced again for another number among its arguments, so nobody can look at one
while it is traced. What is required of integers is noted then, with how each is computed from the
arguments in Python's own arithmetic, and asked of the arguments at every call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.core.dtypes import DType, int64
from unigrad.core.errors import DTypeError


class Limit(NamedTuple):
    """A requirement of what is computed from the arguments, and what is wrong otherwise."""

    compute: Callable[[Sequence[Any]], int]
    least: int
    most: int
    complaint: str


class Origin:
    """How an integer is computed from a call's arguments.

    Args:
        compute: a function of the arguments' leaves.
        limits: where requirements are noted; ``None`` asks at once, of a value that is known.
    """

    __slots__ = ("compute", "limits")

    def __init__(self, compute: Callable[[Sequence[Any]], int], limits: list[Limit] | None) -> None:
        self.compute = compute
        self.limits = limits

    def require_fit(self, dtype: DType) -> None:
        """Require that it fits a dtype."""
        found = np.iinfo(dtype)
        self._require(int(found.min), int(found.max), f"does not fit {dtype.name}")

    def require_power(self) -> None:
        """Require that integers can be taken to it as a power."""
        self._require(0, int(np.iinfo(int64).max), "is a negative power of integers; use floats")

    def _require(self, least: int, most: int, complaint: str) -> None:
        limit = Limit(self.compute, least, most, complaint)
        if self.limits is None:
            check_limits([limit], ())
        else:
            self.limits.append(limit)

    def derived(self, name: str, others: Sequence[Any], reflected: bool) -> Origin | None:
        """Return the origin of an operator's result, which must fit 64 bits.

        Args:
            name: the operator's: "add" of `operator.__add__`.
            others: the other operand, if there is one: a Python integer or an origin.
            reflected: whether the other operand comes first.
        """
        run = _power if name == "pow" else getattr(operator, f"__{name}__")
        parts: list[Any] = [*reversed([self, *others])] if reflected else [self, *others]

        def compute(leaves: Sequence[Any]) -> int:
            given = [one.compute(leaves) if type(one) is Origin else one for one in parts]
            return int(run(*given))

        found = Origin(compute, self.limits)
        found.require_fit(int64)
        return found


def _power(base: int, exponent: int) -> int:
    """Return a power; of one beyond 64 bits only that it is."""
    if exponent < 0:
        raise DTypeError(f"pow: an integer to the negative power {exponent}; use a float")
    if (abs(base).bit_length() - 1) * exponent > 64:
        return 1 << 65
    return int(base**exponent)


def check_limits(limits: Sequence[Limit], leaves: Sequence[Any]) -> None:
    """Ask the leaves of a call's arguments for what is required.

    Raises:
        DTypeError: when an integer does not fit.
    """
    for compute, least, most, complaint in limits:
        value = compute(leaves)
        if not least <= value <= most:
            shown = value if value <= 1 << 64 else "beyond 64 bits"
            raise DTypeError(f"jit: a number among the arguments, {shown}, {complaint}")
