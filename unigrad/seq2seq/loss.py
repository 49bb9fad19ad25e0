"""The loss of sequences of different lengths: padding does not count."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.losses import sparse_categorical_crossentropy
from unigrad.ops.comparison import not_equal
from unigrad.ops.losses import check_label_shapes
from unigrad.ops.reductions import sum

__all__ = ["masked_loss"]


def masked_loss(
    targets: TensorLike,
    logits: TensorLike,
    *,
    padding: int = 0,
    label_smoothing: float = 0.0,
    per: str = "token",
) -> Tensor:
    """Return the cross-entropy of the targets that are not padding.

    That of one is -log p, or with label smoothing ε (1 - ε)(-log p) + ε times the mean of -log p
    over the vocabulary (Szegedy et al. 2016). Padding counts 0, whatever its logits are, infinities
    and NaN included.

    Args:
        targets: integers (…).
        logits: (…, vocabulary).
        padding: the target that does not count; it need not be one of the vocabulary.
        label_smoothing: ε, from 0 up to 1.
        per: ``"token"`` for the mean over all that counts, 0 if nothing does; ``"sequence"`` for
            the sum over the last axis of the targets, (…); ``"none"`` for each by itself.

    Raises:
        ShapeError, DTypeError, OutOfBoundsError: as `ug.losses.sparse_categorical_crossentropy`.
        SettingError: when a setting is none of what it may be.

    Example:
        >>> round(masked_loss([[1, 0]], [[[0.0, 0.0], [3.0, 5.0]]]).item(), 6)
        0.693147
        >>> masked_loss([[1, 2], [1, 0]], [[[0.0] * 4] * 2] * 2, per="sequence").shape
        (2,)
    """
    if per not in ("token", "sequence", "none"):
        raise SettingError(f"masked_loss: per is 'token', 'sequence' or 'none', not {per!r}")
    if isinstance(label_smoothing, bool) or not 0.0 <= label_smoothing <= 1.0:
        raise SettingError(f"masked_loss: label_smoothing is in [0, 1], not {label_smoothing!r}")
    logits = as_tensor(logits)
    targets = as_tensor(targets, logits)
    check_label_shapes("masked_loss", targets, logits)
    losses = sparse_categorical_crossentropy(
        targets,
        logits,
        from_logits=True,
        label_smoothing=label_smoothing,
        mask=not_equal(targets, padding),
        reduction="mean" if per == "token" else "none",
    )
    return sum(losses, axis=-1) if per == "sequence" else losses
