"""Draw where the model looks."""

from __future__ import annotations

from pathlib import Path

from unigrad.core.errors import SettingError
from unigrad.pronunciation.pronouncer import Alignment

__all__ = ["draw_attention"]


def draw_attention(path: str | Path, alignments: list[Alignment]) -> None:
    """Draw the attention of each phoneme to each letter, one picture per word, side by side.

    Raises:
        ImportError: when matplotlib is not installed.
        OSError: when the file cannot be written.
        SettingError: when matplotlib knows no such kind of file.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{error}; install what draws: pip install matplotlib") from error

    widths = [max(len(one.letters), 4) for one in alignments]
    tallest = max(len(one.phonemes) for one in alignments)
    figure = Figure(figsize=(1.0 + 0.45 * sum(widths), 1.2 + 0.4 * tallest), layout="constrained")
    rooms = figure.subplots(1, len(alignments), squeeze=False, width_ratios=widths)[0]
    for axes, one in zip(rooms, alignments, strict=True):
        axes.imshow(one.weights, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        axes.set_xticks(range(len(one.letters)), one.letters)
        axes.set_yticks(range(len(one.phonemes)), one.phonemes)
        axes.set_title("".join(one.letters))
    try:
        figure.savefig(path, dpi=150)
    except ValueError as error:
        raise SettingError(f"{path} cannot be drawn: {error}") from error
