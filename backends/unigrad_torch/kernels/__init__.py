"""The table: one kernel per op, on torch tensors."""

from unigrad_torch.kernels import (
    activations,
    elementwise,
    indexing,
    linear,
    random,
    reductions,
    shaping,
    sorting,
)

TABLE = {
    **activations.TABLE,
    **elementwise.TABLE,
    **indexing.TABLE,
    **linear.TABLE,
    **random.TABLE,
    **reductions.TABLE,
    **shaping.TABLE,
    **sorting.TABLE,
}
SCALAR_OPS = elementwise.SCALAR_OPS
