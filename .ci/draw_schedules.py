"""Draw docs/pictures/schedules.svg: every schedule of `unigrad.optimizers.schedules`.

usage: draw_schedules.py [PATH]
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

from unigrad.optimizers import schedules as s

SCHEDULES = {
    "constant(1)": s.constant(1.0),
    "piecewise([40, 70], …)": s.piecewise([40, 70], [1.0, 0.4, 0.1]),
    "exponential(1, 20, 0.5)": s.exponential(1.0, 20, 0.5),
    "… staircase=True": s.exponential(1.0, 20, 0.5, staircase=True),
    "inverse_time(1, 20, 1)": s.inverse_time(1.0, 20, 1.0),
    "polynomial(1, 80, 0.1, 2)": s.polynomial(1.0, 80, 0.1, 2.0),
    "linear(0.1, 1, 80)": s.linear(0.1, 1.0, 80),
    "cosine(1, 80)": s.cosine(1.0, 80),
    "cosine_restarts(1, 15)": s.cosine_restarts(1.0, 15),
    "linear_warmup(20, exponential)": s.linear_warmup(20, s.exponential(1.0, 30, 0.5)),
    "warmup_cosine(1, 20, 100)": s.warmup_cosine(1.0, 20, 100),
    "one_cycle(1, 100)": s.one_cycle(1.0, 100),
    "wsd(1, 15, 50, 30)": s.wsd(1.0, 15, 50, 30),
    "noam(1, 20)": s.noam(1, 20, 4.5),
    "cyclic(0.1, 1, 15)": s.cyclic(0.1, 1.0, 15),
    "join([constant, linear], [40])": s.join([s.constant(1.0), s.linear(0.7, 0.0, 50)], [40]),
}


def main() -> None:
    """Draw them all, four by four."""
    default = Path(__file__).parent.parent / "docs" / "pictures" / "schedules.svg"
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    matplotlib.rcParams["svg.hashsalt"] = "unigrad"
    figure, grid = pyplot.subplots(4, 4, figsize=(11, 8), sharex=True, layout="constrained")
    for axes, (name, schedule) in zip(grid.flat, SCHEDULES.items(), strict=True):
        axes.plot([float(schedule(step)) for step in range(100)], linewidth=1.2)
        axes.set_title(name, fontsize="small")
        axes.set_ylim(0, 1.1)
        axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
