"""Derivatives of the hottest ops straight on ndarrays.

The reference tape's rules are written in the language of ops, which costs some microseconds per
op. Where nothing records the backward pass, these few say the same in ndarrays; the suite checks
them against the rules, as it checks every other library's gradients.

``pullback(g, out, inputs, wanted, **settings)`` returns one cotangent per input, ``None`` where
``wanted`` is false.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from types import NotImplementedType
from typing import Any

import numpy as np

from unigrad.core.native_tape import Pullback
from unigrad_numpy.kernels.linear import matmul
from unigrad_numpy.kernels.losses import gradient_of_saved, saving_crossentropy
from unigrad_numpy.kernels.normalization import moments
from unigrad_numpy.kernels.reductions import mean as average
from unigrad_numpy.kernels.reductions import total as _sum

Array = Any
Wanted = Sequence[bool]


def _fit(g: Array, x: Array) -> Array:
    """Sum a cotangent over the axes along which its input was broadcast."""
    shape = x.shape
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    if extra:
        g = _sum(g, tuple(range(extra)), False)
    axes = tuple([i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1])
    if axes:
        g = _sum(g, axes, True)
    return g if g.shape == shape else np.broadcast_to(g, shape)


def _add(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    x, y = inputs
    return _fit(g, x) if wanted[0] else None, _fit(g, y) if wanted[1] else None


def _subtract(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    x, y = inputs
    return _fit(g, x) if wanted[0] else None, _fit(-g, y) if wanted[1] else None


def _multiply(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    x, y = inputs
    return _fit(g * y, x) if wanted[0] else None, _fit(g * x, y) if wanted[1] else None


def _matmul(
    g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted
) -> Sequence[Any] | NotImplementedType:
    x, y = inputs
    if x.ndim < 2 or y.ndim < 2:
        return NotImplemented  # type: ignore[no-any-return]  # to typeshed it is an Any
    if y.ndim == 2:
        if x.ndim == 2:
            return matmul(g, y.T) if wanted[0] else None, matmul(x.T, g) if wanted[1] else None
        # One matrix for a whole stack: its rows are one long matrix.
        count = prod(g.shape[:-1])
        rows = g.reshape(count, g.shape[-1])
        return (
            matmul(rows, y.T).reshape(x.shape) if wanted[0] else None,
            matmul(x.reshape(count, x.shape[-1]).T, rows) if wanted[1] else None,
        )
    return (
        _fit(_stacked(g, y.swapaxes(-1, -2)), x) if wanted[0] else None,
        _fit(_stacked(x.swapaxes(-1, -2), g), y) if wanted[1] else None,
    )


def _stacked(x: Array, y: Array) -> Array:
    """Multiply stacks of matrices; an outer product is quicker as a product that broadcasts."""
    return x * y if x.shape[-1] == 1 else matmul(x, y)


def _linear(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    x, kernel, _ = inputs
    back = matmul(g, kernel.T) if wanted[0] else None
    if g.ndim != 2:
        rows = prod(g.shape[:-1])
        x, g = x.reshape(rows, x.shape[-1]), g.reshape(rows, g.shape[-1])
    return back, matmul(x.T, g) if wanted[1] else None, _sum(g, (0,), False) if wanted[2] else None


#: The integers as wide as a float.
_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def _relu(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    # The cotangent's bits times 1 or 0: a select, so that 0 · ∞ is 0, in half the time of one.
    bits = np.asarray(out > 0, dtype=_BITS[g.itemsize])
    bits *= g.view(bits.dtype)
    return (bits.view(g.dtype),)


def _tanh(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    slope = out * out
    slope = np.subtract(1, slope, out=slope if out.ndim else None)
    slope *= g
    return (slope,)


def _sigmoid(g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted) -> Sequence[Any]:
    slope = 1 - out
    slope *= out
    slope *= g
    return (slope,)


def _spread(g: Array, x: Array, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    """Copy a reduction's cotangent along the reduced axes."""
    if axis is not None and not keepdims and g.ndim:
        g = g.reshape([1 if i in axis else n for i, n in enumerate(x.shape)])
    spread = np.empty(x.shape, x.dtype)
    spread[...] = g
    return spread


def _total(
    g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted, *, axis: Any, keepdims: bool
) -> Sequence[Any]:
    return (_spread(g, inputs[0], axis, keepdims),)


def _mean(
    g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted, *, axis: Any, keepdims: bool
) -> Sequence[Any]:
    x = inputs[0]
    # A factor, not a divisor: float16 holds the inverse of numbers that it does not hold.
    return (_spread(g * x.dtype.type(out.size / max(x.size, 1)), x, axis, keepdims),)


def _normalized(
    g: Array, out: Array, inputs: Sequence[Array], wanted: Wanted, *, epsilon: float
) -> Sequence[Any] | NotImplementedType:
    found = moments(inputs[0], epsilon)
    if found is None:
        return NotImplemented  # type: ignore[no-any-return]  # to typeshed it is an Any
    last = (-1,)
    slope = g - average(g, last, True)
    slope -= out * average(g * out, last, True)
    slope /= found[1]
    return (slope,)


class _SoftmaxPullback(Pullback):
    """Of the loss by the logits."""

    __slots__ = ("_saved",)

    def __init__(self, saved: Any) -> None:
        self._saved = saved

    def __call__(self, cotangents: Sequence[Array]) -> Sequence[Any]:
        return gradient_of_saved(cotangents[0], self._saved), None


def _saving_crossentropy(logits: Array, labels: Array) -> tuple[Array, Pullback]:
    loss, saved = saving_crossentropy(logits, labels)
    return loss, _SoftmaxPullback(saved)


#: Ops whose forward pass leaves behind what the backward pass needs: a result and its pullback.
SAVING: dict[str, Callable[..., tuple[Any, Pullback]]] = {
    "sparse_softmax_crossentropy": _saving_crossentropy,
}

PULLBACKS: dict[str, Callable[..., Sequence[Any] | NotImplementedType]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "matmul": _matmul,
    "linear": _linear,
    "relu": _relu,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "sum": _total,
    "mean": _mean,
    "normalized": _normalized,
}
