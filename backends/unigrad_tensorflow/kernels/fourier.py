"""Fourier transforms, without a factor forward and with 1/n back.

TensorFlow transforms the last axis: others are brought there, one after the other. The derivatives
are the textbook's.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.raw import BINDERS, raw
from unigrad_tensorflow.whole import as_graph


def _at_end(x: tf.Tensor, axis: int, transform: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Run a transform of the last axis along another."""
    if axis == -1:
        return transform(x)
    order = list(range(x.shape.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return tf.transpose(transform(tf.transpose(x, order)), order)


def _each(x: tf.Tensor, axes: tuple[int, ...], transform: Any) -> tf.Tensor:
    for axis in axes:
        x = _at_end(x, axis, transform)
    return x


def _complex(x: tf.Tensor) -> tf.Tensor:
    if x.dtype.is_complex:
        return x
    return tf.cast(x, tf.complex64 if x.dtype == tf.float32 else tf.complex128)


def fft(x: tf.Tensor, *, axes: tuple[int, ...]) -> tf.Tensor:
    """TensorFlow's, along one axis after the other."""
    return _each(_complex(x), axes, tf.signal.fft)


def ifft(x: tf.Tensor, *, axes: tuple[int, ...]) -> tf.Tensor:
    """TensorFlow's, along one axis after the other."""
    return _each(_complex(x), axes, tf.signal.ifft)


def rfft(x: tf.Tensor, *, axes: tuple[int, ...]) -> tf.Tensor:
    """TensorFlow's, the last of the axes first."""
    return fft(_at_end(x, axes[-1], tf.signal.rfft), axes=axes[:-1])


def irfft(x: tf.Tensor, *, axes: tuple[int, ...], n: int) -> tf.Tensor:
    """TensorFlow's, the last of the axes last."""
    inner = ifft(x, axes=axes[:-1])
    return _at_end(inner, axes[-1], lambda y: tf.signal.irfft(y, [n]))


def _of_axes(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that runs as a graph where it transforms more axes than the last.

    Of complex numbers along the last axis it is the raw op.
    """
    whole, plain = as_graph(kernel), raw(name, "input")

    def run(x: tf.Tensor, axes: tuple[int, ...], **rest: int) -> Any:
        return (kernel if axes == (-1,) else whole)(x, axes=axes, **rest)

    def bind(axes: tuple[int, ...], **rest: int) -> Callable[[tf.Tensor], Any]:
        long: Callable[..., Any] = partial(run, axes=axes, **rest)
        if axes != (-1,) or rest:
            return long
        return lambda x: plain(x) if x.dtype in _COMPLEX else long(x)

    if name in ("FFT", "IFFT"):
        BINDERS[run] = bind
    return run


_COMPLEX = frozenset((tf.complex64, tf.complex128))
_KERNELS: dict[str, Callable[..., Any]] = {"fft": fft, "ifft": ifft, "rfft": rfft, "irfft": irfft}
TABLE = {name: by_rule(name, _of_axes(name.upper(), kernel)) for name, kernel in _KERNELS.items()}
