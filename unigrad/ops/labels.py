"""Labels and tokens: indices of classes, of which negative ones mean nothing.

Where values can be looked at, a label outside of its classes is refused. In a traced function and
on an accelerator nobody looks: there it reads NaN, and nothing reaches what it would have read.
"""

from __future__ import annotations

from unigrad.core import dtypes
from unigrad.core.arguments import cast, constant, hidden
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import greater_equal, less, logical_and, where
from unigrad.ops.filling import zeros_like


def behind_if_negative(labels: Tensor, classes: int) -> Tensor:
    """Put hidden labels that are negative behind the last class, where a read gives NaN."""
    if not hidden(labels):
        return labels
    labels = _wide(labels)
    moved: Tensor = where(less(labels, 0), constant(labels, classes), labels)
    return moved


def split_valid(labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Return which labels are in [0, classes), and the labels with 0 for those that are not."""
    labels = _wide(labels)
    valid: Tensor = logical_and(greater_equal(labels, 0), less(labels, classes))
    return valid, where(valid, labels, zeros_like(labels))


def _wide(labels: Tensor) -> Tensor:
    """Return labels in a dtype that holds the number of classes."""
    return labels if labels.dtype == dtypes.int64 else cast(labels, dtypes.int64)
