"""Activation functions and the softmax family. Temporaries are reused, inputs never."""

from typing import Any

import numpy as np


def _softmax(x: Any, axis: int) -> Any:
    out = np.asarray(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    np.exp(out, out=out)
    out /= np.add.reduce(out, axis=axis, keepdims=True)
    return out


def _log_softmax(x: Any, axis: int) -> Any:
    out = np.asarray(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    out -= np.log(np.add.reduce(np.exp(out), axis=axis, keepdims=True))
    return out


def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    peak = np.maximum.reduce(x, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, np.zeros_like(peak))
    total = np.add.reduce(np.exp(x - peak), axis=axis, keepdims=True)
    out = np.where(total == 0, -np.inf, np.log(np.where(total == 0, 1, total)) + peak)
    out = out.astype(x.dtype, copy=False)
    return out if keepdims else np.squeeze(out, axis)


TABLE = {
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
}
