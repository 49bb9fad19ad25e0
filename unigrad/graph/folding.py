"""From a captured graph to what is drawn: boxes and arrows, with modules folded into one box.

A picture is plain data, which knows no file format and no layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from unigrad.graph.paths import shown
from unigrad.graph.wording import formula, label, value_text
from unigrad.tracing.graph import Node, Value

if TYPE_CHECKING:
    from unigrad.graph.captured import CapturedGraph

#: Pictures of more boxes are folded further unless they are asked for as they are.
READABLE = 60


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its lines of text, and what kind of thing it is."""

    lines: tuple[str, ...]
    kind: Literal["input", "variable", "constant", "op", "module", "output"]
    #: The values that it stands for: the results of its nodes, or one input.
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between boxes, by their numbers, with a text."""

    source: int
    target: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and the arrows between them."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture(captured: CapturedGraph, fold: int | None, derivatives: bool | None) -> Picture:
    """Return what is to be drawn of a graph; see `CapturedGraph.draw`."""
    if fold is not None:
        return _picture(captured, _by_scope(captured, fold), derivatives)
    groups: list[Any] = [*range(len(captured.nodes))]
    deepest = max([len(node.place[2]) for node in captured.nodes], default=0)
    for depth in range(deepest, -1, -1):
        if _count(groups) <= READABLE:
            break
        groups = _by_scope(captured, depth)
    if _count(groups) > READABLE:
        groups = _by_line(captured, groups)
    if _count(groups) > READABLE:
        groups = _in_runs(groups)
    return _picture(captured, groups, derivatives)


def _count(groups: Sequence[Any]) -> int:
    return len(set(groups))


def _by_scope(captured: CapturedGraph, depth: int) -> list[Any]:
    """Group nodes by the module at a depth whose call they ran in; the others stay apart.

    Two calls of one module are two boxes: runs of nodes that follow each other are put together.
    """
    groups: list[Any] = []
    run = 0
    before: Any = None
    for i, node in enumerate(captured.nodes):
        scopes = node.place[2]
        path = scopes[: depth + 1] if len(scopes) > depth else None
        if path != before:
            run, before = i, path
        groups.append(i if path is None else ("module", path, run))
    return groups


def _by_line(captured: CapturedGraph, groups: Sequence[Any]) -> list[Any]:
    """Put nodes that follow each other and were made by one line of the program together."""
    found: list[Any] = []
    run, before = 0, None
    for i, (node, group) in enumerate(zip(captured.nodes, groups, strict=True)):
        line = node.place[:2]
        if line != before:
            run, before = i, line
        found.append(("line", line, run) if isinstance(group, int) else group)
    return found


def _in_runs(groups: Sequence[Any]) -> list[Any]:
    """Cut the sequence into as many runs as can be read."""
    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    length = -(-len(order) // READABLE)
    return [("run", order[group] // length) for group in groups]


def _picture(captured: CapturedGraph, groups: Sequence[Any], derivatives: bool | None) -> Picture:
    graph = captured.graph
    boxes: list[Box] = []
    place: dict[Value, int] = {}
    inside = _inside(captured, groups)
    for value in (*graph.inputs, *graph.variables, *graph.constants):
        if value in inside and value not in graph.inputs:
            continue
        place[value] = len(boxes)
        kind: Any = "input" if value in graph.inputs else formula(captured, value)
        boxes.append(Box((captured.names[value], value_text(captured, value)), kind, (value,)))
    members: dict[Any, list[Node]] = {}
    for node, group in zip(captured.nodes, groups, strict=True):
        members.setdefault(group, []).append(node)
    for group, nodes in members.items():
        values = tuple([value for node in nodes for value in node.outputs])
        place.update(dict.fromkeys(values, len(boxes)))
        ends = any(value in graph.outputs for value in values)
        boxes.append(_box(captured, group, nodes, values, ends))
    arrows: dict[tuple[int, int, Any], Arrow] = {}
    local = {(id(e.node), e.position): e for e in captured.edges if e.result == 0}
    for node, group in zip(captured.nodes, groups, strict=True):
        target = place[node.outputs[0]]
        for position, one in enumerate(node.inputs):
            if type(one) is not Value or place.get(one, target) == target:
                continue
            edge = local.get((id(node), position))
            text = ""
            if edge is not None and isinstance(group, int) and _worth(edge, derivatives):
                text = shown(captured.derivative(edge))
            key = (place[one], target, position if text else None)
            arrows.setdefault(key, Arrow(place[one], target, text))
    return Picture(tuple(boxes), tuple(arrows.values()))


def _inside(captured: CapturedGraph, groups: Sequence[Any]) -> set[Value]:
    """Return the values that only the nodes of one folded box take: they are drawn with it."""
    takers: dict[Value, set[Any]] = {}
    for node, group in zip(captured.nodes, groups, strict=True):
        for one in node.inputs:
            if type(one) is Value:
                takers.setdefault(one, set()).add(group)
    return {
        one for one, by in takers.items() if len(by) == 1 and not isinstance(next(iter(by)), int)
    }


def _worth(edge: Any, derivatives: bool | None) -> bool:
    """Tell whether a derivative is written on an edge."""
    if derivatives is None:
        return not edge.source.shape and not edge.target.shape
    return derivatives


def _box(
    captured: CapturedGraph,
    group: Any,
    nodes: Sequence[Node],
    values: tuple[Value, ...],
    ends: bool,
) -> Box:
    if isinstance(group, int):
        [node] = nodes
        lines = (label(captured, node), ", ".join([value_text(captured, v) for v in node.outputs]))
        return Box(lines, "output" if ends else "op", values)
    last = repr(values[-1])
    count = f"{len(nodes)} ops"
    if group[0] == "module":
        return Box(
            (" / ".join([name for name, _ in group[1]]), count, last),
            "output" if ends else "module",
            values,
        )
    file, line, _ = nodes[0].place
    name = f"{file.rpartition('/')[2]}:{line}" if group[0] == "line" else nodes[-1].op.name
    return Box((name, count, last), "output" if ends else "module", values)


def size(box: Box) -> tuple[float, float]:
    """Return a box's width and height, in units of a character's width.

    Example:
        >>> size(Box(("abc",), "op", ()))
        (6.0, 3.5)
    """
    return 3.0 + max([3, *map(len, box.lines)]), 1.0 + 2.5 * len(box.lines)


__all__ = ["READABLE", "Arrow", "Box", "Picture", "picture", "size"]
