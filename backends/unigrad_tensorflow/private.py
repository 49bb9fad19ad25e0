"""What this backend uses of TensorFlow that TensorFlow does not promise to keep.

Nothing else in the package names a private attribute or module of TensorFlow.
``tests/test_private_api_of_tensorflow.py`` tries every name here, so that a new TensorFlow that
changes one says so.
"""

from __future__ import annotations

from operator import methodcaller
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.eager import context, core, record

__all__ = [
    "could_possibly_record",
    "do_not_convert",
    "eager_context",
    "execute",
    "executing_eagerly",
    "from_dlpack",
    "is_on_a_tape",
    "is_variable",
    "not_at_once",
    "numpy_of",
    "record_operation",
    "run_function",
    "shape_tuple",
    "stop_recording",
    "traced_in_silence",
]

#: ``tf.executing_eagerly`` without its wrapper.
executing_eagerly: Any = context.executing_eagerly
#: Make a tensor of a DLPack capsule.
from_dlpack: Any = tf.experimental.dlpack.from_dlpack
#: Tell whether any tape of this thread records.
could_possibly_record: Any = record.could_possibly_record
#: Keep a function from being rewritten where it is traced.
do_not_convert: Any = tf.autograph.experimental.do_not_convert
#: A context in which no tape records.
stop_recording: Any = record.stop_recording
#: Tell the tapes of an op: a name, outputs, inputs, and the function of the cotangents.
record_operation: Any = record.record_operation
#: Run a raw op at once: a context, the op's name, ``None``, its inputs, and its attributes by turns
#: as names and values. It tells the tapes. ``tf.raw_ops`` call it after a microsecond of checks.
execute: Any = pywrap_tfe.TFE_Py_FastPathExecute
#: Run a function of the context by its name: the context's handle, a device, the name, inputs,
#: attributes as of `execute`, and how many results there are. It tells no tape.
run_function: Any = pywrap_tfe.TFE_Py_Execute
#: What `execute` raises where the raw op has more to do, or to say.
not_at_once: Any = (core._NotOkStatusException, core._FallbackException)

#: The shape of a tensor as a tuple of ints, in half of the time that its list takes.
shape_tuple: Any = methodcaller("_shape_tuple")
#: The values of a tensor as an ndarray that shares its memory; ``numpy`` copies it.
numpy_of: Any = type(tf.constant(0.0))._numpy


def eager_context() -> Any:
    """Return the context in which ops run at once; ``None`` while a graph is being built."""
    found = context._context
    return found if found is not None and found._thread_local_data.is_eager else None


def is_on_a_tape(native: Any) -> bool:
    """Tell whether a recording tape knows of a tensor (what ``tf.custom_gradient`` asks)."""
    return bool(pywrap_tfe.TFE_Py_TapeSetPossibleGradientTypes([native]))


def is_variable(native: Any) -> bool:
    """Tell whether an array is a ``tf.Variable``, which has the handle of a resource."""
    return hasattr(native, "_handle")


def traced_in_silence(function: Any) -> Any:
    """Let a ``tf.function`` be traced for as many shapes as it meets, without a warning of each.

    The warning is for whoever wrote the function. To our callers it would name one of ours.
    """
    function._omit_frequent_tracing_warning = True
    return function
