"""The loss of sequences of different lengths: padding does not count."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.tensor import Tensor
from unigrad.losses import sparse_categorical_crossentropy
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import not_equal, where
from unigrad.ops.creation import astype
from unigrad.ops.losses import check_label_shapes
from unigrad.ops.reductions import sum
from unigrad.ops.shaping import expand_dims

__all__ = ["masked_loss"]


def masked_loss(targets: TensorLike, logits: TensorLike, *, padding: int = 0) -> Tensor:
    """Return the mean cross-entropy Σ -log p / n over the n targets that are not padding.

    Where all is padding the loss is 0. Logits of padding do not count, infinities and NaN included.

    Args:
        targets: integers (…).
        logits: (…, vocabulary).
        padding: the target that does not count; it need not be one of the vocabulary.

    Raises:
        ShapeError, DTypeError, OutOfBoundsError: as `ug.losses.sparse_categorical_crossentropy`.

    Example:
        >>> round(masked_loss([[1, 0]], [[[0.0, 0.0], [3.0, 5.0]]]).item(), 6)
        0.693147
    """
    logits = as_tensor(logits)
    targets = as_tensor(targets, logits)
    check_label_shapes("masked_loss", targets, logits)
    real = not_equal(targets, padding)
    # Chosen before the loss: an infinite or NaN score of padding would come back in the gradient.
    logits = where(expand_dims(real, axis=-1), logits, 0.0)
    if logits.ndim and not 0 <= padding < logits.shape[-1]:
        targets = where(real, targets, 0)
    losses = sparse_categorical_crossentropy(targets, logits, from_logits=True)
    count = maximum(sum(astype(real, losses.dtype)), 1.0)
    return sum(where(real, losses, 0.0)) / count
