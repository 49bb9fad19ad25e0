"""The lecture's sequence to sequence: training step by step, and beam search by hand.

    python examples/lecture_seq2seq.py --backend torch

A GRU reads a word, a GRU with additive attention writes it backwards. `train` is one step of
training as it is taught: encode, then decode token by token, fed with the right token (teacher
forcing) or, now and then, with the model's own (scheduled sampling); the loss of padding does not
count; gradients; the optimizer's update. `Seq2Seq.loss` is the same in one loop, and gives the same
number.

`beam_search_by_hand` is beam search over lists, one word at a time, as lectures show it, with what
such listings get wrong mended. `ug.decoding.beam_search` does all words and hypotheses at once, and
finds the same.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import unigrad as ug
from unigrad.seq2seq import Decoder, Encoder

PADDING, START, END, FIRST, TOKENS = 0, 1, 2, 3, 11
LONGEST = 6

Integers = NDArray[np.int64]
Step = Callable[[ug.Tensor, Any], tuple[Any, ...]]


def words(key: ug.Tensor, count: int) -> tuple[Integers, Integers]:
    """Return random words of 3 to 5 letters, and start, the word backwards, end; padded."""
    of_letters, of_lengths = ug.random.split(key)
    letters = ug.random.randint(of_letters, (count, LONGEST - 1), FIRST, TOKENS).numpy()
    lengths = ug.random.randint(of_lengths, (count,), 3, LONGEST).numpy()
    source = np.full((count, LONGEST - 1), PADDING, np.int64)
    target = np.full((count, LONGEST + 1), PADDING, np.int64)
    target[:, 0] = START
    for i, length in enumerate(lengths):
        source[i, :length] = letters[i, :length]
        target[i, 1 : length + 1] = letters[i, :length][::-1]
        target[i, length + 1] = END
    return source, target


def train(
    source: ug.Tensor,
    target: ug.Tensor,
    encoder: Encoder,
    decoder: Decoder,
    optimizer: ug.optimizers.Optimizer,
    key: ug.Tensor,
    teacher_forcing: float,
) -> ug.Tensor:
    """Run one step of training on a batch; return the loss before it.

    Args:
        source: words (batch, time), padded behind.
        target: start, word, end, padding: (batch, time).
        encoder, decoder: the two halves of the model.
        optimizer: updates the weights of both.
        key: decides where the right token is fed.
        teacher_forcing: how often it is.
    """
    batch, length = target.shape
    right = ug.random.uniform(key, (length - 1, batch)) < teacher_forcing
    with ug.GradientTape() as tape:
        encoded = encoder(source)
        memory = decoder.remember(encoded, batch)
        state = encoded.state
        last = target[:, 0]
        total = ug.zeros(())
        for t in range(1, length):
            logits, state, _ = decoder.step(last, state, memory)
            real = target[:, t] != PADDING
            losses = ug.losses.sparse_categorical_crossentropy(
                target[:, t], logits, from_logits=True
            )
            total = total + ug.sum(ug.where(real, losses, 0.0))
            if t < length - 1:
                own = ug.argmax(logits, axis=-1)
                last = ug.where(right[t], target[:, t], own)
        loss = total / ug.sum(ug.astype(target[:, 1:] != PADDING, "float32"))
    variables = encoder.trainable_variables + decoder.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply_gradients(zip(gradients, variables))
    return loss


def beam_search_by_hand(
    step: Step, state: Any, *, beam: int, max_length: int
) -> tuple[list[int], float]:
    """Return the likeliest tokens after the start, and their log-probability, for one word.

    What listings of it get wrong, and how it is here:

    - Scores are sums of log-probabilities. A product of probabilities is 0 after some hundred
      tokens; one of negative logarithms grows with every token, and ranks nothing.
    - Each hypothesis has a state of its own, that after its last token. With one variable for the
      state all of them go on from where the last one was.
    - What has ended is put aside. Left in the beam it is extended beyond its end, or it is thrown
      out while longer ones are still worse.
    - A hypothesis is new at every step. A list that is appended to is shared by its children.
    """
    running: list[tuple[list[int], float, Any]] = [([], 0.0, state)]
    finished: list[tuple[list[int], float]] = []
    for length in range(1, max_length + 1):
        candidates = []
        for tokens, score, before in running:
            last = ug.asarray(np.array([tokens[-1] if tokens else START]))
            logits, after, *_ = step(last, before)
            for token, gained in enumerate(ug.log_softmax(logits, axis=-1)[0].tolist()):
                candidates.append(([*tokens, token], score + gained, after))
        candidates.sort(key=lambda one: -one[1])  # stable: of equals the lower token
        running = []
        for tokens, score, after in candidates[:beam]:
            if tokens[-1] == END or length == max_length:
                finished.append((tokens, score))
            else:
                running.append((tokens, score, after))
        best = max((score for _, score in finished), default=-np.inf)
        # A sum only falls: no running one can overtake what is better already.
        if not any(score > best for _, score, _ in running):
            break
    return max(finished, key=lambda one: one[1])


def compare_searches(model: ug.seq2seq.Seq2Seq, source: Integers, beam: int) -> float:
    """Search by both for every word; return the largest difference of scores.

    Raises:
        AssertionError: when they find different tokens.
    """
    start = time.perf_counter()
    by_hand = []
    for word in source:
        encoded = model.encoder(word[None])
        memory = model.decoder.remember(encoded, 1)
        step = partial(model.decoder.step, memory=memory)
        by_hand.append(beam_search_by_hand(step, encoded.state, beam=beam, max_length=LONGEST))
    between = time.perf_counter()
    found = model.beam(source, max_length=LONGEST, beam=beam)
    end = time.perf_counter()
    for (tokens, _), row, length in zip(
        by_hand, found.tokens[:, 0].tolist(), found.lengths[:, 0].tolist()
    ):
        assert tokens == row[:length], (tokens, row)
    print(
        f"beam search of {len(source)} words, beam {beam}: by hand {between - start:.2f} s, "
        f"ug.decoding {end - between:.2f} s with compiling, the same tokens"
    )
    scores = np.array([score for _, score in by_hand])
    return float(np.abs(scores - found.scores.numpy()[:, 0]).max())


def main(arguments: Sequence[str] | None = None) -> tuple[list[float], float]:
    """Train, decode, compare; return the losses and the share of words written right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    parser.add_argument("--steps", type=int, default=400, help="steps of training")
    parser.add_argument("--batch", type=int, default=64, help="words per step")
    parser.add_argument("--teacher-forcing", type=float, default=0.9, help="how often")
    parser.add_argument("--beam", type=int, default=4, help="hypotheses per word")
    parser.add_argument("--words", type=int, default=16, help="words to be written at the end")
    chosen = parser.parse_args(arguments)
    with ug.use_backend(chosen.backend):
        ug.layers.set_seed(0)
        model = ug.seq2seq.Seq2Seq(
            TOKENS, TOKENS, embedding_size=16, encoder_units=32, decoder_units=32,
            attention_units=32, padding=PADDING, start=START, end=END,
        )  # fmt: skip
        optimizer = ug.optimizers.Adam(0.01)
        key = ug.random.key(1)

        @ug.jit
        def step(source: ug.Tensor, target: ug.Tensor, key: ug.Tensor) -> ug.Tensor:
            return train(
                source, target, model.encoder, model.decoder, optimizer, key,
                chosen.teacher_forcing,
            )  # fmt: skip

        losses = []
        for number in range(chosen.steps):
            of_words, of_tokens = ug.random.split(ug.random.fold_in(key, number))
            source, target = map(ug.asarray, words(of_words, chosen.batch))
            if number == 0:
                in_one_loop = model.loss(
                    source, target, teacher_forcing=chosen.teacher_forcing, key=of_tokens
                )
            losses.append(float(step(source, target, of_tokens)))
        print(f"first loss {losses[0]:.6f}, by Seq2Seq.loss {float(in_one_loop):.6f}")
        assert abs(losses[0] - float(in_one_loop)) < 1e-5
        print(f"last loss {losses[-1]:.4f}")

        new, backwards = words(ug.random.key(2), chosen.words)
        apart = compare_searches(model, new, chosen.beam)
        assert apart < 1e-4, apart
        written = model.beam(new, max_length=LONGEST, beam=chosen.beam).tokens.numpy()[:, 0]
        right = float((written == backwards[:, 1:]).all(axis=1).mean())
        print(f"{right:.0%} of new words are written right")
    return losses, right


if __name__ == "__main__":
    main()
