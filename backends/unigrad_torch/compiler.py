"""`ug.jit` on torch: forward, backward and update captured as one graph by ``make_fx``.

The captured graph is cleaned of the bookkeeping that autograd leaves behind and then either run
as straight-line Python (``options={"torch": {"compiler": "graph"}}``) or compiled by Inductor
(``"inductor"``: tens of seconds, then usually faster). The default, ``"straight"``, is none of
them, but unigrad's own program: see `TorchBackend.trace`.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from typing import Any

import torch
from torch.fx import GraphModule, Node

from unigrad.core.backend import Lift
from unigrad.core.programs import Program
from unigrad_torch.private import (
    FAKE_TENSOR_LOG,
    compile_fx,
    disable_current_modes,
    get_proxy_mode,
    is_zero,
    log_softmax,
    log_softmax_backward,
    make_fx,
    track_tensor_tree,
)

_aten = torch.ops.aten
#: Ops that only concern autograd or aliasing: inside a pure program they are the identity.
_IDENTITIES = {_aten.detach.default, _aten.alias.default, _aten.lift_fresh_copy.default}


#: The Python functions that are the same as the ops of a captured graph, and quicker to call: they
#: parse their arguments in C.
_PYTHON = {
    _aten._log_softmax.default: log_softmax,
    _aten._log_softmax_backward_data.default: log_softmax_backward,
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


#: The modes of traces that are over: what was made in them has no value, and none to come.
finished: weakref.WeakSet[Any] = weakref.WeakSet()


class TorchProgram(Program):
    """A graph."""

    def __init__(self, module: GraphModule, examples: Sequence[Any], compiler: str) -> None:
        self._module = module
        self._examples = examples
        self._compiler = compiler

    def show(self) -> str:
        return self._module.code

    def compile(self) -> Callable[..., Sequence[Any]]:
        if self._compiler == "inductor":
            compiled: Callable[..., Sequence[Any]] = torch.no_grad()(
                compile_fx(self._module, self._examples)
            )
            return compiled
        for node in self._module.graph.nodes:
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

    Option ``compiler``: "graph" or "inductor".
    """
    compiler = options["compiler"]
    # Inputs are told apart by their identity: each must have its own.
    examples = [native.detach() for native in examples]
    lifted: list[Any] = []
    modes: list[Any] = []

    def run(first: Any, *natives: Any) -> list[Any]:
        modes.append(first.fake_mode)
        return list(function(_lift_beside(first, lifted), *natives))

    token = runs_as_captured.set(compiler == "graph")
    try:
        with _nothing_logged_twice():
            module = make_fx(
                run,
                tracing_mode="fake",
                # Tensors that the function closes over are constants of the program.
                _allow_non_fake_inputs=True,
            )(_NOTHING, *examples)
    finally:
        runs_as_captured.reset(token)
        finished.update(modes)
    _inputs_first(module)
    places = [one.device for one in (*examples, *lifted)]
    _clean(module, places[0] if places else torch.device("cpu"))
    return TorchProgram(module, [*examples, *lifted], compiler)


#: The example of an input that is there for its stand-in, which knows the mode it was made in.
_NOTHING = torch.empty(0, device="cpu")


def _lift_beside(first: Any, lifted: list[Any]) -> Lift:
    """Return a function that gives the graph one more input; it keeps the examples."""
    mode = get_proxy_mode()
    assert mode is not None
    tracer = mode.tracer

    def lift(native: Any) -> Any:
        with disable_current_modes():
            stand_in = first.fake_mode.from_tensor(native.detach())
        proxy = tracer.create_proxy("placeholder", f"lifted_{len(lifted)}", (), {})
        lifted.append(native)
        return track_tensor_tree(stand_in, proxy, constant=None, tracer=tracer)

    return lift


def _inputs_first(module: GraphModule) -> None:
    """Drop the first placeholder and put those made on the way behind the others, in order."""
    graph = module.graph
    first, *others = graph.find_nodes(op="placeholder", sort=True)
    place = first
    for node in others:
        place.append(node)
        place = node
    graph.erase_node(first)


@contextmanager
def _nothing_logged_twice() -> Iterator[None]:
    """Keep torch from logging the traceback of an op that fails in this thread: it is raised."""
    thread = get_ident()

    def is_news(record: logging.LogRecord) -> bool:
        return record.exc_info is None or get_ident() != thread

    log = logging.getLogger(FAKE_TENSOR_LOG)
    log.addFilter(is_news)
    try:
        yield
    finally:
        log.removeFilter(is_news)


def _clean(module: GraphModule, device: torch.device) -> None:
    """Remove bookkeeping and dead code; constants without memory get some on a device."""
    graph = module.graph
    for node in list(graph.nodes):
        if node.op == "call_function" and node.target in _IDENTITIES:
            source = node.args[0]
            assert isinstance(source, Node)
            node.replace_all_uses_with(source)
            graph.erase_node(node)
        elif node.op == "get_attr":
            constant = getattr(module, str(node.target))
            if is_zero(constant):
                # A zero of autograd's that has no memory; while tracing it has no device either.
                filled = torch.zeros(constant.shape, dtype=constant.dtype, device=device)
                setattr(module, str(node.target), filled)
    graph.eliminate_dead_code()
    graph.lint()
    module.recompile()
