"""The figures of `unigrad bench` as a Markdown table, with pictures of how times grow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.rows import BACKENDS, OURS

#: What a worker has written for one backend.
Results: TypeAlias = dict[str, Any]

_HEAD = "| what | backend | `unigrad` | beside | figure | bar | |\n|---|---|---:|---|---:|---:|---|"
_MARKS = "<!-- figures:begin -->", "<!-- figures:end -->"


def read(folder: Path) -> dict[str, Results]:
    """Return the results that lie in a folder, by backend."""
    files = {name: folder / f"{name}.json" for name in BACKENDS}
    return {name: json.loads(one.read_text("utf-8")) for name, one in files.items() if one.exists()}


def table(results: dict[str, Results]) -> str:
    """Return the rows of all backends, those of one name beside each other."""
    rows = [row | {"backend": name} for name, one in results.items() for row in one["rows"]]
    order = list(dict.fromkeys(row["name"] for row in rows))
    rows.sort(key=lambda row: order.index(row["name"]))
    return "\n".join([_HEAD, *[line for row in rows for line in _lines(row)]])


def _lines(row: dict[str, Any]) -> Iterator[str]:
    start = f"| {row['name']} | {row['backend']} |"
    if "error" in row:
        yield f"{start} failed | {_cell(row['error'])} | | | |"
        return
    timings = row["timings"]
    ours = duration(timings[OURS]["median"])
    peers = "; ".join(
        f"{name} {duration(one['median'])}" for name, one in timings.items() if name != OURS
    )
    for bar in row["bars"] or [None]:
        if bar is None:
            yield f"{start} {ours} | {peers} | | | |"
            continue
        figure = f"{_number(bar['figure'])}{bar['unit']}"
        verdict = "" if bar["within"] else "over"
        yield (
            f"{start} {ours} | {peers} | {figure} {bar['text']} "
            f"| ≤ {_number(bar['most'])}{bar['unit']} | {verdict} |"
        )


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")[:200]


def _number(x: float) -> str:
    return f"{x:.3g}" if abs(x) < 1 else f"{x:.2f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    """Return a time in a unit that suits it.

    Example:
        >>> duration(0.00125), duration(12.0), duration(3e-6)
        ('1.25 ms', '12 s', '3 µs')
    """
    for scale, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def machine(results: dict[str, Results]) -> str:
    """Return a line on versions, machine and load, and whether the run was a quick one."""
    versions: dict[str, str] = {}
    for one in results.values():
        versions |= one["environment"]["versions"]
    first = next(iter(results.values()))["environment"]
    load = max((one["environment"]["load_average"] or [0])[0] for one in results.values())
    shown = ", ".join(f"{name} {one}" for name, one in sorted(versions.items()))
    kind = " A quick run: few rounds." if any(one["quick"] for one in results.values()) else ""
    return (
        f"One core of {first['platform']}, Python {first['python']}, {shown}; "
        f"load average up to {load:.1f}.{kind}"
    )


def draw(results: dict[str, Results], folder: Path) -> list[Path]:
    """Draw how times grow, a picture per series with a panel per backend; return the files."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    grown = {name: one["growth"] for name, one in results.items()}
    found = list(dict.fromkeys(row["name"] for rows in grown.values() for row in rows))
    files = []
    for title in found:
        rows = {
            name: row
            for name, some in grown.items()
            for row in some
            if row["name"] == title and "error" not in row
        }
        if not rows:
            continue
        figure = Figure(figsize=(3.2 * len(rows), 3.2), layout="constrained")
        axes = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
        for panel, (name, row) in zip(axes, rows.items(), strict=True):
            for candidate, times in row["seconds"].items():
                panel.loglog([*map(int, times)], [*times.values()], marker="o", label=candidate)
            panel.set(title=name, xlabel=row["axis"])
            panel.legend(fontsize="small")
        axes[0].set_ylabel("seconds")
        figure.suptitle(title)
        slug = re.sub(r"\W+", "-", title.lower()).strip("-")
        files.append(folder / f"bench-{slug}.svg")
        folder.mkdir(parents=True, exist_ok=True)
        # Without the date and random names, so that the same figures are the same file.
        with rc_context({"svg.hashsalt": slug}):
            figure.savefig(files[-1], metadata={"Date": None})
    return files


def write_page(results: dict[str, Results], page: Path, pictures: Sequence[Path]) -> None:
    """Put the figures between the marks of a page.

    Raises:
        ValueError: when the page has no marks.
    """
    text = page.read_text("utf-8")
    begin, end = _MARKS
    if begin not in text or end not in text:
        raise ValueError(f"{page} has no {begin} … {end}")
    before, rest = text.split(begin, 1)
    shown = "\n".join(f"![{one.stem}]({one.relative_to(page.parent)})\n" for one in pictures)
    body = f"{begin}\n\n{machine(results)}\n\n{table(results)}\n\n{shown}\n{end}"
    page.write_text(before + body + rest.split(end, 1)[1], "utf-8")
