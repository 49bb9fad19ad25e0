"""Convolutions by TensorFlow's own where it has them: on a CPU it knows no groups."""

from functools import cache
from typing import Any

import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.raw import raw

Ints = tuple[int, ...]

_by_places = body_of("tensorflow", "convolution")


def convolution(
    x: tf.Tensor, kernel: tf.Tensor, strides: Ints, dilation: Ints, groups: int
) -> tf.Tensor:
    """Run the library's for one group without dilation; of an empty batch it mistakes the shape."""
    if groups > 1 or max(dilation) > 1 or x.dtype not in _HAVE or x.shape[0] == 0:
        return _by_places(x, kernel, strides=strides, dilation=dilation, groups=groups)
    if len(strides) == 2:
        return _in_two_dimensions(strides)(x, kernel)
    layout = _LAYOUTS[len(strides)]
    return tf.nn.convolution(x, kernel, strides=strides, padding="VALID", data_format=layout)


@cache
def _in_two_dimensions(strides: Ints) -> Any:
    # All attributes: the derivative asks for them.
    return raw(
        "Conv2D", "input", "filter",
        strides=[1, *strides, 1], padding="VALID", dilations=[1, 1, 1, 1], explicit_paddings=[],
        use_cudnn_on_gpu=True, data_format="NHWC",
    )  # fmt: skip


#: Said because the derivative in three dimensions asks for it.
_LAYOUTS = {1: "NWC", 3: "NDHWC"}
#: The dtypes of its kernels on a CPU.
_HAVE = (tf.float32, tf.float64)

TABLE: dict[str, Any] = {"convolution": convolution}
