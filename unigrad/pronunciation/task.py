"""The task that ``unigrad train g2p`` trains on: letters to phonemes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.pronunciation.checkpoint import build_model, load_model
from unigrad.pronunciation.dictionary import (
    BUCKETS,
    Batch,
    Word,
    read_dictionary,
    sorted_batches,
    training_batches,
)
from unigrad.pronunciation.vocabulary import LONGEST_WORD
from unigrad.random import fold_in, key
from unigrad.seq2seq import Seq2Seq

__all__ = ["DEFAULTS", "task"]

#: What a run's file leaves open.
DEFAULTS = {
    "optimizer": {"name": "Adam", "learning_rate": 1e-3},
    "clip_gradients": {"bound": 1.0},
    "training": {"epochs": 5},
}


def task(
    *,
    batch_size: int = 128,
    label_smoothing: float = 0.0,
    limit: int | None = None,
    embedding_size: int = 128,
    encoder_units: int = 256,
    decoder_units: int = 256,
    attention_units: int = 256,
    encoder_layers: int = 1,
    dropout: float = 0.0,
    buckets: Sequence[int] | str = BUCKETS,
    start: str | None = None,
    seed: int = 0,
) -> tuple[
    Seq2Seq,
    Callable[[Any, Batch], Any],
    Callable[[int], Iterator[Batch]],
    Callable[[int], Iterator[Batch]],
]:
    """Return the model, its loss, and the batches of an epoch, to train on and to validate on.

    A batch is a pair of letters and phonemes, as tokens; it has words of like length. What does
    not fill a batch at the end of an epoch is left out.

    Args:
        batch_size: words of a batch.
        label_smoothing: see `masked_loss`; of the training batches and of the others.
        limit: train on so many words only.
        embedding_size, encoder_units, decoder_units, attention_units, encoder_layers, dropout: see
            `Seq2Seq`.
        buckets: the lengths that words are padded to, rising. A compiler makes a program of each.
            Or "sorted": see `sorted_batches`; the fastest way on torch.
        start: begin with the weights of a run's folder, or of a file, of these sizes; see
            `load_model`. By default with random ones.
        seed: of the order of the words.

    Raises:
        CheckpointError: when ``start`` cannot be read.
        UnigradError: when its weights are of other sizes.
        ImportError: when the dictionary is not installed.
        SettingError: when there are too few words for a batch of each length, a number is not
            positive, or the buckets do not rise or leave words out.

    Example:
        >>> model, loss, training, validation = task(
        ...     batch_size=2, limit=200, embedding_size=4, encoder_units=4, decoder_units=4)
        >>> letters, sounds = next(training(0))
        >>> letters.shape[0], sounds.shape[1] - letters.shape[1]
        (2, 2)
        >>> loss(model, (letters, sounds)).shape
        ()
    """
    if batch_size < 1:
        raise SettingError(f"task g2p: batch_size={batch_size}: expected at least 1")
    if buckets != "sorted" and (
        isinstance(buckets, str) or not buckets or list(buckets) != sorted({*buckets, LONGEST_WORD})
    ):
        raise SettingError(
            f"task g2p: buckets={buckets!r}: expected rising lengths up to {LONGEST_WORD}, "
            'or "sorted"'
        )
    least = batch_size * (1 if buckets == "sorted" else len(buckets))
    if limit is not None and limit < least:
        raise SettingError(
            f"task g2p: limit={limit} words are too few for batches of {batch_size}: give at "
            f"least {least}"
        )
    dictionary = read_dictionary()
    words = dictionary.training[:limit]
    if len(words) < least:
        raise SettingError(
            f"task g2p: batch_size={batch_size}: the dictionary has {len(words)} words, "
            f"and {least} are wanted at least"
        )
    model = build_model(
        embedding_size=embedding_size,
        encoder_units=encoder_units,
        decoder_units=decoder_units,
        attention_units=attention_units,
        encoder_layers=encoder_layers,
        dropout=dropout,
    )
    if start is not None:
        # What is no weight, such as the states of dropout's generators, stays.
        model.load_state_dict(model.state_dict() | load_model(start).state_dict())

    def loss(model: Seq2Seq, batch: Batch) -> Any:
        letters, sounds = batch
        return model.loss(letters, sounds, label_smoothing=label_smoothing)

    return (
        model,
        loss,
        lambda epoch: _epoch(words, batch_size, seed + 1, epoch, buckets),
        lambda epoch: _epoch(dictionary.development, batch_size, 0, 0, buckets),
    )


def _epoch(
    words: Sequence[Word], size: int, seed: int, epoch: int, buckets: Sequence[int] | str
) -> Iterator[Batch]:
    """Return one epoch's batches."""
    own = fold_in(key(seed), epoch)
    if isinstance(buckets, str):
        return sorted_batches(words, size, own)
    return training_batches(words, size, own, 1, buckets)
