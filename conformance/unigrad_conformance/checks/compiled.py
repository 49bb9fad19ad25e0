"""An op in a compiled function: the same values and derivatives, in memory of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad.core.op import OPS
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, place, quiet, require_close, run, scale, weighed

#: What two ways of computing one thing may differ by, relative to the largest element.
_CLOSE = {"float64": 1e-13, "complex128": 1e-13}
_COARSE = 1e-5
_NOT_COMPILED = ("depends on", "makes new Variables", "was asked for")


def check_compiled(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare values and gradients with those of the uncompiled function, call after call.

    The inputs come in by way of an op, so that a program may write into what they became; results
    are looked at after later calls.
    """
    placed = place(problem.rounded(dtype))
    places = [i for i, one in enumerate(placed) if isinstance(one, ug.Tensor)]

    def values(*tensors: ug.Tensor) -> list[ug.Tensor]:
        given = [*placed]
        for i, tensor in zip(places, tensors, strict=True):
            given[i] = ug.flip(ug.flip(tensor)) if tensor.ndim else tensor
        return run(problem, given)

    def slopes(*tensors: ug.Tensor) -> list[ug.Tensor]:
        sources = [tensors[places.index(i)] for i in problem.inexact]
        with ug.GradientTape() as tape:
            tape.watch(sources)
            targets, weights = weighed(problem, values(*tensors))
        found: list[ug.Tensor] = tape.gradient(
            targets, sources, weights, unconnected_gradients="zero"
        )
        return found

    tensors = [placed[i] for i in places]
    functions = {"values": values}
    if problem.is_smooth and problem.inexact:
        functions["gradients"] = slopes
    with quiet():
        for what, function in functions.items():
            _compare(what, function, tensors)


def _forget_bound_kernels() -> None:
    """Let every kernel be bound to its settings anew, the first time while a function is traced.

    What binds one may make arrays, which must not be the trace's: uncompiled calls come later.
    """
    for op in OPS.values():
        for plan in tuple(op.planned):
            plan.kernels.clear()


def _compare(
    what: str, function: Callable[..., list[ug.Tensor]], tensors: Sequence[ug.Tensor]
) -> None:
    compiled = ug.jit(function)
    _forget_bound_kernels()
    try:
        first = compiled(*tensors)
    except ug.TracingError as error:
        # What asks for values cannot be compiled; samples of optimizers make variables.
        if any(words in str(error) for words in _NOT_COMPILED):
            return
        raise
    expected = function(*tensors)
    for _ in range(2):
        compiled(*tensors)
    again = compiled(*tensors)
    for got, later, want in zip(first, again, expected, strict=True):
        if got.dtype != want.dtype:
            raise Deviation(f"compiled {what}: {got.dtype}, not {want.dtype}")
        right = want.numpy()
        for which, one in (("first", got), ("fourth", later)):
            array: Array = one.numpy()
            if right.dtype.kind in "biu":
                same = array.shape == right.shape and np.array_equal(array, right)
                if not same:
                    raise Deviation(f"compiled {what}, {which} call: {array} not {right}")
                continue
            allowed = _CLOSE.get(right.dtype.name, _COARSE) * scale(right)
            require_close(f"compiled {what}, {which} call", array, right, allowed)
