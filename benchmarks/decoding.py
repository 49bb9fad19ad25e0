"""Beam search on the pronunciation model that comes with the package.

Many words: 64 at a time, beam 5, beside a beam search in eager torch (`tests.native.g2p_torch`) of
the same weights, which is batched as ours is. One word: beside transformers' ``generate`` of an
encoder and a decoder with as many weights, untrained, which is made to write as many tokens; it is
left out where transformers is not installed. A first call compiles for one width of words.

The rows are part of `unigrad bench`; these alone, on all backends, from the repository's root::

    python -m benchmarks.decoding
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

import unigrad as ug
from benchmarks.rows import OURS, Effort, Row, ratio, seconds
from benchmarks.timing import Candidate
from unigrad.pronunciation import load_model, shipped
from unigrad.pronunciation.vocabulary import LETTER_TOKENS, PADDING, PHONEME_TOKENS

Tokens = npt.NDArray[np.int64]

BATCH, BEAM, LONGEST, WIDTH = 64, 5, 29, 8
#: How many words are decoded one by one.
ALONE = 20
NATIVE, GENERATE = "torch eager", "transformers' generate"
#: The most time beside native torch's for many words.
MOST = {"numpy": 1 / 1.5, "torch": 1 / 2.5, "jax": 1 / 2.5, "tensorflow": 1 / 1.5}
NAME = "beam search, pronouncing"


def sources(count: int) -> Tokens:
    """Return words of the English language, as letters' tokens, that fit the width."""
    from unigrad.pronunciation import dictionary

    words = [one for one in dictionary.read_dictionary().test if len(one.spelling) <= WIDTH]
    return dictionary.sources(words[:count], WIDTH)


def of_unigrad(backend: str) -> Callable[[Tokens], Tokens]:
    """Return our search: from the tokens of letters to those of phonemes."""
    with ug.use_backend(backend):
        model = load_model(shipped())

    def run(letters: Tokens) -> Tokens:
        with ug.use_backend(backend):
            found = model.beam(letters, max_length=LONGEST, beam=BEAM).tokens.numpy()
        tokens: Tokens = found[:, 0]
        return tokens

    return run


def of_torch() -> Callable[[Tokens], Tokens]:
    """Return the search in eager torch, with our weights."""
    from tests.native import g2p_torch
    from tests.native.weights import initial_weights, name_of_ours

    with ug.use_backend("numpy"):
        named = load_model(shipped()).named_variables()
    shapes = initial_weights(LETTER_TOKENS, PHONEME_TOKENS, seed=0)
    held = {
        name: named[name_of_ours(name)].numpy().reshape(one.shape) for name, one in shapes.items()
    }
    return lambda letters: g2p_torch.beam(held, letters, BEAM, LONGEST)[0]


def of_transformers(lengths: list[int]) -> Callable[[list[Tokens]], None]:
    """Return ``generate`` of BART, of 1.6 million weights as ours, for words one by one."""
    import torch
    from transformers import BartConfig, BartForConditionalGeneration, GenerationConfig

    size, wide = 168, 704
    shape = {
        f"{part}_{name}": value
        for part in ("encoder", "decoder")
        for name, value in (("layers", 2), ("attention_heads", 4), ("ffn_dim", wide))
    }
    torch.manual_seed(0)
    model = BartForConditionalGeneration(
        BartConfig(
            vocab_size=PHONEME_TOKENS,
            d_model=size,
            max_position_embeddings=32,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
            forced_eos_token_id=None,
            **shape,
        )
    ).eval()

    @torch.no_grad()
    def run(words: list[Tokens]) -> None:
        for letters, length in zip(words, lengths, strict=True):
            source = torch.as_tensor(letters)
            settings = GenerationConfig(
                num_beams=BEAM, max_new_tokens=length, min_new_tokens=length, do_sample=False
            )
            mask = (source != PADDING).long()
            model.generate(source, attention_mask=mask, generation_config=settings)

    return run


def _many(backend: str) -> Row:
    def build(effort: Effort) -> dict[str, Candidate]:
        letters = sources(BATCH)
        ours, native = of_unigrad(backend), of_torch()
        if not np.array_equal(ours(letters), native(letters)):
            raise RuntimeError("the two searches find other tokens")
        return {OURS: lambda: ours(letters), NATIVE: lambda: native(letters)}

    name = f"{NAME} {BATCH} words (beam {BEAM})"
    return Row(name, backend, build, (ratio(MOST[backend], NATIVE),))


def _alone(backend: str) -> Row:
    def build(effort: Effort) -> dict[str, Candidate]:
        words = [one[None] for one in sources(ALONE)]
        ours = of_unigrad(backend)
        lengths = [int(np.count_nonzero(ours(one))) for one in words]
        found: dict[str, Candidate] = {OURS: lambda: [ours(one) for one in words]}
        if not compared:
            return found
        generate = of_transformers(lengths)
        return found | {GENERATE: lambda: generate(words)}

    compared = find_spec("transformers") is not None
    name = f"{NAME} {ALONE} words one by one (beam {BEAM})"
    return Row(name, backend, build, (ratio(1 / 5, GENERATE),) if compared else ())


def _first_call(backend: str) -> Row:
    def build(effort: Effort) -> dict[str, Candidate]:
        letters = sources(BATCH)
        ours = of_unigrad(backend)
        return {OURS: lambda: ours(letters)}

    return Row(f"{NAME} {BATCH} words: first call", backend, build, (seconds(15.0),), once=True)


def rows(backend: str) -> list[Row]:
    """Return the rows of a backend."""
    return [_first_call(backend), _many(backend), _alone(backend)]


def main() -> bool:
    """Measure these rows on all backends; tell whether all were measured."""
    from benchmarks.command import RESULTS, bench, installed

    return bench(installed(), NAME, False, RESULTS, False, print)


if __name__ == "__main__":
    sys.exit(not main())
