"""The table: one kernel per op, on TensorFlow tensors."""

from unigrad_tensorflow.kernels import (
    activations,
    bits,
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
    **bits.TABLE,
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
