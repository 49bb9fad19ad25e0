"""`ug.interop` under each library's own checkers, transforms and compilers."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")
jax = importlib.import_module("jax")
tf = importlib.import_module("tensorflow")
jnp = jax.numpy


@ug.interop
def mixed(x: Any, y: Any, k: float = 2.0) -> dict[str, Any]:
    """Kernels with the library's derivative and with ours, several results."""
    return {"a": ug.clip(ug.tanh(x) * k + ug.exp(y), -1.0, 5.0), "b": (ug.atan2(x, y), 3)}


@ug.interop
def with_tape(x: Any) -> Any:
    """A gradient computed inside."""
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sum(ug.sin(x) ** 3)
    return tape.gradient(y, x) * y


@ug.interop
def dense(weights: dict[str, Any], x: Any) -> Any:
    return ug.tanh(ug.matmul(x, weights["kernel"]) + weights["bias"])


def together(x: Any, y: Any) -> Any:
    found = mixed(x, y)
    return found["a"] + mixed(x, y, k=3.0)["b"][0] + with_tape(x)


X, Y = np.linspace(0.1, 1.0, 4), np.linspace(0.2, 1.2, 4)


@pytest.fixture
def x64() -> None:
    """Have JAX run in 64 bits."""
    with ug.use_backend("jax"):
        pass


# -- torch


def inputs_of_torch() -> list[Any]:
    return [torch.tensor(one, requires_grad=True) for one in (X, Y)]


# torch says so of itself when it first needs a forward derivative that it composes.
_torch_scripts = pytest.mark.filterwarnings("ignore:`torch.jit.script`:FutureWarning")


@_torch_scripts
def test_gradcheck() -> None:
    assert torch.autograd.gradcheck(together, inputs_of_torch(), check_forward_ad=True)


def test_gradgradcheck() -> None:
    assert torch.autograd.gradgradcheck(together, inputs_of_torch())


def test_backward_and_inplace_optimizers() -> None:
    x = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.5)
    square = ug.interop(lambda x: ug.sum(x**2))
    for _ in range(2):
        optimizer.zero_grad()
        square(x).backward()
        optimizer.step()
    assert x.tolist() == [0.0, 0.0, 0.0]


@_torch_scripts
def test_torch_func() -> None:
    x, y = (one.detach() for one in inputs_of_torch())

    def scalar(x: Any) -> Any:
        return together(x, y).sum()

    jacobian = torch.func.jacrev(scalar)(x)
    torch.testing.assert_close(jacobian, torch.func.jacfwd(scalar)(x))
    torch.testing.assert_close(jacobian, torch.func.grad(scalar)(x))
    of_hessian = torch.func.hessian(scalar)(x)
    torch.testing.assert_close(of_hessian, torch.func.jacrev(torch.func.grad(scalar))(x))
    batch = torch.stack([x, 2 * x, 3 * x])
    mapped = torch.func.vmap(torch.func.grad(scalar))(batch)
    torch.testing.assert_close(mapped, torch.stack([torch.func.grad(scalar)(one) for one in batch]))
    value, tangent = torch.func.jvp(scalar, (x,), (torch.ones_like(x),))
    torch.testing.assert_close(tangent, jacobian.sum())
    assert value.shape == ()


@pytest.mark.parametrize("name", ["grad", "vmap"])
def test_values_inside_of_torch_func_are_not_there(name: str) -> None:
    def look(x: Any) -> Any:
        return x * float(x[..., 0])

    x = torch.ones(3) if name == "grad" else torch.ones(2, 3)
    transform = getattr(torch.func, name)
    with pytest.raises(ug.TracingError):
        transform(lambda x: ug.interop(look)(x).sum())(x)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_torch_compile_of_a_program_that_was_never_called(backend: str) -> None:
    """Dynamo's first call has stand-ins for arrays: no program may be made of these."""
    program = ug.interop(ug.jit(lambda x: ug.sum(ug.where(x > 0.5, x * 3.0, 1.0) + 2.0)))
    compiled = torch.compile(program, backend=backend)
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    compiled(x).backward()
    assert x.grad.tolist() == [0.0, 3.0]
    assert [compiled(x).item(), program(x).item()] == [8.0, 8.0]


def test_torch_compile() -> None:
    weight = ug.Variable(torch.full((4,), 3.0, dtype=torch.float64))
    scaled = ug.interop(lambda x: x * weight)

    def program(x: Any, y: Any) -> Any:
        return scaled(together(x, y)) + 1.0

    compiled = torch.compile(program, fullgraph=True, backend="aot_eager")
    x, y = inputs_of_torch()
    found, want = compiled(x, y), program(x, y)
    torch.testing.assert_close(found, want)
    got = torch.autograd.grad(found.sum(), [x, y])
    torch.testing.assert_close(got, torch.autograd.grad(want.sum(), [x, y]))


def operations(function: Callable[..., Any], *inputs: Any) -> list[str]:
    """Return the ops of the graph that torch's compiler is given."""
    graphs = []

    def keep(graph: Any, _: Any) -> Any:
        nodes = graph.graph.nodes
        graphs.append([str(node.target) for node in nodes if node.op == "call_function"])
        return graph

    aot = importlib.import_module("torch._dynamo.backends.common").aot_autograd(fw_compiler=keep)
    torch.compile(function, fullgraph=True, backend=aot)(*inputs)
    return graphs[0]


def test_torchs_compiler_is_given_the_same_graph() -> None:
    ours = ug.interop(lambda x, w: ug.sum(ug.relu(ug.matmul(x, w)) * 2.0 + ug.sin(x)))
    x = torch.ones(4, 4)
    found = operations(lambda x: ours(x, x), x)
    assert found == operations(lambda x: (torch.relu(x @ x) * 2.0 + torch.sin(x)).sum(), x)


class Layer(torch.nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.full((3, 2), 0.1))
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, x: Any) -> Any:
        return dense({"kernel": self.kernel, "bias": self.bias}, x)


def test_a_module_of_torch() -> None:
    layer = Layer()
    x = torch.ones(5, 3)
    layer(x).sum().backward()
    want = 5 * (1 - np.tanh(0.3) ** 2)
    np.testing.assert_allclose(layer.bias.grad, [want, want], rtol=1e-6)
    np.testing.assert_allclose(layer.kernel.grad, np.full((3, 2), want), rtol=1e-6)
    assert torch.func.vmap(
        lambda x: torch.func.functional_call(layer, dict(layer.named_parameters()), (x,))
    )(torch.ones(7, 5, 3)).shape == (7, 5, 2)


# -- JAX


def test_check_grads(x64: None) -> None:
    checking = importlib.import_module("jax.test_util")
    checking.check_grads(together, (jnp.asarray(X), jnp.asarray(Y)), order=2)


def test_jax_transforms(x64: None) -> None:
    x, y = jnp.asarray(X), jnp.asarray(Y)

    def scalar(x: Any) -> Any:
        return together(x, y).sum()

    gradient = jax.grad(scalar)(x)
    np.testing.assert_allclose(jax.jit(jax.grad(scalar))(x), gradient)
    np.testing.assert_allclose(
        jax.vmap(jax.grad(scalar))(jnp.stack([x, x])), np.stack([gradient, gradient])
    )
    np.testing.assert_allclose(
        jax.hessian(scalar)(x), jax.jacrev(jax.grad(scalar))(x), rtol=1e-12, atol=1e-12
    )
    carry, _ = jax.lax.scan(lambda c, x: (together(c, x), None), x, jnp.stack([y, y]))
    np.testing.assert_allclose(carry, together(together(x, y), y))


@pytest.mark.parametrize("transform", [lambda f: f, lambda f: jax.grad(f), lambda f: jax.vmap(f)])
def test_jax_traces_the_same_ops(transform: Any) -> None:
    ours = ug.interop(lambda x: ug.sum(ug.tanh(ug.matmul(x, x)) * 2.0 + ug.sin(x)))
    x = jnp.ones((2, 3, 3)) if transform(len) is not len else jnp.ones((3, 3))

    def theirs(x: Any) -> Any:
        return jnp.sum(jnp.tanh(jnp.matmul(x, x)) * 2.0 + jnp.sin(x))

    if transform(theirs) is not theirs and "grad" in transform(theirs).__doc__.lower()[:40]:
        x = jnp.ones((3, 3))
    found, want = (jax.make_jaxpr(transform(one))(x) for one in (ours, theirs))
    assert str(found) == str(want)


# -- TensorFlow


def test_gradient_tape() -> None:
    x, y = tf.Variable(X), tf.constant(Y)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            z = tf.reduce_sum(together(x, y))
        first = tape.gradient(z, x)
        total = tf.reduce_sum(first)
    second = outer.gradient(total, x)
    theirs = torch.tensor(X, requires_grad=True)
    (want,) = torch.autograd.grad(
        together(theirs, torch.tensor(Y)).sum(), theirs, create_graph=True
    )
    np.testing.assert_allclose(first, want.detach())
    np.testing.assert_allclose(second, torch.autograd.grad(want.sum(), theirs)[0])


@pytest.mark.parametrize("jit_compile", [False, True])
def test_tf_function(jit_compile: bool) -> None:
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            z = tf.reduce_sum(together(x, y))
        return tape.gradient(z, x)

    x, y = tf.constant(X), tf.constant(Y)
    np.testing.assert_allclose(tf.function(step, jit_compile=jit_compile)(x, y), step(x, y))


def test_tf_function_of_any_batch() -> None:
    kernel = tf.constant(np.full((3, 2), 0.1, np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    def layer(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            y = tf.reduce_sum(dense({"kernel": kernel, "bias": tf.zeros(2)}, x))
        return tape.gradient(y, kernel)

    for size in (1, 4):
        want = size * (1 - np.tanh(0.3) ** 2)
        np.testing.assert_allclose(layer(tf.ones((size, 3))), np.full((3, 2), want), rtol=1e-5)


#: What orders its argument or rounds, with the tangent along ones.
STEPPING: dict[str, tuple[Callable[..., Any], Any]] = {
    "argsort": (ug.argsort, None),
    "argsort along the first axis": (lambda x: ug.argsort(x[:, None], axis=0), None),
    "lexsort": (lambda x: ug.lexsort((x, x)), None),
    "places of top_k": (lambda x: ug.top_k(x, 2)[1], None),
    "top_k": (lambda x: ug.top_k(x, 2)[0], [1.0, 1.0]),
    "take by argsort": (lambda x: ug.take(x * x, ug.argsort(x)), [2.0, 4.0, 6.0]),
    "floor_divide": (lambda x: ug.floor_divide(x, 0.1), None),
    "floor_divide plus": (lambda x: x + ug.floor_divide(x, 0.1), [1.0, 1.0, 1.0]),
    "quantile": (lambda x: ug.quantile(x, 0.25), 1.0),
    "median": (lambda x: ug.median(x * x), 4.0),
    "nanmedian": (ug.nanmedian, 1.0),
    "unique_counts": (lambda x: ug.unique_counts(x)[0], [1.0, 1.0, 1.0]),
    "eigvals": (lambda x: ug.sum(ug.real(ug.linalg.eigvals(ug.diag(x)))), 3.0),
}


@pytest.mark.parametrize("name", STEPPING)
def test_tensorflows_own_accumulator_through_steps(name: str) -> None:
    function, want = STEPPING[name]
    x = tf.constant([3.0, 1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        tangent = accumulator.jvp(ug.interop(function)(x))
    assert (tangent is None) == (want is None)
    if want is not None:
        np.testing.assert_allclose(tangent, want, rtol=1e-5)


def test_tensorflows_graph_has_the_same_ops() -> None:
    ours = ug.interop(lambda x: ug.sum(ug.tanh(ug.matmul(x, x)) * 2.0 + ug.sin(x)))

    def kinds(function: Any) -> list[str]:
        graph = tf.function(function).get_concrete_function(tf.TensorSpec((3, 3))).graph
        return sorted(one.type for one in graph.get_operations())

    def theirs(x: Any) -> Any:
        return tf.reduce_sum(tf.tanh(tf.matmul(x, x)) * 2.0 + tf.sin(x))

    # Which kernel multiplies matrices is unigrad's choice, how many ops there are is not.
    assert len(kinds(ours)) <= len(kinds(theirs))


# -- layers of others


def test_a_layer_of_keras() -> None:
    keras = importlib.import_module("keras")
    if keras.config.backend() == "numpy":
        pytest.skip("Keras trains nothing on NumPy")

    class KerasLayer(keras.layers.Layer):  # type: ignore[misc,name-defined]
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[-1], 2), name="kernel")
            self.bias = self.add_weight(shape=(2,), name="bias", initializer="zeros")

        def call(self, x: Any) -> Any:
            return dense({"kernel": self.kernel, "bias": self.bias}, x)

    keras.utils.set_random_seed(0)
    model = keras.Sequential([KerasLayer(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    generator = np.random.default_rng(0)
    x = generator.normal(size=(70, 3)).astype(np.float32)
    history = model.fit(x, x[:, :1], batch_size=16, epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert model(x).shape == (70, 1)


def test_a_module_of_equinox() -> None:
    eqx = pytest.importorskip("equinox")

    class Module(eqx.Module):  # type: ignore[misc]
        weights: dict[str, Any]

        def __call__(self, x: Any) -> Any:
            return dense(self.weights, x)

    module = Module({"kernel": jnp.full((3, 2), 0.1), "bias": jnp.zeros(2)})
    found = eqx.filter_jit(eqx.filter_grad(lambda module, x: module(x).sum()))(module, jnp.ones(3))
    want = 1 - np.tanh(0.3) ** 2
    np.testing.assert_allclose(found.weights["kernel"], np.full((3, 2), want), rtol=1e-6)


def test_a_module_of_flax() -> None:
    nnx = pytest.importorskip("flax.nnx")

    class Module(nnx.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.kernel = nnx.Param(jnp.full((3, 2), 0.1))
            self.bias = nnx.Param(jnp.zeros(2))

        def __call__(self, x: Any) -> Any:
            return dense({"kernel": self.kernel, "bias": self.bias}, x)

    found = nnx.jit(nnx.grad(lambda module, x: module(x).sum()))(Module(), jnp.ones(3))
    want = 1 - np.tanh(0.3) ** 2
    np.testing.assert_allclose(found["kernel"][...], np.full((3, 2), want), rtol=1e-6)
