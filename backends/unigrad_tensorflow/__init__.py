"""unigrad's TensorFlow backend, differentiated by ``tf.GradientTape``."""

# Triton, where it is installed, must load before TensorFlow does: see the module.
from unigrad_tensorflow import triton_first as _triton_first  # noqa: F401, I001
import tensorflow as tf

# It may be loaded by a function that ``tf.function`` traces, in which new tensors are symbolic.
with tf.init_scope():
    from unigrad_tensorflow.backend import TensorflowBackend

    backend = TensorflowBackend()

__all__ = ["TensorflowBackend", "backend"]
