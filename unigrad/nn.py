"""The functions of neural networks as a namespace: ``ug.nn.relu`` is ``ug.relu``.

Everything here is a function of tensors; parts with parameters of their own are `ug.layers`.
"""

from unigrad.ops.activations import (
    celu,
    elu,
    gelu,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh_shrink,
)
from unigrad.ops.affine import linear
from unigrad.ops.elementary import tanh
from unigrad.ops.softmax import log_softmax, logsumexp, one_hot, softmax

__all__ = [
    "celu",
    "elu",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "mish",
    "one_hot",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
    "tanh_shrink",
]
