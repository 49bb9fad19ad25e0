"""Derivatives of functions of flat tensors, by the textbook: what rules of functions are made of.

The reference's tape is used on every backend: the cotangents may be an interpreter's, and what the
caller's own autograd follows goes through the ops.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import jvp
from unigrad.core.copying import kept_handles
from unigrad.core.op import another_handle
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import isfinite, logical_or, where
from unigrad.ops.reductions import any as any_of


def transposed(
    linear: Callable[..., Sequence[Tensor]], like: Sequence[Tensor], cotangents: Sequence[Tensor]
) -> list[Tensor]:
    """Return the transpose of a linear function of tensors, applied to cotangents.

    Example:
        >>> import unigrad as ug
        >>> [g] = transposed(lambda t: [3.0 * t], [ug.asarray(0.0)], [ug.asarray(2.0)])
        >>> float(g)
        6.0
    """
    floats = [x._native.dtype in x.backend.native_floats for x in like]
    points = [zeros_like(x) for x in like]
    sources = [x for x, one in zip(points, floats, strict=True) if one]
    with GradientTape(persistent=True, watch_accessed_variables=False, reference=True) as tape:
        tape.watch(sources)
        results = [*linear(*points)]
    found = iter(tape.gradient(results, sources, [*cotangents], "zero"))
    return [next(found) if one else x for x, one in zip(points, floats, strict=True)]


def pulled_through(
    function: Callable[..., Sequence[Tensor]],
    inputs: Sequence[Tensor],
    cotangents: Sequence[Tensor],
) -> list[Any]:
    """Run a function by the textbook's tape and pull cotangents of its results back.

    Example:
        >>> import unigrad as ug
        >>> [g] = pulled_through(lambda x: [x * x], [ug.asarray(3.0)], [ug.asarray(1.0)])
        >>> float(g)
        6.0
    """
    points = [another_handle(x) for x in inputs]
    floats = [x._native.dtype in x.backend.native_floats for x in points]
    sources = [x for x, one in zip(points, floats, strict=True) if one]
    with GradientTape(persistent=True, watch_accessed_variables=False, reference=True) as tape:
        tape.watch(sources)
        sources = kept_handles(sources)
        results = [*function(*points)]
    found = iter(tape.gradient(results, sources, [*cotangents], "zero"))
    return [next(found) if one else None for one in floats]


def pushed_through(
    function: Callable[..., Sequence[Tensor]],
    inputs: Sequence[Tensor],
    tangents: Sequence[Tensor | None],
) -> Sequence[Tensor]:
    """Run a function and push tangents of its inputs, ``None`` for zero, on to its results.

    Example:
        >>> import unigrad as ug
        >>> [t] = pushed_through(lambda x: [x * x], [ug.asarray(3.0)], [ug.asarray(1.0)])
        >>> float(t)
        6.0
    """
    moving = [i for i, t in enumerate(tangents) if t is not None]

    def of_moving(*given: Tensor) -> Sequence[Tensor]:
        every = list(inputs)
        for i, x in zip(moving, given, strict=True):
            every[i] = x
        return function(*every)

    found: Sequence[Tensor] = jvp(
        of_moving, [inputs[i] for i in moving], [tangents[i] for i in moving]
    )[1]
    return found


def filled(cotangents: Sequence[Tensor | None], like: Sequence[Tensor]) -> list[Tensor]:
    """Return cotangents with zeros in place of ``None``.

    Example:
        >>> import unigrad as ug
        >>> [one.tolist() for one in filled([None], [ug.ones(2)])]
        [[0.0, 0.0]]
    """
    return [zeros_like(x) if g is None else g for g, x in zip(cotangents, like, strict=False)]


def with_residuals(
    function: Callable[..., Sequence[Tensor]],
    count: int,
    found: Sequence[Tensor | None],
    cotangents: Sequence[Tensor | None],
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
) -> list[Tensor | None]:
    """Add what comes back through residuals to the cotangents of a function's inputs.

    A residual has a cotangent when the backward pass, which uses it, is differentiated.

    Args:
        function: gives ``count`` results and then the residuals.
        found: the cotangents of its inputs, by its results.
        cotangents: those of all that it gives; see also `Backend.zeros_for_none`.
    """
    further = [one for one in cotangents[count:] if one is not None]
    if not further:
        return [*found]
    given = filled(cotangents[count:], outputs[count:])
    more = pulled_through(lambda *x: function(*x)[count:], inputs, given)
    if further[0].backend.root.zeros_for_none:
        # Where the residual is infinite, what comes back of zeros is NaN. What is finite stays: its
        # derivative need not be 0 where the cotangents happen to be.
        moves = functools.reduce(logical_or, [any_of(one != 0) for one in further])
        more = [
            one if one is None else where(logical_or(moves, isfinite(one)), one, zeros_like(one))
            for one in more
        ]
    return [b if a is None else a if b is None else a + b for a, b in zip(found, more, strict=True)]
