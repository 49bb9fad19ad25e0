"""The table: one kernel per op, on torch tensors."""

from unigrad_torch.kernels import (
    activations,
    creation,
    elementwise,
    indexing,
    linear,
    losses,
    optimizers,
    random,
    reductions,
    shaping,
    sorting,
)

TABLE = {
    **activations.TABLE,
    **creation.TABLE,
    **elementwise.TABLE,
    **indexing.TABLE,
    **linear.TABLE,
    **losses.TABLE,
    **optimizers.TABLE,
    **random.TABLE,
    **reductions.TABLE,
    **shaping.TABLE,
    **sorting.TABLE,
}
SCALAR_OPS = elementwise.SCALAR_OPS
