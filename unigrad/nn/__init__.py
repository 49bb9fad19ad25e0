"""The functions of neural networks as a namespace: ``ug.nn.relu`` is ``ug.relu``.

Everything here is a function of tensors; parts with parameters of their own are `ug.layers`.
What is not in ``ug`` itself is here alone.
"""

from unigrad.nn.embedding import dropout, embedding
from unigrad.nn.recurrent import gru, lstm, simple_rnn
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
from unigrad.ops.convolution import conv, conv_transpose, depthwise_conv
from unigrad.ops.elementary import tanh
from unigrad.ops.nn.activations import glu, hard_shrink, prelu, soft_shrink, squareplus, threshold
from unigrad.ops.nn.attention import dot_product_attention
from unigrad.ops.nn.convolution import conv1d, conv2d, conv3d, separable_conv
from unigrad.ops.nn.labels import multi_hot
from unigrad.ops.nn.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    l2_normalize,
    layer_norm,
    local_response_norm,
    rms_norm,
)
from unigrad.ops.nn.patches import depth_to_space, fold, pixel_shuffle, space_to_depth, unfold
from unigrad.ops.nn.pooling import adaptive_average_pool, adaptive_max_pool
from unigrad.ops.nn.sparse import sparsemax
from unigrad.ops.pooling import average_pool, max_pool
from unigrad.ops.softmax import log_softmax, logsumexp, one_hot, softmax

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "batch_norm",
    "celu",
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "dot_product_attention",
    "dropout",
    "elu",
    "embedding",
    "fold",
    "gelu",
    "glu",
    "group_norm",
    "gru",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "instance_norm",
    "l2_normalize",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "lstm",
    "max_pool",
    "mish",
    "multi_hot",
    "one_hot",
    "pixel_shuffle",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "selu",
    "separable_conv",
    "sigmoid",
    "silu",
    "simple_rnn",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "space_to_depth",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
    "threshold",
    "unfold",
]
