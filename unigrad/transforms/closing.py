"""Functions as ops inside of traces: what they take from around them becomes an input.

An op's function runs at other levels than its caller's. A value of a trace that it closes over
does not exist there, nor does a constant in a loop that a library differentiates itself. So the
function and its derivative are captured, and what they close over is given to the op like any
argument. JAX calls this closure conversion (``jax.closure_convert``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.autodiff.backward import zeros_like
from unigrad.core import recorders
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import TracingError
from unigrad.core.interpreters import stack
from unigrad.core.registry import current_backend
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing
from unigrad.functions.closures import warn_of_closure
from unigrad.functions.function_op import FunctionOp, Pullback, Pushforward
from unigrad.tracing.graph import Graph, Value, evaluate
from unigrad.tracing.grounded import BodyCapture
from unigrad.tracing.splitting import closed


class _Thread(threading.local):
    """Whether this thread captures a derivative, which may call its function again."""

    deriving = False


_thread = _Thread()
Function = Callable[..., Sequence[Any]]


def call_as_op(
    name: str,
    function: Function,
    pullback: Pullback | None,
    pushforward: Pushforward | None,
    tensors: Sequence[Tensor],
    transposed: bool = True,
    own: Callable[[], int] | None = None,
) -> Sequence[Tensor]:
    """Run a function of flat tensors as one op with this derivative; see `FunctionOp`.

    Args:
        own: how many of its results are the function's own, after it has run. The others are
            residuals, which have cotangents only where the pullback is differentiated. All by
            default.

    Raises:
        TracingError: when it uses a value of a trace that has ended.

    Example:
        >>> import unigrad as ug
        >>> [y] = call_as_op("double", lambda x: [x + x], None, None, [ug.asarray(2.0)])
        >>> float(y)
        4.0
    """
    found: Sequence[Tensor]
    if not (getattr(tracing.trace, "closes", False) or any(one.closes for one in stack.frames)):
        try:
            found = FunctionOp(name, function, pullback, pushforward, transposed)(*tensors)
        except TracingError:
            # Of a value that lives at a level above the one where the function runs.
            if not stack.frames:
                raise
        else:
            return found
    op, outside = _closed(name, function, pullback, pushforward, tensors, transposed, own)
    _warn_if_followed(name, outside)
    found = op(*tensors, *outside)
    return found


def _closed(
    name: str,
    function: Function,
    pullback: Pullback | None,
    pushforward: Pushforward | None,
    tensors: Sequence[Tensor],
    transposed: bool,
    own: Callable[[], int] | None,
) -> tuple[FunctionOp, list[Tensor]]:
    """Return an op that closes over nothing, and what it is to be given besides the tensors."""
    graph, outside = _captured(function, tensors)
    needed = len(tensors) + len(outside)
    outputs = [_like(value, tensors) for value in graph.outputs]

    def run(*given: Tensor) -> Sequence[Tensor]:
        return tuple(evaluate(graph, given[:needed]))

    closed_pullback = closed_pushforward = None
    if pullback is not None:
        count = len(outputs) if own is None else own()
        # A cotangent of zeros is not none at all: zero times infinity is NaN.
        first = _closed_rule(pullback, outputs[:count], outputs, tensors, outside)
        further = first
        if count < len(outputs):
            further = _closed_rule(pullback, outputs, outputs, tensors, outside)

        def closed_pullback(cotangents: Any, outputs: Any, inputs: Any) -> Sequence[Any]:
            of_inputs = first if all(one is None for one in cotangents[count:]) else further
            found = of_inputs(cotangents, outputs, inputs)
            return [*found, *[None] * (len(inputs) - len(found))]

    if pushforward is not None:
        closed_pushforward = _closed_rule(pushforward, tensors, outputs, tensors, outside)
    op = FunctionOp(name, run, closed_pullback, closed_pushforward, transposed)
    op.inlined = True
    return op, outside


def _closed_rule(
    rule: Any,
    moving: Sequence[Tensor],
    outputs: Sequence[Tensor],
    tensors: Sequence[Tensor],
    outside: list[Tensor],
) -> Any:
    """Return ``rule(changes, outputs, inputs)`` with what it closes over among the inputs.

    Args:
        moving: what the changes, cotangents or tangents, are like; those of further outputs, if
            they are fewer, are ``None``.
        outside: the inputs after ``tensors``, to which those of the rule are added.
    """

    of_outputs = moving is not tensors
    none = [None] * (len(outputs) - len(moving)) if of_outputs else []

    def as_it_is(changes: Sequence[Any], outputs: Any, inputs: Sequence[Tensor]) -> Any:
        return rule([*changes[: len(moving)], *none], outputs, inputs[: len(tensors)])

    if _thread.deriving:
        return as_it_is
    floats = [i for i, x in enumerate(moving) if x.dtype in INEXACT]
    absent: list[bool] = []

    def flat(*given: Tensor) -> list[Tensor]:
        rest = iter(given)
        changes: list[Tensor | None] = [None] * len(moving)
        for i in floats:
            changes[i] = next(rest)
        results = [next(rest) for _ in outputs]
        found = rule([*changes, *none], results, [*rest])
        absent[:] = [one is None for one in found]
        return [one for one in found if one is not None]

    _thread.deriving = True
    try:
        examples = [*[moving[i] for i in floats], *outputs, *tensors]
        graph, more = _captured(flat, examples)
    except Exception:
        # Nobody may want the derivative; it fails again when somebody does.
        return as_it_is
    finally:
        _thread.deriving = False
    start = len(tensors) + len(outside)
    outside.extend(more)

    def run(changes: Sequence[Any], outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> Any:
        like = outputs if of_outputs else inputs
        given = [zeros_like(like[i]) if changes[i] is None else changes[i] for i in floats]
        own = [*inputs[: len(tensors)], *inputs[start : start + len(more)]]
        found = iter(evaluate(graph, [*given, *outputs, *own]))
        return [None if one else next(found) for one in absent]

    return run


def _captured(function: Function, examples: Sequence[Tensor]) -> tuple[Graph, list[Tensor]]:
    """Capture a function; return a graph that closes over nothing, and what it is to be given."""
    # Of numbers that nobody asked for, nobody wants to hear that they overflow.
    with np.errstate(all="ignore"):
        return closed(BodyCapture().graph(function, examples))


def _like(value: Value, tensors: Sequence[Tensor]) -> Tensor:
    """Return ones of a value's shape and dtype in the library of some tensors."""
    backend = tensors[0].backend.root if tensors else current_backend()
    return wrap(backend, backend.from_numpy(np.ones(value.shape, value.dtype), None))


def _warn_if_followed(name: str, outside: Sequence[Tensor]) -> None:
    """Warn of values that somebody differentiates by: the derivative says nothing of them."""
    for x in outside:
        if x.uid and recorders.watchers((x.uid,), x.backend.depth):
            warn_of_closure(name, "a tensor")
            return
