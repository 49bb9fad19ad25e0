"""How TensorFlow's functions ask arguments that are no tensors of theirs. See
`unigrad.core.foreign`.

Source: TensorFlow's ``__tf_tensor__``.
"""

from __future__ import annotations

from typing import Any

from unigrad.core.foreign import array_for


def tf_tensor(self: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return a tensor of TensorFlow."""
    import tensorflow as tf  # It is there: it asks.

    found = array_for(self, tf.Tensor, tf.constant)
    return found if dtype is None or found.dtype == dtype else tf.cast(found, dtype)


def mark(function: Any) -> None:
    """Keep ``tf.function`` from rewriting a function.

    Source: AutoGraph's ``is_autograph_artifact``, which is all that
    ``tf.autograph.experimental.do_not_convert`` asks for.
    """
    function.autograph_info__ = {}


MARK = mark
PROTOCOLS: dict[str, Any] = {"__tf_tensor__": tf_tensor}
