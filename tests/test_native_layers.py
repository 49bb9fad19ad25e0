"""Layers of torch and Keras as modules of unigrad."""

import importlib
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")
keras = importlib.import_module("keras")


def network_of_torch() -> Any:
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.1), nn.Linear(8, 1)
    )


def network_of_keras() -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [layers.Dense(8, "tanh"), layers.BatchNormalization(), layers.Dropout(0.1), layers.Dense(1)]
    )


def module_of(library: str) -> tuple[ug.layers.Module, str]:
    """Return a module and the backend that it lives on."""
    if library == "torch":
        return ug.layers.from_torch(network_of_torch()), "torch"
    return ug.layers.from_keras(network_of_keras()), keras.config.backend()


@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("library", ["torch", "keras"])
def test_training(library: str, jitted: bool) -> None:
    module, backend = module_of(library)
    generator = np.random.default_rng(0)
    with ug.use_backend(backend):
        x = ug.asarray(generator.normal(size=(32, 3)), dtype="float32")
        y = ug.sum(x, axis=1, keepdims=True)
        optimizer = ug.optimizers.Adam(0.05)
        module(x)
        states = [one for one in module.variables if not one.trainable]
        before = [one.numpy() for one in states]

        def step(x: Any, y: Any) -> Any:
            with ug.GradientTape() as tape:
                loss = ug.mean((module(x, training=True) - y) ** 2)
            gradients = tape.gradient(loss, module.trainable_variables)
            optimizer.apply_gradients(zip(gradients, module.trainable_variables))
            return loss

        run = ug.jit(step) if jitted else step
        losses = [float(run(x, y)) for _ in range(40)]
        assert losses[-1] < 0.3 * losses[0]
        # Moving averages, counters and seeds move along.
        assert any((one.numpy() != old).any() for one, old in zip(states, before))
        moved = [one.numpy() for one in states]
        assert module(x).tolist() == module(x).tolist()
        assert all((one.numpy() == old).all() for one, old in zip(states, moved))


def test_a_module_of_torch_computes_what_it_did() -> None:
    network = network_of_torch().eval()
    module = ug.layers.from_torch(network)
    x = torch.randn(5, 3)
    np.testing.assert_array_equal(module(ug.asarray(x)).numpy(), network(x).detach())
    with ug.use_backend("torch"), ug.GradientTape() as tape:
        loss = ug.sum(module(ug.asarray(x)) ** 2)
    found = tape.gradient(loss, module.named_variables()["weights/0.weight"])
    (network(x) ** 2).sum().backward()
    np.testing.assert_allclose(found.numpy(), network[0].weight.grad, rtol=1e-5)


def test_the_module_itself_is_not_changed() -> None:
    network = network_of_torch().eval()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    module = ug.layers.from_torch(network)
    module(ug.asarray(torch.randn(5, 3)), training=True)
    for variable in module.variables:
        variable.assign(ug.zeros_like(variable))
    assert not network.training
    assert all((one == before[name]).all() for name, one in network.state_dict().items())
    with torch.no_grad():
        network[0].weight += 1.0
    assert not module.variables[0].numpy().any()


def test_frozen_parameters_and_pytrees() -> None:
    gru = torch.nn.GRU(3, 4, batch_first=True)
    gru.weight_hh_l0.requires_grad_(False)
    module = ug.layers.from_torch(gru, name="gru")
    outputs, state = module(ug.asarray(torch.randn(2, 5, 3)))
    assert (outputs.shape, state.shape) == ((2, 5, 4), (1, 2, 4))
    assert [one.name for one in module.variables if not one.trainable] == ["gru/weight_hh_l0"]


def test_checkpoints() -> None:
    first, second = (ug.layers.from_torch(network_of_torch()) for _ in range(2))
    for variable in second.variables:
        variable.assign(ug.zeros_like(variable))
    second.load_state_dict(first.state_dict())
    x = ug.asarray(torch.randn(5, 3))
    assert first(x).tolist() == second(x).tolist()


def test_an_array_of_another_backend() -> None:
    module = ug.layers.from_torch(torch.nn.Linear(3, 1))
    with ug.use_backend("jax"):
        x = ug.ones((2, 3))
    with pytest.raises(ug.BackendMismatchError, match="jax"):
        module(x)


@pytest.mark.parametrize("make", [ug.layers.from_torch, ug.layers.from_keras])
def test_what_is_no_layer(make: Any) -> None:
    with pytest.raises(ug.DTypeError, match="not a function"):
        make(lambda x: x)
