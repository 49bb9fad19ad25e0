"""Elementwise ops, and those that take a tensor as it is: the batch's axis is one more.

Ops that say so themselves (`Op.broadcasts`) need no line here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, Unbatched, batching, elementwise
from unigrad.core.arguments import constant
from unigrad.core.op import OPS
from unigrad.core.running import apply

batching(
    elementwise,
    "random_fused", "random_gamma_sample", "random_hash", "random_in_halves", "ravel_index",
    "where",
)  # fmt: skip
# Composites whose kernels are faster than their parts.
batching(
    elementwise,
    "celu", "clip", "complex_sign", "elu", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh",
    "isclose", "leaky_relu", "log_sigmoid", "mish", "nan_to_num", "relu6", "selu", "silu",
    "sinc", "softplus", "softsign", "tanh_shrink",
)  # fmt: skip


def _as_it_is(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Run the op on the batch: its settings count no axes, or count them from the end."""
    return apply(batch.op, inputs, settings)


batching(
    _as_it_is,
    "astype",
    "bitcast",
    "identity",
    "random_orthonormal",
    "stop_gradient",
    "to_device",
    "tril",
    "triu",
)


def _full_like(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Unbatched:
    """Fill one example: it is the same for all."""
    [x] = inputs
    number = constant(x, settings["value"])
    return Unbatched(OPS["broadcast_to"](number, shape=x.shape[1:]))


batching(_full_like, "full_like")
