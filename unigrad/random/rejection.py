"""Rejection in a fixed number of rounds, for compilers that know no loops of unknown length.

Proposals are drawn many at a time; the first that is accepted counts. In eager mode on a CPU no
more are drawn than are needed, to the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import cast, constant, visible
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.joining import unstack
from unigrad.random.keys import bits, split

#: Gives candidates and whether they are accepted, of a shape, from a key.
Proposal = Callable[[Tensor, tuple[int, ...]], tuple[Tensor, Tensor]]


def first_accepted(
    key: Tensor,
    shape: tuple[int, ...],
    propose: Proposal,
    otherwise: Tensor,
    *,
    groups: int,
    rounds: int,
) -> Tensor:
    """Return the first accepted candidate for each element.

    Args:
        propose: draws candidates for all elements, with one axis more in front.
        otherwise: stands where none is accepted: with probability (1 - rate)^(groups · rounds).
    """
    value, done = otherwise, constant(key, np.zeros(shape, bool), dtypes.bool_)
    for subkey in unstack(split(key, groups)):
        candidates, accepted = propose(subkey, (rounds, *shape))
        for one, good in zip(unstack(candidates), unstack(accepted), strict=True):
            value = where(good & ~done, one, value)
            done = done | good
        finished = visible(done)
        if finished is not None and finished.all():
            break
    return value


def words(key: Tensor, shape: tuple[int, ...], low: int = 32) -> tuple[Tensor, Tensor]:
    """Return two independent integers as int64: of 64 - ``low`` bits, and of ``low`` bits."""
    both = cast(bits(key, shape, "uint64"), dtypes.int64)
    return (both >> low) & (2 ** (64 - low) - 1), both & (2**low - 1)


def centred(n: Tensor, places: int) -> Tensor:
    """Return integers of some bits as float64 in the middle of their places in (0, 1)."""
    return cast(n * 2 + 1, dtypes.float64) * 2.0 ** -(places + 1)
