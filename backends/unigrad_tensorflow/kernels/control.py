"""Loops and branches: TensorFlow's, around the calls that a body was lowered to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from unigrad.core.registry import load_backend
from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.private import executing_eagerly


def _scan(
    *natives: Any, body: Any, carries: int, rows: int, length: int, reverse: bool, **_: Any
) -> tuple[Any, ...]:
    step = body.on(load_backend("tensorflow"))
    constants = natives[carries + rows :]
    if executing_eagerly():
        parts = natives[:carries], natives[carries : carries + rows], constants
        return _step_by_step(step, *parts, length, reverse)
    columns = [_column(x.dtype, x.shape[1:], length).unstack(x) for x in natives[carries:][:rows]]
    stacks = [_column(one.dtype, one.shape, length) for one in body.outputs[carries:]]

    def run(i: Any, carry: Any, stacked: Any) -> Any:
        at = length - 1 - i if reverse else i
        found = step(*carry, *[column.read(at) for column in columns], *constants)
        return (
            i + 1,
            _shaped(found[:carries], body.outputs),
            [column.write(at, one) for column, one in zip(stacked, found[carries:], strict=True)],
        )

    _, last, stacked = tf.while_loop(
        lambda i, *_: i < length,
        run,
        [tf.constant(0), list(natives[:carries]), stacks],
        maximum_iterations=length,
    )
    results = [
        tf.ensure_shape(column.stack(), (length, *one.shape))
        for column, one in zip(stacked, body.outputs[carries:], strict=True)
    ]
    return (*last, *results)


def _step_by_step(
    step: Any, carry: Any, xs: Sequence[Any], constants: Any, length: int, reverse: bool
) -> tuple[Any, ...]:
    """Run a loop eagerly."""
    columns = [tf.unstack(x, length) for x in xs]
    results: list[Any] = [()] * length
    for i in range(length - 1, -1, -1) if reverse else range(length):
        found = step(*carry, *[column[i] for column in columns], *constants)
        carry, results[i] = found[: len(carry)], found[len(carry) :]
    return (*carry, *[tf.stack(column) for column in zip(*results, strict=True)])


def _column(dtype: Any, shape: Any, length: int) -> Any:
    return tf.TensorArray(dtype, size=length, element_shape=shape, clear_after_read=False)


def _shaped(values: Sequence[Any], like: Sequence[Any]) -> list[Any]:
    """Tell TensorFlow the shapes that it may have lost."""
    return [
        x if x.shape == one.shape else tf.ensure_shape(x, one.shape)
        for x, one in zip(values, like, strict=False)
    ]


def _while_loop(
    *natives: Any, condition: Any, body: Any, carries: int, conditions: int, max_steps: int | None
) -> tuple[Any, ...]:
    backend = load_backend("tensorflow")
    goes_on, step = condition.on(backend), body.on(backend)
    asked = natives[carries : carries + conditions]
    constants = natives[carries + conditions :]
    if executing_eagerly():
        carry, steps = natives[:carries], 0
        while (max_steps is None or steps < max_steps) and goes_on(*carry, *asked)[0]:
            carry = step(*carry, *constants)
            steps += 1
        return tuple(carry)
    return tuple(
        tf.while_loop(
            lambda *carry: goes_on(*carry, *asked)[0],
            lambda *carry: _shaped(step(*carry, *constants), body.outputs),
            list(natives[:carries]),
            maximum_iterations=max_steps,
        )
    )


def _cond(index: Any, *operands: Any, **branches: Any) -> tuple[Any, ...]:
    backend = load_backend("tensorflow")
    chosen = [branches[f"branch{i}"].on(backend) for i in range(len(branches))]
    if executing_eagerly():
        return tuple(chosen[int(index)](*operands))
    outputs = branches["branch0"].outputs
    if not outputs:
        return ()
    # In a list: TensorFlow takes a single result out of a tuple.
    found = tf.switch_case(
        index,
        [partial(_branch, one, operands) for one in chosen],
    )
    return tuple(_shaped(found if isinstance(found, (list, tuple)) else [found], outputs))


def _branch(run: Any, operands: Sequence[Any]) -> list[Any]:
    """Run a branch on tensors of its own graph: its gradient may capture no others."""
    return [tf.identity(one) for one in run(*map(tf.identity, operands))]


TABLE = {
    "scan": _scan,
    "while_loop": _while_loop,
    "cond": _cond,
    "unbounded": by_rule("unbounded", lambda x, *sources: tf.identity(x)),
}
