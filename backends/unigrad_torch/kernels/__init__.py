"""The table: one kernel per op, on torch tensors."""

from typing import Any

from unigrad_torch.kernels import (
    activations,
    control,
    convolution,
    creation,
    elementwise,
    fourier,
    indexing,
    linalg,
    linear,
    losses,
    normalization,
    optimizers,
    random,
    reductions,
    shaping,
    sorting,
    special,
    statistics,
)

TABLE = {
    **activations.TABLE,
    **control.TABLE,
    **convolution.TABLE,
    **creation.TABLE,
    **elementwise.TABLE,
    **fourier.TABLE,
    **indexing.TABLE,
    **linalg.TABLE,
    **linear.TABLE,
    **losses.TABLE,
    **normalization.TABLE,
    **optimizers.TABLE,
    **random.TABLE,
    **reductions.TABLE,
    **shaping.TABLE,
    **sorting.TABLE,
    **special.TABLE,
    **statistics.TABLE,
}
BINDERS: dict[Any, Any] = {
    **activations.BINDERS,
    **creation.BINDERS,
    **elementwise.BINDERS,
    **indexing.BINDERS,
    **linear.BINDERS,
    **reductions.BINDERS,
    **shaping.BINDERS,
    **sorting.BINDERS,
}
SCALAR_OPS = elementwise.SCALAR_OPS
