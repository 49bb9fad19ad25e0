"""`ug.jit` on torch: forward, backward and update captured as one graph by ``make_fx``.

The captured graph is cleaned of the bookkeeping that autograd leaves behind and then either run
as straight-line Python (the default: it costs a tenth of a second to make) or compiled by
Inductor (``options={"torch": {"compiler": "inductor"}}``: tens of seconds, then usually faster).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from typing import Any

import torch
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

from unigrad.core.backend import Program
from unigrad.core.errors import TracingError

_aten = torch.ops.aten
#: Ops that only concern autograd or aliasing: inside a pure program they are the identity.
_IDENTITIES = {_aten.detach.default, _aten.alias.default, _aten.lift_fresh_copy.default}


#: The Python functions that are the same as the ops of a captured graph, and quicker to call: they
#: parse their arguments in C.
_PYTHON = {
    _aten._log_softmax.default: torch._log_softmax,
    _aten._log_softmax_backward_data.default: torch._log_softmax_backward_data,
    _aten.add.Tensor: torch.add,
    _aten.addmm.default: torch.addmm,
    _aten.bmm.default: torch.bmm,
    _aten.cat.default: torch.cat,
    _aten.clone.default: torch.clone,
    _aten.div.Tensor: torch.div,
    _aten.exp.default: torch.exp,
    _aten.expand.default: torch.Tensor.expand,
    _aten.mm.default: torch.mm,
    _aten.mul.Tensor: torch.mul,
    _aten.neg.default: torch.neg,
    _aten.permute.default: torch.permute,
    _aten.relu.default: torch.relu,
    _aten.select.int: torch.select,
    _aten.sigmoid.default: torch.sigmoid,
    _aten.sqrt.default: torch.sqrt,
    _aten.sub.Tensor: torch.sub,
    _aten.sum.dim_IntList: torch.sum,
    _aten.t.default: torch.t,
    _aten.tanh.default: torch.tanh,
    _aten.transpose.int: torch.transpose,
    _aten.unsqueeze.default: torch.unsqueeze,
    _aten.view.default: torch.Tensor.view,
    _aten.where.self: torch.where,
}


def quicker(op: Any, function: Callable[..., Any]) -> None:
    """Say that an op of captured graphs is the same as a Python function."""
    _PYTHON[op] = function


#: True while a graph is captured that will be run as it is: kernels may then use fused ops that a
#: compiler could not look into.
runs_as_captured: ContextVar[bool] = ContextVar("runs_as_captured", default=False)


class TorchProgram(Program):
    """A graph of all possible inputs."""

    def __init__(self, module: GraphModule, examples: Sequence[Any], compiler: str) -> None:
        self._module = module
        self._examples = examples
        self._compiler = compiler

    def compile(self, used: Sequence[int]) -> Callable[..., Sequence[Any]]:
        graph = self._module.graph
        kept = set(used)
        for i, node in enumerate(graph.find_nodes(op="placeholder")):
            if i not in kept:
                graph.erase_node(node)
        self._module.recompile()
        if self._compiler == "inductor":
            from torch._inductor.compile_fx import compile_fx

            examples = [self._examples[i] for i in used]
            compiled: Callable[..., Sequence[Any]] = torch.no_grad()(
                compile_fx(self._module, examples)
            )
            return compiled
        for node in graph.nodes:
            if node.op == "call_function":
                node.target = _PYTHON.get(node.target, node.target)
        self._module.recompile()
        module = self._module.forward

        def run(*natives: Any) -> Sequence[Any]:
            with torch.no_grad():
                outputs: Sequence[Any] = module(*natives)
            return outputs

        return run


def trace(
    function: Callable[..., Sequence[Any]], examples: Sequence[Any], options: Mapping[str, Any]
) -> Program:
    """Capture a function of tensors as one graph, running it once on tensors without values.

    Option ``compiler``: "graph" (default) or "inductor".
    """
    compiler = options.get("compiler", "graph")
    if compiler not in ("graph", "inductor"):
        raise TracingError(f"torch: the compilers are 'graph' and 'inductor', not {compiler!r}")
    # Inputs are told apart by their identity: each must have its own.
    examples = [native.detach() for native in examples]
    token = runs_as_captured.set(compiler == "graph")
    try:
        with _nothing_logged_twice():
            module = make_fx(
                lambda *natives: list(function(*natives)),
                tracing_mode="fake",
                # Tensors that the function closes over are constants of the program.
                _allow_non_fake_inputs=True,
            )(*examples)
    finally:
        runs_as_captured.reset(token)
    _clean(module)
    return TorchProgram(module, examples, compiler)


@contextmanager
def _nothing_logged_twice() -> Iterator[None]:
    """Keep torch from logging the traceback of an op that fails in this thread: it is raised."""
    thread = get_ident()

    def is_news(record: logging.LogRecord) -> bool:
        return record.exc_info is None or get_ident() != thread

    log = logging.getLogger("torch._subclasses.fake_tensor")
    log.addFilter(is_news)
    try:
        yield
    finally:
        log.removeFilter(is_news)


def _clean(module: GraphModule) -> None:
    """Remove bookkeeping and dead code."""
    graph = module.graph
    for node in list(graph.nodes):
        if node.op == "call_function" and node.target in _IDENTITIES:
            source = node.args[0]
            assert isinstance(source, Node)
            node.replace_all_uses_with(source)
            graph.erase_node(node)
    graph.eliminate_dead_code()
    graph.lint()
    module.recompile()
