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
def info() -> None:
    """List the backends: versions and devices, how to install them, or why they are broken."""
    import os
    import warnings

    from unigrad.core.errors import BackendNotInstalledError
    from unigrad.core.registry import available_backends, install_command, load_backend

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # A framework that finds no driver for its accelerators says so; the list of devices does too.
    warnings.simplefilter("ignore")
    for name in available_backends():
        try:
            backend = load_backend(name)
            line = f"{backend.version:12} {', '.join(backend.devices())}"
        except BackendNotInstalledError as error:
            absent = isinstance(error.__cause__, ImportError)
            line = f"not installed: {install_command(name)}" if absent else str(error)
        except Exception as error:
            # A backend that cannot say what it is does not keep the others from it.
            line = f"broken: {type(error).__name__}: {error}"
        typer.echo(f"{name:12} {line}")


@app.command()
def conformance(
    backend: Annotated[
        list[str] | None, typer.Option(help="Try this backend (may be repeated; default: all).")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Place tensors on this device.")] = None,
    op: Annotated[str | None, typer.Option(help="Only this op, scenario or edge.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Run the costly checks on one sample per op only.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="Write the results there.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as Markdown.")] = None,
) -> None:
    """Check that the backends do what the specification says; print a report."""
    try:
        from unigrad_conformance.command import conformance as run
        from unigrad_conformance.running import every_trial

        every_trial()
    except ImportError as error:
        typer.echo(f"{error}; install the suite with: pip install 'unigrad[conformance]'", err=True)
        raise typer.Exit(2) from error
    from unigrad.core.registry import available_backends

    fine = run(
        backend or available_backends(),
        chosen=bool(backend),
        device=device,
        op=op,
        thorough=not quick,
        json_file=json,
        report_file=report,
    )
    raise typer.Exit(0 if fine else 1)


def main() -> None:
    """Run the command."""
    app()
