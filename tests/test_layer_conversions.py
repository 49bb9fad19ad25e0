"""Conversions of layers: settings that are refused, layers that come twice, frozen weights."""

import numpy as np
import pytest
import torch
from torch import nn

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad.layers import convert

load_backend("torch")
# Before Keras: see the page on backends.
load_backend("tensorflow")
keras = pytest.importorskip("keras")
L = keras.layers

if keras.config.backend() != "tensorflow":
    pytest.skip("Keras runs on another backend", allow_module_level=True)


@pytest.fixture(autouse=True)
def on_numpy():
    with ug.use_backend("numpy"):
        yield


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def built(layer, *shape):
    layer(drawn(*shape))
    return layer


def dense(units=3, inputs=3):
    layer = ug.layers.Dense(units)
    layer.build((1, inputs))
    return layer


@pytest.mark.parametrize("kind", [nn.AvgPool2d, nn.AvgPool3d])
def test_a_divisor_is_refused(kind):
    with pytest.raises(ug.DTypeError, match="divisor_override=3"):
        convert.from_torch(kind(2, divisor_override=3))
    convert.from_torch(kind(2))


@pytest.mark.parametrize("axis", [1, -2, [1], [0, 2], [0, 1]])
def test_normalization_over_other_axes_is_refused(axis):
    with pytest.raises(ug.DTypeError, match="axis="):
        convert.from_keras(built(L.LayerNormalization(axis=axis), 2, 4, 4))


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling")
def test_normalization_by_another_formula_is_refused():
    with pytest.raises(ug.DTypeError, match="rms_scaling=True"):
        convert.from_keras(built(L.LayerNormalization(rms_scaling=True), 2, 4))


@pytest.mark.parametrize("axis", [-1, 2, [2], [1, 2], [-2, -1], [-1, -2]])
def test_normalization_over_the_last_axes(axis):
    x, layer = drawn(2, 4, 4), built(L.LayerNormalization(axis=axis), 2, 4, 4)
    layer.set_weights([drawn(*one.shape) for one in layer.get_weights()])
    out = convert.from_keras(layer)(ug.asarray(x))
    np.testing.assert_allclose(out.numpy(), np.asarray(layer(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [L.LayerNormalization, L.GroupNormalization])
def test_normalization_without_weights(kind):
    groups = {"groups": 2} if kind is L.GroupNormalization else {}
    x, layer = drawn(2, 4, 6), built(kind(scale=False, center=False, **groups), 2, 4, 6)
    mine = convert.from_keras(layer)
    for other in (mine(ug.asarray(x)).numpy(), np.asarray(convert.to_keras(mine)(x))):
        np.testing.assert_allclose(other, np.asarray(layer(x)), rtol=1e-4, atol=1e-4)


def test_a_function_in_a_sequential_is_refused():
    for back in (convert.to_torch, convert.to_keras):
        with pytest.raises(ug.DTypeError, match="function"):
            back(ug.layers.Sequential(dense(), ug.relu))


def masked(*behind):
    return keras.Sequential([keras.Input((3,)), L.Embedding(6, 4, mask_zero=True), *behind])


# Keras warns that no mask comes out of the Sequential inside, into which it passes one.
@pytest.mark.filterwarnings("ignore:Layer 'sequential")
@pytest.mark.parametrize(
    "behind",
    [
        lambda: [L.GRU(3)],
        lambda: [L.Dropout(0.5), L.Bidirectional(L.LSTM(3))],
        lambda: [L.GlobalAveragePooling1D()],
        lambda: [keras.Sequential([L.SimpleRNN(3)])],
        lambda: [L.BatchNormalization()],
    ],
)
def test_masks_that_are_passed_on_are_refused(behind):
    with pytest.raises(ug.DTypeError, match="mask_zero"):
        convert.from_keras(masked(*behind()))


def test_masks_that_nobody_looks_at():
    ids, model = np.array([[1, 2, 0], [3, 0, 0]]), masked(L.Dense(3))
    out = convert.from_keras(model)(ug.asarray(ids))
    np.testing.assert_allclose(out.numpy(), np.asarray(model(ids)), rtol=1e-5, atol=1e-6)


def test_masks_on_the_way_back_are_refused():
    model = ug.layers.Sequential(ug.layers.Embedding(6, 4, padding=0), ug.layers.GRU(3))
    model(ug.asarray([[1, 0]]))
    with pytest.raises(ug.DTypeError, match="mask_zero"):
        convert.to_keras(model)


def test_one_module_twice_is_one_layer():
    linear = nn.Linear(3, 3)
    twin = nn.Sequential(linear, nn.Tanh(), nn.Sequential(linear, nn.Tanh()), linear)
    mine, x = convert.from_torch(twin), drawn(2, 3)
    assert len(mine.trainable_variables) == 2
    assert mine.layers[0] is mine.layers[2].layers[0] is mine.layers[3]
    twin(torch.tensor(x)).sum().backward()
    slopes = ug.grad(lambda model, x: ug.sum(model(x)))(mine, ug.asarray(x))
    want = linear.weight.grad.numpy().T
    np.testing.assert_allclose(slopes.layers[0].kernel.numpy(), want, rtol=1e-5, atol=1e-6)
    back = convert.to_torch(mine)
    assert len(list(back.parameters())) == 2
    assert back[0] is back[2][0] is back[3]


def test_one_layer_of_keras_twice_is_one_layer():
    inner = L.Dense(3)
    model = keras.Sequential([keras.Input((3,)), keras.Sequential([inner]), inner])
    mine = convert.from_keras(model)
    assert len(mine.trainable_variables) == 2
    assert len(convert.to_keras(mine).trainable_variables) == 2
    shared = dense()
    with pytest.raises(ug.DTypeError, match="Dense twice"):
        convert.to_keras(ug.layers.Sequential(shared, shared))
    relu = ug.layers.Activation("relu")
    assert len(convert.to_keras(ug.layers.Sequential(relu, shared, relu)).layers) == 3


def test_tied_weights_are_refused():
    one, two = nn.Linear(3, 3), nn.Linear(3, 3)
    two.weight = one.weight
    with pytest.raises(ug.DTypeError, match="tied"):
        convert.from_torch(nn.Sequential(one, two))
    block = nn.TransformerEncoderLayer(4, 2, 8)
    block.norm2 = block.norm1
    with pytest.raises(ug.DTypeError, match="tied"):
        convert.from_torch(block)
    first, second = dense(), dense()
    second.kernel = first.kernel
    for back in (convert.to_torch, convert.to_keras):
        with pytest.raises(ug.DTypeError, match="tied"):
            back(ug.layers.Sequential(first, second))
    gru = ug.layers.GRU(3)
    stack = ug.layers.StackedRNN([gru, gru, ug.layers.GRU(3)])
    stack(ug.ones((1, 2, 3)))
    with pytest.raises(ug.DTypeError, match="twice"):
        convert.to_torch(stack)


def frozen(layer):
    return sorted(path for path, one in layer.named_variables().items() if not one.trainable)


def test_frozen_parameters_of_torch():
    linear = nn.Linear(3, 2)
    linear.weight.requires_grad_(False)
    layer = convert.from_torch(linear)
    assert frozen(layer) == ["kernel"]
    back = convert.to_torch(layer)
    assert [one.requires_grad for one in back.parameters()] == [False, True]
    layer.unfreeze()
    assert frozen(layer) == []
    assert all(one.requires_grad for one in convert.to_torch(layer).parameters())


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True, batch_first=True),
        lambda: nn.LSTM(3, 4, batch_first=True),
        lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
        lambda: nn.Sequential(nn.Conv1d(3, 4, 2), nn.BatchNorm1d(4), nn.Linear(4, 2)),
    ],
)
def test_frozen_modules_of_torch(make):
    module = make()
    parameters = list(module.parameters())
    for number in (0, len(parameters) - 1):
        parameters[number].requires_grad_(False)
    layer = convert.from_torch(module)
    assert 2 <= len(frozen(layer)) < len(layer.variables)
    want = [one.requires_grad for one in parameters]
    assert [one.requires_grad for one in convert.to_torch(layer).parameters()] == want
    module.requires_grad_(False)
    layer = convert.from_torch(module)
    assert not layer.trainable_variables
    assert not any(one.requires_grad for one in convert.to_torch(layer).parameters())


def test_frozen_layers_of_keras():
    model = keras.Sequential([keras.Input((2, 3)), L.GRU(4), L.BatchNormalization(), L.Dense(2)])
    model.layers[0].trainable = False
    model.layers[2].bias.trainable = False
    layer = convert.from_keras(model)
    assert frozen(layer.layers[0]) == ["bias", "kernel", "recurrent_bias", "recurrent_kernel"]
    assert frozen(layer.layers[1]) == ["running_mean", "running_variance"]
    assert frozen(layer.layers[2]) == ["bias"]
    back = convert.to_keras(layer)
    want = [one.trainable for one in model.weights]
    assert [one.trainable for one in back.weights] == want
    layer.unfreeze()
    assert len(convert.to_keras(layer).trainable_variables) == 7


def test_what_is_frozen_in_part_is_refused():
    layer = ug.layers.MultiHeadAttention(2)
    layer.build((1, 2, 4))
    layer.query_kernel.trainable = False
    with pytest.raises(ug.DTypeError, match="a MultiHeadAttention whose"):
        convert.to_torch(layer)
    back = convert.to_keras(layer)
    assert [one.trainable for one in back.weights].count(False) == 1
