"""Loops and branches: Python's, around the calls that a body was lowered to.

While ``make_fx`` captures a program that will be run as it is, a loop or a branch goes into it as a
single call, with results of known shapes: it is not unrolled.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import torch

from unigrad.core.registry import load_backend
from unigrad_torch.bridge import by_rule, followed
from unigrad_torch.compiler import runs_as_captured
from unigrad_torch.private import (
    are_transforms_active,
    disable_proxy_modes,
    get_proxy_mode,
    is_batched,
    track_tensor_tree,
    value_of,
)

Kernel = Callable[..., Any]


def _scan(
    *natives: Any, body: Any, carries: int, rows: int, length: int, reverse: bool, **_: Any
) -> tuple[Any, ...]:
    step = body.on(load_backend("torch"))
    carry = natives[:carries]
    columns = [x.unbind(0) for x in natives[carries : carries + rows]]
    constants = natives[carries + rows :]
    turns = zip(*columns, strict=True) if rows else iter([()] * length)
    if reverse and rows:
        turns = zip(*[reversed(column) for column in columns], strict=True)
    places = range(length - 1, -1, -1) if reverse else range(length)
    results: list[Any] = [()] * length
    buffers: list[Any] = []
    for i, row in zip(places, turns, strict=True):
        found = step(*carry, *row, *constants)
        carry, after = found[:carries], found[carries:]
        if not buffers:
            buffers = [_buffer(one, length) for one in after]
        for j, buffer in enumerate(buffers):
            if buffer is not None:
                buffer[i] = after[j]
                after[j] = None
        results[i] = after
    stacked = [
        torch.stack([one[j] for one in results]) if buffer is None else buffer
        for j, buffer in enumerate(buffers)
    ]
    return (*carry, *stacked)


#: Results of more elements are put into their place while they are in the cache.
_LARGE = 2**15


def _buffer(result: Any, length: int) -> Any:
    """Return where results like one go, or ``None`` where they are few, or followed by torch."""
    if result.numel() < _LARGE or are_transforms_active() or get_proxy_mode() is not None:
        return None
    if torch.is_grad_enabled() and result.requires_grad:
        return None
    return result.new_empty((length, *result.shape))


def _while_loop(
    *natives: Any, condition: Any, body: Any, carries: int, conditions: int, max_steps: int | None
) -> tuple[Any, ...]:
    backend = load_backend("torch")
    goes_on, step = condition.on(backend), body.on(backend)
    carry, asked = natives[:carries], natives[carries : carries + conditions]
    constants = natives[carries + conditions :]
    for _ in count() if max_steps is None else range(max_steps):
        runs = goes_on(*carry, *asked)[0]
        if are_transforms_active() and is_batched(runs):
            # Each example of torch.func.vmap ends for itself: those that have stay as they are.
            if not value_of(runs).any():
                break
            after = step(*carry, *constants)
            pairs = zip(after, carry, strict=True)
            carry = tuple([torch.where(runs, new, old) for new, old in pairs])
        elif runs:
            carry = step(*carry, *constants)
        else:
            break
    return tuple(carry)


def _cond(index: Any, *operands: Any, **branches: Any) -> tuple[Any, ...]:
    backend = load_backend("torch")
    if are_transforms_active() and is_batched(index):
        # Each example of torch.func.vmap chooses for itself: all branches are run.
        found, *others = (
            branches[f"branch{i}"].on(backend)(*operands) for i in range(len(branches))
        )
        for i, other in enumerate(others, 1):
            pairs = zip(found, other, strict=True)
            found = [torch.where(index == i, new, old) for old, new in pairs]
        return tuple(found)
    return tuple(branches[f"branch{int(index)}"].on(backend)(*operands))


def _whole(name: str, kernel: Kernel, shapes: Callable[..., list[tuple[int, ...]]]) -> Kernel:
    """Return a kernel that a captured program calls as it is.

    Args:
        name: the op's.
        kernel: runs it.
        shapes: gives the shape and the dtype of each result from the settings.
    """

    def run(*natives: Any, **settings: Any) -> Any:
        mode = get_proxy_mode()
        if mode is None or not runs_as_captured.get():
            # Inductor looks into everything: for it the steps are written out.
            return kernel(*natives, **settings)
        tracer = mode.tracer

        def call(*tensors: Any) -> Any:
            return [
                one.clone() if any(one is x for x in tensors) else one
                for one in kernel(*tensors, **settings)
            ]

        call.__name__, call.__module__ = name, __name__
        given = [tracer.unwrap_proxy(x) for x in natives]
        with disable_proxy_modes():
            device = natives[0].device
            found = [
                torch.empty(shape, dtype=dtype, device=device)
                for shape, dtype in shapes(**settings)
            ]
        proxy = tracer.create_proxy("call_function", call, tuple(given), {}, name=name)
        return tuple(track_tensor_tree(found, proxy, constant=None, tracer=tracer))

    return run


def _like(values: Any, *before: int) -> list[Any]:
    backend = load_backend("torch")
    return [((*before, *one.shape), backend.native_dtype(one.dtype)) for one in values]


def _shapes_of_scan(body: Any, carries: int, length: int, **_: Any) -> list[Any]:
    return _like(body.outputs[:carries]) + _like(body.outputs[carries:], length)


_while = _whole("while_loop", _while_loop, lambda body, **_: _like(body.outputs))
_while_by_rule = by_rule("while_loop", _while)


def _either_while(*natives: Any, max_steps: int | None, **settings: Any) -> Any:
    # The rule has no reverse mode. torch's own follows the steps, where their number has a bound.
    bounded = max_steps is not None and followed(*natives)
    return (_while if bounded else _while_by_rule)(*natives, max_steps=max_steps, **settings)


TABLE = {
    "scan": by_rule("scan", _whole("scan", _scan, _shapes_of_scan)),
    "while_loop": _either_while,
    "cond": by_rule("cond", _whole("cond", _cond, lambda branch0, **_: _like(branch0.outputs))),
    "unbounded": by_rule("unbounded", lambda x, *sources: x.clone()),
}
