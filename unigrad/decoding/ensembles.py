"""Several models that decode together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.decoding.steps import Step
from unigrad.ops.joining import stack
from unigrad.ops.reductions import sum
from unigrad.ops.softmax import log_softmax, logsumexp

__all__ = ["checked_shares", "ensemble", "mixture"]


def ensemble(
    steps: Sequence[Step], weights: Sequence[float] | None = None, *, space: str = "probability"
) -> Step:
    """Return the step of several models together; its state is a tuple of theirs.

    Args:
        steps: one per model, over the same tokens. The first attention that there is, is kept.
        weights: their shares, made to add up to 1; equal ones by default.
        space: ``"probability"`` for the mean of the probabilities, ``"logarithm"`` for that of the
            log-probabilities (the step's logits are then no log-probabilities yet).

    Raises:
        SettingError: when there is no step, weights are not one per step, at least 0 and one
            positive, or the space is neither.
        ShapeError: when the steps have not the same vocabulary.

    Example:
        >>> import unigrad as ug
        >>> even, odd = (lambda last, state, p=p: (ug.log(ug.asarray([p])), state)
        ...              for p in ([0.5, 0.5], [0.9, 0.1]))
        >>> logits, _ = ensemble([even, odd])(ug.asarray([0]), (None, None))
        >>> [[round(p, 6) for p in row] for row in ug.exp(logits).tolist()]
        [[0.7, 0.3]]
    """
    together = tuple(steps)
    shares = checked_shares(len(together), weights, space)

    def step(last: Tensor, states: Any) -> tuple[Any, ...]:
        found = [one(last, state) for one, state in zip(together, states, strict=True)]
        mixed = mixture([one[0] for one in found], shares, space)
        attention = next((one[2] for one in found if len(one) > 2), None)
        after = tuple([one[1] for one in found])
        return (mixed, after) if attention is None else (mixed, after, attention)

    return step


def checked_shares(
    models: int, weights: Sequence[float] | None, space: str
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the shares of so many models, which add up to 1.

    Raises:
        SettingError: as `ensemble`.

    Example:
        >>> checked_shares(2, [1.0, 3.0], "probability").tolist()
        [0.25, 0.75]
    """
    shares: np.ndarray[Any, np.dtype[np.float64]]
    shares = np.ones(models) if weights is None else np.asarray(weights, np.float64)
    if not models or shares.shape != (models,):
        raise SettingError(
            f"ensemble: {models} models and {shares.size} weights; one weight per model, and at "
            "least one model"
        )
    if not (np.isfinite(shares).all() and (shares >= 0.0).all() and shares.sum() > 0.0):
        raise SettingError(f"ensemble: weights are at least 0, one positive, not {weights!r}")
    if space not in ("probability", "logarithm"):
        raise SettingError(f"ensemble: space is 'probability' or 'logarithm', not {space!r}")
    shares = shares / shares.sum()
    return shares


def mixture(
    logits: Sequence[Tensor], shares: np.ndarray[Any, np.dtype[np.float64]], space: str
) -> Tensor:
    """Return the logits of models' distributions together, over the last axis.

    Raises:
        ShapeError: when they have not one shape.

    Example:
        >>> import unigrad as ug
        >>> logits = [ug.log(ug.asarray(p)) for p in ([0.5, 0.5], [0.9, 0.1])]
        >>> [round(p, 6) for p in ug.exp(mixture(logits, np.ones(2) / 2, "probability")).tolist()]
        [0.7, 0.3]
    """
    scores = [log_softmax(one, axis=-1) for one in logits]
    if len({one.shape for one in scores}) > 1:
        shapes = ", ".join(str(one.shape) for one in scores)
        raise ShapeError(f"ensemble: models return logits of several shapes: {shapes}")
    used = [i for i, share in enumerate(shares) if share > 0.0]
    each = stack([scores[i] for i in used], axis=0)
    column = shares[used].reshape(-1, *[1] * (each.ndim - 1)).astype(each.dtype)
    if space == "probability":
        mixed: Tensor = logsumexp(each + as_tensor(np.log(column), each), axis=0)
    else:
        mixed = sum(each * as_tensor(column, each), axis=0)
    return mixed
