"""Where boxes stand: layer by layer, inputs at the bottom, as few crossings as can be.

The layout is igraph's (Sugiyama, Tagawa and Toda, 1981).
"""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.graph.folding import Picture, size


def positions(picture: Picture) -> list[tuple[float, float]]:
    """Return the centre of each box; y grows upwards, in units of a character's width.

    Raises:
        ImportError: when igraph is not installed.
    """
    try:
        import igraph  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(f"{error}; install what draws: pip install 'unigrad[graph]'") from error
    layers = _layers(picture)
    if not picture.boxes:
        return []
    graph = igraph.Graph(
        len(picture.boxes), [(one.source, one.target) for one in picture.arrows], directed=True
    )
    widest = max(size(box)[0] for box in picture.boxes)
    tallest = max(size(box)[1] for box in picture.boxes)
    found = graph.layout_sugiyama(layers=layers, hgap=widest + 4.0, vgap=1.0, maxiter=100)
    return [(float(found[i][0]), layers[i] * (tallest + 5.0)) for i in range(len(picture.boxes))]


def _layers(picture: Picture) -> Sequence[int]:
    """Return for each box the length of the longest way to it; boxes come after their sources."""
    layers = [0] * len(picture.boxes)
    into: dict[int, list[int]] = {}
    for arrow in picture.arrows:
        into.setdefault(arrow.target, []).append(arrow.source)
    for i in range(len(layers)):
        layers[i] = 1 + max([layers[j] for j in into.get(i, ())], default=-1)
    # What nothing leads to stands just below what uses it first.
    for i in range(len(layers)):
        users = [layers[one.target] for one in picture.arrows if one.source == i]
        if i not in into and users:
            layers[i] = min(users) - 1
    return layers
