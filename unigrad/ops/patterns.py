"""Axes moved, split and joined by a pattern of names, as einops writes it."""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import NamedTuple

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.shaping import permute_dims, reshape

__all__ = ["rearrange"]

_TOKEN = re.compile(r"\s*(\(|\)|\.\.\.|[A-Za-z_]\w*|1(?!\w))")
#: What stands for the axes of ``...``.
_REST = "..."


class _Pattern(NamedTuple):
    """Both sides: groups of names, each an axis of the tensor."""

    given: tuple[tuple[str, ...], ...]
    wanted: tuple[tuple[str, ...], ...]


def _side(pattern: str, text: str) -> tuple[tuple[str, ...], ...]:
    groups: list[tuple[str, ...]] = []
    inside: list[str] | None = None
    at, text = 0, text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise SettingError(f"rearrange: {pattern!r}: expected a name at {text[at:]!r}")
        token, at = found[1], found.end()
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif token in "()":
            raise SettingError(f"rearrange: {pattern!r}: parentheses do not nest")
        elif inside is None:
            groups.append((token,) if token != "1" else ())
        elif token != "1":
            inside.append(token)
    if inside is not None:
        raise SettingError(f"rearrange: {pattern!r}: a parenthesis is not closed")
    names = [name for group in groups for name in group]
    if len(set(names)) != len(names):
        raise SettingError(f"rearrange: {pattern!r}: a name stands twice on one side")
    return tuple(groups)


@lru_cache(1024)
def _parsed(pattern: str) -> _Pattern:
    """Take a pattern apart.

    Example:
        >>> _parsed("a b -> (b a)").wanted
        (('b', 'a'),)
    """
    sides = pattern.split("->")
    if len(sides) != 2:
        raise SettingError(f"rearrange: a pattern is 'from -> to', not {pattern!r}")
    given, wanted = (_side(pattern, side) for side in sides)
    names = [{name for group in side for name in group} for side in (given, wanted)]
    if names[0] != names[1]:
        odd = ", ".join(sorted(names[0] ^ names[1]))
        raise SettingError(f"rearrange: {pattern!r}: both sides have the same names, unlike {odd}")
    if any(_REST in group and len(group) > 1 for group in given):
        raise SettingError(f"rearrange: {pattern!r}: what comes in is not split by '...'")
    return _Pattern(given, wanted)


def _lengths(
    pattern: str, groups: tuple[tuple[str, ...], ...], shape: tuple[int, ...], known: dict[str, int]
) -> dict[str, tuple[int, ...]]:
    """Return the lengths that each name stands for: one, or those of the axes of ``...``."""
    rest = len(shape) - sum(group != (_REST,) for group in groups)
    if rest < 0 or (rest and (_REST,) not in groups):
        raise ShapeError(f"rearrange: {pattern!r} does not fit shape {shape}")
    lengths: dict[str, tuple[int, ...]] = {}
    axes = iter(shape)
    for group in groups:
        if group == (_REST,):
            lengths[_REST] = tuple([next(axes) for _ in range(rest)])
            continue
        length = next(axes)
        unknown = [name for name in group if name not in known]
        product = prod(known[name] for name in group if name in known)
        if len(unknown) > 1:
            raise SettingError(
                f"rearrange: {pattern!r}: give all but one of the lengths of {', '.join(unknown)}"
            )
        if not product or length % product or (not unknown and length != product):
            raise ShapeError(f"rearrange: {pattern!r}: an axis of shape {shape} does not split so")
        for name in group:
            lengths[name] = (known.get(name, length // product),)
    return lengths


def rearrange(x: TensorLike, pattern: str, /, **lengths: int) -> Tensor:
    """Move, split and join axes, as a pattern of their names says: ``"h w c -> (h w) c"``.

    A parenthesis is one axis of the product of its lengths, the last name running fastest; of
    those that are split, all lengths but one are given. ``1`` is an axis of length one, ``...``
    stands for any axes. The notation is that of einops, whose own functions take tensors too.

    Raises:
        SettingError: for a pattern that says nothing, or lengths that are missing or not in it.
        ShapeError: when it does not fit the shape.

    Example:
        >>> rearrange([[1, 2, 3], [4, 5, 6]], "rows columns -> (columns rows)").tolist()
        [1, 4, 2, 5, 3, 6]
        >>> rearrange([1, 2, 3, 4], "(a b) -> b a 1", b=2).shape
        (2, 2, 1)
    """
    tensor = as_tensor(x)
    given, wanted = _parsed(pattern)
    order = [name for group in given for name in group]
    for name, length in lengths.items():
        if name not in order:
            raise SettingError(f"rearrange: {pattern!r} has no axis {name!r}")
        if type(length) is not int or length < 1:
            raise SettingError(f"rearrange: {name} is a length of 1 or more, not {length!r}")
    found = _lengths(pattern, given, tensor.shape, lengths)
    split = reshape(tensor, tuple([one for name in order for one in found[name]]))
    places: dict[str, list[int]] = {}
    at = 0
    for name in order:
        places[name] = list(range(at, at + len(found[name])))
        at += len(found[name])
    moved = permute_dims(
        split, tuple([i for group in wanted for name in group for i in places[name]])
    )
    shape: list[int] = []
    for group in wanted:
        if group == (_REST,):
            shape += found[_REST]
        else:
            shape.append(prod(one for name in group for one in found[name]))
    return reshape(moved, tuple(shape))
