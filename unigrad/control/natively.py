"""Loops and branches on native arrays, for libraries that bring no kernel: Python's own.

The steps are the calls that a body was lowered to, without any of the front end's work. A library
whose arrays have no values while it traces needs kernels of its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.native_tape import Kernel, Native
from unigrad.core.op import OPS, Op
from unigrad.tracing.graph import Graph


class LoopKernels(dict[Backend, Kernel | None]):
    """The kernels of an op of control flow: a backend's, or the one given here."""

    def __init__(self, op: Op, kernel: Kernel) -> None:
        self._op = op
        self._kernel = kernel

    def __missing__(self, backend: Backend) -> Kernel | None:
        kernel = backend.kernel(self._op)
        if kernel is None and not backend.depth:
            kernel = partial(self._kernel, backend)
        self[backend] = kernel
        return kernel


def scan(
    backend: Backend,
    *natives: Native,
    body: Graph,
    carries: int,
    rows: int,
    length: int,
    reverse: bool,
    **_: Any,
) -> tuple[Native, ...]:
    """Run a body along the first axis of the rows."""
    step = body.on(backend)
    carry, constants = natives[:carries], natives[carries + rows :]
    columns = [OPS["unstack"](wrap(backend, x), axis=0) for x in natives[carries:][:rows]]
    results: list[Any] = [()] * length
    for i in range(length - 1, -1, -1) if reverse else range(length):
        found = step(*carry, *[column[i]._native for column in columns], *constants)
        carry, results[i] = tuple(found[:carries]), found[carries:]
    stacked = [
        OPS["stack"](*[wrap(backend, x) for x in column], axis=0)._native
        for column in zip(*results, strict=True)
    ]
    return (*carry, *stacked)


def while_loop(
    backend: Backend,
    *natives: Native,
    condition: Graph,
    body: Graph,
    carries: int,
    conditions: int,
    max_steps: int | None,
) -> tuple[Native, ...]:
    """Run a body while a condition holds."""
    goes_on, step = condition.on(backend), body.on(backend)
    carry, asked = natives[:carries], natives[carries : carries + conditions]
    constants = natives[carries + conditions :]
    steps = 0
    while (max_steps is None or steps < max_steps) and goes_on(*carry, *asked)[0]:
        carry = tuple(step(*carry, *constants))
        steps += 1
    return carry


def cond(
    backend: Backend, index: Native, *operands: Native, **branches: Graph
) -> tuple[Native, ...]:
    """Run one of several bodies."""
    return tuple(branches[f"branch{int(index)}"].on(backend)(*operands))
