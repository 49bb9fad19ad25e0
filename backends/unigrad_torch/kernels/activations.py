"""Activation functions and the softmax family.

torch's own hard sigmoid has no second derivative.
"""

import math
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule
from unigrad_torch.private import elu


def _logsumexp(x: torch.Tensor, axis: Any, keepdims: bool) -> torch.Tensor:
    """torch's own, which takes no axes for all."""
    return torch.logsumexp(x, axis, keepdims) if axis else x.clone()


def _gelu(x: torch.Tensor, approximate: str) -> torch.Tensor:
    """Φ by the complement of erf: torch's own loses the digits of its lower tail."""
    if approximate == "tanh" or x.dtype in (torch.float16, torch.bfloat16):
        return _composed_gelu(x, approximate=approximate)
    return x * 0.5 * torch.erfc(x * -math.sqrt(0.5))


_composed_gelu = body_of("torch", "gelu")


def _soft_shrink(x: torch.Tensor, threshold: float) -> Any:
    if threshold < 0.0:
        return _composed_soft_shrink(x, threshold=threshold)
    return functional.softshrink(x, threshold)


_composed_soft_shrink = body_of("torch", "soft_shrink")

TABLE = {
    "hard_shrink": by_rule("hard_shrink", lambda x, threshold: functional.hardshrink(x, threshold)),
    "soft_shrink": by_rule("soft_shrink", _soft_shrink),
    "threshold": by_rule(
        "threshold", lambda x, threshold, value: functional.threshold(x, threshold, value)
    ),
    "prelu": lambda x, alpha: x * torch.where(x > 0, 1.0, alpha),
    "relu6": functional.relu6,
    "leaky_relu": lambda x, negative_slope: functional.leaky_relu(x, negative_slope),
    # torch's own second derivative at 0 is 0.
    "elu": by_rule("elu", lambda x, alpha: functional.elu(x, alpha)),
    "selu": by_rule("selu", torch.selu),
    # torch's own celu is this, with a derivative that rounds 1 / alpha to single precision.
    "celu": by_rule("celu", lambda x, alpha: elu(x, alpha, 1.0, 1.0 / alpha)),
    # Of complex numbers torch has no derivative of it.
    "silu": lambda x: x * torch.sigmoid(x) if x.is_complex() else functional.silu(x),
    # torch's own second derivative is NaN of large numbers.
    "mish": by_rule("mish", functional.mish),
    # Beyond 40 the difference from x is below double precision; torch's own threshold is 20.
    "softplus": lambda x: functional.softplus(x, 1.0, 40.0),
    "log_sigmoid": functional.logsigmoid,
    "hard_sigmoid": by_rule("hard_sigmoid", lambda x: functional.relu6(x + 3.0) / 6.0),
    # torch's own multiplies before it divides: it is ∞ from a sixth of the largest number on.
    "hard_silu": by_rule("hard_silu", lambda x: x * (functional.relu6(x + 3.0) / 6.0)),
    "hard_tanh": functional.hardtanh,
    "gelu": _gelu,
    "softmax": lambda x, axis: torch.softmax(x, axis),
    "log_softmax": lambda x, axis: torch.log_softmax(x, axis),
    # torch's derivative is NaN where all elements are -∞.
    "logsumexp": by_rule("logsumexp", _logsumexp),
}

BINDERS: dict[Any, Any] = {
    TABLE["softmax"]: lambda axis: partial(torch.softmax, dim=axis),
    TABLE["log_softmax"]: lambda axis: partial(torch.log_softmax, dim=axis),
}
