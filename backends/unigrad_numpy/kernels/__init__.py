"""The table: one kernel per op, on ndarrays."""

from typing import Any

from unigrad_numpy.kernels import (
    activations,
    control,
    convolution,
    creation,
    elementwise,
    fourier,
    functions,
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
    **functions.TABLE,
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
    **indexing.BINDERS,
    **reductions.BINDERS,
    **shaping.BINDERS,
}
SCALAR_OPS = elementwise.SCALAR_OPS
