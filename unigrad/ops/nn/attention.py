"""Attention by scaled products: the formula of `dot_product_attention` and of the layers."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, common_tensors, to_floating
from unigrad.core.dtypes import DType
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import composite
from unigrad.core.operands import operands, single
from unigrad.core.tensor import Tensor
from unigrad.core.weak import Weak
from unigrad.ops.comparison import less_equal, where
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.softmax import softmax

__all__ = ["dot_product_attention"]


def lowest(dtype: DType) -> float:
    """Return a floating dtype's lowest finite number."""
    return float(ml_dtypes.finfo(dtype).min)  # type: ignore[no-untyped-call]


@composite
def _attention_weights(query: Tensor, key: Tensor, scale: Tensor, *masks: Tensor) -> Tensor:
    """softmax(s q kᵀ), (…, steps, time), 0 where a mask is False; where all are, all alike."""
    scores = matmul(query, matrix_transpose(key)) * scale
    for one in masks:
        # The lowest finite number: its exponential is zero, and a row of them has no NaN.
        scores = where(one, scores, lowest(scores.dtype))
    return softmax(scores, axis=-1)


def attention_weights(query: Tensor, key: Tensor, scale: TensorLike, *masks: Tensor) -> Tensor:
    """Return the weights of `dot_product_attention`."""
    factor = scale.within(query.dtype) if isinstance(scale, Weak) else scale
    out: Tensor = _attention_weights(query, key, as_tensor(factor, query, query.dtype), *masks)
    return out


def causal_mask(scores: tuple[int, int], like: Tensor, start: TensorLike = 0) -> Tensor:
    """Return bools (steps, time), True where a step, counted from a start, may look."""
    steps, time = scores
    places = as_tensor(np.arange(steps)[:, None], like) + start
    return less_equal(as_tensor(np.arange(time), like), places)


@operands("scale")
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    /,
    *,
    mask: TensorLike | None = None,
    causal: bool = False,
    scale: TensorLike | None = None,
) -> Tensor:
    """Return softmax(s q kᵀ) v: the values' means under weights by products of queries and keys.

    Shapes: query (…, steps, d), key (…, time, d), value (…, time, v); the axes before broadcast,
    such as (batch, heads). The result is (…, steps, v).

    Source: Vaswani et al., "Attention is all you need" (2017).

    Args:
        query, key, value: real numbers.
        mask: bools that broadcast to (…, steps, time), True where a step may look. A step that may
            look nowhere gives the plain mean of all values.
        causal: whether a step looks no further than its own place.
        scale: s; 1 / √d by default.

    Raises:
        ShapeError: when the shapes do not fit.
        DTypeError: for complex numbers, or a mask of other than bools.

    Example:
        >>> dot_product_attention([[1.0]], [[0.0], [0.0]], [[1.0], [3.0]]).tolist()
        [[2.0]]
    """
    name = "dot_product_attention"
    query, key, value = [to_floating(x) for x in common_tensors(name, (query, key, value))]
    if query.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({query.dtype.name})")
    if (
        min(query.ndim, key.ndim, value.ndim) < 2
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
    ):
        raise ShapeError(
            f"{name}: query {query.shape}, key {key.shape} and value {value.shape} do not fit "
            "(…, steps, d), (…, time, d), (…, time, v)"
        )
    masks = []
    if mask is not None:
        mask = as_tensor(mask, query)
        if mask.dtype != dtypes.bool_:
            raise DTypeError(f"{name}: a mask is of bools, not {mask.dtype.name}")
        masks.append(mask)
    if causal:
        masks.append(causal_mask((query.shape[-2], key.shape[-2]), query))
    factor = max(query.shape[-1], 1) ** -0.5 if scale is None else single(name, scale)
    return matmul(attention_weights(query, key, factor, *masks), value)
