"""Drawing a graph: SVG and PNG, Graphviz's text, and an animated GIF of either mode."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from unigrad.core.errors import SettingError
from unigrad.graph.folding import Arrow, Box, Picture, picture, size
from unigrad.graph.layout import positions
from unigrad.graph.paths import shown
from unigrad.graph.tables import Table

if TYPE_CHECKING:
    from unigrad.graph.captured import CapturedGraph

_COLOURS = {
    "input": "#d7e8f7", "variable": "#fbe5c8", "constant": "#ececec", "op": "#ffffff",
    "module": "#e6f2e1", "output": "#f6d5d5",
}  # fmt: skip
_LIT = "#ffe36e"
#: Inches per character's width.
_SCALE = 0.085


def draw(captured: CapturedGraph, file: Any, fold: int | None, derivatives: bool | None) -> Any:
    """Draw a graph; see `CapturedGraph.draw`."""
    kind = "svg" if file is None else FilePath(file).suffix.removeprefix(".")
    if kind not in ("svg", "png", "dot"):
        raise SettingError(f"graph: a picture's name ends in .svg, .png or .dot, not {file!r}")
    drawn = picture(captured, fold, derivatives)
    if kind == "dot":
        FilePath(file).write_text(dot(drawn), encoding="utf-8")
        return None
    figure = _figure(drawn, {})
    if file is not None:
        figure.savefig(file, format=kind, dpi=120)
        return None
    text = io.StringIO()
    figure.savefig(text, format="svg")
    return text.getvalue()


def dot(drawn: Picture) -> str:
    """Return a picture in Graphviz's language, for those who have it.

    Example:
        >>> print(dot(Picture((), ())))
        digraph {
          rankdir=BT; node [shape=box, style="rounded,filled"];
        }
    """
    lines = ["digraph {", '  rankdir=BT; node [shape=box, style="rounded,filled"];']
    for i, box in enumerate(drawn.boxes):
        text = "\\n".join(box.lines).replace('"', '\\"')
        lines.append(f'  n{i} [label="{text}", fillcolor="{_COLOURS[box.kind]}"];')
    lines += [f'  n{one.source} -> n{one.target} [label="{one.text}"];' for one in drawn.arrows]
    return "\n".join([*lines, "}"])


def animate(captured: CapturedGraph, file: Any, mode: str, value: Any) -> None:
    """Draw a mode step by step; see `CapturedGraph.animate`."""
    if FilePath(file).suffix != ".gif":
        raise SettingError(f"graph: an animation's name ends in .gif, not {file!r}")
    if mode not in ("forward", "reverse"):
        raise SettingError(f'graph: mode is "forward" or "reverse", not {mode!r}')
    if mode == "reverse":
        table = captured.reverse(value)
    else:
        table = captured.forward(captured.inputs[0] if value is None else value)
    drawn = picture(captured, None, None)
    frames = [_image(drawn, {})]
    for count in range(1, len(table) + 1):
        frames.append(_image(drawn, _texts(captured, drawn, table, count)))
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=900, loop=0)


def _texts(captured: CapturedGraph, drawn: Picture, table: Table, count: int) -> dict[int, str]:
    """Return, for each box that has been reached, the derivative that it carries."""
    reached = {captured.find(step.name): step for step in table.steps[:count]}
    texts = {}
    for i, box in enumerate(drawn.boxes):
        for step in [reached[value] for value in box.values if value in reached]:
            texts[i] = f"{_ratio(table, step.name)} = {shown(step.derivative)}"
    return texts


def _ratio(table: Table, name: str) -> str:
    """Return ∂e/∂b of a heading ``∂e/∂`` or ``∂/∂b`` and a name."""
    if table.heading.endswith("∂"):
        return f"{table.heading}{name}"
    return table.heading.replace("∂/", f"∂{name}/")


def _image(drawn: Picture, texts: Mapping[int, str]) -> Any:
    """Return a picture as an image, some boxes lit and with a line more."""
    from PIL import Image

    buffer = io.BytesIO()
    _figure(drawn, texts).savefig(buffer, format="png", dpi=100)
    buffer.seek(0)
    return Image.open(buffer).convert("P")


def _figure(drawn: Picture, texts: Mapping[int, str]) -> Any:
    """Return a picture as a figure of matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{error}; install what draws: pip install 'unigrad[graph]'") from error
    places = positions(drawn)
    left, right, low, high = _bounds(drawn, places)
    figure = Figure(figsize=(_SCALE * (right - left), _SCALE * (high - low)))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(left, right), ylim=(low, high))
    axes.set_axis_off()
    for arrow, bend in zip(drawn.arrows, _bends(drawn), strict=True):
        _draw_arrow(axes, drawn, places, arrow, bend)
    for i, box in enumerate(drawn.boxes):
        _draw_box(axes, box, places[i], texts.get(i))
    return figure


def _bounds(drawn: Picture, places: Any) -> tuple[float, float, float, float]:
    if not places:
        return 0.0, 20.0, 0.0, 5.0
    sizes = [size(box) for box in drawn.boxes]
    both = [*zip(places, sizes, strict=True)]
    xs = [x + sign * w for (x, _), (w, _) in both for sign in (-0.6, 0.6)]
    ys = [y + sign * h for (_, y), (_, h) in both for sign in (-0.6, 0.6)]
    return min(xs) - 2.0, max(xs) + 2.0, min(ys) - 2.0, max(ys) + 4.0


def _draw_box(axes: Any, box: Box, place: tuple[float, float], text: str | None) -> None:
    from matplotlib.patches import FancyBboxPatch

    width, height = size(box)
    corner = place[0] - width / 2, place[1] - height / 2
    axes.add_patch(
        FancyBboxPatch(
            corner, width, height, boxstyle="round,pad=0.1,rounding_size=1.2", linewidth=1.0,
            facecolor=_LIT if text else _COLOURS[box.kind], edgecolor="#555555",
        )
    )  # fmt: skip
    axes.text(
        *place, "\n".join(box.lines), ha="center", va="center", fontsize=9, family="monospace"
    )
    if text:
        above = place[0], place[1] + height / 2 + 1.6
        axes.text(*above, text, ha="center", va="center", fontsize=9, color="#8a1c1c")


def _draw_arrow(axes: Any, drawn: Picture, places: Any, arrow: Arrow, bend: float) -> None:
    """Draw an arrow from the top of one box to the bottom of another."""
    from matplotlib.patches import FancyArrowPatch

    (x1, y1), (x2, y2) = places[arrow.source], places[arrow.target]
    start = x1, y1 + size(drawn.boxes[arrow.source])[1] / 2
    end = x2, y2 - size(drawn.boxes[arrow.target])[1] / 2
    axes.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=10, linewidth=0.9, color="#555555",
            connectionstyle=f"arc3,rad={bend}", shrinkA=0, shrinkB=2,
        )
    )  # fmt: skip
    if arrow.text:
        middle = (start[0] + end[0]) / 2 + 1.5 + bend * 12.0, (start[1] + end[1]) / 2
        axes.text(*middle, arrow.text, ha="center", va="center", fontsize=8, color="#1c4a8a")


def _bends(drawn: Picture) -> list[float]:
    """Return how much each arrow is bent, so that those between the same boxes stand apart."""
    count = Counter([(one.source, one.target) for one in drawn.arrows])
    seen: Counter[tuple[int, int]] = Counter()
    bends = []
    for arrow in drawn.arrows:
        pair = arrow.source, arrow.target
        bends.append(0.25 * (seen[pair] - (count[pair] - 1) / 2))
        seen[pair] += 1
    return bends
