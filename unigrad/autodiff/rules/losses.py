"""Derivatives of unigrad.ops.losses.

``L = -log softmax(x)ᵢ`` has the derivative ``softmax(x) - onehot(i)``.
"""

from typing import Any

from unigrad.autodiff.backward import ones_like, zeros_like
from unigrad.autodiff.rules.registry import rule
from unigrad.core.tensor import Tensor
from unigrad.ops.losses import _sparse_softmax_crossentropy_gradient
from unigrad.ops.reductions import sum


def _tangent(tangents: Any, out: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    if tangents[0] is None:
        return zeros_like(out)
    slope = _sparse_softmax_crossentropy_gradient(ones_like(out), logits, labels)
    return sum(tangents[0] * slope, axis=-1)


rule(
    "sparse_softmax_crossentropy",
    lambda g, out, logits, labels: _sparse_softmax_crossentropy_gradient(g, logits, labels),
    lambda g, out, logits, labels: zeros_like(labels),
    jvp=_tangent,
)
