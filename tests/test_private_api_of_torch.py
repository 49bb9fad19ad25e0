"""Private API of torch, as we rely on it: a test for each name of ``unigrad_torch.private``."""

import importlib
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")
of_torch = importlib.import_module("unigrad_torch.private")


def test_elu() -> None:
    x = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    expected = [2.0 * np.expm1(-0.5), 2.0]
    np.testing.assert_allclose(of_torch.elu(x, 2.0, 1.0, 0.5).numpy(), expected, rtol=1e-15)


def test_function_modes() -> None:
    from torch.overrides import TorchFunctionMode

    before = of_torch.function_modes()
    with TorchFunctionMode():
        assert of_torch.function_modes() == before + 1
    assert of_torch.function_modes() == before


def test_is_zero() -> None:
    x = torch.ones(2, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.abs(x).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x, allow_unused=True)
    assert second is not None
    assert of_torch.is_zero(second)
    assert not of_torch.is_zero(torch.zeros(2))


def test_is_followed_below() -> None:
    found = []

    def f(x: torch.Tensor) -> torch.Tensor:
        found.append((x.requires_grad, of_torch.is_followed_below(x)))
        return x.sum()

    x = torch.ones(2, 2)
    torch.func.vmap(f)(x)
    torch.func.grad(lambda x: torch.func.vmap(f)(x).sum())(x)
    assert found == [(False, False), (False, True)]


def test_is_batched() -> None:
    found = []

    def f(x: torch.Tensor) -> torch.Tensor:
        found.append(of_torch.is_batched(x))
        return x.sum()

    torch.func.grad(f)(torch.ones(2))
    torch.func.vmap(torch.func.grad(f))(torch.ones(2, 2))
    torch.func.grad(lambda x: torch.func.vmap(f)(x).sum())(torch.ones(2, 2))
    assert found == [False, True, True]


def test_value_of() -> None:
    found = []

    def f(x: torch.Tensor) -> torch.Tensor:
        found.append(of_torch.value_of(x))
        return x.sum()

    x = torch.tensor([[1.0, 2.0]])
    torch.func.vmap(torch.func.grad(f))(x)
    assert found[0].tolist() == [[1.0, 2.0]]
    assert of_torch.value_of(x) is x


def test_plain_keys() -> None:
    x = torch.ones(3)
    plain = [x, x[1:], x > 0, torch.nn.Parameter(x), torch.ones(2, requires_grad=True) * 2]
    assert all(of_torch.keys_of(one) == of_torch.PLAIN_KEYS for one in plain)


def test_keys_of() -> None:
    x, found = torch.ones(3), []
    torch.func.vmap(lambda x: found.append(of_torch.keys_of(x)) or x)(x)
    torch.func.grad(lambda x: found.append(of_torch.keys_of(x)) or x.sum())(x)
    other = [torch.complex(x, x).conj(), x.to_sparse(), torch.empty(2, device="meta")]
    found += map(of_torch.keys_of, other)
    assert not any(one == of_torch.PLAIN_KEYS for one in found)


def test_is_batched_of_old() -> None:
    found = []

    class Identity(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, g: torch.Tensor) -> torch.Tensor:
            found.append(of_torch.is_batched_of_old(g))
            return g

    x = torch.ones(2, requires_grad=True)
    y = Identity.apply(x)
    torch.autograd.grad(y, x, torch.eye(2), is_grads_batched=True, retain_graph=True)
    torch.autograd.grad(y, x, torch.ones(2))
    assert found == [True, False]


def test_faketensor() -> None:
    kinds = []

    def f(x: object) -> object:
        kinds.append(type(x))
        return x + 1.0  # type: ignore[operator]

    of_torch.make_fx(f, tracing_mode="fake")(torch.ones(2))
    assert kinds == [of_torch.FakeTensor]


def test_track_tensor_tree() -> None:
    extra = torch.ones(2)

    def f(x: object) -> object:
        tracer = of_torch.get_proxy_mode().tracer
        with of_torch.disable_current_modes():
            stand_in = x.fake_mode.from_tensor(extra)  # type: ignore[attr-defined]
        proxy = tracer.create_proxy("placeholder", "more", (), {})
        more = of_torch.track_tensor_tree(stand_in, proxy, constant=None, tracer=tracer)
        return x + more  # type: ignore[operator]

    graph = of_torch.make_fx(f, tracing_mode="fake")(torch.ones(2)).graph
    assert len(graph.find_nodes(op="placeholder")) == 2


def test_run_backward() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    aside = torch.tensor(1.0, requires_grad=True)
    y = (x * x).sum()
    seed = (torch.tensor(2.0),)
    kept = {"allow_unreachable": True, "accumulate_grad": False}
    gradient, none = of_torch.run_backward((y,), seed, True, True, (x, aside), **kept)
    assert gradient.tolist() == [4.0, 8.0]
    assert gradient.requires_grad
    assert none is None
    assert x.grad is None
    [again] = of_torch.run_backward((y,), seed, False, False, (x,), **kept)
    assert not again.requires_grad
    with pytest.raises(RuntimeError, match="second time"):
        of_torch.run_backward((y,), seed, False, False, (x,), **kept)


def test_cross_entropy() -> None:
    logits, labels = torch.tensor([[0.5, 1.0, -2.0], [0.0, 3.0, 1.0]]), torch.tensor([2, 1])
    found = of_torch.cross_entropy(logits, labels, None, 0, -(2**62))
    torch.testing.assert_close(
        found, torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    )


def test_fused_adam() -> None:
    value, slope = [1.0, 2.0], [0.5, -0.25]
    parameter = torch.nn.Parameter(torch.tensor(value))
    parameter.grad = torch.tensor(slope)
    torch.optim.Adam([parameter], lr=0.1).step()
    new, first, second = torch.tensor(value), torch.zeros(2), torch.zeros(2)
    of_torch.fused_adam(
        [new], [torch.tensor(slope)], [first], [second], [], [torch.tensor(1.0)],
        lr=0.1, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
    )  # fmt: skip
    torch.testing.assert_close(new, parameter.detach())
    torch.testing.assert_close(first, torch.tensor(slope) * 0.1)


def test_below_autograd() -> None:
    x = torch.ones(3, requires_grad=True)
    with of_torch.below_autograd():
        y = x * 2.0
        view = y[1:]
    assert not y.requires_grad
    view.add_(1.0)
    assert y.tolist() == [2.0, 3.0, 3.0]
    assert y._version == 1
    assert (y * x).requires_grad


def test_product_by_onednn() -> None:
    x, kernel = torch.randn(2, 3, 5), torch.randn(5, 4)
    for bias in (None, torch.randn(4)):
        found = of_torch.product_by_onednn(x, kernel.t(), bias)
        torch.testing.assert_close(found, x @ kernel + (0.0 if bias is None else bias))


@pytest.mark.parametrize("bias", [None, torch.ones(300)])
def test_product_by_onednn_in_the_precision_that_was_asked_for(bias: torch.Tensor | None) -> None:
    x, kernel = torch.randn(64, 300), torch.randn(300, 300)
    exact = x.double() @ kernel.double() + (0.0 if bias is None else 1.0)

    def error() -> float:
        found = of_torch.product_by_onednn(x, kernel.t(), bias)
        assert found.dtype is torch.float32
        return float((found - exact).abs().max())

    def error_of_torch() -> float:
        return float((x @ kernel + (0.0 if bias is None else bias) - exact).abs().max())

    assert error() < 1e-3
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        # Not every processor has products of bfloat16, and torch leaves some that have alone.
        assert error() < 2.0
        assert error() > 1e-2 or error_of_torch() < 1e-3
    finally:
        torch.set_float32_matmul_precision(before)
    assert error() < 1e-3


def test_are_whole_and_alone() -> None:
    held: list[object] = []

    def told(hold: Callable[[torch.Tensor], object], x: torch.Tensor | None = None) -> bool:
        x = torch.zeros(3) if x is None else x
        held.append(hold(x))
        [found] = of_torch.are_whole_and_alone([x])
        return found

    assert told(lambda x: None)
    for hold in (
        lambda x: x[1:], lambda x: x.detach(), lambda x: x.data, lambda x: x.untyped_storage(),
        lambda x: (x.detach().requires_grad_() ** 2).sum(), torch.utils.dlpack.to_dlpack,
    ):  # fmt: skip
        assert not told(hold)
    array = np.zeros(3, "float32")
    assert not told(lambda x: None, torch.from_numpy(array))
    assert not told(lambda x: None, torch.zeros(3, 2).T)
    assert not told(lambda x: None, torch.zeros(3)[1:])


def test_log_softmax() -> None:
    x = torch.tensor([[0.5, 1.0, -2.0]])
    torch.testing.assert_close(of_torch.log_softmax(x, 1, False), torch.log_softmax(x, 1))


def test_log_softmax_backward() -> None:
    x = torch.tensor([[0.5, 1.0, -2.0]], requires_grad=True)
    out, seed = torch.log_softmax(x, 1), torch.tensor([[1.0, 2.0, 3.0]])
    [expected] = torch.autograd.grad(out, x, seed)
    found = of_torch.log_softmax_backward(seed, out.detach(), 1, torch.float32)
    torch.testing.assert_close(found, expected)


def test_are_transforms_active() -> None:
    seen = []

    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append(of_torch.are_transforms_active())
        return x

    torch.func.vmap(look)(torch.zeros(2))
    look(torch.zeros(2))
    assert seen == [True, False]


def test_is_wrapped_by_transform() -> None:
    seen = []

    def look(x: torch.Tensor) -> torch.Tensor:
        seen.append(of_torch.is_wrapped_by_transform(x))
        return x

    torch.func.vmap(look)(torch.zeros(2))
    torch.func.grad(lambda x: look(x).sum())(torch.zeros(2))
    look(torch.zeros(2))
    assert seen == [True, True, False]


def test_primal_of() -> None:
    """A batch of dual numbers, whose tangents go, and a number of the outer level, which stays."""
    of_torch.load_forward_derivatives()
    seen = []

    def look(x: torch.Tensor) -> torch.Tensor:
        primal = of_torch.primal_of(x * x)
        seen.append(torch.autograd.forward_ad.unpack_dual(x * x, level=0).tangent is not None)
        return primal * x

    def tangent(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.func.jvp(look, (x,), (t,))[1]

    x = torch.tensor([2.0, 3.0])
    assert tangent(x, torch.ones(2)).tolist() == [4.0, 9.0]
    assert seen == [True]
    batch = torch.func.jvp(
        torch.func.vmap(lambda x: of_torch.primal_of(x * x) * x), (x,), (torch.ones(2),)
    )
    assert batch[1].tolist() == [4.0, 9.0]


def _in_a_trace(look: object) -> list[object]:
    seen = []

    def traced(x: torch.Tensor) -> torch.Tensor:
        seen.append(look())  # type: ignore[operator]
        return x + 1.0

    of_torch.make_fx(traced, tracing_mode="fake", _allow_non_fake_inputs=True)(torch.zeros(2))
    return seen


def test_dispatch_modes() -> None:
    assert of_torch.dispatch_modes() == 0
    [inside] = _in_a_trace(of_torch.dispatch_modes)
    assert inside > 0  # type: ignore[operator]


def test_current_dispatch_mode() -> None:
    assert of_torch.current_dispatch_mode() is None
    [inside] = _in_a_trace(of_torch.current_dispatch_mode)
    assert inside is not None


def test_get_proxy_mode() -> None:
    assert of_torch.get_proxy_mode() is None
    [inside] = _in_a_trace(of_torch.get_proxy_mode)
    assert inside is not None


def test_disable_current_modes() -> None:
    def make() -> float:
        with of_torch.disable_current_modes():
            made = torch.ones(2)
            assert type(made) is torch.Tensor
            return float(made.sum())

    assert _in_a_trace(make) == [2.0]


def test_disable_proxy_modes() -> None:
    def f(x: torch.Tensor) -> torch.Tensor:
        with of_torch.disable_proxy_modes():
            made = torch.empty(3)
            assert type(made) is of_torch.FakeTensor
        return x + 1

    graph = of_torch.make_fx(f, tracing_mode="fake")(torch.ones(2)).graph
    assert [node.op for node in graph.nodes] == ["placeholder", "call_function", "output"]


def test_make_fx() -> None:
    outside = torch.tensor([3.0, 4.0])
    traced = of_torch.make_fx(
        lambda x: [x * outside], tracing_mode="fake", _allow_non_fake_inputs=True
    )(torch.zeros(2))
    assert traced(torch.tensor([1.0, 2.0]))[0].tolist() == [3.0, 8.0]
    assert traced.graph.find_nodes(op="placeholder")


def test_fake_tensor_log() -> None:
    assert of_torch.FAKE_TENSOR_LOG in logging.root.manager.loggerDict


def test_compile_fx() -> None:
    """Only that it is there and takes a graph and examples: compiling takes tens of seconds."""
    from inspect import signature

    from torch._inductor.compile_fx import compile_fx

    assert [*signature(compile_fx).parameters][:2] == ["model_", "example_inputs_"]


def test_let_constants_in() -> None:
    mode = importlib.import_module("torch._subclasses.fake_tensor").FakeTensorMode()
    of_torch.let_constants_in()  # No trace runs: nothing happens.
    with mode:
        of_torch.let_constants_in()
        x = torch.ones(2)
    assert mode.allow_non_fake_inputs
    with mode:
        assert (x * torch.nn.Parameter(torch.ones(2))).shape == (2,)


def test_nonstrict_trace() -> None:
    seen = []

    def opaque(x: object) -> object:
        seen.append(type(x).__name__)
        return x

    def inlined(x: object) -> object:
        return of_torch.nonstrict_trace(opaque)(x)

    found = torch.compile(inlined, fullgraph=True, backend="aot_eager")(torch.ones(2))
    assert found.tolist() == [1.0, 1.0]
    assert "FakeTensor" in seen


def test_load_forward_derivatives() -> None:
    of_torch.load_forward_derivatives()
    forward = importlib.import_module("torch.autograd.forward_ad")
    with forward.dual_level():
        x = forward.make_dual(torch.ones(2), torch.ones(2))
        assert forward.unpack_dual(x * 3).tangent.tolist() == [3.0, 3.0]
