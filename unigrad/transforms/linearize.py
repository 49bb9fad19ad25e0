"""`ug.linearize`: a function's value, and its derivative as a linear function, run forward once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.transforms import jvp
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import another_handle
from unigrad.core.tensor import Tensor
from unigrad.tracing.capture import Capture
from unigrad.tracing.graph import evaluate
from unigrad.tracing.splitting import split


def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return a function's result and its derivative there, as a function of tangents.

    The function runs once; each call of the second result runs only what depends on tangents.

    Args:
        f: takes and returns pytrees of tensors; with ``has_aux`` it returns a pair of one and
            another, which is not differentiated. It is traced.
        primals: pytrees of floating tensors.
        has_aux: also return what is not differentiated, last.

    Returns:
        The result, and a function that takes a tangent per primal and returns the result's: J v.

    Raises:
        DTypeError: when a primal is no float.
        ShapeError: when tangents differ from the primals in structure or shape.

    Source of signature and meaning: ``jax.linearize``.

    Example:
        >>> import unigrad as ug
        >>> y, f_jvp = linearize(lambda x: x * x, 3.0)
        >>> float(y), float(f_jvp(1.0)), float(f_jvp(2.0))
        (9.0, 6.0, 12.0)
    """
    check_function("linearize: f", f)
    leaves, structure = tree.flatten(primals)
    points = [as_tensor(x) for x in leaves]
    for x in points:
        if x.dtype not in INEXACT:
            raise DTypeError(f"linearize: a primal of dtype {x.dtype.name} has no tangent")
    count = len(points)
    result: Any = None
    more: Any = None
    outputs = extra = 0

    def both(*given: Tensor) -> Any:
        nonlocal result, more, outputs, extra
        out, tangent, *aux = jvp(
            f,
            tree.unflatten(structure, given[:count]),
            tree.unflatten(structure, given[count:]),
            has_aux,
        )
        found, result = tree.flatten(out)
        beside, more = tree.flatten(aux)
        beside = [as_tensor(x) for x in beside]
        outputs, extra = len(found), len(beside)
        return [*found, *beside, *tree.leaves(tangent)]

    capture = Capture(seen=True, keep=True)
    graph = capture.graph(both, [*points, *map(zeros_like, points)])
    given = [another_handle(capture.examples[one]) for one in graph.outputs[: outputs + extra]]
    values, beside = given[:outputs], given[outputs:]
    _, linear, residuals = split(graph, count, outputs + extra)
    known = {one: capture.examples[one] for one in linear.inputs[:residuals]}
    linear = replace(
        linear, inputs=linear.inputs[residuals:], constants={**linear.constants, **known}
    )

    def f_jvp(*tangents: Any) -> Any:
        given, other = tree.flatten(tangents)
        if other != structure:
            raise ShapeError(
                f"linearize: tangents are of the primals' structure, {structure}, with a leaf "
                f"for each, not {other}"
            )
        moving = [as_tensor(t, x) for t, x in zip(given, points, strict=True)]
        for i, (t, x) in enumerate(zip(moving, points, strict=True)):
            if t.shape != x.shape:
                raise ShapeError(
                    f"linearize: {structure.accessors()[i].codify('tangents')} has shape "
                    f"{t.shape}, its primal {x.shape}: a tangent is of its primal's shape"
                )
        return tree.unflatten(result, evaluate(linear, moving))

    return tree.unflatten(result, values), f_jvp, *tree.unflatten(more, beside)
