"""Layers against torch's, formulas in NumPy, and each other across backends."""

import numpy as np
import pytest
import torch

import unigrad as ug
from unigrad import layers

generator = np.random.default_rng(5)


def drawn(*shape):
    return generator.normal(size=shape).astype(np.float32)


def gates_for_torch(array, units):
    """torch's rows are gates reset, update, new: the same order, transposed."""
    return torch.tensor(np.ascontiguousarray(array.T))


def randomised(module):
    """Give every variable, biases too, values that are not zero."""
    state = module.state_dict()
    module.load_state_dict(
        {
            name: (0.5 * np.random.default_rng(i).normal(size=value.shape)).astype(value.dtype)
            for i, (name, value) in enumerate(state.items())
        }
    )
    return module


def torch_gru(gru, inputs):
    state = gru.state_dict()
    twin = torch.nn.GRU(inputs, gru.units, batch_first=True)
    with torch.no_grad():
        twin.weight_ih_l0.copy_(gates_for_torch(state["kernel"], gru.units))
        twin.weight_hh_l0.copy_(gates_for_torch(state["recurrent_kernel"], gru.units))
        twin.bias_ih_l0.copy_(torch.tensor(state["bias"]))
        twin.bias_hh_l0.copy_(torch.tensor(state["recurrent_bias"]))
    return twin


# -- modules


def test_variables_are_found_in_order_and_once(backend):
    class Model(layers.Module):
        def __init__(self):
            super().__init__()
            self.zeta = ug.Variable(1.0)
            self.parts = [layers.Dense(2), {"x": layers.Dense(1, use_bias=False)}]
            self.pair = (ug.Variable(2.0, trainable=False), self.zeta)
            self.again = self.parts[0]
            self.loop = self

        def call(self, x):
            return self.parts[1]["x"](self.parts[0](x))

    model = Model()
    model(ug.asarray([[1.0, 2.0, 3.0]]))
    assert list(model.named_variables()) == [
        "zeta", "parts/0/kernel", "parts/0/bias", "parts/1/x/kernel", "pair/0",
    ]  # fmt: skip
    assert len(model.variables) == 5
    assert len(model.trainable_variables) == 4
    assert model.submodules == [model.parts[0], model.parts[1]["x"]]
    assert model.parts[0].kernel.shape == (3, 2)


def test_state_dict_round_trip_is_all_or_nothing(backend):
    def make():
        model = layers.Sequential(layers.Dense(3), layers.Dense(2))
        model(ug.asarray([[1.0, 2.0]]))
        return model

    first, second = make(), make()
    x = ug.asarray([[1.0, 2.0]])
    assert first(x).tolist() != second(x).tolist()
    second.load_state_dict(first.state_dict())
    assert first(x).tolist() == second(x).tolist()
    before = second.state_dict()
    for change in (
        {"layers/0/kernel": np.zeros((9, 9), np.float32)},
        {"layers/1/bias": np.zeros(2)},
        {"stranger": np.zeros(2, np.float32)},
    ):
        bad = {name: np.zeros_like(v) for name, v in before.items()} | change
        with pytest.raises(ug.UnigradError, match=next(iter(change))):
            second.load_state_dict(bad)
    with pytest.raises(ug.UnigradError, match="layers/0/kernel"):
        second.load_state_dict({})
    for name, value in second.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(ug.UnigradError, match="build or call"):
        layers.Dense(2).load_state_dict(before)


def test_state_dict_is_a_copy(backend):
    layer = layers.Dense(1, use_bias=False)
    layer(ug.asarray([[1.0]]))
    before = layer.kernel.item()
    layer.state_dict()["kernel"][...] = 9.0
    assert layer.kernel.item() == before


def test_weights_are_the_same_on_all_backends():
    found = []
    for name in ("numpy", "torch", "jax", "tensorflow"):
        with ug.use_backend(name):
            layers.set_seed(11)
            model = layers.Sequential(layers.Embedding(7, 4), layers.GRU(3), layers.Dense(2, key=5))
            model(ug.asarray([[1, 2]]))
            found.append(model.state_dict())
    for other in found[1:]:
        for path, value in found[0].items():
            np.testing.assert_array_equal(value, other[path])


def test_seeds():
    def kernel(layer):
        layer.build((4, 3))
        return layer.kernel.numpy()

    layers.set_seed(1)
    first, second, keyed = (kernel(layers.Dense(3, key=k)) for k in (None, None, 8))
    layers.set_seed(1)
    late, later = layers.Dense(3), layers.Dense(3)
    np.testing.assert_array_equal(kernel(later), second)
    np.testing.assert_array_equal(kernel(late), first)
    np.testing.assert_array_equal(kernel(layers.Dense(3, key=ug.random.key(8))), keyed)
    layers.set_seed(2)
    assert not np.array_equal(kernel(layers.Dense(3)), first)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, keyed)


def test_one_layer_draws_its_weights_apart():
    cell = layers.GRUCell(4)
    cell.build((1, 4))
    kernel, recurrent = cell.kernel.numpy(), cell.recurrent_kernel.numpy()
    assert not np.array_equal(kernel, recurrent)
    assert not np.array_equal(kernel[:, :4], kernel[:, 4:8])
    # Each gate's fans are its own: √(6 / (4 + 4)).
    assert 0.75 < np.abs(kernel).max() <= np.sqrt(6 / 8)


def test_forgotten_super_init():
    class Bad(layers.Module):
        def __init__(self):
            pass

        def build(self, input_shape):
            self.add_weight("w", (1,), "zeros")

    with pytest.raises(ug.UnigradError, match="super"):
        Bad()(ug.asarray([1.0]))


# -- dense, embedding, dropout, normalisation


@pytest.mark.parametrize(("activation", "function"), [
    (None, lambda x: x), ("linear", lambda x: x), ("tanh", np.tanh),
    ("relu", lambda x: np.maximum(x, 0)), (ug.sin, np.sin),
])  # fmt: skip
def test_dense(backend, activation, function):
    layer = layers.Dense(2, activation=activation, bias_initializer="ones")
    x = drawn(3, 5, 4)
    found = layer(ug.asarray(x))
    np.testing.assert_allclose(
        found.numpy(), function(x @ layer.kernel.numpy() + 1.0), rtol=1e-5, atol=1e-6
    )
    assert len(layer.variables) == 2


def test_dense_mistakes(backend):
    with pytest.raises(ug.UnigradError, match="reluu"):
        layers.Dense(2, activation="reluu")
    with pytest.raises(ug.ShapeError):
        layers.Dense(2)(ug.asarray(1.0))
    layer = layers.Dense(2, use_bias=False)
    layer(ug.asarray([[1.0, 2.0]]))
    assert layer.bias is None
    with pytest.raises(ug.ShapeError):
        layer(ug.asarray([[1.0, 2.0, 3.0]]))


def test_embedding(backend):
    layer = layers.Embedding(5, 3)
    found = layer(ug.asarray([[4, 0], [1, 4]]))
    table = layer.table.numpy()
    np.testing.assert_array_equal(found.numpy(), table[[[4, 0], [1, 4]]])
    with ug.GradientTape() as tape:
        loss = layer(ug.asarray([4, 0, 4])).sum()
    gradient = tape.gradient(loss, layer.table).numpy()
    np.testing.assert_array_equal(gradient, np.array([1, 0, 0, 0, 2])[:, None] * np.ones(3))
    with pytest.raises(ug.OutOfBoundsError):
        layer(ug.asarray([5]))


def test_dropout(backend):
    layer = layers.Dropout(0.25, seed=3)
    x = ug.asarray(np.ones((50, 40), np.float32))
    assert (layer(x).numpy() == 1).all()
    first, second = (layer(x, training=True).numpy() for _ in range(2))
    assert set(np.unique(first)) == {np.float32(0), np.float32(4 / 3)}
    assert abs((first == 0).mean() - 0.25) < 0.04
    assert (first != second).any()
    again = layers.Dropout(0.25, seed=3)(x, training=True)
    np.testing.assert_array_equal(again.numpy(), first)
    for rate in (-0.1, 1.0):
        with pytest.raises(ug.UnigradError, match="rate"):
            layers.Dropout(rate)


def test_dropout_is_alike_on_all_backends_and_in_jit():
    found = []
    for name in ("numpy", "torch", "jax", "tensorflow"):
        with ug.use_backend(name):
            x = ug.asarray(np.ones((4, 5), np.float32))
            layer = layers.Dropout(0.5, seed=3)
            found.append([layer(x, training=True).numpy() for _ in range(2)])
            compiled = layers.Dropout(0.5, seed=3)
            run = ug.jit(lambda x, layer=compiled: layer(x, training=True))
            found.append([run(x).numpy() for _ in range(2)])
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_training_reaches_inner_layers(backend):
    model = layers.Sequential(layers.Dropout(0.5), layers.Sequential(layers.Dropout(0.5)))
    x = ug.asarray(np.ones((20, 20), np.float32))
    assert abs((model(x, training=True).numpy() == 0).mean() - 0.75) < 0.1
    assert (model(x).numpy() == 1).all()
    assert not layers.is_training()


def test_layer_norm(backend):
    layer = layers.LayerNorm()
    x = drawn(3, 6)
    layer(ug.asarray(x))
    randomised(layer)
    expected = torch.nn.functional.layer_norm(
        torch.tensor(x), (6,), torch.tensor(layer.scale.numpy()), torch.tensor(layer.offset.numpy())
    )
    np.testing.assert_allclose(layer(ug.asarray(x)).numpy(), expected.numpy(), atol=2e-6)


# -- recurrent


@pytest.mark.parametrize("go_backwards", [False, True])
def test_gru_is_torchs(backend, go_backwards):
    x, first = drawn(2, 5, 3), drawn(2, 4)
    gru = layers.GRU(4, return_sequences=True, return_state=True, go_backwards=go_backwards)
    gru(ug.asarray(x))
    randomised(gru)
    outputs, state = gru(ug.asarray(x), ug.asarray(first))
    given = x[:, ::-1].copy() if go_backwards else x
    expected, last = torch_gru(gru, 3)(torch.tensor(given), torch.tensor(first[None]))
    expected = expected.detach().numpy()
    if go_backwards:
        expected = expected[:, ::-1]
    np.testing.assert_allclose(outputs.numpy(), expected, atol=2e-6)
    np.testing.assert_allclose(state.numpy(), last[0].detach().numpy(), atol=2e-6)


def test_gru_gradients_are_torchs(backend):
    x = drawn(2, 5, 3)
    gru = layers.GRU(4, return_sequences=True)
    gru(ug.asarray(x))
    randomised(gru)
    weights = drawn(2, 5, 4)
    with ug.GradientTape() as tape:
        loss = (gru(ug.asarray(x)) * ug.asarray(weights)).sum()
    found = [one.numpy() for one in tape.gradient(loss, gru.trainable_variables)]
    twin = torch_gru(gru, 3)
    (twin(torch.tensor(x))[0] * torch.tensor(weights)).sum().backward()
    expected = [
        twin.weight_ih_l0.grad.T, twin.weight_hh_l0.grad.T, twin.bias_ih_l0.grad,
        twin.bias_hh_l0.grad,
    ]  # fmt: skip
    for one, other in zip(found, expected):
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=1e-5)


def test_gru_reset_before_the_product(backend):
    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    gru = layers.GRU(4, reset_after=False)
    x = drawn(2, 3, 3)
    gru(ug.asarray(x))
    randomised(gru)
    assert list(gru.named_variables()) == ["kernel", "recurrent_kernel", "bias"]
    w, u, b = (one.numpy().astype(np.float64) for one in gru.variables)
    h = np.zeros((2, 4))
    for t in range(3):
        a = x[:, t] @ w + b
        r = sigmoid(a[:, :4] + h @ u[:, :4])
        z = sigmoid(a[:, 4:8] + h @ u[:, 4:8])
        n = np.tanh(a[:, 8:] + (r * h) @ u[:, 8:])
        h = (1 - z) * n + z * h
    np.testing.assert_allclose(gru(ug.asarray(x)).numpy(), h, atol=1e-6)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_gru_mask(backend, go_backwards):
    x = drawn(2, 5, 3)
    mask = np.array([[True, True, True, False, False], [True] * 5])
    gru = layers.GRU(4, return_sequences=True, return_state=True, go_backwards=go_backwards)
    gru(ug.asarray(x))
    randomised(gru)
    outputs, state = gru(ug.asarray(x), mask=ug.asarray(mask))
    # A padded row is the row without its padding, whatever stands there.
    short, last = gru(ug.asarray(x[:1, :3]))
    np.testing.assert_allclose(outputs.numpy()[0, :3], short.numpy()[0], atol=1e-6)
    np.testing.assert_array_equal(outputs.numpy()[0, 3:], 0)
    np.testing.assert_allclose(state.numpy()[0], last.numpy()[0], atol=1e-6)
    full, end = gru(ug.asarray(x))
    np.testing.assert_allclose(outputs.numpy()[1], full.numpy()[1], atol=1e-6)
    np.testing.assert_allclose(state.numpy()[1], end.numpy()[1], atol=1e-6)
    with pytest.raises(ug.ShapeError, match="mask"):
        gru(ug.asarray(x), mask=ug.asarray(mask[:, :4]))
    with pytest.raises(ug.ShapeError, match="time"):
        gru(ug.asarray(x[0]))


def test_cell_is_one_step_of_the_layer(backend):
    x = drawn(2, 1, 3)
    gru = layers.GRU(4)
    gru(ug.asarray(x))
    randomised(gru)
    cell = layers.GRUCell(4)
    state = ug.asarray(drawn(2, 4))
    cell(ug.asarray(x[:, 0]), state)
    cell.load_state_dict(gru.state_dict())
    found = cell(ug.asarray(x[:, 0]), state)
    np.testing.assert_allclose(found.numpy(), gru(ug.asarray(x), state).numpy(), atol=1e-6)


def test_bidirectional(backend):
    x = drawn(2, 4, 3)
    mask = ug.asarray([[True, True, True, False], [True] * 4])
    layer = layers.Bidirectional(layers.GRU(5, return_sequences=True, return_state=True))
    layer(ug.asarray(x))
    randomised(layer)
    outputs, forward, backward = layer(ug.asarray(x), mask=mask)
    first, first_state = layer.forward(ug.asarray(x), mask=mask)
    second, second_state = layer.backward(ug.asarray(x), mask=mask)
    assert layer.backward.go_backwards
    assert not layer.forward.go_backwards
    np.testing.assert_array_equal(outputs.numpy()[..., :5], first.numpy())
    np.testing.assert_array_equal(outputs.numpy()[..., 5:], second.numpy())
    np.testing.assert_array_equal(forward.numpy(), first_state.numpy())
    np.testing.assert_array_equal(backward.numpy(), second_state.numpy())
    assert list(layer.named_variables())[::4] == ["forward/kernel", "backward/kernel"]
    assert len(layer.variables) == 8
    with pytest.raises(ug.UnigradError, match="built"):
        layers.Bidirectional(layer.forward)


def test_bidirectional_draws_two_sets_of_weights():
    layer = layers.Bidirectional(layers.GRU(3, key=1))
    layer(ug.asarray(drawn(1, 2, 3)))
    assert not np.array_equal(layer.forward.kernel.numpy(), layer.backward.kernel.numpy())


def test_bahdanau_attention(backend):
    query, memory = drawn(2, 3), drawn(2, 5, 4)
    mask = np.array([[True, True, False, True, False], [True] * 5])
    layer = layers.BahdanauAttention(6)
    layer(ug.asarray(query), ug.asarray(memory))
    randomised(layer)
    s = {name: value.astype(np.float64) for name, value in layer.state_dict().items()}
    hidden = np.tanh(memory @ s["memory_kernel"] + s["bias"] + (query @ s["query_kernel"])[:, None])
    scores = np.where(mask, (hidden @ s["score"])[..., 0], -np.inf)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    found, attention = layer(ug.asarray(query), ug.asarray(memory), mask=ug.asarray(mask))
    np.testing.assert_allclose(attention.numpy(), weights, atol=1e-6)
    assert (attention.numpy()[~mask] == 0).all()
    np.testing.assert_allclose(found.numpy(), (weights[..., None] * memory).sum(1), atol=2e-6)
    keys = layer.keys(ug.asarray(memory))
    again, _ = layer(ug.asarray(query), ug.asarray(memory), mask=ug.asarray(mask), keys=keys)
    np.testing.assert_array_equal(again.numpy(), found.numpy())
    _, even = layer(ug.asarray(query), ug.asarray(memory), mask=ug.asarray(np.zeros((2, 5), bool)))
    np.testing.assert_allclose(even.numpy(), 0.2, rtol=1e-6)
