"""Pytrees: nested containers of leaves, through optree.

Lists, tuples, named tuples, dicts, dataclasses registered with optree and ``None`` (an empty
tree) are containers; Tensors and Variables are leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optree

from unigrad.core.errors import ShapeError

#: The builtin; `map` is the tree's here.
_map = map

__all__ = ["flatten", "is_leaf", "leaves", "map", "register", "structure", "unflatten"]

Tree = Any


def flatten(tree: Tree) -> tuple[list[Any], Any]:
    """Return a tree's leaves and its structure.

    Example:
        >>> leaves, structure = flatten({"b": 2, "a": (1, None)})
        >>> leaves, unflatten(structure, leaves)
        ([1, 2], {'b': 2, 'a': (1, None)})
    """
    leaves, structure = optree.tree_flatten(tree)
    return leaves, structure


def flatten_quickly(tree: Tree, leaf_types: frozenset[type]) -> tuple[list[Any], Any]:
    """Flatten as `flatten`; a leaf, or a list or tuple of nothing but leaves, without optree.

    The structure is then ``None`` for a leaf and the container's class for the others; it is good
    for `unflatten` alone.

    Example:
        >>> flatten_quickly((1, 2), frozenset([int]))
        ([1, 2], <class 'tuple'>)
    """
    kind = type(tree)
    if kind in leaf_types:
        return [tree], None
    if (kind is list or kind is tuple) and leaf_types.issuperset(_map(type, tree)):
        return list(tree), kind
    return flatten(tree)


def unflatten(structure: Any, leaves: Any) -> Tree:
    """Build the tree of a structure from its leaves.

    Example:
        >>> unflatten(structure((1, {"a": 2})), [3, 4])
        (3, {'a': 4})
    """
    if structure is None:
        return leaves[0]
    if structure is list or structure is tuple:
        return structure(leaves)
    return optree.tree_unflatten(structure, leaves)


def leaves(tree: Tree) -> list[Any]:
    """Return a tree's leaves.

    Example:
        >>> leaves({"b": 2, "a": (1, None)})
        [1, 2]
    """
    return list(optree.tree_leaves(tree))


def is_leaf(value: Any) -> bool:
    """Tell whether a value is a leaf and no container.

    Example:
        >>> is_leaf(1), is_leaf([1]), is_leaf(None)
        (True, False, False)
    """
    return bool(optree.tree_is_leaf(value))


def structure(tree: Tree) -> Any:
    """Return a tree's structure, which compares and hashes.

    Example:
        >>> structure((1, [2])) == structure((3, [4])), structure((1, [2])) == structure([1, 2])
        (True, False)
    """
    return optree.tree_structure(tree)


def map(function: Callable[..., Any], tree: Tree, *rest: Tree) -> Tree:
    """Apply a function to corresponding leaves of trees of one structure.

    Raises:
        ShapeError: when the structures differ.

    Example:
        >>> map(lambda a, b: a + b, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    try:
        return optree.tree_map(function, tree, *rest)
    except ValueError as error:
        if any(structure(one) != structure(tree) for one in rest):
            raise ShapeError(f"trees of different structure: {error}") from error
        raise


def register(
    cls: type,
    flatten: Callable[[Any], tuple[Sequence[Any], Any]],
    unflatten: Callable[[Any, Sequence[Any]], Any],
) -> None:
    """Make the instances of a class containers.

    Args:
        cls: the class.
        flatten: returns an instance's children, and what else it holds, which is compared and
            hashed.
        unflatten: makes an instance of that and of other children.

    Example:
        >>> class Pair:
        ...     def __init__(self, first, second):
        ...         self.parts = first, second
        >>> register(Pair, lambda pair: (pair.parts, None), lambda _, parts: Pair(*parts))
        >>> leaves([Pair(1, 2), 3])
        [1, 2, 3]
    """
    note: Any = optree.register_pytree_node
    note(cls, flatten, unflatten, namespace=_EVERYWHERE)


_EVERYWHERE: Any = getattr(optree.registry, "__GLOBAL_NAMESPACE")
