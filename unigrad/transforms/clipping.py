"""`grad_clip_identity`: the identity, whose cotangent is limited on the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.core.arguments import TensorLike
from unigrad.core.tensor import Tensor
from unigrad.ops.identity import identity
from unigrad.ops.limits import clip
from unigrad.transforms.custom import custom_gradient


def grad_clip_identity(x: TensorLike, /, min: float = -1.0, max: float = 1.0) -> Tensor:
    """Return x, and limit each element of its cotangent to [min, max] in reverse mode.

    Forward mode carries tangents on as they are, since a tangent is none of a loss.

    Args:
        x: a floating tensor.
        min, max: the bounds; None leaves a side open.

    Example:
        >>> import unigrad as ug
        >>> ug.grad(lambda x: 5.0 * grad_clip_identity(x))(2.0).item()
        1.0
    """

    @custom_gradient
    def limited(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        return identity(x), lambda g: clip(g, min, max)

    out: Tensor = limited(x)
    return out
