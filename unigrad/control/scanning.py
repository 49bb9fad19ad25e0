"""`scan`, the loop with stacked results, and `map`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.batching.vmap import vmap
from unigrad.control.bodies import is_traced, returned
from unigrad.control.carrying import captured_step, check_step, same_structure
from unigrad.control.ops import SCAN, with_an_input
from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, beside, common_tensors, untracked
from unigrad.core.calls import check_function, pair
from unigrad.core.copying import own_handles
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.joining import concat
from unigrad.ops.shaping import reshape
from unigrad.tracing.grounded import first_of, grounded

__all__ = ["map", "scan"]

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(
    f: Step,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Carry a state along the first axis of ``xs`` and stack what each step gives.

    The meaning is that of ``for x in xs: carry, y = f(carry, x)``, with ``y`` stacked as by
    `stack`: results of several dtypes are promoted, a Python scalar among them counts as weak. So
    a sum may begin with ``0``; a carry takes the dtype that the first step gives it, if that is a
    wider one.

    Where functions are traced ``f`` runs once, and the loop is a single op.

    Args:
        f: ``(carry, x) -> (carry, y)``; pytrees, each of one structure in all steps.
        init: the first carry.
        xs: a pytree of tensors with one common first axis, or ``None``.
        length: the number of steps when ``xs`` is ``None``.
        reverse: go from the last element to the first; the results keep the order of ``xs``.
        unroll: how many steps a compiler may put into one turn of its loop; ``True`` for all.

    Returns:
        The last carry and the stacked results.

    Without any steps ``f`` still runs once, on zeros, to tell the shapes and dtypes of the empty
    results.

    Raises:
        ShapeError: when the lengths differ, none is given, the results' shapes differ, or the carry
            or the result changes its structure, or the carry its shape.
        DTypeError: when results have no common dtype, or the carry's is not a wider one after the
            first step.
        SettingError: when ``unroll`` is no positive integer, ``length`` no number of steps, or what
            ``f`` returns no pair.

    Source of name and meaning: ``jax.lax.scan``.

    Example:
        >>> import unigrad as ug
        >>> carry, sums = scan(lambda c, x: (c + x, c + x), 0, ug.asarray([1, 2, 3]))
        >>> int(carry), sums.tolist()
        (6, [1, 3, 6])
    """
    return loop("scan", f, init, xs, length, reverse, unroll)


def loop(
    name: str, f: Step, init: Any, xs: Any, length: int | None, reverse: bool, unroll: int | bool
) -> tuple[Any, Any]:
    """Run `scan` for a function of this name, which its errors say."""
    check_function(f"{name}: f", f)
    leaves, structure = tree.flatten(xs)
    leaves = [as_tensor(leaf) for leaf in leaves]
    count = _length(name, leaves, length)
    turns = _turns(name, unroll, count)

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        return pair(f"{name}: f returns a carry and a result", f(carry, x))

    if not count:
        rows = tree.unflatten(structure, [_row(one) for one in leaves])
        return returned(init), _no_results(name, step, init, rows)
    if is_traced((init, leaves)):
        return _as_one_op(name, step, init, leaves, structure, count, reverse, turns)
    # The function may assign to its carry, or return it: the caller's handles are not concerned.
    carry, kept = own_handles(init), tree.structure(init)
    rows = [OPS["unstack"](leaf, axis=0) for leaf in leaves]
    columns: list[list[Any]] = []
    given: Any = None
    for i in range(count - 1, -1, -1) if reverse else range(count):
        before = carry
        carry, result = step(carry, tree.unflatten(structure, [row[i] for row in rows]))
        same_structure(name, "carry", kept, tree.structure(carry))
        found, of_result = tree.flatten(result)
        if given is None:
            given = of_result
            columns = [[] for _ in found]
            check_step(name, tree.leaves(before), tree.leaves(carry), kept)
        same_structure(name, "result", given, of_result)
        for column, one in zip(columns, found, strict=True):
            column.append(one)
    if reverse:
        for column in columns:
            column.reverse()
    return returned(carry), tree.unflatten(given, [_stacked(name, one) for one in columns])


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply a function to each element along the first axis and stack the results.

    One element at a time, so in the memory of one: `vmap` does all at once.

    Args:
        f: takes and returns pytrees.
        xs: a pytree of tensors with one common first axis.
        batch_size: take so many elements at a time, by `vmap`; the last ones may be fewer.

    Raises:
        ShapeError: as `scan`.
        SettingError: when ``batch_size`` is no positive integer.

    Source of name and meaning: ``jax.lax.map``.

    Example:
        >>> import unigrad as ug
        >>> map(lambda x: x * x, ug.asarray([1, 2, 3])).tolist()
        [1, 4, 9]
    """
    check_function("map: f", f)
    if batch_size is not None:
        return _in_batches(f, xs, batch_size)
    return loop("map", lambda carry, x: (carry, f(x)), None, xs, None, False, 1)[1]


def _in_batches(f: Callable[[Any], Any], xs: Any, size: int) -> Any:
    """Map a function over elements, as many at a time as ``size`` says."""
    if type(size) is not int or size < 1:
        raise SettingError(f"map: batch_size is a positive integer, not {size!r}")
    leaves, structure = tree.flatten(xs)
    leaves = [as_tensor(leaf) for leaf in leaves]
    count = _length("map", leaves, None)
    whole, mapped = count - count % size, vmap(f)

    def rows(pick: Callable[[Tensor], Tensor]) -> Any:
        return tree.unflatten(structure, [pick(leaf) for leaf in leaves])

    if not whole:
        return mapped(rows(lambda x: x))
    batches = rows(lambda x: reshape(x[:whole], (whole // size, size, *x.shape[1:])))
    out = map(mapped, batches)
    out = tree.map(lambda y: reshape(y, (whole, *y.shape[2:])), out)
    if whole == count:
        return out
    rest = mapped(rows(lambda x: x[whole:]))
    return tree.map(lambda first, last: concat([first, last]), out, rest)


def _length(name: str, leaves: list[Tensor], length: int | None) -> int:
    if not all(leaf.shape for leaf in leaves):
        raise ShapeError(f"{name}: a scalar among xs has no axis to go along")
    lengths = {leaf.shape[0] for leaf in leaves}
    if length is not None:
        lengths.add(_count(name, length))
    if not lengths:
        raise ShapeError(f"{name}: nothing says how many steps there are: give xs or length=")
    if len(lengths) != 1:
        raise ShapeError(f"{name}: needs one common length, found {sorted(lengths)}")
    return lengths.pop()


def _count(name: str, length: Any) -> int:
    """Return a number of steps.

    Raises:
        SettingError: when it is no integer from 0 on.
    """
    if isinstance(length, (int, np.integer)) and not isinstance(length, bool) and length >= 0:
        return int(length)
    raise SettingError(
        f"{name}: length is a number of steps, known when the function is traced, not {length!r}"
    )


def _turns(name: str, unroll: int | bool, count: int) -> int:
    """Return how many steps one turn of a compiled loop takes.

    Raises:
        SettingError: when it is no positive integer, nor a bool.
    """
    if type(unroll) is bool:
        return max(count, 1) if unroll else 1
    if type(unroll) is not int or unroll < 1:
        raise SettingError(f"{name}: unroll is a positive integer or a bool, not {unroll!r}")
    return unroll


def _as_one_op(
    name: str,
    f: Step,
    init: Any,
    leaves: list[Tensor],
    structure: Any,
    count: int,
    reverse: bool,
    unroll: int,
) -> tuple[Any, Any]:
    """Capture a step and run the loop as an op."""
    carry, kept = tree.flatten(init)
    of_result: Any = None

    def step(carry: list[Any], rows: list[Tensor]) -> list[Any]:
        nonlocal of_result
        after, result = f(tree.unflatten(kept, carry), tree.unflatten(structure, rows))
        same_structure(name, "carry", kept, tree.structure(after))
        found, of_result = tree.flatten(result)
        return [*tree.leaves(after), *found]

    rows = [first_of(grounded(leaf)) for leaf in leaves]
    graph, outside, first = captured_step(name, step, kept, carry, rows)
    graph, inputs = with_an_input(graph, [*first, *leaves, *outside])
    found = SCAN(
        *inputs,
        body=graph,
        carries=len(first),
        rows=len(leaves),
        length=count,
        reverse=bool(reverse),
        unroll=unroll,
        plan=None,
    )
    last, stacked = found[: len(first)], found[len(first) :]
    return tree.unflatten(kept, list(last)), tree.unflatten(of_result, list(stacked))


def _stacked(name: str, column: list[Any]) -> Tensor:
    """Stack what the steps gave for one leaf."""
    dtypes = {one._native.dtype if type(one) is Tensor else None for one in column}
    if len(dtypes) > 1 or None in dtypes:
        column = list(common_tensors(name, column))
    out: Tensor = OPS["stack"](*column, axis=0)
    return out


def _row(leaf: Tensor) -> Tensor:
    """Return a row of zeros for an empty tensor."""
    return beside(leaf, np.zeros(leaf.shape[1:], leaf.dtype))


def _no_results(name: str, f: Step, carry: Any, x: Any) -> Any:
    """Return what stacking the results of no steps gives."""
    after, result = f(tree.map(_unseen, carry), x)
    same_structure(name, "carry", tree.structure(carry), tree.structure(after))
    return tree.map(lambda one: OPS["stack"](as_tensor(_unseen(one)), axis=0)[:0], result)


def _unseen(x: TensorLike) -> Any:
    """Return the tensor of anything that stands for one, for no recorder to see.

    A Python scalar stays one: it is weak.
    """
    return x if isinstance(x, (bool, int, float, complex)) else untracked(as_tensor(x))
