"""The derivative of unigrad.ops.normalization, whose Jacobian per row is symmetric.

With r = 1 / √(variance + ε) it is (1 - 1/n - y yᵀ/n) r: one product serves both modes.
"""

from unigrad.autodiff.rules.registry import rule
from unigrad.core.arguments import cast
from unigrad.core.tensor import Tensor
from unigrad.ops.normalization import in_units
from unigrad.ops.reductions import _mean, widened


def _product(t: Tensor, out: Tensor, x: Tensor, epsilon: float) -> Tensor:
    if not x.shape[-1]:
        return t
    wide = widened(x)
    t, normal = cast(t, wide.dtype), cast(out, wide.dtype)
    _, root, inverse = in_units(wide, epsilon)
    aligned = normal * _average(t * normal)
    return cast((t - _average(t) - aligned) * (inverse / root), x.dtype)


def _average(x: Tensor) -> Tensor:
    mean: Tensor = _mean(x, axis=(x.ndim - 1,), keepdims=True)
    return mean


rule("normalized", _product, jvp=lambda t, out, x, epsilon: _product(t[0], out, x, epsilon))
