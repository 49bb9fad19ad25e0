"""Pronounce English words: letters to phonemes, trained on the CMU dictionary.

    python examples/g2p.py --backend torch --limit 2000 --steps 100

The lecture's sequence-to-sequence model: a bidirectional GRU reads the letters, a GRU with
additive attention writes the phonemes. It is trained by teacher forcing with a masked loss and
Adam, then decodes held-out words greedily and by beam search. The same file runs on every backend,
from the same weights and the same batches.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from data_pronunciations import (
    BUCKETS,
    END,
    LETTER_TOKENS,
    PADDING,
    PHONEME_TOKENS,
    START,
    Pronunciation,
    Word,
    decoding_batches,
    phonemes,
    read_dictionary,
    training_batches,
)
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table
from training import Run, at_least, console, flags, run_program, say

import unigrad as ug

BATCH = 128
LEARNING_RATE = 1e-3
EPOCHS = 10
#: How many steps a run has if compiling the step should pay.
COMPILED_FROM = 1_000
#: The most phonemes of an answer, the end included: the dictionary's longest word has 28. It is
#: the same for all words, so that less is compiled; decoding stops once the answers are certain.
LONGEST = 29


def decode(
    model: ug.seq2seq.Seq2Seq, words: Sequence[Word], beam: int, n_best: int
) -> dict[str, list[tuple[Pronunciation, float]]]:
    """Return the best pronunciations of each word with their scores; a beam of 1 is greedy."""
    title = f"Decoding, beam {beam}" if beam > 1 else "Decoding, greedy"
    found = {}
    for part, letters in track(list(decoding_batches(words, 64)), title, console=console):
        source = ug.asarray(letters)
        if beam == 1:
            best = model.greedy(source, max_length=LONGEST)
            tokens, scores = best.tokens.numpy()[:, None], best.scores.numpy()[:, None]
        else:
            best = model.beam(source, max_length=LONGEST, beam=beam, n_best=n_best)
            tokens, scores = best.tokens.numpy(), best.scores.numpy()
        for word, rows, values in zip(part, tokens, scores):
            found[word.spelling] = [(phonemes(row), float(v)) for row, v in zip(rows, values)]
    return found


def error_rates(
    words: Sequence[Word], found: dict[str, list[tuple[Pronunciation, float]]]
) -> tuple[float, float]:
    """Return PER and WER of the best answers, against the nearest right pronunciation of each."""
    answers = [found[word.spelling][0][0] for word in words]
    nearest = [
        min(word.pronunciations, key=lambda one: ug.metrics.edit_distance(one, answer))
        for word, answer in zip(words, answers)
    ]
    return ug.metrics.error_rate(nearest, answers), ug.metrics.word_error_rate(nearest, answers)


def show(words: Sequence[Word], found: dict[str, list[tuple[Pronunciation, float]]]) -> None:
    """Print a few words with their likeliest pronunciations and log-probabilities."""
    table = Table("word", "right", "decoded", "log p")
    for word in words:
        for rank, (sounds, score) in enumerate(found[word.spelling]):
            head = (word.spelling, " ".join(word.pronunciations[0])) if rank == 0 else ("", "")
            table.add_row(*head, " ".join(sounds), f"{score:.2f}")
        table.add_section()
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, decode, and leave losses, curve and weights in the output folder."""
    parser = flags(__doc__.splitlines()[0], "g2p")
    parser.add_argument("--beam", type=at_least(1), default=5, help="hypotheses per word")
    parser.add_argument("--n-best", type=at_least(1), default=3, help="answers shown per word")
    parser.add_argument(
        "--test", type=at_least(1), help="score on so many test words (default: all)"
    )
    chosen = parser.parse_args(arguments)
    with ug.use_backend(chosen.backend):
        ug.layers.set_seed(chosen.seed)
        dictionary = read_dictionary()
        training = dictionary.training[: chosen.limit]
        test = dictionary.test[: chosen.test]
        if len(training) < BATCH * len(BUCKETS):
            sys.exit(f"--limit {chosen.limit}: give at least {BATCH * len(BUCKETS)} words")

        model = ug.seq2seq.Seq2Seq(
            LETTER_TOKENS, PHONEME_TOKENS, padding=PADDING, start=START, end=END
        )
        optimizer = ug.optimizers.Adam(LEARNING_RATE)

        def train_step(letters: ug.Tensor, sounds: ug.Tensor) -> ug.Tensor:
            with ug.GradientTape() as tape:
                loss = model.loss(letters, sounds)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            return loss

        epochs = chosen.epochs
        if epochs is None:
            epochs = EPOCHS if chosen.steps is None else sys.maxsize
        total = epochs * (len(training) // BATCH)
        if chosen.steps is not None:
            total = min(chosen.steps, total)
        # Measured: compiling the three shapes takes up to a minute (JAX) and halves a step's time.
        if chosen.jit or (chosen.jit is None and total >= COMPILED_FROM):
            train_step = ug.jit(train_step)

        def step(letters: NDArray[np.int64], sounds: NDArray[np.int64]) -> float:
            return float(train_step(ug.asarray(letters), ug.asarray(sounds)))

        batches = training_batches(training, BATCH, chosen.seed + 1, epochs)
        folder = chosen.output or Path("runs") / f"g2p-{chosen.backend}"
        run = Run(
            folder, model, optimizer, chosen.checkpoint, chosen.resume,
            seed=chosen.seed, limit=chosen.limit,
        )  # fmt: skip
        run.train(step, batches, total)
        run.finish(f"letters to phonemes on {chosen.backend}", backend=chosen.backend)

        for beam in sorted({1, chosen.beam}):
            start = time.perf_counter()
            found = decode(model, test, beam, min(chosen.n_best, beam))
            speed = len(test) / (time.perf_counter() - start)
            per, wer = error_rates(test, found)
            name = "greedy" if beam == 1 else f"beam {beam}"
            say(
                f"{len(test)} test words, {name}: PER {per:.2%}, WER {wer:.2%}, {speed:.0f} words/s"
            )
        show(test[:5], found)


if __name__ == "__main__":
    run_program(main)
