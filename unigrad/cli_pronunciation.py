"""The subcommands of the pronouncer: ``unigrad pronounce`` and ``unigrad evaluate g2p``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

_Backend = Annotated[
    str | None, typer.Option(help="Run on this backend (default: UNIGRAD_BACKEND, else numpy).")
]
_Beam = Annotated[int, typer.Option(min=1, help="Hypotheses of the search; 1 is greedy.")]
_Checkpoints = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoint",
        help="Use this model, or that of a run's folder, not the package's own. Repeated: several "
        "models together.",
    ),
]


@contextmanager
def _complaints() -> Iterator[None]:
    """Say in one line what was wrong with what the user gave, and exit with 2.

    Example:
        >>> import typer
        >>> try:
        ...     with _complaints():
        ...         raise OSError
        ... except typer.Exit as error:
        ...     error.exit_code
        2
    """
    from unigrad.core.errors import UnigradError

    try:
        yield
    except (UnigradError, OSError, ImportError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def pronounce(
    words: Annotated[list[str], typer.Argument(help="Words of letters and apostrophes.")],
    n: Annotated[int, typer.Option("--n", "-n", min=1, help="So many answers per word.")] = 3,
    beam: _Beam = 5,
    backend: _Backend = None,
    checkpoint: _Checkpoints = None,
    attention: Annotated[
        Path | None,
        typer.Option(help="Draw to this file (.png, .svg, .pdf) where the model looks."),
    ] = None,
) -> None:
    """Say how English words are pronounced: the likeliest answers with their log-probabilities."""
    with _complaints():
        from unigrad.pronunciation.command import show

        show(words, n, beam, backend, checkpoint or (), attention, typer.echo)


evaluate = typer.Typer(no_args_is_help=True, help="Measure a trained model on test data.")


@evaluate.callback()
def _evaluate() -> None:
    """Measure a trained model on test data."""


@evaluate.command()
def g2p(
    beam: _Beam = 5,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many test words.")] = None,
    backend: _Backend = None,
    checkpoint: _Checkpoints = None,
) -> None:
    """Letters to phonemes: word and phoneme error rates, greedy and by beam search."""
    with _complaints():
        from unigrad.pronunciation.command import evaluate_g2p

        evaluate_g2p(beam, limit, backend, checkpoint or (), typer.echo)


def add_to(app: typer.Typer) -> None:
    """Add the subcommands to the command."""
    app.command()(pronounce)
    app.add_typer(evaluate, name="evaluate")
