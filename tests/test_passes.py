"""Passes over graphs, and lowering: the same numbers before and after, with less to do."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.tracing import passes
from unigrad.tracing.capture import capture
from unigrad.tracing.graph import Graph, Node, Value, evaluate
from unigrad.tracing.lowering import lower
from unigrad.tracing.straight import prepared
from unigrad_conformance.fuzz.program import make_program

#: With the current backend, where a pass asks for one.
PASSES: dict[str, Callable[[Graph], Graph]] = {
    "dead code": passes.dead_code,
    "common subexpressions": passes.common_subexpressions,
    "constant folding": passes.fold_constants,
    "pairs": passes.cancel_pairs,
    "fills": lambda graph: passes.fold_fills(graph, load_backend(ug.get_backend())),
    "composites": lambda graph: passes.inline_composites(graph, load_backend(ug.get_backend())),
    "all": passes.simplified,
    "prepared": lambda graph: prepared(graph, load_backend(ug.get_backend())),
}


def _graph(function: Callable[..., Any], *inputs: ug.Tensor) -> Graph:
    return capture(function, inputs)[0]


def _names(graph: Graph) -> list[str]:
    return [node.op.name for node in graph.nodes]


def _random_graph(seed: int) -> tuple[Graph, list[ug.Tensor]]:
    """Return the graph of a random program and its gradient."""
    generator = np.random.default_rng(seed)
    program = make_program(lambda n: int(generator.integers(n)))
    inputs = [ug.asarray(one) for one in program.inputs]

    def total(*xs: ug.Tensor) -> ug.Tensor:
        return sum((ug.sum(ug.sin(y)) for y in program.run(*xs)), ug.asarray(0.0))

    def run(*xs: ug.Tensor) -> Any:
        return program.run(*xs), ug.grad(total, argnums=(0, 1))(*xs)

    return _graph(run, *inputs), inputs


def _arrays(tensors: Sequence[ug.Tensor]) -> list[Any]:
    return [one.numpy() for one in tensors]


@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
@pytest.mark.parametrize("name", PASSES)
def test_random_programs_before_and_after(backend: str, name: str) -> None:
    for seed in range(100, 106):
        graph, inputs = _random_graph(seed)
        before = _arrays(evaluate(graph, inputs))
        passed = PASSES[name](graph)
        assert passed.inputs == graph.inputs
        for one, other in zip(_arrays(evaluate(passed, inputs)), before, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, 1e-12, 1e-12)


@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
def test_lowered_random_programs(backend: str) -> None:
    here = load_backend(backend)
    for seed in range(200, 212):
        graph, inputs = _random_graph(seed)
        before = _arrays(evaluate(graph, inputs))
        run, _ = lower(prepared(graph, here), here)
        natives = [one.native for one in inputs]
        for _ in range(3):
            found = run(*natives)
            for one, other in zip(found, before, strict=True):
                np.testing.assert_allclose(here.to_numpy(one), other, 1e-12, 1e-12)


def test_dead_code_goes() -> None:
    graph = _graph(lambda x: [y := ug.exp(x), ug.sin(y) * 2.0][0], ug.asarray([1.0]))
    assert _names(graph) == ["exp", "sin", "multiply"]
    assert _names(passes.dead_code(graph)) == ["exp"]


def test_the_same_is_computed_once_and_signs_of_zeros_are_told_apart() -> None:
    def f(x: ug.Tensor) -> Any:
        many = [
            ug.exp(x),
            ug.exp(x),
            x + 0.0,
            x - 0.0,
            x + 1.0,
            x * 1.5,
            x * 1.5,
            x.sum(0),
            x.sum(1),
        ]
        return [*many, ug.full_like(x, 0.0), ug.full_like(x, -0.0), ug.full_like(x, 0.0)]

    graph = passes.common_subexpressions(_graph(f, ug.ones((2, 2))))
    assert _names(graph) == [
        "exp", "add", "subtract", "add", "multiply", "sum", "sum", "full_like", "full_like",
    ]  # fmt: skip
    one, other, again = graph.outputs[-3:]
    assert one is again
    assert one is not other


def test_equal_constants_are_one_constant() -> None:
    def f(x: ug.Tensor) -> Any:
        return [x + ug.asarray([1.0, 2.0]), x + ug.asarray([1.0, 2.0]), x + ug.asarray([-0.0, 0.0])]

    graph = passes.common_subexpressions(_graph(f, ug.ones((2,))))
    assert _names(graph) == ["add", "add"]


def test_constants_are_folded_and_variables_are_not() -> None:
    c, v = ug.asarray([1.0, 2.0]), ug.Variable([3.0, 4.0])
    tensors = (ug.ones((2,)),)
    graph = capture(lambda x: x * ug.sum(ug.exp(c)) + ug.exp(v), tensors, variables=True)[0]
    # What is made of constants alone runs outside of the capture; by a lifted one it is noted.
    folded = passes.fold_constants(graph)
    assert _names(folded).count("exp") == 1
    v.assign([5.0, 6.0])
    found = evaluate(passes.simplified(graph), list(tensors))[0]
    np.testing.assert_allclose(found.numpy(), np.sum(np.exp([1.0, 2.0])) + np.exp([5.0, 6.0]), 1e-5)


def test_what_folds_raises_when_it_runs_only() -> None:
    index, table = ug.asarray([7]), ug.asarray([1.0, 2.0])
    graph = _graph(lambda x: x * ug.ones((1,)), ug.ones((1,)))
    (node,) = graph.nodes
    one, other, out = Value((2,), table.dtype), Value((1,), index.dtype), Value((1,), table.dtype)
    read = Node(OPS["take"], (one, other), {"axis": 0}, (out,))
    whole = replace(graph, nodes=(read, node), constants={one: table, other: index})
    assert passes.fold_constants(whole).nodes == whole.nodes


@pytest.mark.parametrize(
    ("function", "left"),
    [
        (lambda x: x.reshape((6,)).reshape((3, 2)), ["reshape"]),
        (lambda x: x.reshape((6,)).reshape((2, 3)), []),
        (lambda x: ug.permute_dims(ug.permute_dims(x, (1, 0)), (1, 0)), []),
        (lambda x: ug.negative(ug.negative(x)), []),
        (lambda x: ug.logical_not(ug.logical_not(x > 0.0)), ["greater"]),
        (lambda x: x * 1.0, []),
        (lambda x: x + 0.0, ["add"]),
        (lambda x: ug.sum(ug.broadcast_to(x, (4, 2, 3)), axis=0), ["multiply"]),
        (lambda x: ug.sum(ug.broadcast_to(x, (4, 2, 3)), axis=1), ["broadcast_to", "sum"]),
        (lambda x: ug.broadcast_to(ug.broadcast_to(x, (2, 2, 3)), (2, 2, 2, 3)), ["broadcast_to"]),
    ],
)
def test_pairs_cancel(function: Callable[[ug.Tensor], ug.Tensor], left: list[str]) -> None:
    x = ug.asarray(np.linspace(-1.0, 2.0, 6).reshape(2, 3))
    graph = _graph(function, x)
    passed = passes.simplified(graph)
    assert _names(passed) == left
    np.testing.assert_allclose(evaluate(passed, [x])[0].numpy(), function(x).numpy(), 1e-15)


def test_derivatives_go_through_what_is_simplified(backend: str) -> None:
    def f(x: ug.Tensor) -> ug.Tensor:
        y = ug.permute_dims(ug.permute_dims(x, (1, 0)), (1, 0)) * 1.0
        return ug.sum(ug.sin(ug.stop_gradient(y)) * y + ug.sin(y))

    x = ug.asarray([[0.1, 0.2], [0.3, 0.4]])
    graph = passes.simplified(_graph(f, x))
    found = ug.grad(lambda x: evaluate(graph, [x])[0])(x)
    np.testing.assert_allclose(found.numpy(), ug.grad(f)(x).numpy(), 1e-6)


def test_composites_without_a_kernel_are_inlined(backend: str) -> None:
    here = load_backend(backend)
    x = ug.asarray([[0.3, -0.2], [0.1, 2.0]])
    composites = [
        lambda x: ug.logsumexp(x, axis=1),
        lambda x: ug.std(x, axis=0),
        lambda x: ug.gelu(x),
        lambda x: ug.elu(x, 0.7),
        lambda x: ug.var(x),
    ]
    for f in composites:
        graph = passes.inline_composites(_graph(f, x), here)
        assert all(here.kernel(node.op) is not None for node in graph.nodes)
        np.testing.assert_allclose(evaluate(graph, [x])[0].numpy(), f(x).numpy(), 1e-5)
