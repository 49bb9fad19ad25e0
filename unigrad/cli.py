"""The command ``unigrad``: what is installed, and whether it agrees.

Every subcommand imports what it needs when it is run, so that ``unigrad info`` is quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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


@app.command()
def conformance(
    backend: Annotated[
        list[str] | None, typer.Option(help="Try this backend (may be repeated; default: all).")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Place tensors on this device.")] = None,
    op: Annotated[str | None, typer.Option(help="Only this op, scenario or edge.")] = None,
    containing: Annotated[
        str | None,
        typer.Option("-k", metavar="TEXT", help="Only what has this in its family/name."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Run in so many processes.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="Run the costly checks on one sample per op only.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write the results there.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as Markdown.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML.")] = None,
) -> None:
    """Check that the backends do what the specification says; print a report."""
    try:
        from unigrad_conformance.command import conformance as run
        from unigrad_conformance.session import Selection

        selection = Selection(op, containing, not quick)
        selection.trials()
    except ImportError as error:
        typer.echo(f"{error}; install the suite with: pip install 'unigrad[conformance]'", err=True)
        raise typer.Exit(2) from error
    from unigrad.core.registry import available_backends

    fine = run(
        backend or available_backends(),
        chosen=bool(backend),
        selection=selection,
        device=device,
        workers=workers,
        json_file=json,
        report_file=report,
        junit_file=junit,
    )
    raise typer.Exit(0 if fine else 1)


def main() -> None:
    """Run the command."""
    app()
