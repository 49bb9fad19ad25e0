"""Update ops: one formula each, over all parameters of one dtype at once.

A formula is a function of the step's numbers that returns the function of one parameter, its
gradient and its slots. `update` makes an op of it: backends run that as one program, or bring a
fused kernel, or run the body. The op takes the step's number (from 1), then the formula's numbers,
the learning rate first, then the shared state, and then as many parameters as gradients as entries
of each slot. It returns the new parameters, the new slots and the new shared state in this order.
A number is Python's or a 0-d floating tensor: in programs that may outlive its value, and where it
is computed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeAlias

from unigrad.core.arguments import cast
from unigrad.core.dtypes import DType, float64
from unigrad.core.op import Op, composite
from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import expm1, log, sqrt

__all__: list[str] = []

Number: TypeAlias = float | Tensor
#: How many numbers each update op takes, shared state not counted, by its name.
UPDATES: dict[str, int] = {}

#: One parameter, its gradient and its slots, to the new parameter and the new slots.
Leaf: TypeAlias = Callable[..., Sequence[Tensor]]
#: The step and its numbers, to a leaf, or to a leaf and the new shared state.
Formula: TypeAlias = Callable[..., Any]


def columns(tensors: Sequence[Any], slots: int) -> list[Sequence[Any]]:
    """Split parameters, gradients and slots, which come in a row, into columns of equal length.

    Example:
        >>> columns(["p", "q", "g", "h"], 0)
        [['p', 'q'], ['g', 'h']]
    """
    count = len(tensors) // (2 + slots)
    return [tensors[i * count : (i + 1) * count] for i in range(2 + slots)]


def log_of(share: float) -> float:
    """Return log β for βᵗ = exp(t log β), for β = 0 as well: 0ᵗ = 0 = exp(-∞).

    Example:
        >>> log_of(1.0), log_of(0.0)
        (0.0, -inf)
    """
    return math.log(share) if share else -math.inf


def narrow(number: Number, dtype: DType) -> Number:
    """Return a number in a dtype; Python's are absorbed by any."""
    return cast(number, dtype) if isinstance(number, Tensor) else number


class Step:
    """The step's number, and how the step's numbers meet parameters of one dtype.

    Numbers are combined among themselves in a wide dtype and made `narrow` at the end.
    """

    __slots__ = ("dtype", "number", "time")

    def __init__(self, number: Tensor, dtype: DType) -> None:
        #: The number of this step, from 1.
        self.number = number
        #: That of the parameters.
        self.dtype = dtype
        #: The number of this step as a float.
        self.time = cast(number, float64)

    def narrow(self, number: Number) -> Number:
        """Return a number in the parameters' dtype."""
        return narrow(number, self.dtype)

    def narrow_all(self, *numbers: Number) -> list[Number]:
        """Return numbers in the parameters' dtype."""
        return [narrow(number, self.dtype) for number in numbers]

    def correction(self, share: Number, further: int = 0) -> Tensor:
        """Return 1 - βᵗ at this step t, or so many steps further."""
        # The difference loses its digits while βᵗ is close to 1; expm1 keeps them.
        exponent = log(share) if isinstance(share, Tensor) else log_of(share)
        return -expm1((self.time + further if further else self.time) * exponent)

    def average(self, share: Number) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the function (mean, new) → β mean + (1 - β) new."""
        # 1 - β would lose digits in a low precision.
        past, now = self.narrow(share), self.narrow(1.0 - share)
        return lambda mean, new: past * mean + now * new


def update(slots: int | Callable[..., int], shared: int = 0) -> Callable[[Formula], Op]:
    """Make an op of a formula (a decorator); the op's name is the function's.

    Args:
        slots: how many slots a parameter has, or a function of the settings that tells.
        shared: how many of the formula's last numbers are shared state.
    """

    def declare(formula: Formula) -> Op:
        parameters = list(inspect.signature(formula).parameters.values())
        kinds = [one.kind for one in parameters]
        count = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD) - 1

        def body(step: Tensor, *rest: Any, **settings: Any) -> tuple[Tensor, ...]:
            kept = slots if isinstance(slots, int) else slots(**settings)
            split = columns(rest[count:], kept)
            leaf = formula(Step(step, split[0][0].dtype), *rest[:count], **settings)
            new_shared: Sequence[Tensor] = ()
            if shared:
                leaf, *new_shared = leaf
            new = [leaf(*one) for one in zip(*split, strict=True)]
            return (*chain.from_iterable(zip(*new, strict=True)), *new_shared)

        body.__name__ = formula.__name__
        body.__doc__ = formula.__doc__
        # Whether there are settings, and which, can be asked of the body.
        own = list(inspect.signature(body).parameters.values())[:2]
        settings = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
        body.__signature__ = inspect.Signature([*own, *settings])  # type: ignore[attr-defined]
        op = composite(body)
        UPDATES[op.name] = count - shared
        return op

    return declare


@composite
def _decay_update(step: Tensor, rate: Number, share: Number, *parameters: Tensor) -> Any:
    """w ← w - α λ w, of parameters of any dtypes."""
    left = 1.0 - rate * share
    return tuple([p * narrow(left, p.dtype) for p in parameters])


@composite
def _penalty_update(step: Tensor, share: Number, *tensors: Tensor) -> Any:
    """g ← g + λ w, of as many parameters as gradients."""
    pairs = zip(*columns(tensors, 0), strict=True)
    return tuple([g + narrow(share, g.dtype) * p for p, g in pairs])


UPDATES |= {_decay_update.name: 2, _penalty_update.name: 1}


def root(square: Tensor, epsilon: Number, at: str) -> Tensor:
    """Return √v + ε ("outside" of the root) or √(v + ε) ("inside" of it)."""
    return sqrt(square + epsilon) if at == "inside" else sqrt(square) + epsilon
