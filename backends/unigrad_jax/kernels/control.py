"""Loops and branches: those of ``jax.lax``, around the calls that a body was lowered to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from unigrad.core import recorders
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_jax.loops import steps
from unigrad_jax.pullback import not_jitted

# They compile their own bodies; a program per body would be kept long after its last use.
not_jitted("scan", "while_loop", "cond")


def _scan(
    *natives: Any,
    body: Any,
    carries: int,
    rows: int,
    length: int,
    reverse: bool,
    unroll: int,
    **_: Any,
) -> tuple[Any, ...]:
    step = body.on(load_backend("jax"))
    constants = natives[carries + rows :]

    def run(carry: Any, row: Any) -> Any:
        found = step(*carry, *row, *constants)
        return _strong(found[:carries]), tuple(found[carries:])

    last, stacked = jax.lax.scan(
        run,
        _strong(natives[:carries]),
        tuple(natives[carries : carries + rows]),
        length=length,
        reverse=reverse,
        unroll=unroll,
    )
    return (*last, *stacked)


def _while_loop(
    *natives: Any, condition: Any, body: Any, carries: int, conditions: int, max_steps: int | None
) -> tuple[Any, ...]:
    backend = load_backend("jax")
    goes_on, step = condition.on(backend), body.on(backend)
    asked = natives[carries : carries + conditions]
    constants = natives[carries + conditions :]

    if max_steps is not None and (steps.kept or recorders.thread.borrowed):
        # JAX's reverse mode, the caller's or that of a loop around, keeps no other loop's steps.
        return _bounded(goes_on, step, natives[:carries], asked, constants, max_steps)

    def holds(state: Any) -> Any:
        taken, carry = state
        found = goes_on(*carry, *asked)[0]
        return found if max_steps is None else (taken < max_steps) & found

    def run(state: Any) -> Any:
        taken, carry = state
        return taken + 1, _strong(step(*carry, *constants))

    first = (jax.numpy.asarray(0), _strong(natives[:carries]))
    return tuple(jax.lax.while_loop(holds, run, first)[1])


def _bounded(
    goes_on: Any,
    step: Any,
    carry: Sequence[Any],
    asked: Sequence[Any],
    constants: Sequence[Any],
    max_steps: int,
) -> tuple[Any, ...]:
    """Run a loop as so many steps, of which those after its end do nothing."""

    def run(carry: Any, _: None) -> tuple[Any, None]:
        holds = goes_on(*carry, *asked)[0]
        return jax.lax.cond(holds, lambda *x: _strong(step(*x, *constants)), _kept, *carry), None

    return tuple(jax.lax.scan(run, _strong(carry), length=max_steps)[0])


def _kept(*carry: Any) -> tuple[Any, ...]:
    return carry


def _cond(index: Any, *operands: Any, **branches: Any) -> tuple[Any, ...]:
    backend = load_backend("jax")
    chosen = [branches[f"branch{i}"].on(backend) for i in range(len(branches))]
    return tuple(jax.lax.switch(index, [_with_strong(branch) for branch in chosen], *operands))


def _with_strong(branch: Any) -> Any:
    return lambda *operands: _strong(branch(*operands))


def _strong(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return arrays of a dtype of their own: a loop's first values and its next must be alike."""
    return tuple([jax.lax.convert_element_type(x, x.dtype) for x in values])


@jax.custom_vjp
def _unbounded(x: Any, *sources: Any) -> Any:
    return x + 0


def _refused(_: Any, *cotangents: Any) -> Any:
    return OPS["unbounded"].rule.cotangents()


_unbounded.defvjp(lambda *inputs: (_unbounded(*inputs), None), _refused)

TABLE = {
    "scan": _scan,
    "while_loop": _while_loop,
    "cond": _cond,
    "unbounded": _unbounded,
}
