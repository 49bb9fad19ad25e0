"""The command ``unigrad``: what is installed, and whether it agrees.

Every subcommand imports what it needs when it is run, so that ``unigrad info`` is quick.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from unigrad import cli_pronunciation

app = typer.Typer(
    help="One differentiable front end over NumPy, PyTorch, JAX and TensorFlow.",
    no_args_is_help=True,
    add_completion=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"unigrad {version('unigrad')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """One differentiable front end over NumPy, PyTorch, JAX and TensorFlow."""


@app.command()
def info(
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for frameworks that take long to load.")
    ] = False,
) -> None:
    """List the backends: versions and devices, how to install them, or why they are broken."""
    from unigrad.installation import describe_all, patience

    for name, line in describe_all(None if wait else patience()):
        typer.echo(f"{name:12} {line}")


suite = typer.Typer(invoke_without_command=True, help="Check the backends; print a report.")
app.add_typer(suite, name="conformance")

_Backends = Annotated[
    list[str] | None,
    typer.Option("--backend", help="These backends: torch,jax (default: all)."),
]


class _Level(StrEnum):
    quick = "quick"
    full = "full"
    exhaustive = "exhaustive"


@suite.callback()
def conformance(
    context: typer.Context,
    backend: _Backends = None,
    device: Annotated[str | None, typer.Option(help="Place tensors on this device.")] = None,
    op: Annotated[str | None, typer.Option(help="Only this op, scenario or edge.")] = None,
    containing: Annotated[
        str | None,
        typer.Option("-k", metavar="TEXT", help="Only what has this in its family/name."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Run in so many processes.")] = 1,
    level: Annotated[
        _Level,
        typer.Option(
            help="quick: all checks where they take no compiler, elsewhere one sample of each op "
            "and some of what is alike; full: all on one sample per op; exhaustive: on every "
            "sample, and random programs."
        ),
    ] = _Level.full,
    json: Annotated[Path | None, typer.Option(help="Write the results there.")] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write the report there: a .html page, or .md (may be repeated)."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML.")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Keep every outcome in this file; go on with the run that left it."),
    ] = None,
    durations: Annotated[
        int, typer.Option(min=0, help="Name so many of the slowest trials on each backend.")
    ] = 0,
) -> None:
    """Check that the backends do what the specification says; print a report."""
    if context.invoked_subcommand is not None:
        return
    try:
        from unigrad_conformance.command import conformance as run
        from unigrad_conformance.levels import Level
        from unigrad_conformance.session import Selection

        selection = Selection(op, containing, Level(level))
        selection.trials()
    except ImportError as error:
        raise _without_suite(error) from error
    fine = run(
        _named(backend),
        chosen=bool(backend),
        selection=selection,
        device=device,
        workers=workers,
        json_file=json,
        reports=report or [],
        junit_file=junit,
        journal_file=resume,
        durations=durations,
    )
    raise typer.Exit(0 if fine else 1)


@suite.command()
def fuzz(
    backend: _Backends = None,
    minutes: Annotated[float, typer.Option(min=0.0, help="For so long.")] = 5.0,
    seed: Annotated[int, typer.Option(min=0, help="The first program's number.")] = 0,
) -> None:
    """Run random programs on the backends; print those that disagree with NumPy, made small."""
    try:
        from unigrad_conformance.backends import installed
        from unigrad_conformance.fuzz.command import fuzz as run
    except ImportError as error:
        raise _without_suite(error) from error
    names = _named(backend) if backend else installed()
    found = run(names, seconds=60.0 * minutes, seed=seed, say=typer.echo)
    raise typer.Exit(1 if found else 0)


def _named(backends: list[str] | None) -> list[str]:
    """Return the backends that are asked for, each given for itself or several with commas."""
    from unigrad.core.registry import available_backends

    given = [name.strip() for one in backends or () for name in one.split(",")]
    return [name for name in given if name] or available_backends()


def _without_suite(error: ImportError) -> typer.Exit:
    typer.echo(f"{error}; install the suite with: pip install 'unigrad[conformance]'", err=True)
    return typer.Exit(2)


@app.command()
def train(
    source: Annotated[
        str, typer.Argument(help="A TOML file of a run, or a task's name: spirals, g2p.")
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Another value: optimizer.learning_rate=3e-4 (may be repeated).",
            metavar="KEY=VALUE",
        ),
    ] = None,
    backend: Annotated[str | None, typer.Option(help="Train on this backend.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Put log and checkpoints there.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint in the folder.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove what another run has left in the folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no bar.")] = False,
) -> None:
    """Train what a file describes; Ctrl-C saves, and says how to go on."""
    import shlex
    import sys

    from unigrad.core.errors import UnigradError
    from unigrad.training.command import train as run
    from unigrad.training.errors import ConfigError

    given = list(settings or ())
    given += [f"backend={backend}"] if backend else []
    given += [f"folder={folder}"] if folder else []

    def flags(message: str) -> str:
        """Say it as the command line does."""
        return message.replace("resume=True", "--resume").replace("overwrite=True", "--overwrite")

    try:
        run(source, given, resume=resume, overwrite=overwrite, quiet=quiet, say=typer.echo)
    except KeyboardInterrupt as stop:
        words = [word for word in sys.argv[1:] if word not in ("--resume", "--overwrite")]
        again = shlex.join(["unigrad", *words, "--resume"])
        what = flags(str(stop)).removesuffix(": go on with --resume") or "Interrupted"
        typer.echo(f"{what}. Go on with: {again}", err=True)
        raise typer.Exit(130) from stop
    except (UnigradError, ImportError) as error:
        typer.echo(flags(str(error)), err=True)
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from error


@app.command()
def graph(
    what: Annotated[
        str, typer.Argument(help='An expression, "(a + b) * (b + 1)", or a function: file.py:name.')
    ],
    values: Annotated[
        list[str] | None, typer.Argument(help="More values for --at.", metavar="NAME=VALUE")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(help="The expression's values: a=2 b=1.", metavar="NAME=VALUE"),
    ] = None,
    wrt: Annotated[
        str | None, typer.Option(help="Show forward mode from this value, and paths.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Draw to this file: .svg, .png, .dot, or .gif.")
    ] = None,
    fold: Annotated[
        int | None, typer.Option(help="Fold modules nested deeper than this into one box.")
    ] = None,
) -> None:
    """Show a computation as a graph: its ops, derivatives, paths, and a picture."""
    from unigrad.core.errors import UnigradError
    from unigrad.graph.command import show

    try:
        show(what, [*(at or ()), *(values or ())], wrt, out, fold, typer.echo)
    except (UnigradError, OSError, ImportError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


@app.command()
def bench(
    backend: Annotated[
        list[str] | None, typer.Option(help="Measure this backend (may be repeated; default: all).")
    ] = None,
    containing: Annotated[
        str,
        typer.Option("-k", metavar="TEXT", help="Only rows and series with this in their name."),
    ] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Few rounds, short series.")] = False,
    results: Annotated[
        Path | None, typer.Option(help="Write the figures there (default: benchmarks/results).")
    ] = None,
    page: Annotated[
        bool, typer.Option("--page", help="Put the figures on the documentation's page.")
    ] = False,
) -> None:
    """Measure the speed beside the libraries by themselves; needs a checkout of the repository."""
    import importlib

    try:
        command = importlib.import_module("benchmarks.command")
    except ImportError as error:
        typer.echo(
            f"{error}; the benchmarks are not installed: run `unigrad bench` from a checkout of "
            "the repository, installed with: pip install -e '.[all,demo,dev]'",
            err=True,
        )
        raise typer.Exit(2) from error
    installed = command.installed()
    chosen = installed if backend is None else _named(backend)
    if unknown := sorted({*chosen} - {*installed}):
        typer.echo(
            f"there are no benchmarks, or no library, of {', '.join(unknown)}; "
            f"there are of {', '.join(installed)}",
            err=True,
        )
        raise typer.Exit(2)
    fine = command.bench(chosen, containing, quick, results or command.RESULTS, page, typer.echo)
    raise typer.Exit(0 if fine else 1)


cli_pronunciation.add_to(app)


def main() -> None:
    """Run the command. What the terminal's encoding lacks is printed as ``?``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
