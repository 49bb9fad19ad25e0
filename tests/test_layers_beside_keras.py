"""Every layer that Keras has, with Keras's weights: outputs, gradients, and the state after a step.

The gradients and the stepped weights of Keras come in unigrad's order by the conversion itself, of
a layer that holds them.
"""

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad.layers import convert

load_backend("torch")
keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
RATE = 0.1
L = keras.layers


@pytest.fixture(params=["numpy", "tensorflow"])
def backend(request):
    """Conversion is what is new here: beside torch the layers run on all backends."""
    with ug.use_backend(request.param):
        yield request.param


if keras.config.backend() != "tensorflow":
    pytest.skip("Keras runs on another backend", allow_module_level=True)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def first(out):
    return out[0] if isinstance(out, (tuple, list)) else out


def unordered(layer, *shapes):
    """Build and give every weight values that are alike in no two places."""
    layer.build(*shapes)
    weights = [
        drawn(*one.shape, seed=i) * 0.4 + ("norm" in layer.name)
        for i, one in enumerate(layer.get_weights())
    ]
    layer.set_weights(
        [
            abs(one) if "variance" in v.path else one
            for one, v in zip(weights, layer.weights, strict=True)
        ]
    )
    return layer


LAYERS = {
    "dense": (lambda: L.Dense(4, "tanh"), (2, 3)),
    "layer norm": (lambda: L.LayerNormalization(), (2, 4)),
    "rms norm": (lambda: L.RMSNormalization(), (2, 4)),
    "batch norm": (lambda: L.BatchNormalization(momentum=0.6), (2, 3, 4)),
    "group norm": (lambda: L.GroupNormalization(2), (2, 3, 4)),
    "conv 1": (lambda: L.Conv1D(4, 3, strides=2, padding="same"), (2, 5, 2)),
    "conv causal": (lambda: L.Conv1D(2, 2, padding="causal", dilation_rate=2), (2, 5, 2)),
    "conv 2": (lambda: L.Conv2D(4, 2, activation="relu", use_bias=False), (2, 4, 3, 2)),
    "depthwise 2": (lambda: L.DepthwiseConv2D(2, depth_multiplier=2), (1, 3, 4, 2)),
    "transposed 1": (lambda: L.Conv1DTranspose(3, 3, strides=2, padding="same"), (2, 3, 2)),
    "transposed 2": (lambda: L.Conv2DTranspose(3, 2, strides=(3, 1)), (1, 2, 3, 2)),
    "max pool": (lambda: L.MaxPooling2D(3, 2, "same"), (1, 5, 4, 2)),
    "average pool": (lambda: L.AveragePooling1D(3, 2, "same"), (1, 6, 2)),
    "global": (lambda: L.GlobalAveragePooling2D(), (2, 3, 4, 2)),
    "reshape": (lambda: keras.Sequential([L.Reshape((3, 2)), L.Flatten(), L.ReLU()]), (2, 6)),
}
RECURRENT = {
    "simple": lambda **s: L.SimpleRNN(4, **s),
    "gru": lambda **s: L.GRU(4, **s),
    "gru before": lambda **s: L.GRU(4, reset_after=False, **s),
    "lstm": lambda **s: L.LSTM(4, **s),
    "both": lambda **s: L.Bidirectional(L.GRU(4, **s)),
    "both summed": lambda **s: L.Bidirectional(L.LSTM(4, **s), merge_mode="sum"),
}


def compare(layer, run, twin_run, *inputs, training=False):
    """Run both on the inputs; compare outputs, gradients by all, and weights after a step."""
    mine = convert.from_keras(layer)
    given = [tf.constant(one) for one in inputs]
    with tf.GradientTape() as tape:
        tape.watch(given)
        out = first(run(layer, *given))
        weights = drawn(*out.shape, seed=9)
        loss = tf.reduce_sum(out * weights)
    theirs = tape.gradient(loss, (given, [one.value for one in layer.trainable_variables]))
    tensors = [ug.asarray(one) for one in inputs]
    named = {name: one for name, one in mine.named_variables().items() if one.trainable}

    def differentiated(*tensors):
        floats = [one for one in tensors if one.dtype.kind == "f"]
        with ug.GradientTape() as tape:
            tape.watch(floats)
            with ug.layers.training_mode(training):
                result = first(twin_run(mine, *tensors))
            loss = ug.sum(result * ug.asarray(weights))
        return result, *tape.gradient(loss, (list(named.values()), floats))

    result, found, by_inputs = differentiated(*tensors)
    np.testing.assert_allclose(result.numpy(), out.numpy(), rtol=1e-5, atol=1e-5)
    wanted = [one for one in theirs[0] if one is not None]
    for one, other in zip(by_inputs, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-5)
    grads = of_weights(layer, theirs[1])
    stepped = [
        one.numpy() - RATE * tf.convert_to_tensor(g).numpy()
        for one, g in zip(layer.trainable_variables, theirs[1], strict=True)
    ]
    after = of_weights(layer, stepped)
    for (name, variable), one in zip(named.items(), found, strict=True):
        np.testing.assert_allclose(one.numpy(), grads[name], rtol=1e-5, atol=2e-5, err_msg=name)
        variable.assign(variable.read() - RATE * one)
    for name, one in mine.state_dict().items():
        np.testing.assert_allclose(one, after[name], rtol=1e-5, atol=1e-5, err_msg=name)


def of_weights(layer, values):
    """Return values, in the order of a layer's trainable weights, by unigrad's names."""
    before = layer.get_weights()
    for variable, value in zip(layer.trainable_variables, values, strict=True):
        variable.assign(tf.convert_to_tensor(value))
    try:
        return convert.from_keras(layer).state_dict()
    finally:
        layer.set_weights(before)


@pytest.mark.parametrize("name", LAYERS)
def test_simple(backend, name):
    make, shape = LAYERS[name]
    layer = unordered(make(), (None, *shape[1:]))
    compare(layer, lambda m, x: m(x), lambda m, x: m(x), drawn(*shape))


def test_batch_norm_in_training(backend):
    layer = unordered(L.BatchNormalization(momentum=0.6), (None, 3, 4))
    run = lambda m, x: m(x, training=True)  # noqa: E731
    before = layer.get_weights()
    mine = convert.from_keras(layer)
    mine(ug.asarray(drawn(5, 3, 4)), training=True)
    run(layer, drawn(5, 3, 4))
    after = convert.from_keras(layer).state_dict()
    for name, one in mine.state_dict().items():
        np.testing.assert_allclose(one, after[name], rtol=1e-5, atol=1e-6)
    layer.set_weights(before)
    mask = np.array([[True, False, True], [True, True, True]])
    out = layer(drawn(2, 3, 4), training=True, mask=mask)
    layer.set_weights(before)
    mine = convert.from_keras(layer)
    result = mine(ug.asarray(drawn(2, 3, 4)), mask=ug.asarray(mask), training=True)
    # What is masked is taken as 0 here, and as it is there.
    np.testing.assert_allclose(result.numpy()[mask], out.numpy()[mask], rtol=1e-5, atol=1e-5)


MASK = np.arange(4) < np.array([4, 2, 3])[:, None]


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent(backend, name):
    """With masks; a padded step gives zeros here and there the step before."""
    layer = unordered(RECURRENT[name](return_sequences=True), (None, None, 3))
    compare(
        layer,
        lambda m, x: m(x, mask=tf.constant(MASK)) * MASK[..., None].astype(np.float32),
        lambda m, x: m(x, mask=ug.asarray(MASK)),
        drawn(3, 4, 3),
    )


def test_going_backwards_with_a_first_state(backend):
    layer = unordered(L.LSTM(4, go_backwards=True, return_sequences=True), (None, None, 3))
    compare(
        layer,
        lambda m, x, h, c: m(x, initial_state=[h, c])[:, ::-1],
        lambda m, x, h, c: m(x, (h, c)),
        drawn(3, 5, 3), drawn(3, 4), drawn(3, 4, seed=2),
    )  # fmt: skip


def test_attention(backend):
    mask = np.array([[True, True, False, True], [True, True, True, False]])
    layer = L.MultiHeadAttention(2, 3, 5)
    layer.build((None, 3, 4), (None, 4, 6), (None, 4, 6))
    layer.set_weights([drawn(*one.shape, seed=i) for i, one in enumerate(layer.get_weights())])
    compare(
        layer,
        lambda m, q, v: m(q, v, attention_mask=tf.constant(mask[:, None])),
        lambda m, q, v: m(q, v, key_mask=ug.asarray(mask)),
        drawn(2, 3, 4), drawn(2, 4, 6, seed=1),
    )  # fmt: skip
    self_attention = L.MultiHeadAttention(2, 2, use_bias=False)
    self_attention.build((None, 3, 4), (None, 3, 4))
    compare(
        self_attention,
        lambda m, q: m(q, q, use_causal_mask=True),
        lambda m, q: m(q, causal=True),
        drawn(2, 3, 4),
    )
    luong = unordered(L.Attention(use_scale=True), [(None, 3, 4), (None, 4, 4)])
    compare(
        luong,
        lambda m, q, v: m([q, v], mask=[None, tf.constant(mask)]),
        lambda m, q, v: m(q, v, mask=ug.asarray(mask)),
        drawn(2, 3, 4), drawn(2, 4, 4, seed=1),
    )  # fmt: skip


def test_embedding(backend):
    layer = unordered(L.Embedding(5, 3, mask_zero=True), (None, 2))
    compare(layer, lambda m, i: m(i), lambda m, i: m(i), np.array([[1, 0], [4, 4]]))
    assert convert.from_keras(layer).mask(ug.asarray([1, 0])).tolist() == [True, False]


@pytest.mark.parametrize("name", [*LAYERS, *RECURRENT, "attention"])
def test_there_and_back(name):
    """What is made of a layer again is the layer it came from."""
    if name in RECURRENT:
        layer = unordered(RECURRENT[name](), (None, None, 3))
    elif name == "attention":
        layer = L.MultiHeadAttention(2, 3, 5, use_bias=False)
        layer.build((None, 3, 4), (None, 4, 6), (None, 4, 6))
    else:
        layer = unordered(LAYERS[name][0](), (None, *LAYERS[name][1][1:]))
    try:
        back = convert.to_keras(convert.from_keras(layer))
    except ug.DTypeError:
        assert not layer.get_weights()
        return
    for mine, theirs in zip(back.get_weights(), layer.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_refusals():
    with pytest.raises(ug.DTypeError, match="not built"):
        convert.from_keras(L.Dense(2))
    with pytest.raises(ug.DTypeError, match="Lambda"):
        convert.from_keras(L.Lambda(lambda x: x))
    with pytest.raises(ug.DTypeError, match="sigmoid"):
        convert.from_keras(unordered(L.GRU(2, activation="relu"), (None, None, 3)))
