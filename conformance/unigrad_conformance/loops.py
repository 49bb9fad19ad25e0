"""What control flow promises: a loop or a branch is what Python's would be, however it is run.

Each program is run eagerly and compiled; its derivatives of both modes, the second one, and its map
over a batch must be those of the plain one. Where the library differentiates loops itself, the
textbook is asked as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.loop_programs import PROGRAMS, Function, Program
from unigrad_conformance.subject import Deviation, quiet, require_close


def _first(program: Program) -> ug.Tensor:
    return ug.asarray(np.asarray(program.points[0], np.float64))


def _close(what: str, found: Any, wanted: Any) -> None:
    got, want = found.numpy(), wanted.numpy()
    if got.dtype != want.dtype:
        raise Deviation(f"{what}: {got.dtype}, not {want.dtype}")
    require_close(what, got, want, 1e-9 * (1.0 + np.abs(want)))


def _forward(function: Function) -> Function:
    return lambda x: ug.jvp(function, (x,), (ug.ones_like(x) * 0.7 + x * x * 0.1,))[1]


def _second(function: Function) -> Function:
    gradient = ug.grad(function)
    return ug.grad(lambda x: ug.sum(gradient(x) * x))


def _by_the_textbook(function: Function) -> Function:
    def gradient(x: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape(reference=True) as tape:
            tape.watch(x)
            y = function(x)
        found: ug.Tensor = tape.gradient(y, x)
        return found

    return gradient


def _check_value(program: Program) -> None:
    x = _first(program)
    wanted = program.plain(x)
    _close("eagerly", program.structured(x), wanted)
    _close("compiled", ug.jit(program.structured)(x), wanted)


def _check_reverse(program: Program) -> None:
    x = _first(program)
    wanted = ug.grad(program.plain)(x)
    _close("gradient eagerly", ug.grad(program.structured)(x), wanted)
    if not program.reverse:
        _require_refusal(program, x)
        return
    _close("gradient compiled", ug.jit(ug.grad(program.structured))(x), wanted)
    textbook = ug.jit(_by_the_textbook(program.structured))
    _close("gradient by the textbook, compiled", textbook(x), wanted)


def _require_refusal(program: Program, x: ug.Tensor) -> None:
    try:
        ug.jit(ug.grad(program.structured))(x)
    except ug.NotDifferentiableError as error:
        if "max_steps" not in str(error):
            raise Deviation(f"the message does not name max_steps: {error}") from error
    else:
        raise Deviation("no NotDifferentiableError for a loop without bound")


def _check_forward(program: Program) -> None:
    x = _first(program)
    wanted = _forward(program.plain)(x)
    _close("tangent eagerly", _forward(program.structured)(x), wanted)
    _close("tangent compiled", ug.jit(_forward(program.structured))(x), wanted)


def _check_second(program: Program) -> None:
    x = _first(program)
    wanted = _second(program.plain)(x)
    _close("second derivative eagerly", _second(program.structured)(x), wanted)
    _close("second derivative compiled", ug.jit(_second(program.structured))(x), wanted)


def _check_batch(program: Program) -> None:
    points = [ug.asarray(np.asarray(one, np.float64)) for one in program.points]
    batch = ug.stack(points)
    values = ug.stack([program.plain(x) for x in points])
    if program.second:
        _close("mapped eagerly", ug.vmap(program.structured)(batch), values)
    _close("mapped, compiled", ug.jit(ug.vmap(program.structured))(batch), values)
    if program.reverse:
        gradients = ug.stack([ug.grad(program.plain)(x) for x in points])
        mapped = ug.jit(ug.vmap(ug.grad(program.structured)))
        _close("gradients mapped, compiled", mapped(batch), gradients)
        through = ug.jit(ug.grad(lambda x: ug.sum(ug.vmap(program.structured)(x))))
        _close("gradient of the map", through(batch), gradients)


_WAYS: dict[str, Callable[[Program], None]] = {
    "value": _check_value,
    "reverse mode": _check_reverse,
    "forward mode": _check_forward,
    "vmap": _check_batch,
    "second order": _check_second,
}


def _checked(way: Callable[[Program], None], program: Program) -> None:
    with quiet():
        way(program)


def every_loop() -> Iterator[tuple[str, Callable[[], None]]]:
    """Return a check per program and way to run it."""
    for program in PROGRAMS:
        for name, way in _WAYS.items():
            if way is not _check_second or program.second:
                yield f"{program.name}: {name}", partial(_checked, way, program)


# -- what the programs do not show


def _the_trace_does_not_grow() -> None:
    """A body is run as often to trace a long loop as to trace a short one."""

    def traced(length: int) -> int:
        count = 0

        def step(carry: ug.Tensor, row: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
            nonlocal count
            count += 1
            return carry + ug.sin(row), carry

        def loss(x: ug.Tensor) -> ug.Tensor:
            return ug.sum(ug.scan(step, x[0] * 0.0, x)[1])

        ug.jit(ug.grad(loss))(ug.ones(length))
        return count

    if traced(40) != traced(4):
        raise Deviation("a loop of 40 steps runs its body more often than one of 4, to be traced")


def _variables_are_read() -> None:
    """A body reads what variables hold when the loop runs, and tapes watch them."""
    weight = ug.Variable(np.asarray(2.0))

    @ug.jit
    def both(x: ug.Tensor) -> Any:
        with ug.GradientTape() as tape:
            y = ug.sum(ug.scan(lambda c, row: (c * weight + row, c), x[0], x)[1])
        return y, tape.gradient(y, weight)

    x = ug.asarray(np.asarray([1.0, 3.0, 5.0]))
    for held in (2.0, -1.0):
        weight.assign(held)
        y, slope = both(x)
        # Carries: 1, w + 1, w² + w + 3.
        _close("the value", y, ug.asarray(np.asarray(5.0 + 2 * held + held**2)))
        _close("the gradient", slope, ug.asarray(np.asarray(2.0 + 2 * held)))


def _an_assignment_is_refused() -> None:
    """A body is traced once: what it assigned would be assigned once."""
    count = ug.Variable(0.0)

    def step(carry: ug.Tensor, row: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        count.assign_add(1.0)
        return carry + row, row

    try:
        ug.jit(lambda x: ug.scan(step, x[0], x)[0])(ug.ones(3))
    except ug.TracingError:
        return
    raise Deviation("no TracingError for an assignment in a body")


def _dtypes_settle() -> None:
    """A carry has the same dtype eagerly and compiled, whatever the first one was."""
    for start, dtype, wanted in (
        (0, "float16", "float16"),
        (0.0, "float16", "float16"),
        (0.5, "int32", "float32"),
        (True, "float32", "float32"),
        (np.int32(0), "uint8", "int32"),
        (np.float64(0.5), "float32", "float64"),
    ):
        first = ug.asarray(start) if isinstance(start, np.generic) else start

        def total(xs: ug.Tensor, first: Any = first) -> ug.Tensor:
            found: ug.Tensor = ug.scan(lambda c, x: (c + x, c), first, xs)[0]
            return found

        xs = ug.ones(3, dtype=dtype)
        for run in (total, ug.jit(total)):
            if run(xs).dtype.name != wanted:
                raise Deviation(f"{start!r} with {dtype}: {run(xs).dtype.name}, not {wanted}")


def _numbers_come_back_as_tensors() -> None:
    """What a loop or a branch computes of numbers alone is a tensor, eagerly as compiled."""
    x = ug.ones(3, dtype="float16")
    ways: dict[str, Function] = {
        "scan": lambda x: ug.scan(lambda c, row: (c + 1, row), 0, x)[0],
        "scan of nothing": lambda x: ug.scan(lambda c, row: (c + 1, row), 0, x[:0])[0],
        "while_loop": lambda x: ug.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, x), (0, x))[
            0
        ],
        "fori_loop": lambda x: ug.fori_loop(0, 3, lambda i, c: (c[0] * 0.5, c[1]), (1.0, x))[0],
        "cond": lambda x: ug.cond(x[0] > 0.0, lambda: 1, lambda: 2),
        "switch": lambda x: ug.switch(ug.astype(x[0], "int32"), [lambda: 1.5, lambda: 2.5]),
    }
    for name, way in ways.items():
        eager, compiled = way(x), ug.jit(way)(x)
        for one in (eager, compiled):
            if not isinstance(one, ug.Tensor) or one.dtype != eager.dtype:
                raise Deviation(f"{name}: {one!r}, and eagerly {eager!r}")
        _close(name, compiled, eager)


#: By name.
PROMISES: dict[str, Callable[[], None]] = {
    "the trace does not grow": _the_trace_does_not_grow,
    "variables are read": _variables_are_read,
    "an assignment is refused": _an_assignment_is_refused,
    "dtypes settle": _dtypes_settle,
    "numbers come back as tensors": _numbers_come_back_as_tensors,
}
