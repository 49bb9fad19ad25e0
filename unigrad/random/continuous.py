"""Continuous distributions without a shape parameter, each a function of a uniform draw.

They agree with `jax.random` and between backends up to the rounding of the functions involved.
Half precision is drawn in half precision, computed in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi
from math import sqrt as root

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, constant
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.op import Op, composite
from unigrad.core.tensor import Tensor
from unigrad.core.threefry import MIDDLE, TAIL
from unigrad.ops.arithmetic import abs, sign
from unigrad.ops.comparison import where
from unigrad.ops.elementary import erfinv, log, log1p, sqrt, tan
from unigrad.random.keys import as_key, draw_shape, float_dtype
from unigrad.random.parameters import placed, wide
from unigrad.random.uniforms import between

__all__ = ["cauchy", "exponential", "gumbel", "laplace", "logistic", "normal"]


def epsilon(dtype: DType, *, below: bool = False) -> float:
    """Return the step from 1 to the next float, or from the one before (``below``)."""
    one = dtype.type(1)
    step = one - np.nextafter(one, dtype.type(0))
    return float(step if below else step + step)


def smallest_normal(dtype: DType) -> float:
    """Return the smallest positive float of a dtype that is not subnormal."""
    # bfloat16 has the exponents of float32.
    return float(np.finfo(np.float32 if dtype.name == "bfloat16" else dtype).smallest_normal)


def _of_uniform(
    name: str, low: Callable[[DType], float], function: Callable[[Tensor], Tensor]
) -> Op:
    """Declare the op of a function of uniform numbers in [low, 1)."""

    def body(key: Tensor, *, shape: tuple[int, ...], dtype: DType) -> Tensor:
        u = between(key, shape, dtype, low(dtype), 1.0)
        return cast(function(cast(u, wide(dtype))), dtype)

    body.__name__ = f"_random_{name}"
    return composite(body)


def _drawn(op: Op, key: TensorLike, shape: int | Sequence[int], dtype: DTypeLike | None) -> Tensor:
    """Run the op of a distribution with its arguments normalised."""
    name = op.name.removeprefix("random_")
    chosen = float_dtype(name, dtype)
    out: Tensor = op(as_key(name, key), shape=draw_shape(name, shape), dtype=chosen)
    return out


def inverse_erf(x: Tensor) -> Tensor:
    """Return erf⁻¹; of float32 to the digits of `jax.random`, which is what normal draws are."""
    if x.dtype == dtypes.float64:
        return erfinv(x)
    w = -log1p(-(x * x))
    middle, tail = w - 2.5, sqrt(w) - 3.0
    near, far = w * 0.0 + MIDDLE[0], w * 0.0 + TAIL[0]
    for first, second in zip(MIDDLE[1:], TAIL[1:], strict=True):
        near, far = near * middle + first, far * tail + second
    return where(w < 5.0, near, far) * x


_normal = _of_uniform(
    "normal",
    lambda dtype: float(np.nextafter(dtype.type(-1), dtype.type(0))),
    lambda u: inverse_erf(u) * constant(u, root(2)),
)
_gumbel = _of_uniform("gumbel", smallest_normal, lambda u: -log(-log(u)))
_exponential = _of_uniform("exponential", lambda dtype: 0.0, lambda u: -log1p(-u))
_laplace = _of_uniform(
    "laplace",
    lambda dtype: -1.0 + epsilon(dtype, below=True),
    lambda u: sign(u) * log1p(-abs(u)),
)
_logistic = _of_uniform("logistic", smallest_normal, lambda u: log(u) - log1p(-u))
_cauchy = _of_uniform("cauchy", epsilon, lambda u: tan((u - 0.5) * constant(u, pi)))


def normal(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    *,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
) -> Tensor:
    """Return normal floats, loc + scale · √2 · erf⁻¹(u) of uniform u in (-1, 1).

    Raises:
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.
        ShapeError: when a length is negative, a parameter does not fit, or ``key`` is no key.
        SettingError: when ``scale`` is not positive.

    Example:
        >>> from unigrad.random import key
        >>> normal(key(0), (2, 3)).shape
        (2, 3)
    """
    return placed("normal", _drawn(_normal, key, shape, dtype), loc, scale)


def gumbel(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    *,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
) -> Tensor:
    """Return Gumbel floats, loc - scale · log(-log u) of uniform u in (0, 1).

    Raises: as `normal`.

    Example:
        >>> from unigrad.random import key
        >>> gumbel(key(0), 3).shape
        (3,)
    """
    return placed("gumbel", _drawn(_gumbel, key, shape, dtype), loc, scale)


def exponential(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    *,
    scale: TensorLike = 1.0,
) -> Tensor:
    """Return exponential floats, -scale · log(1 - u) of uniform u in [0, 1).

    Raises: as `normal`.

    Example:
        >>> from unigrad.random import key
        >>> exponential(key(0), 3).shape
        (3,)
    """
    return placed("exponential", _drawn(_exponential, key, shape, dtype), scale=scale)


def laplace(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    *,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
) -> Tensor:
    """Return Laplace floats, loc + scale · sign(u) log(1 - |u|) of uniform u in (-1, 1).

    Raises: as `normal`.

    Example:
        >>> from unigrad.random import key
        >>> laplace(key(0), 3).shape
        (3,)
    """
    return placed("laplace", _drawn(_laplace, key, shape, dtype), loc, scale)


def logistic(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    *,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
) -> Tensor:
    """Return logistic floats, loc + scale · log(u / (1 - u)) of uniform u in (0, 1).

    Raises: as `normal`.

    Example:
        >>> from unigrad.random import key
        >>> logistic(key(0), 3).shape
        (3,)
    """
    return placed("logistic", _drawn(_logistic, key, shape, dtype), loc, scale)


def cauchy(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    *,
    loc: TensorLike = 0.0,
    scale: TensorLike = 1.0,
) -> Tensor:
    """Return Cauchy floats, loc + scale · tan(π (u - ½)) of uniform u in (0, 1).

    Raises: as `normal`.

    Example:
        >>> from unigrad.random import key
        >>> cauchy(key(0), 3).shape
        (3,)
    """
    return placed("cauchy", _drawn(_cauchy, key, shape, dtype), loc, scale)
