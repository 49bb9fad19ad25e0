"""The commands ``unigrad pronounce`` and ``unigrad evaluate g2p``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from unigrad.core.registry import get_backend, use_backend
from unigrad.pronunciation.pronouncer import load_pronouncer

#: The score's column starts here, where the phonemes are not longer.
_SCORE_COLUMN = 40


def show(
    words: Sequence[str],
    n: int,
    beam: int,
    backend: str | None,
    checkpoints: Sequence[Path],
    attention: Path | None,
    echo: Callable[[str], Any],
) -> None:
    """Print words with their likeliest pronunciations; the arguments are the command's.

    Raises:
        UnigradError: when a word cannot be read, a checkpoint not be used, or no backend has that
            name.
        ImportError, OSError: as `draw_attention`.
    """
    # A few words' products are too small for threads, which wait for each other instead: on a busy
    # machine the answer would take several times as long.
    with threadpool_limits(1), use_backend(backend or get_backend()):
        pronouncer = load_pronouncer(*checkpoints)
        found = pronouncer(words, n, beam=beam)
        room = max(map(len, words))
        for word, answers in zip(words, found, strict=True):
            for rank, (sounds, score) in enumerate(answers):
                spelling = word if rank == 0 else ""
                echo(f"{spelling:{room}}  {' '.join(sounds):{_SCORE_COLUMN}} {score:8.3f}")
        if attention is not None:
            from unigrad.pronunciation.plot import draw_attention

            draw_attention(attention, [pronouncer.align(word, beam=beam) for word in words])
            echo(f"drawn: {attention}")


def evaluate_g2p(
    beam: int,
    limit: int | None,
    backend: str | None,
    checkpoints: Sequence[Path],
    echo: Callable[[str], Any],
) -> None:
    """Print error rates on the dictionary's test words; the arguments are the command's.

    Raises:
        UnigradError: when a checkpoint cannot be used, or no backend has that name.
        ImportError: when the dictionary is not installed.
    """
    from unigrad.pronunciation.dictionary import read_dictionary
    from unigrad.pronunciation.evaluation import evaluate

    with use_backend(backend or get_backend()) as chosen:
        test = read_dictionary().test[:limit]
        pronouncer = load_pronouncer(*checkpoints)
        echo(f"{len(test)} test words on {chosen.name}")
        for width in sorted({1, beam}):
            rates = evaluate(pronouncer, test, width)
            name = "greedy" if width == 1 else f"beam {width}"
            echo(f"{name:8}  WER {rates.wer:6.2%}  PER {rates.per:6.2%}  {rates.speed:.0f} words/s")
