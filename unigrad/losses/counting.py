"""How much each example counts: weights, masks and reductions, the same for every loss."""

from __future__ import annotations

from typing import Literal, TypeAlias

from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.dtypes import bfloat16, bool_, float16, float32
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import multiply
from unigrad.ops.comparison import equal, logical_and, not_equal, where
from unigrad.ops.reductions import mean, sum
from unigrad.ops.shaping import broadcast_to, expand_dims

#: What becomes of the losses of examples.
Reduction: TypeAlias = Literal["none", "mean", "sum"]

#: A value that every loss takes, as a target and as a prediction, with a finite derivative.
HARMLESS = 0.5


class Counting:
    """The weights of a loss's examples, and what is made of their losses.

    Args:
        name: of the loss, for messages.
        shape: of the losses, one per example.
        like: a Tensor on whose backend they are.
        weights: of a shape that broadcasts to the losses'.
        mask: bools of such a shape.
        reduction: see `unigrad.losses`.

    Raises:
        SettingError: when there is no such reduction.
        ShapeError: when weights or a mask do not broadcast to the losses.
        DTypeError: when a mask holds no bools.
    """

    __slots__ = ("_counts", "_reduction", "_weights")

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        like: Tensor,
        weights: TensorLike | None,
        mask: TensorLike | None,
        reduction: Reduction,
    ) -> None:
        if reduction not in ("none", "mean", "sum"):
            raise SettingError(f"{name}: reduction={reduction!r}: expected 'none', 'mean' or 'sum'")
        self._reduction = reduction
        #: Whether an example counts at all; None where all do.
        self._counts: Tensor | None = None
        self._weights: Tensor | None = None
        if mask is not None:
            self._counts = as_tensor(mask, like)
            if self._counts.dtype != bool_:
                raise DTypeError(f"{name}: a mask holds bools, not {self._counts.dtype.name}")
            _check_broadcast(name, "mask", self._counts, shape)
        if weights is not None:
            self._weights = _floating(as_tensor(weights, like, like.dtype), like)
            _check_broadcast(name, "weights", self._weights, shape)
            heavy = not_equal(self._weights, 0.0)
            self._counts = heavy if self._counts is None else logical_and(heavy, self._counts)
        if mask is not None and self._counts is not None:
            ones = cast(self._counts, like.dtype)
            self._weights = (
                ones if self._weights is None else where(self._counts, self._weights, 0.0)
            )

    def guarded(self, x: Tensor, *, axes: int = 1, otherwise: float = HARMLESS) -> Tensor:
        """Put a harmless value in place of what does not count, before anything is computed.

        An infinite or NaN value would come back in the gradient, as 0 · ∞, if it were multiplied
        by its weight of 0 only.

        Args:
            x: what a loss is computed from, (…) and ``axes`` more.
            axes: how many axes each example has.
            otherwise: the value.
        """
        counts = self._counts
        if counts is None:
            return x
        for _ in range(axes):
            counts = expand_dims(counts, axis=-1)
        guarded: Tensor = where(counts, x, otherwise)
        return guarded

    def reduced(self, losses: Tensor, shares: Tensor | None = None) -> Tensor:
        """Return weighted losses, their sum or their mean.

        Args:
            losses: one per example.
            shares: factors that the losses have already, of their classes, say: the mean is taken
                by them as well.
        """
        weights, dtype = self._weights, losses.dtype
        if weights is None and shares is None and self._reduction == "mean" and losses.size:
            return mean(losses)
        if self._reduction == "mean" and dtype in (float16, bfloat16):
            # The sum may leave the range where the mean does not.
            losses = cast(losses, float32)
        if weights is not None:
            losses = multiply(losses, weights)
        if self._reduction == "none":
            return losses
        if self._reduction == "sum":
            return sum(losses)
        if weights is not None and shares is not None:
            weights = multiply(weights, shares)
        elif weights is None:
            weights = losses * 0.0 + 1.0 if shares is None else shares
        total = sum(broadcast_to(cast(weights, losses.dtype), losses.shape))
        return cast(sum(losses) / where(equal(total, 0.0), 1.0, total), dtype)


def _floating(weights: Tensor, like: Tensor) -> Tensor:
    """Return integers and bools in the dtype of a loss."""
    return cast(weights, like.dtype) if weights.dtype.kind in "biu" else weights


def _check_broadcast(name: str, what: str, given: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse weights whose broadcasting would make more losses than there are."""
    own = given.shape
    fits = len(own) <= len(shape) and all(
        one in (1, length) for one, length in zip(reversed(own), reversed(shape), strict=False)
    )
    if not fits:
        raise ShapeError(
            f"{name}: {what} of shape {own} for losses of shape {shape}; they must broadcast to it"
        )
