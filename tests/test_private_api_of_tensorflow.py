"""Private API of TensorFlow, as we rely on it: a test for each name of its ``private.py``."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
tf = importlib.import_module("tensorflow")
of_tensorflow = importlib.import_module("unigrad_tensorflow.private")


def test_executing_eagerly() -> None:
    seen = []
    tf.function(lambda: seen.append(of_tensorflow.executing_eagerly()))()
    assert (seen, of_tensorflow.executing_eagerly()) == ([False], True)


def test_could_possibly_record() -> None:
    assert not of_tensorflow.could_possibly_record()
    with tf.GradientTape() as tape:
        assert of_tensorflow.could_possibly_record()
        with tape.stop_recording():
            assert not of_tensorflow.could_possibly_record()


def test_do_not_convert() -> None:
    @of_tensorflow.do_not_convert
    def chosen(x: object) -> object:
        return x if isinstance(x, tf.Tensor) else None

    x = tf.constant([1.0, 2.0])
    assert tf.function(chosen)(x).numpy().tolist() == [1.0, 2.0]


def test_stop_recording() -> None:
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with of_tensorflow.stop_recording():
            y = x * x
    assert tape.gradient(y, x) is None


def test_traced_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    def warnings_of(wrap: Callable[[Any], Any]) -> int:
        function = wrap(tf.function(lambda x: x + 1.0, autograph=False))
        caplog.clear()
        for n in range(8):
            function(tf.zeros(n))
        return sum("retracing" in one.message for one in caplog.records)

    tf.get_logger().addHandler(caplog.handler)
    try:
        assert warnings_of(lambda function: function) > 0
        assert warnings_of(of_tensorflow.traced_in_silence) == 0
    finally:
        tf.get_logger().removeHandler(caplog.handler)


def test_record_operation() -> None:
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        with of_tensorflow.stop_recording():
            y = x * x
        of_tensorflow.record_operation("unigrad", [y], [x], lambda g: [g * 7.0])
        z = y * 3.0
    assert float(tape.gradient(z, x)) == 21.0


def test_run_function() -> None:
    concrete = tf.function(lambda x: x * 2.0).get_concrete_function(tf.TensorSpec((2,)))
    context = of_tensorflow.eager_context()
    context.add_function_def(concrete.function_def)
    name = concrete.function_def.signature.name
    x = tf.constant([1.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        (y,) = of_tensorflow.run_function(context._handle, None, name, [x], (), 1)
    assert y.numpy().tolist() == [2.0, 6.0]
    assert tape.gradient(y, x) is None


def test_shape_tuple() -> None:
    for shape in ((), (0, 3), (2, 3)):
        found = of_tensorflow.shape_tuple(tf.zeros(shape))
        assert found == shape
        assert type(found) is tuple


def test_is_on_a_tape() -> None:
    x, aside = tf.constant(2.0), tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        assert of_tensorflow.is_on_a_tape(x * x)
        assert not of_tensorflow.is_on_a_tape(aside)
    assert not of_tensorflow.is_on_a_tape(x)


def test_is_variable() -> None:
    assert of_tensorflow.is_variable(tf.Variable(np.float32(1.0)))
    seen = []
    tf.function(lambda x: seen.append(of_tensorflow.is_variable(x)))(tf.constant(1.0))
    assert seen == [False]


def test_from_dlpack() -> None:
    x = np.arange(3.0)
    assert of_tensorflow.from_dlpack(x.__dlpack__()).numpy().tolist() == [0.0, 1.0, 2.0]


def test_eager_context() -> None:
    seen = []
    tf.function(lambda: seen.append(of_tensorflow.eager_context()))()
    assert seen == [None]
    assert of_tensorflow.eager_context() is not None


def test_execute() -> None:
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    context = of_tensorflow.eager_context()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = of_tensorflow.execute(context, "Sum", None, x, tf.constant([1]), "keep_dims", True)
    assert y.numpy().tolist() == [[3.0], [7.0]]
    assert tape.gradient(y, x).numpy().tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert of_tensorflow.execute(context, "AddV2", None, x, 1.5).dtype == tf.float32


def test_not_at_once() -> None:
    context = of_tensorflow.eager_context()
    x, y = tf.constant([1.0, 2.0]), tf.constant([1.0, 2.0, 3.0])
    with pytest.raises(of_tensorflow.not_at_once):
        of_tensorflow.execute(context, "AddV2", None, x, y)
    with pytest.raises(of_tensorflow.not_at_once):
        of_tensorflow.execute(context, "LogicalAnd", None, x, x)


def test_numpy_of() -> None:
    for dtype in (tf.float32, tf.bfloat16, tf.bool):
        x = tf.cast([0.0, 1.0], dtype)
        assert np.array_equal(of_tensorflow.numpy_of(x), x.numpy())


def test_run_function_and_shape_tuple() -> None:
    x = tf.constant([[1.0, 2.0]])
    concrete = tf.function(lambda x: (x + 1.0, 2.0 * x)).get_concrete_function(x)
    name = concrete.inference_fn.name.decode()
    handle = of_tensorflow.eager_context()._handle
    found = of_tensorflow.run_function(handle, x.device, name, [x], (), 2)
    assert [one.numpy().tolist() for one in found] == [[[2.0, 3.0]], [[2.0, 4.0]]]
    seen = []
    tf.function(lambda x: seen.append(of_tensorflow.shape_tuple(x)))(x)
    assert [of_tensorflow.shape_tuple(x), *seen] == [(1, 2), (1, 2)]
    assert x._datatype_enum() == tf.float32.as_datatype_enum
