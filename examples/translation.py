"""Translate verses from English to Spanish, as the lecture does: words, attention, BLEU.

    python examples/translation.py --sword sword --backend jax --epochs 10

Verses of at most 20 words; how to get them is in `data_verses.py`. An LSTM reads a verse in both
directions, another one with attention writes the translation; ``--model transformer`` takes a
Transformer in their place. At the end: BLEU over the held-out verses by beam search, a few of them,
and where the model looked while it translated the first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from data_verses import END, LONGEST, PADDING, START, UNKNOWN, Verse, Vocabulary, read_verses
from numpy.typing import NDArray
from rich.table import Table
from training import Run, at_least, console, flags, run_program, say

import unigrad as ug

BATCH = 64
LEARNING_RATE = 1e-3
LABEL_SMOOTHING = 0.1
#: A translation says something in place of what it does not know.
SEARCH: dict[str, Any] = {"max_length": LONGEST + 1, "length_penalty": 0.6, "banned": UNKNOWN}

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]


def model_of(kind: str, source: Vocabulary, target: Vocabulary) -> ug.seq2seq.EncoderDecoder:
    """Return an untrained model."""
    tokens: dict[str, Any] = {"padding": PADDING, "start": START, "end": END}
    if kind == "transformer":
        return ug.seq2seq.TransformerSeq2Seq(
            len(source), len(target), units=256, heads=4, hidden=512, blocks=2, **tokens
        )
    return ug.seq2seq.Seq2Seq(
        len(source), len(target), embedding_size=128, encoder_units=192, decoder_units=256,
        cell="lstm", attention="general", **tokens,
    )  # fmt: skip


def sources(verses: Sequence[Verse], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """Return the English tokens, padded to one width."""
    rows = [vocabulary.numbers(verse.english) for verse in verses]
    return ug.data.pad_sequences(rows, LONGEST, PADDING)


def batches(
    verses: Sequence[Verse], source: Vocabulary, target: Vocabulary, seed: int, epochs: int
) -> Iterator[Batch]:
    """Yield full batches, in an order that unigrad's random numbers choose."""
    key = ug.random.key(seed)
    for epoch in range(epochs):
        order = ug.random.permutation(ug.random.fold_in(key, epoch), len(verses)).tolist()
        for start in range(0, len(order) - BATCH + 1, BATCH):
            some = [verses[place] for place in order[start : start + BATCH]]
            rows = [[START, *target.numbers(verse.spanish), END] for verse in some]
            yield sources(some, source), ug.data.pad_sequences(rows, LONGEST + 2, PADDING)


def translate(
    model: Any, verses: Sequence[Verse], source: Vocabulary, target: Vocabulary, beam: int
) -> list[list[str]]:
    """Return the likeliest translation of each verse."""
    found = []
    for start in range(0, len(verses), BATCH):
        letters = sources(verses[start : start + BATCH], source)
        best = model.beam(letters, beam=beam, **SEARCH)
        found += [target.text(row) for row in best.tokens.numpy()[:, 0]]
    return found


def draw_attention(
    path: Path, model: Any, verse: Verse, source: Vocabulary, target: Vocabulary, beam: int
) -> None:
    """Draw where the model looks for each word of its translation of a verse."""
    from matplotlib.figure import Figure

    best = model.beam(sources([verse], source), beam=beam, alignments=True, **SEARCH)
    rows = [*target.text(best.tokens.numpy()[0, 0]), "end"]
    columns = list(verse.english)
    figure = Figure(figsize=(8, 7), layout="constrained")
    axes = figure.subplots()
    axes.imshow(best.alignments.numpy()[0, 0, : len(rows), : len(columns)], cmap="Blues", vmin=0.0)
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_title(verse.place)
    figure.savefig(path, dpi=150)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, translate, and leave losses, weights and the picture in the output folder."""
    parser = flags(__doc__.splitlines()[0], "translation")
    parser.add_argument("--sword", type=Path, required=True, help="folder of the unpacked texts")
    parser.add_argument("--model", choices=["lstm", "transformer"], default="lstm")
    parser.add_argument("--beam", type=at_least(1), default=5, help="hypotheses per verse")
    parser.add_argument("--test", type=at_least(1), help="translate so many verses (default: all)")
    chosen = parser.parse_args(arguments)
    with ug.use_backend(chosen.backend):
        ug.layers.set_seed(chosen.seed)
        training, test = read_verses(chosen.sword)
        training, test = training[: chosen.limit], test[: chosen.test]
        if len(training) < BATCH:
            sys.exit(f"--limit {chosen.limit}: give at least {BATCH} verses")
        source = Vocabulary(verse.english for verse in training)
        target = Vocabulary(verse.spanish for verse in training)
        say(
            f"{len(training)} verses to train on, {len(test)} to test on; "
            f"{len(source)} English words, {len(target)} Spanish ones"
        )
        model = model_of(chosen.model, source, target)
        optimizer = ug.optimizers.chain(
            ug.optimizers.clip_by_global_norm(1.0), ug.optimizers.Adam(LEARNING_RATE)
        )

        @ug.jit
        def train_step(read: ug.Tensor, written: ug.Tensor) -> ug.Tensor:
            with ug.GradientTape() as tape:
                loss = model.loss(read, written, label_smoothing=LABEL_SMOOTHING, training=True)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            return loss

        def step(read: NDArray[np.int64], written: NDArray[np.int64]) -> float:
            return float(train_step(ug.asarray(read), ug.asarray(written)))

        epochs = 10 if chosen.epochs is None else chosen.epochs
        total = epochs * (len(training) // BATCH)
        if chosen.steps is not None:
            total = min(chosen.steps, total)
        folder = chosen.output or Path("runs") / f"translation-{chosen.backend}"
        run = Run(
            folder, model, optimizer, chosen.checkpoint, chosen.resume,
            seed=chosen.seed, limit=chosen.limit, kind=chosen.model,
        )  # fmt: skip
        run.train(step, batches(training, source, target, chosen.seed + 1, epochs), total)
        run.finish(f"English to Spanish on {chosen.backend}", backend=chosen.backend)

        found = [" ".join(words) for words in translate(model, test, source, target, chosen.beam)]
        right = [" ".join(verse.spanish) for verse in test]
        score = ug.metrics.bleu(right, found, tokenize="none")
        say(f"{len(test)} verses, beam {chosen.beam}: BLEU {score:.2f}")
        table = Table("English", "right", "translated")
        for verse, one, other in zip(test[:5], right, found):
            table.add_row(" ".join(verse.english), one, other)
        console.print(table)
        draw_attention(folder / "attention.png", model, test[0], source, target, chosen.beam)
        say(f"Where the model looked: {folder / 'attention.png'}")


if __name__ == "__main__":
    run_program(main)
