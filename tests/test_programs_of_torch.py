"""Programs on torch: memory that they keep, and products by oneDNN."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad_conformance.subject import Deviation

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")


@pytest.fixture(autouse=True)
def on_torch() -> Any:
    with ug.use_backend("torch"):
        yield


def drawn(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("function", [ug.sigmoid, ug.tanh])
def test_a_function_of_a_sum(function: Any) -> None:
    """A result is never in memory that the next call writes into, and the sum stays what it is."""
    total = ug.jit(lambda x, y: ug.sum(function(x + y), axis=-1))
    alone = ug.jit(lambda x, y: ug.reshape(function(x + y), (-1,)))
    beside = ug.jit(lambda x, y: (function(z := x + y), z))
    x, y = ug.asarray(drawn(40, 1, 50)), ug.asarray(drawn(3, 1, seed=1))
    expected = function(x + y).numpy()
    assert "_of_add" in total.lower(x, y).text
    first = [total(x, y), alone(x, y), *beside(x, y)]
    for one in (total, alone, beside):
        one(x + 1.0, y)
    np.testing.assert_allclose(first[0].numpy(), expected.sum(-1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(first[1].numpy(), expected.reshape(-1), rtol=3e-7)
    np.testing.assert_allclose(first[2].numpy(), expected, rtol=3e-7)
    np.testing.assert_array_equal(first[3].numpy(), (x + y).numpy())


#: Functions of three arrays that are one kernel each, with what a program calls it.
FUSED: dict[str, Any] = {
    "addcmul": lambda x, y, z: x + y * z,
    "tanh_of_addcmul": lambda x, y, z: ug.tanh(x + y * z),
    "sigmoid_of_addcmul": lambda x, y, z: ug.sigmoid(x + y * z),
    "products_and_sum": lambda x, y, z: ug.matmul(y, z) + x,
}


@pytest.mark.parametrize("name", FUSED)
@pytest.mark.parametrize("size", [3, 96])
def test_functions_of_three_arrays(name: str, size: int) -> None:
    """Of every layout; what is given stays, and so does a result when the next one is computed."""
    function, program = FUSED[name], ug.jit(FUSED[name])
    given = [torch.from_numpy(drawn(2, size, size, seed=i)) for i in range(3)]
    assert name in program.lower(*map(ug.asarray, given)).text
    layouts = [{"plain": one, **_laid_out(one.numpy())} for one in given]
    for place in range(3):
        for layout, other in layouts[place].items():
            inputs = [other if i == place else one for i, one in enumerate(given)]
            before = [one.clone() for one in inputs]
            found = program(*map(ug.asarray, inputs))
            kept = found.numpy().copy()
            program(*[ug.asarray(one + 1.0) for one in inputs])
            np.testing.assert_array_equal(found.numpy(), kept)
            assert all(map(torch.equal, inputs, before)), layout
            expected = function(*map(ug.asarray, inputs)).numpy()
            np.testing.assert_allclose(kept, expected, 1e-4, 1e-5, err_msg=layout)


@pytest.mark.parametrize("name", [name for name in FUSED if "addcmul" in name])
def test_functions_of_three_arrays_that_broadcast(name: str) -> None:
    function, program = FUSED[name], ug.jit(FUSED[name])
    shapes = [(), (150,), (1, 150), (100, 1), (100, 150)]
    for i, shape in enumerate(shapes):
        arrays = [drawn(*shape), drawn(*shapes[i - 1], seed=1), drawn(*shapes[i - 2], seed=2)]
        inputs = [ug.asarray(one) for one in map(np.asarray, arrays)]
        for _ in range(2):
            found = program(*inputs)
            np.testing.assert_allclose(found.numpy(), function(*inputs).numpy(), 1e-5, 1e-6)


@pytest.mark.parametrize("count", [5, 10_000])
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_ends_of_functions_of_a_sum(name: str, count: int) -> None:
    function = getattr(ug, name)
    values = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-38, -1e-42, 20.0, -20.0, 3e38, -3e38])
    x = ug.asarray(np.resize(values, count).astype(np.float32))
    program = ug.jit(lambda x, y, z: (function(x + y), function(x + y * z)))
    zeros = ug.asarray(np.full(count, -0.0, np.float32))
    expected = function(x).numpy()
    for found in program(x, zeros, ug.ones_like(x)):
        np.testing.assert_allclose(found.numpy(), expected, rtol=3e-7)
        np.testing.assert_array_equal(np.signbit(found.numpy()), np.signbit(expected))


@pytest.mark.parametrize("shape", [(64, 128), (4, 16, 128)])
@pytest.mark.parametrize("transposed", [False, True])
def test_large_products(shape: tuple[int, ...], transposed: bool) -> None:
    from unigrad_torch.programs import BY_ONEDNN

    x, y, bias = drawn(*shape), drawn(128, 96, seed=1), drawn(96, seed=2)
    kernel = ug.asarray(y.T.copy()).T if transposed else ug.asarray(y)
    exact = x.astype(np.float64) @ y.astype(np.float64)
    for function, expected in (
        (lambda x, y, b: ug.matmul(x, y), exact),
        (lambda x, y, b: ug.matmul(x, y) + b, exact + bias),
        (lambda x, y, b: ug.linear(x, y, b), exact + bias),
    ):
        program = ug.jit(function)
        inputs = ug.asarray(x), kernel, ug.asarray(bias)
        assert ("large_" in program.lower(*inputs).text) == BY_ONEDNN
        np.testing.assert_allclose(program(*inputs).numpy(), expected, rtol=1e-5, atol=1e-4)


def _laid_out(array: Any) -> dict[str, Any]:
    """Return torch's tensors of the same values in other memory layouts."""
    spaced = torch.zeros(*array.shape[:-1], 2 * array.shape[-1])[..., ::2]
    behind = torch.zeros(array.size + 3)[3:].reshape(array.shape)
    by_columns = torch.zeros(array.shape[::-1]).permute(*range(array.ndim)[::-1])
    for one in (spaced, behind, by_columns):
        one.copy_(torch.from_numpy(array))
    return {"spaced": spaced, "behind": behind, "by columns": by_columns}


def test_fused_ops_of_other_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    from unigrad_conformance.program_fusions import fused_ops_are_what_they_stand_for
    from unigrad_torch.programs import FUSIONS, LARGE_PRODUCTS

    backend = type(load_backend("torch"))
    monkeypatch.setattr(backend, "fusions", [*LARGE_PRODUCTS, *FUSIONS])
    fused_ops_are_what_they_stand_for()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("alive", {"kernel": lambda g, x: torch.ops.aten.threshold_backward(g, x, 0)}),
        ("products_and_sum", {"fits": lambda x, y, z, out: len(x) == len(y) == 3 and z == out}),
        ("product_and_bias", {"kernel": lambda x, y, bias: x @ y + bias[:1]}),
    ],
)
def test_planted_faults_of_fused_ops(
    name: str, changes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unigrad_conformance.program_fusions import fused_ops_are_what_they_stand_for
    from unigrad_torch.programs import FUSIONS

    faulty = [replace(one, **changes) if one.name == name else one for one in FUSIONS]
    monkeypatch.setattr(type(load_backend("torch")), "fusions", faulty)
    with pytest.raises((Deviation, ug.UnigradError)):
        fused_ops_are_what_they_stand_for()


def test_large_products_of_every_layout() -> None:
    """oneDNN would read a bias by its beginning alone."""
    given = [drawn(64, 128), drawn(128, 96, seed=1), drawn(96, seed=2)]
    plain = [torch.from_numpy(one) for one in given]
    program = ug.jit(lambda x, y, b: ug.linear(x, y, b))
    exact = given[0].astype(np.float64) @ given[1] + given[2]
    for place in range(3):
        for name, other in _laid_out(given[place]).items():
            inputs = [ug.asarray(other if i == place else one) for i, one in enumerate(plain)]
            np.testing.assert_allclose(program(*inputs), exact, 1e-4, 1e-4, err_msg=name)
    repeated = torch.tensor(0.5).expand(96)
    found = program(*map(ug.asarray, [*plain[:2], repeated]))
    np.testing.assert_allclose(found, exact - given[2] + 0.5, 1e-4, 1e-4)


@pytest.mark.parametrize("shapes", [((4, 4), (4, 4)), ((64, 300), (300,)), ((9000, 64), (64, 1))])
def test_other_products_are_torchs(shapes: Any) -> None:
    program = ug.jit(ug.matmul)
    x, y = (ug.asarray(drawn(*one)) for one in shapes)
    assert "large_" not in program.lower(x, y).text
    np.testing.assert_array_equal(program(x, y).numpy(), torch.matmul(x.native, y.native).numpy())


def test_what_torch_follows_and_batches() -> None:
    """Neither kept memory nor oneDNN, where torch differentiates or maps a program."""

    def plain(x: Any, y: Any) -> Any:
        return torch.tanh(x @ y + y[0]).sum()

    program = ug.jit(lambda x, y: ug.sum(ug.tanh(ug.matmul(x, y) + y[0])))
    ours = ug.interop(program)
    x, y = (torch.from_numpy(drawn(128, 96, seed=i) / 9.0) for i in range(2))
    y = y.T.contiguous()
    for wanted, found in zip(
        torch.func.grad(plain, argnums=(0, 1))(x, y),
        torch.func.grad(ours, argnums=(0, 1))(x, y),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    rows = torch.stack([x, 2.0 * x])
    torch.testing.assert_close(
        torch.func.vmap(ours, in_dims=(0, None))(rows, y),
        torch.func.vmap(plain, in_dims=(0, None))(rows, y),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "complex64"])
@pytest.mark.parametrize(
    ("mask", "shape"),
    [
        ((80, 64), (80, 64)), ((80, 1), (80, 64)), ((3, 80, 64), (80, 64)), ((), (80, 64)),
        ((300, 400), (300, 400)), ((300, 1), (300, 400)), ((1, 400), (300, 1)),
    ],
)  # fmt: skip
def test_choices(mask: tuple[int, ...], shape: tuple[int, ...], dtype: str) -> None:
    """What a program chooses is what torch chooses, bit for bit."""
    chosen = ug.asarray(drawn(*mask) > 0.0)
    x, y = ug.asarray(drawn(*shape)).astype(dtype), ug.asarray(drawn(*shape, seed=1)).astype(dtype)
    odd = [np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-45, -1e-310]
    if dtype in ("float16", "float32", "float64"):
        x = x.reshape(-1).at[:8].set(ug.asarray(odd, dtype=dtype)).reshape(shape)
    choices = [
        lambda m, x, y: ug.where(m, x, 0.0),
        lambda m, x, y: ug.where(m, 0.0, x),
        lambda m, x, y: ug.where(m, x, -0.0),
        lambda m, x, y: ug.where(m, x, 2.0),
        lambda m, x, y: ug.where(m, x, y),
        lambda m, x, y: ug.where(m, x[0], y),
        lambda m, x, y: ug.where(m, x.T, y.T) if m.ndim == 0 else ug.where(m, x * 2.0, y),
    ]
    for choose in choices:
        if dtype == "int32" and choose in choices[2:4]:
            continue
        found, expected = ug.jit(choose)(chosen, x, y), choose(chosen, x, y)
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert found.numpy().tobytes() == expected.numpy().tobytes()


def test_large_choices_go_by_bits() -> None:
    mask, x = ug.asarray(drawn(300, 400) > 0.0), ug.asarray(drawn(300, 400))
    for choose, name in (
        (lambda m, x: ug.where(m, x, 0.0), "kept"),
        (lambda m, x: ug.where(m, 0.0, x), "left_out"),
        (lambda m, x: ug.where(m, x, x * 2.0), "chosen"),
    ):
        assert f"{name}(" in ug.jit(choose).lower(mask, x).text
        assert f"{name}(" not in ug.jit(choose).lower(mask[:3], x[:3]).text


def test_choices_that_torch_follows() -> None:
    """A caller's own autograd and transforms go through a program's choice."""
    mask = torch.rand(80, 64) > 0.3
    x = torch.randn(80, 64, requires_grad=True)
    chosen = ug.interop(ug.jit(lambda m, x: ug.where(m, x, 0.0) * 2.0))
    chosen(mask, x).sum().backward()
    torch.testing.assert_close(x.grad, 2.0 * mask.float())
    batch = torch.randn(5, 80, 64)
    found = torch.func.vmap(lambda x: chosen(mask, x))(batch)
    torch.testing.assert_close(found, torch.where(mask, batch, 0.0) * 2.0)


def test_a_program_keeps_the_graph_of_a_parameter() -> None:
    """Where torch follows an argument, or a constant, a program is part of its graph."""
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    program = ug.jit(lambda x: ug.sum(ug.tanh(x) * x))
    outer = ug.interop(program)
    for _ in range(3):
        outer(torch.tensor([1.0, -2.0]))
        parameter.grad = None
        outer(parameter).backward()
        t = torch.tanh(parameter.detach())
        torch.testing.assert_close(parameter.grad, t + parameter.detach() * (1 - t * t))


def test_a_program_may_call_what_differentiates_by_torch() -> None:
    def slope(x: Any) -> Any:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            return torch.autograd.grad((leaf**3).sum(), leaf)[0]

    program = ug.jit(lambda x: ug.native_call(slope, x) + 1.0)
    looped = ug.jit(lambda x: ug.fori_loop(0, 2, lambda i, c: ug.native_call(slope, c) * 0.5, x))
    x = ug.asarray([1.0, 2.0])
    for _ in range(2):
        assert program(x).tolist() == [4.0, 13.0]
        assert looped(x).tolist() == [3.375, 54.0]


def test_views_of_what_a_program_gives_have_versions() -> None:
    found = ug.jit(lambda x: ug.reshape(x * 2.0, (2, 2)))(ug.ones(4)).native
    weight = torch.ones(2, 2, requires_grad=True)
    loss = (weight * found).sum()
    found.view(-1).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:FutureWarning")
def test_tangents_come_through_a_program() -> None:
    from torch.autograd import forward_ad

    program = ug.interop(ug.jit(lambda x: x * x))
    program(torch.tensor(3.0))
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
        assert forward_ad.unpack_dual(program(dual)).tangent == 6.0
    assert torch.func.grad(program)(torch.tensor(3.0)) == 6.0


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:FutureWarning")
def test_past_autograd_a_tangent_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    from unigrad_torch.private import below_autograd

    def unfollowed(self: Any, run: Any, constants: Any) -> Any:
        def run_past(*natives: Any) -> Any:
            with below_autograd():
                return run(*natives)

        return run_past

    monkeypatch.setattr(type(load_backend("torch")), "unfollowed", unfollowed)
    with pytest.raises(AssertionError):
        test_tangents_come_through_a_program()


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 0), (1, 2, 2)])
def test_take_by_indices_of_any_rank(shape: tuple[int, ...], kind: str) -> None:
    x = np.arange(24.0, dtype=np.float32).reshape(4, 2, 3)
    index = np.arange(int(np.prod(shape)), dtype=kind).reshape(shape) % 2
    for axis in (0, 1, 2, -1):
        for given in (index, index.T.copy().T):
            for function in (ug.take, ug.jit(ug.take, static_argnames="axis")):
                found = function(ug.asarray(x), ug.asarray(given), axis=axis).numpy()
                np.testing.assert_array_equal(found, np.take(x, given, axis), strict=True)


def test_a_product_and_a_bias() -> None:
    x, y, bias = drawn(3, 4), drawn(4, 5, seed=1), drawn(5, seed=2)
    program = ug.jit(lambda x, y, b: x @ y + b)
    for given in (bias, bias[:1], np.broadcast_to(bias, (3, 5))):
        found = program(ug.asarray(x), ug.asarray(y), ug.asarray(given)).numpy()
        np.testing.assert_allclose(found, x @ y + given, rtol=1e-6, atol=1e-6)
    inputs = ug.asarray(x), ug.asarray(y), ug.asarray(bias)
    assert "product_and_bias" in program.lower(*inputs).text


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "int32", "int64"])
def test_numbers_as_arrays_give_the_bits_of_eager_mode(dtype: str) -> None:
    numbers = [0.1, -2.0, float("inf"), float("nan"), -0.0, 1e-45, 3e38, 1e300]
    if dtype.startswith("int"):
        numbers = [0, 1, -3, 2**31 - 1]
    x = ug.asarray(drawn(33) * 9.0, dtype=dtype)
    for number in numbers:

        def several(x: Any, number: Any = number) -> Any:
            found = [x + number, number - x, x * number, x == number, x < number, number >= x]
            found += [ug.where(x > 0, x, number), ug.where(x > 0, number, x)]
            return found if x.dtype.kind == "i" else [*found, x / number, number / x]

        for one, other in zip(ug.jit(several)(x), several(x), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one.native.double(), other.native.double(), strict=True)


def test_numbers_as_arrays_go_through_other_modes() -> None:
    program = ug.interop(ug.jit(lambda x: ug.where(x > 0.5, x * 3.0, 1.0) + 2))
    x = torch.tensor([0.0, 1.0])
    with torch.inference_mode():
        assert program(x).tolist() == [3.0, 5.0]
    leaf = x.clone().requires_grad_()
    program(leaf).sum().backward()
    assert leaf.grad.tolist() == [0.0, 3.0]
    assert torch.func.vmap(program)(x).tolist() == [3.0, 5.0]
    assert torch.compile(program, backend="eager")(x).tolist() == [3.0, 5.0]


def test_a_program_keeps_what_a_mode_or_a_subclass_brings_in() -> None:
    from torch.overrides import TorchFunctionMode

    factor = torch.nn.Parameter(torch.tensor(2.0))

    class Scaled(TorchFunctionMode):
        def __torch_function__(
            self, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            found = function(*args, **(kwargs or {}))
            return found * factor if function is torch.matmul else found

    class Followed(torch.Tensor):
        @classmethod
        def __torch_function__(
            cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            with torch._C.DisableTorchFunctionSubclass():
                found = function(*args, **(kwargs or {}))
                return found * factor if function is torch.Tensor.mul else found

    x = torch.ones(2, 2)
    program = ug.interop(ug.jit(lambda x: ug.matmul(x, x) + 1.0))
    program(x)
    with Scaled():
        assert program(x).requires_grad
    constant = torch.ones(2, 2).as_subclass(Followed)
    plain = ug.interop(lambda x: x * ug.asarray(constant))(x)
    assert ug.interop(ug.jit(lambda x: x * ug.asarray(constant)))(x).requires_grad == (
        plain.requires_grad
    )


def test_a_program_keeps_nothing_of_a_callers_graph() -> None:
    """What a function computes of a parameter that it closes over hangs in the caller's graph."""
    weight, x = torch.nn.Parameter(torch.ones(3)), torch.ones(3)
    program = ug.interop(ug.jit(lambda x: ug.sum(x * ug.tanh(ug.asarray(weight) * 2.0))))
    for _ in range(3):
        weight.grad = None
        program(x).backward()
        t = torch.tanh(weight.detach() * 2.0)
        torch.testing.assert_close(weight.grad, 2.0 * (1.0 - t * t))
        with torch.no_grad():
            weight.mul_(0.5)
