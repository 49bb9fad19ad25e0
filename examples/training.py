"""What the examples share: flags, the training loop with its progress bar, and the output folder.

Nothing in here is unigrad: a step is a function from a batch to a loss.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import unigrad as ug

console = Console(highlight=False)


def say(line: str) -> None:
    """Print a line as it is: a path in it is neither wrapped nor read as markup."""
    console.print(line, markup=False, soft_wrap=True)


def at_least(least: int) -> Callable[[str], int]:
    """Return a flag's type: an integer from this one on."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is below {least}")
        return value

    return number


def backend(name: str) -> str:
    """A flag's type: a backend that can be loaded; without a name the current one."""
    try:
        with ug.use_backend(name or ug.get_backend()) as found:
            return found.name
    except ug.BackendNotInstalledError as error:
        source = "" if name else "UNIGRAD_BACKEND: "
        raise argparse.ArgumentTypeError(f"{source}{error}") from error


def flags(description: str, name: str) -> argparse.ArgumentParser:
    """Return a parser with the flags that all examples have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--backend",
        type=backend,
        default="",  # a string, so that its type looks at it, where the flag is not given
        help="numpy, torch, jax, tensorflow, … (default: UNIGRAD_BACKEND, else numpy)",
    )
    parser.add_argument("--steps", type=at_least(0), help="train so many steps in all")
    parser.add_argument("--epochs", type=at_least(0), help="train so many epochs in all")
    parser.add_argument("--limit", type=at_least(1), help="train on so many examples only")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the batches")
    parser.add_argument(
        "--jit",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="compile the training step as one program (default: where that pays in a short run)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=None,
        help=f"folder for losses, curve and checkpoints (default: runs/{name}-BACKEND)",
    )
    parser.add_argument(
        "--checkpoint",
        type=at_least(1),
        metavar="STEPS",
        help="write a checkpoint every so many steps (default: one, at the end)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from the newest checkpoint in the folder; else the first new one replaces them",
    )
    return parser


def run_program(main: Callable[[], None]) -> None:
    """Run an example. When Ctrl-C ends it, say in one line how to go on, and exit with 130."""
    try:
        main()
    except KeyboardInterrupt as stop:
        again = [arg for arg in sys.argv if arg != "--resume"]
        command = shlex.join(["python", *again, "--resume"])
        # What comes from elsewhere than a training run has no words.
        print(f"{stop if stop.args else 'Interrupted'}. Go on with: {command}", file=sys.stderr)
        sys.exit(130)


class Run:
    """A training run in its folder: losses so far, time per step, checkpoints.

    Args:
        folder: where it lives.
        model: what is trained; it must have been built.
        optimizer: what trains it; its slots are made here.
        every: write a checkpoint every so many steps; None for one at the end only.
        resume: go on from the newest checkpoint in the folder, if there is one. A run that does
            not removes what another has left there, with its own first checkpoint: the highest
            number would be the other's. Until then it leaves the folder as it is.
        counts: names of what else the run counts, from 0 on: attributes of `checkpoint`.
        **settings: numbers that two runs must share for one to go on where the other ended.
    """

    def __init__(
        self,
        folder: Path,
        model: Any,
        optimizer: Any,
        every: int | None,
        resume: bool,
        counts: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.every = every
        self.losses: list[float] = []
        self.seconds: list[float] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            sys.exit(f"--output: {folder} is no folder to write to: {error.strerror}")
        optimizer.build(model.trainable_variables)
        own = json.dumps(settings)
        self.checkpoint = ug.io.Checkpoint(
            keep=2,
            model=model,
            optimizer=optimizer,
            step=0,
            settings=own,
            **dict.fromkeys(counts, 0),
        )
        newest = ug.io.latest(folder)
        if resume and newest is not None:
            try:
                self.checkpoint.restore(newest)
                self.losses = _read_losses(folder / "losses.json", self.checkpoint.step)
            except (ug.io.CheckpointError, OSError, ValueError, KeyError, TypeError) as error:
                sys.exit(f"--resume: {folder} holds no run to go on with: {error}")
            if self.checkpoint.settings != own:
                sys.exit(f"--resume: {newest} is of a run with {self.checkpoint.settings}")
            say(f"Going on from {newest}")
        #: Whether what is in the folder is this run's.
        self.owns_folder = resume or newest is None

    def train(self, step: Callable[..., float], batches: Iterable[Any], total: int) -> None:
        """Call the step on each batch that was not seen yet, under a progress bar.

        Raises:
            KeyboardInterrupt: after Ctrl-C, when the step is done and a checkpoint written.
        """
        columns = (
            TextColumn("Training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
        )
        done = self.checkpoint.step
        saved = done
        with (
            ug.training.interruptible() as interrupted,
            Progress(*columns, console=console) as progress,
        ):
            bar = progress.add_task("", total=total, completed=done, loss="")
            for batch in islice(batches, done, total):
                start = time.perf_counter()
                loss = step(*batch)
                self.seconds.append(time.perf_counter() - start)
                self.losses.append(loss)
                self.checkpoint.step += 1
                progress.update(bar, advance=1, loss=f"loss {loss:.4f}")
                if self.every and self.checkpoint.step % self.every == 0:
                    self._save()
                    saved = self.checkpoint.step
                if interrupted():
                    break
            progress.update(bar, total=total if interrupted() else self.checkpoint.step)
            if saved != self.checkpoint.step:
                self._save()
        if interrupted():
            raise KeyboardInterrupt(f"Interrupted after step {self.checkpoint.step}")

    def _save(self) -> None:
        """Write losses and state.

        Another run's checkpoints go before its losses do, and this run's losses come before its
        own checkpoint: none is ever beside losses that are not its own.
        """
        while not self.owns_folder and (stale := ug.io.latest(self.folder)) is not None:
            stale.unlink()
        self.owns_folder = True
        self._write_losses()
        self.checkpoint.save(self.folder, self.checkpoint.step)

    def finish(self, title: str, **facts: Any) -> None:
        """Write and draw the losses, and say where and what a step took."""
        if not self.owns_folder:
            say(f"{self.describe_time()}; {self.folder} keeps what another run has left there")
            return
        self._write_losses(**facts)
        say(f"{self.describe_time()}; losses in {self._draw_losses(title)}")

    def _write_losses(self, **facts: Any) -> None:
        """Write ``losses.json``: all losses, and what else there is to say."""
        # JSON has no word for what is no finite number but null.
        losses = [loss if math.isfinite(loss) else None for loss in self.losses]
        text = json.dumps({**facts, "losses": losses}, indent=1, allow_nan=False)
        # Under its name when it is whole, like a checkpoint.
        unfinished = self.folder / ".losses.json.tmp"
        unfinished.write_text(text)
        os.replace(unfinished, self.folder / "losses.json")

    def describe_time(self) -> str:
        """Say how long a step took: half of them less, and the first one, which may compile."""
        if not self.seconds:
            return "no step"
        typical = 1e3 * median(self.seconds[1:] or self.seconds)
        return f"{typical:.2f} ms a step (median), {self.seconds[0]:.2f} s for the first"

    def _draw_losses(self, title: str) -> Path:
        """Draw the loss curve as ``losses.png``."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
        axes.plot(range(1, len(self.losses) + 1), self.losses, linewidth=1)
        axes.set(title=title, xlabel="step", ylabel="loss")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        path = self.folder / "losses.png"
        figure.savefig(path, dpi=150)
        pyplot.close(figure)
        return path


def _read_losses(path: Path, count: int) -> list[float]:
    """Return the first losses of a file."""
    losses = json.loads(path.read_text())["losses"][:count]
    if len(losses) != count:
        raise ValueError(f"{path.name} has {len(losses)} losses for {count} steps")
    return [math.nan if loss is None else float(loss) for loss in losses]
