"""`associative_scan`: all partial results of an associative function, in log₂ n rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.control.carrying import leaf_names, same_structure
from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.axes import normalize_axis
from unigrad.core.calls import check_function
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.indexing import getitem
from unigrad.ops.joining import concat, stack
from unigrad.ops.shaping import flip, reshape

__all__ = ["associative_scan"]


def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Return the partial results a₀, a₀∘a₁, a₀∘a₁∘a₂, … of an associative function.

    Neighbours are combined, the half as many results are scanned alike, and the elements between
    follow from these: 2 log₂ n rounds, each for all elements at once, where a loop takes n steps.

    Args:
        fn: ``(a, b) -> a∘b`` on pytrees like ``elems``, elementwise along the axis.
        elems: a pytree of tensors of one length along the axis.
        reverse: begin at the end: …, aₙ₋₁∘aₙ, aₙ, where ``fn`` gets the later element first.
        axis: the axis to scan along.

    Raises:
        ShapeError: when lengths differ, there is no element, or ``fn`` changes the structure or
            the shapes.

    Source: G. E. Blelloch, "Prefix sums and their applications" (1990); name and meaning are those
    of ``jax.lax.associative_scan``.

    Example:
        >>> import unigrad as ug
        >>> associative_scan(ug.multiply, ug.asarray([1, 2, 3, 4])).tolist()
        [1, 2, 6, 24]
    """
    check_function("associative_scan: fn", fn)
    leaves, structure = tree.flatten(elems)
    tensors = [as_tensor(one) for one in leaves]
    axes = [normalize_axis("associative_scan", axis, x.ndim) for x in tensors]
    lengths = {x.shape[i] for x, i in zip(tensors, axes, strict=True)}
    if len(lengths) != 1:
        raise ShapeError(f"associative_scan: needs one common length, found {sorted(lengths)}")

    def combine(first: list[Tensor], second: list[Tensor]) -> list[Tensor]:
        found = fn(tree.unflatten(structure, first), tree.unflatten(structure, second))
        same_structure("associative_scan", "element", structure, tree.structure(found))
        after = [as_tensor(one) for one in tree.leaves(found)]
        for i, (x, old) in enumerate(zip(after, first, strict=True)):
            if x.shape != old.shape:
                leaf = leaf_names("elems", structure)[i]
                raise ShapeError(
                    f"associative_scan: fn returned shape {x.shape} for {leaf} of {old.shape}"
                )
        return after

    if reverse:
        tensors = [flip(x, axis=i) for x, i in zip(tensors, axes, strict=True)]
    found = _scanned(combine, tensors, axes)
    if reverse:
        found = [flip(x, axis=i) for x, i in zip(found, axes, strict=True)]
    return tree.unflatten(structure, found)


def _scanned(
    combine: Callable[[list[Tensor], list[Tensor]], list[Tensor]],
    tensors: list[Tensor],
    axes: list[int],
) -> list[Tensor]:
    """Scan along the axes: those at odd places from pairs, those at even places from these."""
    length = tensors[0].shape[axes[0]] if tensors else 0
    if length < 2:
        return [x[...] for x in tensors]

    def part(values: list[Tensor], which: slice) -> list[Tensor]:
        return [
            getitem(x, (*[slice(None)] * axis, which)) for x, axis in zip(values, axes, strict=True)
        ]

    even, odd = part(tensors, slice(0, None, 2)), part(tensors, slice(1, None, 2))
    pairs = part(even, slice(0, length // 2))
    at_odd = _scanned(combine, combine(pairs, odd), axes)
    before = part(at_odd, slice(0, (length - 1) // 2))
    later = (
        combine(before, part(even, slice(1, None))) if length > 2 else part(even, slice(1, None))
    )
    first = part(even, slice(0, 1))
    at_even = [concat([a, b], axis=axis) for a, b, axis in zip(first, later, axes, strict=True)]
    return [_interleaved(a, b, axis) for a, b, axis in zip(at_even, at_odd, axes, strict=True)]


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    """Put elements at even and odd places together."""
    count = odd.shape[axis]
    every = (slice(None),) * axis
    both = stack([getitem(even, (*every, slice(0, count))), odd], axis=axis + 1)
    shape = (*odd.shape[:axis], 2 * count, *odd.shape[axis + 1 :])
    joined = reshape(both, shape)
    if even.shape[axis] == count:
        return joined
    return concat([joined, getitem(even, (*every, slice(count, None)))], axis=axis)
