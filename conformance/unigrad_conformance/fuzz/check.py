"""Whether a backend gives a program's values and derivatives.

All ways to a derivative are tried: the tape, the reference's tape on the same arrays, forward
mode, and both orders of second derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.fuzz.program import Program
from unigrad_conformance.fuzz.vocabulary import Array
from unigrad_conformance.subject import Deviation, quiet, require_close

#: What two float64 computations of one thing may differ by, relative to its largest element.
CLOSE = 1e-10
#: The same for what is compared with a difference quotient.
QUOTIENT = 1e-6


def check_program(program: Program, second_order: bool = True, jitted: bool = False) -> None:
    """Compare everything with NumPy on the current backend.

    Args:
        program: the program.
        second_order: also compare second derivatives.
        jitted: also compare the program and its gradient compiled.

    Raises:
        Deviation: where they differ; the message shows the program.
    """
    try:
        with quiet():
            _check(program, second_order)
            if jitted:
                _check_jitted(program)
    except Exception as error:
        kind = "" if isinstance(error, Deviation) else f"{type(error).__name__}: "
        raise Deviation(f"{kind}{error}\n{program}") from error


def _total(program: Program) -> Any:
    """Return a program's weighed results as a function of its inputs."""
    weights = [ug.asarray(one) for one in program.weights()]

    def total(*xs: ug.Tensor) -> ug.Tensor:
        results = program.run(*xs)
        return sum((ug.sum(w * y) for w, y in zip(weights, results, strict=True)), ug.asarray(0.0))

    return total


def _check_jitted(program: Program) -> None:
    inputs = [ug.asarray(one) for one in program.inputs]
    expected = program.run(*program.inputs, plain=True)
    positions = tuple(range(len(inputs)))

    def both(*xs: ug.Tensor) -> Any:
        return program.run(*xs), ug.grad(_total(program), argnums=positions)(*xs)

    compiled = ug.jit(both)
    for call in ("compiled", "compiled, called again"):
        results, gradient = compiled(*inputs)
        for number, got, want in zip(program.results, results, expected, strict=True):
            _require(f"v{number} {call}", got, np.asarray(want).real)
        _require(f"gradient {call}", _row(gradient), program.gradient())


def _check(program: Program, second_order: bool) -> None:
    inputs = [ug.asarray(one) for one in program.inputs]
    along = [np.sin(1.0 + np.arange(one.size)).reshape(one.shape) for one in program.inputs]
    directions = [ug.asarray(one) for one in along]
    total = _total(program)

    expected = program.run(*program.inputs, plain=True)
    for number, got, want in zip(program.results, program.run(*inputs), expected, strict=True):
        _require(f"v{number}", got, np.asarray(want).real)
    gradient = program.gradient()
    for reference in (False, True):
        with ug.GradientTape(reference=reference) as tape:
            tape.watch(inputs)
            y = total(*inputs)
        found = tape.gradient(y, inputs, unconnected_gradients="zero")
        _require(f"gradient{' by the rules' * reference}", _row(found), gradient)
    tangent = ug.jvp(total, inputs, directions)[1]
    _require("jvp", tangent, np.asarray(gradient @ _row(along)))
    if second_order:
        _check_second(program, total, inputs, along)


def _check_second(
    program: Program, total: Any, inputs: list[ug.Tensor], along: list[Array]
) -> None:
    directions = [ug.asarray(one) for one in along]
    curvature, doubt = program.curvature(along)
    scale = max(1.0, float(np.max(np.abs(program.gradient()))), float(np.max(np.abs(curvature))))
    first = None
    for reference in (False, True):
        with ug.GradientTape(reference=reference) as outer:
            outer.watch(inputs)
            with ug.GradientTape(reference=reference) as inner:
                inner.watch(inputs)
                y = total(*inputs)
            slope = inner.gradient(y, inputs, unconnected_gradients="zero")
            product = sum(
                (ug.sum(v * g) for v, g in zip(directions, slope, strict=True)), ug.asarray(0.0)
            )
        found = _row(outer.gradient(product, inputs, unconnected_gradients="zero"))
        what = f"second order{' by the rules' * reference}"
        require_close(what, found, curvature, QUOTIENT * scale + doubt)
        if first is not None:
            require_close(f"{what} and natively", found, first, CLOSE * scale)
        first = found
    assert first is not None
    positions = tuple(range(len(inputs)))
    gradient = ug.grad(total, argnums=positions)
    forward = ug.jvp(gradient, inputs, directions)[1]
    require_close("forward over reverse", _row(forward), first, CLOSE * scale)
    slope_along = ug.grad(lambda *xs: ug.jvp(total, xs, directions)[1], argnums=positions)
    require_close("reverse over forward", _row(slope_along(*inputs)), first, CLOSE * scale)


def _row(many: Any) -> Array:
    """Return tensors' or arrays' elements in a row."""
    rows = [np.asarray(one.numpy() if isinstance(one, ug.Tensor) else one) for one in many]
    return np.concatenate([one.reshape(-1) for one in rows])


def _require(what: str, got: Any, want: Array) -> None:
    """Require equality up to rounding, in shape and dtype, too."""
    array = got.numpy() if isinstance(got, ug.Tensor) else got
    if array.dtype != np.float64:
        raise Deviation(f"{what}: {array.dtype}, not float64")
    scale = max(1.0, float(np.max(np.abs(want), initial=0)))
    require_close(what, array, want, CLOSE * scale)
