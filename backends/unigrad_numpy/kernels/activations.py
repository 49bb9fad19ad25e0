"""Activation functions and the softmax family. Temporaries are reused, inputs never."""

from typing import Any

import numpy as np

from unigrad_numpy.kernels.reductions import COARSE
from unigrad_numpy.kernels.reductions import total as add_up


def _softmax(x: Any, axis: int) -> Any:
    if x.dtype in COARSE:
        return _softmax(x.astype(np.float32), axis).astype(x.dtype)
    if not x.size:
        return x.copy()
    out = np.asarray(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=axis, keepdims=True)
    return out


def _log_softmax(x: Any, axis: int) -> Any:
    if x.dtype in COARSE:
        return _log_softmax(x.astype(np.float32), axis).astype(x.dtype)
    if not x.size:
        return x.copy()
    out = np.asarray(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    out -= np.log(np.add.reduce(np.exp(out), axis=axis, keepdims=True))
    return out


def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if x.dtype in COARSE:
        return _logsumexp(x.astype(np.float32), axis, keepdims).astype(x.dtype)
    if not x.size:
        # Nowhere is anything to be greatest; the sum of nothing has the right shape.
        return add_up(x, axis, keepdims) - np.inf
    peak = np.maximum.reduce(x, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, np.zeros_like(peak))
    total = np.add.reduce(np.exp(x - peak), axis=axis, keepdims=True)
    out = np.where(total == 0, -np.inf, np.log(np.where(total == 0, 1, total)) + peak)
    out = out.astype(x.dtype, copy=False)
    return out if keepdims else np.squeeze(out, axis)


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, x.dtype.type(0))


TABLE = {
    "hard_silu": lambda x: x * (np.minimum(np.maximum(x + 3, 0), 6) / 6),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
    "softplus": _softplus,
    "log_sigmoid": lambda x: -_softplus(-x),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
}
