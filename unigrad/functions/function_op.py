"""An op made of a Python function and a derivative that is not the function's own.

`custom_vjp`, `custom_jvp`, `custom_gradient` and `checkpoint` are made of it. Whoever records sees
one op with a rule; the function runs inside of it, unseen. A library's own autograd gets the rule
by the backend's bridge (`Backend.differentiable`), `vmap` maps the function and the rule, and a
capture notes it as one node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.rules.registry import Rule, of_gradients
from unigrad.batching.registry import Batch
from unigrad.batching.vmap import vmap
from unigrad.core import recorders
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.errors import NotDifferentiableError, TracingError
from unigrad.core.native_tape import Kernel
from unigrad.core.op import OPS, Op
from unigrad.core.tensor import Tensor
from unigrad.functions.closures import unseen
from unigrad.functions.through import filled

#: ``pullback(cotangents, outputs, inputs)``: a cotangent per input. ``None`` is zero, in or out.
Pullback: TypeAlias = Callable[[Sequence[Any], Sequence[Tensor], Sequence[Tensor]], Sequence[Any]]
#: ``pushforward(tangents, outputs, inputs)``: a tangent per output. ``None`` is zero, in or out.
Pushforward: TypeAlias = Callable[
    [Sequence[Any], Sequence[Tensor], Sequence[Tensor]], Sequence[Any]
]


class FunctionRule(Rule):
    """The derivative of a function of several results, in either mode or both."""

    __slots__ = ("name", "pullback", "pushforward")

    def __init__(
        self,
        name: str,
        pullback: Pullback | None,
        pushforward: Pushforward | None,
        transposed: bool = True,
    ) -> None:
        super().__init__()
        self.transposed = transposed
        self.symbolic = True
        self.name = name
        self.pullback = pullback
        self.pushforward = pushforward
        self.jvp = None if pushforward is None else self._tangents

    @of_gradients
    def cotangents(
        self,
        positions: Sequence[int],
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
    ) -> Sequence[Tensor]:
        if self.pullback is None:
            raise NotDifferentiableError(f"{self.name} has no reverse-mode derivative")
        with recorders.by_rules():
            found = self.pullback(g, out, inputs)
        return [zeros_like(inputs[i]) if found[i] is None else found[i] for i in positions]

    def vjp(
        self, position: int, g: Any, out: Any, inputs: Sequence[Any], settings: Mapping[str, Any]
    ) -> Tensor:
        found: Tensor = self.cotangents([position], g, out, inputs, settings)[0]
        return found

    def _tangents(self, tangents: Sequence[Any], out: Any, *inputs: Any) -> Any:
        assert self.pushforward is not None
        with recorders.by_rules():
            return tuple(self.pushforward(tangents, out, inputs))


class FunctionOp(Op):
    """A function of Tensors that returns a tuple of them, with a derivative of its own.

    Args:
        name: for messages and graphs.
        function: must not depend on tensors that it is not given, but for constants.
        pullback: the reverse-mode derivative.
        pushforward: the forward-mode derivative.
        transposed: each is the other's transpose.
        kernel: the same function of native arrays, where there is one that no recorder could hear
            anything of.
    """

    __slots__ = ()

    def __init__(
        self,
        name: str,
        function: Callable[..., Sequence[Tensor]],
        pullback: Pullback | None,
        pushforward: Pushforward | None = None,
        transposed: bool = True,
        kernel: Kernel | None = None,
    ) -> None:
        # No name of a declared op: kernels, passes and fusions go by these.
        super().__init__(f"<{name}>", function)
        self.kernels = _FunctionKernels(self, kernel)
        self.rule = FunctionRule(name, pullback, pushforward, transposed)
        self.batching = _batched
        self.opaque = True


class _FunctionKernels(dict[Backend, Kernel | None]):
    """The kernels of a function: the function itself, on native arrays."""

    def __init__(self, op: FunctionOp, plain: Kernel | None) -> None:
        self.op = op
        self.plain = plain

    def __missing__(self, backend: Backend) -> Kernel | None:
        op = self.op
        if backend.depth:
            return backend.kernel(op)
        plain = self.plain or _on_natives(op, backend)
        kernel = backend.differentiable(plain, lambda: op.rule)
        self[backend] = kernel
        return kernel


def _on_natives(op: Op, backend: Backend) -> Kernel:
    """Return an op's function on a library's arrays; no recorder sees inside."""
    body = op.body
    assert body is not None

    def run(*natives: Any) -> tuple[Any, ...]:
        # The library's own tapes may be told to look away meanwhile.
        with unseen(op.name), recorders.by_rules():
            found = [as_tensor(one) for one in body(*[wrap(backend, x) for x in natives])]
        results = []
        for one in found:
            if one.backend is not backend:
                raise TracingError(
                    f"{op.name}: the function uses a value of ug.vmap, or of a function being "
                    "traced, from outside; give it as an argument"
                )
            results.append(one._native)
        return tuple(results)

    return run


def _batched(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Map the function, and its derivative, over the examples."""
    op = batch.op
    rule: FunctionRule = op.rule
    body = op.body
    assert body is not None
    axes = tuple([0 if has else None for has in batch.axes])
    pullback = pushforward = None
    if rule.pullback is not None:

        def pullback(cotangents: Any, outputs: Any, inputs: Any) -> Any:
            def of_one(cotangents: Any, outputs: Any, inputs: Any) -> Any:
                every = range(len(axes))
                return tuple(rule.cotangents(every, cotangents, outputs, inputs, {}))

            given = tuple(filled(cotangents, outputs))
            found = vmap(of_one, (0, 0, axes))(given, tuple(outputs), tuple(inputs))
            return [
                one if has else OPS["sum"](one, axis=(0,), keepdims=False)
                for one, has in zip(found, batch.axes, strict=True)
            ]

    if rule.pushforward is not None:
        forward = rule.pushforward

        def pushforward(tangents: Any, outputs: Any, inputs: Any) -> Any:
            given = tuple(
                [zeros_like(x) if t is None else t for t, x in zip(tangents, inputs, strict=True)]
            )
            mapped = vmap(lambda t, o, x: tuple(forward(t, o, x)), (axes, 0, axes))
            return mapped(given, tuple(outputs), tuple(inputs))

    function = vmap(lambda *x: tuple(body(*x)), axes)
    mapped = FunctionOp(op.name, function, pullback, pushforward, rule.transposed)
    return mapped(*inputs)
