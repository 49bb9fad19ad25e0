"""Give a function of one tensor another derivative, where TensorFlow's own is not unigrad's.

``tf.custom_gradient`` costs some 50 µs a call in eager mode; telling the tapes directly costs a
few. Inside a graph, where the cost is paid once, it is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.private import (
    could_possibly_record,
    executing_eagerly,
    record_operation,
    stop_recording,
)


def recording() -> bool:
    """Tell whether anything may differentiate what runs now: a tape, or the graph being built."""
    return could_possibly_record() or not executing_eagerly()


def differentiated(
    function: Callable[[Any], Any], gradient: Callable[[Any, Any, Any], Any], x: Any
) -> Any:
    """Return ``function(x)`` whose cotangent ``g`` pulls back to ``gradient(g, out, x)``."""
    if not executing_eagerly():

        def with_gradient(x: Any) -> Any:
            out = function(x)
            return out, lambda g: gradient(g, out, x)

        return tf.custom_gradient(with_gradient)(x)
    with stop_recording():
        out = function(x)
    record_operation("unigrad", [out], [x], lambda g: [None if g is None else gradient(g, out, x)])
    return out
