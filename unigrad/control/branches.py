"""`cond` and `switch`: one of several functions runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from unigrad.control.bodies import SCALARS, captured, first_tensor, is_traced, returned
from unigrad.control.carrying import leaf_names
from unigrad.control.ops import COND, aligned, as_branches
from unigrad.core import dtypes, tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.calls import check_function
from unigrad.core.dtypes import INTEGER, int32
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.limits import clip
from unigrad.tracing.graph import Graph
from unigrad.tracing.grounded import grounded

__all__ = ["cond", "switch"]

Branch = Callable[..., Any]


def cond(pred: Any, true_fn: Branch, false_fn: Branch, *operands: Any) -> Any:
    """Return ``true_fn(*operands)`` if a condition holds, else ``false_fn(*operands)``.

    Eagerly only the function that is chosen runs. Where functions are traced both are captured, so
    their results must be alike, and one op runs the chosen one. Under `vmap`, where examples choose
    differently, both run and `where` selects.

    Args:
        pred: a scalar; a number counts as true when it is not zero.
        true_fn, false_fn: take the operands, return pytrees of one structure, and of one shape and
            dtype leaf by leaf. Python's numbers take the dtype of the other's leaf.
        operands: pytrees.

    Raises:
        ShapeError: when ``pred`` is no scalar, or the results' structures or shapes differ.
        DTypeError: when the results' dtypes differ.

    Source of name and meaning: ``jax.lax.cond``.

    Example:
        >>> import unigrad as ug
        >>> float(cond(ug.asarray(True), lambda x: 2.0 * x, ug.exp, ug.asarray(3.0)))
        6.0
    """
    check_function("cond: true_fn", true_fn)
    check_function("cond: false_fn", false_fn)
    if not isinstance(pred, SCALARS):
        pred = as_tensor(pred, first_tensor(operands))
        if pred.shape:
            raise ShapeError(f"cond: the predicate is a scalar, not of shape {pred.shape}")
    if type(pred) is not Tensor or not is_traced((pred, operands)):
        return returned((true_fn if pred else false_fn)(*operands))
    if pred.dtype != dtypes.bool_:
        pred = pred != 0
    return _as_one_op(
        "cond", cast(pred, int32), [false_fn, true_fn], operands, ["false_fn", "true_fn"]
    )


def switch(index: Any, branches: Sequence[Branch], *operands: Any) -> Any:
    """Return ``branches[index](*operands)``; an index out of range counts as the nearest.

    As `cond`, of any number of functions.

    Args:
        index: an integer scalar.
        branches: the functions: one or more.
        operands: pytrees.

    Raises:
        ShapeError: as `cond`, or when there is no branch.
        DTypeError: as `cond`, or when the index is no integer.
        SettingError: when the branches are no functions.

    Source of name and meaning: ``jax.lax.switch``.

    Example:
        >>> import unigrad as ug
        >>> float(switch(ug.asarray(1), [ug.sin, ug.exp], ug.asarray(0.0)))
        1.0
    """
    if not isinstance(branches, Iterable):
        raise SettingError(
            f"switch: branches are a list or tuple of functions, not a {type(branches).__name__}"
        )
    branches = list(branches)
    if not branches:
        raise ShapeError("switch: there is no branch: give one function or more")
    names = [f"branches[{i}]" for i in range(len(branches))]
    for name, branch in zip(names, branches, strict=True):
        check_function(f"switch: {name}", branch)
    number = as_tensor(index, first_tensor(operands))
    if number.shape:
        raise ShapeError(f"switch: the index is a scalar, not of shape {number.shape}")
    if number.dtype not in INTEGER:
        raise DTypeError(f"switch: the index is an integer, not {number.dtype.name}")
    if isinstance(index, (int, np.integer)) or not is_traced((number, operands)):
        chosen = min(max(int(index), 0), len(branches) - 1)
        return returned(branches[chosen](*operands))
    number = cast(clip(number, 0, len(branches) - 1), int32)
    return _as_one_op("switch", number, branches, operands, names)


def _as_one_op(
    name: str, index: Tensor, branches: list[Branch], operands: Any, names: list[str]
) -> Any:
    """Capture the branches and run the chosen one as an op."""
    leaves, structure = tree.flatten(operands)
    tensors = [as_tensor(one) for one in leaves if isinstance(one, (Tensor, Variable, np.ndarray))]
    examples = [grounded(one) for one in tensors]
    results: list[tuple[list[Any], Any]] = []

    def flat(branch: Branch, wanted: list[Any]) -> Callable[..., list[Tensor]]:
        def run(*given: Tensor) -> list[Tensor]:
            rest = iter(given)
            filled = [
                next(rest) if isinstance(one, (Tensor, Variable, np.ndarray)) else one
                for one in leaves
            ]
            found, of_result = tree.flatten(branch(*tree.unflatten(structure, filled)))
            results.append(([type(one) in SCALARS for one in found], of_result))
            like = first_tensor(found, given)
            after = [as_tensor(one, like) for one in found]
            if not wanted:
                return after
            return [cast(x, dtype) for x, dtype in zip(after, wanted, strict=True)]

        return run

    found = [captured(flat(branch, []), examples) for branch in branches]
    wanted = _common(name, names, [graph for graph, _ in found], results)
    for i, (graph, _) in enumerate(found):
        if [one.dtype for one in graph.outputs] != wanted:
            found[i] = captured(flat(branches[i], wanted), examples)
    outside = [more for _, more in found]
    graphs = aligned([graph for graph, _ in found], outside)
    out = COND(index, *tensors, *chain.from_iterable(outside), **as_branches(graphs))
    return tree.unflatten(results[0][1], list(out))


def _common(
    name: str, names: list[str], graphs: list[Graph], results: list[tuple[list[bool], Any]]
) -> list[Any]:
    """Return the dtypes of the branches' results, which must be alike.

    Raises:
        ShapeError, DTypeError: when they are not; they name the leaf.
    """
    structure = results[0][1]
    for other, (_, found) in zip(names[1:], results[1:], strict=True):
        if found != structure:
            raise ShapeError(
                f"{name}: {names[0]} returns {structure}, {other} returns {found}: the branches' "
                "results must be of one structure"
            )
    wanted = []
    for place, leaf in enumerate(leaf_names("result", structure)):
        values = [graph.outputs[place] for graph in graphs]
        strong = [i for i in range(len(graphs)) if not results[i][0][place]]
        # Of Python's numbers alone the highest kind.
        kinds = [0 if strong else _KINDS.index(one.dtype.kind) for one in values]
        chosen = strong[0] if strong else kinds.index(max(kinds))
        expected = values[chosen]
        for i, value in enumerate(values):
            told = f"{names[chosen]} gives {expected!r}, {names[i]} {value!r}"
            if value.shape != expected.shape:
                raise ShapeError(f"{name}: the shapes of {leaf} differ: {told}")
            if value.dtype != expected.dtype and not _takes(results[i][0][place], value, expected):
                raise DTypeError(f"{name}: the dtypes of {leaf} differ: {told}")
        wanted.append(expected.dtype)
    return wanted


_KINDS = "bifc"


def _takes(weak: bool, value: Any, expected: Any) -> bool:
    """Tell whether a Python number may be of the dtype that another branch gives."""
    kinds = {"b": bool, "i": int, "f": float, "c": complex}
    kind = kinds.get(value.dtype.kind)
    return (
        weak and kind is not None and dtypes.promote_scalar(expected.dtype, kind) == expected.dtype
    )
