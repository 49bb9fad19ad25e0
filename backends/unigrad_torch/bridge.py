"""Native kernel, textbook derivative, in torch's manner: an ``autograd.Function`` per call.

For kernels whose own derivative in torch is missing or is not unigrad's. Without anybody who wants
a derivative the kernel runs as it is. Nests to any order (the backward pass is made of ops), in
reverse and forward mode, under ``torch.func`` and ``make_fx``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any

import torch
from torch.autograd import forward_ad

from unigrad.autodiff.bridge import RuleSource, jvp, lent, rule_of, vjp
from unigrad.core.registry import load_backend
from unigrad_torch.private import are_transforms_active, is_followed_below, primal_of

Kernel = Callable[..., Any]
_SCALARS = frozenset((bool, int, float, complex))


@dataclass(frozen=True, eq=False)
class _Call:
    """What is run, and what is no tensor of it. (No named tuple: torch would take that apart.)"""

    kernel: Kernel
    rule: RuleSource
    settings: Mapping[str, Any]
    #: The inputs that are no tensors, by position.
    scalars: Mapping[int, Any]
    #: See `differentiable`.
    pullback: Callable[..., torch.Tensor] | None = None

    def inputs(self, tensors: list[Any]) -> list[Any]:
        """Return the kernel's inputs from its tensors."""
        rest = iter(tensors)
        count = len(tensors) + len(self.scalars)
        return [self.scalars[i] if i in self.scalars else next(rest) for i in range(count)]


class _Bridge(torch.autograd.Function):
    """A kernel with a rule of the textbook for its derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(call: _Call, *tensors: torch.Tensor) -> Any:
        result = call.kernel(*call.inputs([*tensors]), **call.settings)
        if isinstance(result, (tuple, list)):
            return _apart([*map(_in_full, result)], tensors)
        return _in_full(result)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.call, *tensors = inputs
        ctx.multiple = isinstance(output, (tuple, list))
        outputs = [*output] if ctx.multiple else [output]
        ctx.count = len(tensors)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *outputs)
        ctx.save_for_forward(*tensors, *outputs)

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        call, saved = ctx.call, ctx.saved_tensors
        inputs = call.inputs([*saved[: ctx.count]])
        g = cotangents[0]
        if call.pullback is not None and g is not None and not torch.is_grad_enabled():
            return None, call.pullback(g, saved[-1], *inputs, **call.settings)
        wanted = call.inputs([*ctx.needs_input_grad[1:]])
        torch_backend = load_backend("torch")
        with lent(torch_backend):
            found = vjp(
                torch_backend, call.rule(), inputs, saved[ctx.count :],
                # Rules carry conjugates of torch's gradients.
                [conj(one) for one in cotangents],
                [one is True for one in wanted], call.settings, multiple=ctx.multiple,
            )  # fmt: skip
        return None, *[conj(one) for i, one in enumerate(found) if i not in call.scalars]

    @staticmethod
    def jvp(ctx: Any, _: Any, *tangents: Any) -> Any:
        call, saved = ctx.call, ctx.saved_tensors
        given = [
            None if i in call.scalars else one for i, one in enumerate(call.inputs([*tangents]))
        ]
        # torch switches forward mode off here, which outer tangents need: only this level's go.
        with forward_ad._set_fwd_grad_enabled(True):
            still = [primal_of(x) for x in saved]
            found = jvp(
                load_backend("torch"), call.rule(), call.inputs(still[: ctx.count]),
                still[ctx.count :], given, call.settings, multiple=ctx.multiple,
            )  # fmt: skip
        found = [
            t if out.is_floating_point() or out.is_complex() else None
            for t, out in zip(found, saved[ctx.count :], strict=True)
        ]
        return tuple(found) if ctx.multiple else found[0]


# torch asks for it at every call; found anew it costs 20 µs.
_Bridge.forward.__signature__ = signature(_Bridge.forward)  # type: ignore[attr-defined]


class _Alone(_Bridge):
    """The same outside of ``torch.func``, which alone wants a context that is set up apart.

    torch binds arguments to a signature then, which takes 6 µs of the 16 of a call.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: torch.Tensor) -> Any:  # type: ignore[override]
        result = _Bridge.forward(call, *tensors)
        _Bridge.setup_context(ctx, (call, *tensors), result)
        return result

    setup_context = torch.autograd.Function.setup_context


def _in_full(x: Any) -> Any:
    """Return a tensor whose elements have places of their own: torch writes tangents into one like
    it, which an expanded tensor's cannot be."""
    if isinstance(x, torch.Tensor) and 0 in x.stride():
        return x.clone(memory_format=torch.contiguous_format)
    return x


def _apart(results: Sequence[Any], inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Return several results as tensors of their own: a function may return an input, or one twice.

    torch knows a value by its tensor.
    """
    seen = {id(x) for x in inputs}
    apart = []
    for x in results:
        apart.append(x.view_as(x) if id(x) in seen else x)
        seen.add(id(x))
    return tuple(apart)


def conj(x: Any) -> Any:
    """Change between a gradient of torch's and a cotangent of the rules, if it is complex."""
    return torch.conj_physical(x) if x is not None and x.is_complex() else x


def followed(*natives: Any) -> bool:
    """Tell whether torch may be asked for a derivative by one of these tensors."""
    if forward_ad._current_level >= 0:
        return True
    for x in natives:
        if isinstance(x, torch.Tensor) and x.requires_grad:
            return torch.is_grad_enabled()
    return are_transforms_active() and _below(natives)


def _below(natives: Sequence[Any]) -> bool:
    """Tell whether ``torch.func.grad`` stands around the ``torch.func.vmap`` of one of these."""
    return any(isinstance(x, torch.Tensor) and is_followed_below(x) for x in natives)


def differentiable(
    kernel: Kernel, rule: RuleSource, pullback: Callable[..., torch.Tensor] | None = None
) -> Kernel:
    """Return a kernel whose derivative is a rule's.

    Args:
        kernel: takes tensors and Python scalars by position, settings by keyword; returns new
            tensors. Its own graph is not kept.
        rule: gives the rule when a derivative is wanted (`unigrad.autodiff.bridge.rule_of`).
        pullback: gives torch's gradient by the one tensor of a kernel with one result, as
            ``pullback(gradient, result, *inputs, **settings)``: in torch's functions what the rule
            says in ops, used where nobody differentiates the derivative.
    """

    def run(*natives: Any, **settings: Any) -> Any:
        # `followed`, without a call.
        if forward_ad._current_level < 0:
            for x in natives:
                if type(x) not in _SCALARS and x.requires_grad:
                    if torch.is_grad_enabled():
                        break
                    return kernel(*natives, **settings)
            else:
                if not are_transforms_active() or not _below(natives):
                    return kernel(*natives, **settings) if settings else kernel(*natives)
        scalars = {i: x for i, x in enumerate(natives) if not isinstance(x, torch.Tensor)}
        tensors = [x for x in natives if isinstance(x, torch.Tensor)]
        function = _Bridge if are_transforms_active() else _Alone
        return function.apply(_Call(kernel, rule, settings, scalars, pullback), *tensors)

    return run


def bound(kernel: Kernel, bind: Callable[..., Kernel]) -> Callable[..., Kernel]:
    """Return a binder (`Backend.binders`) of a kernel of one tensor made by `differentiable`.

    ``bind`` is a binder of what runs where nobody wants a derivative.
    """

    def bind_both(**settings: Any) -> Kernel:
        plain, bridged = bind(**settings), partial(kernel, **settings)

        def run(x: torch.Tensor) -> Any:
            if x.requires_grad or forward_ad._current_level >= 0 or are_transforms_active():
                return bridged(x)
            return plain(x)

        return run

    return bind_both


def by_rule(
    name: str, kernel: Kernel, pullback: Callable[..., torch.Tensor] | None = None
) -> Kernel:
    """Return an op's kernel with the textbook's derivative of that op; see `differentiable`."""
    return differentiable(kernel, rule_of(name), pullback)
