r"""Beam search on the pronunciation model, words per second, beside a native one in eager torch.

What: 64 words at a time, beam 5, with the weights that `examples/g2p.py` has left in a folder. The
native one (`tests/native/g2p_torch.py`) is batched as ours is. Both must find the same tokens.
Figures are medians of rounds by turns (`benchmarks.timing`); the first call is timed by itself.

Run from the repository's root, after ``python examples/g2p.py --backend torch --steps 900
--output runs/g2p`` (on threads see `benchmarks.timing`)::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 PYTHONPATH=examples:tests \
        python -m benchmarks.decoding runs/g2p torch
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from data_pronunciations import (
    END,
    LETTER_TOKENS,
    PADDING,
    PHONEME_TOKENS,
    START,
    decoding_batches,
    read_dictionary,
)
from native import g2p_torch, weights
from safetensors.numpy import load_file
from test_g2p_native import ours

import unigrad as ug
from benchmarks.timing import compare
from unigrad.core.registry import load_backend

WORDS, BATCH, BEAM, LONGEST = 256, 64, 5, 29
#: Where the example's checkpoints hold the model.
TABLE = "encoder/embedding/table"


def trained(folder: Path) -> ug.seq2seq.Seq2Seq:
    """Return the model with the weights of the last checkpoint in a folder."""
    model = ug.seq2seq.Seq2Seq(LETTER_TOKENS, PHONEME_TOKENS, padding=PADDING, start=START, end=END)
    held = load_file(max(folder.glob("*.safetensors"), key=lambda one: one.stat().st_mtime))
    root = min((name for name in held if name.endswith(TABLE)), key=len)[: -len(TABLE)]
    model.load_state_dict({name: held[root + name] for name in model.state_dict()})
    return model


def native_weights(model: ug.seq2seq.Seq2Seq) -> weights.Weights:
    """Return a model's weights by the native one's names."""
    named = model.named_variables()
    initial = weights.initial_weights(LETTER_TOKENS, PHONEME_TOKENS, seed=0)
    return {name: named[ours(name)].numpy().reshape(one.shape) for name, one in initial.items()}


def main(folder: str, *backends: str) -> None:
    """Print a table for each backend."""
    load_backend("torch")
    words = [word for word in read_dictionary().test if len(word.spelling) <= 12][:WORDS]
    batches = [letters for _, letters in decoding_batches(words, BATCH)]
    for name in backends:
        with ug.use_backend(name):
            model = trained(Path(folder))
            held = native_weights(model)

            def by_unigrad(model: Any = model) -> Any:
                return [
                    model.beam(one, max_length=LONGEST, beam=BEAM).tokens.numpy()[:, 0]
                    for one in batches
                ]

            def by_torch(held: Any = held) -> Any:
                return [g2p_torch.beam(held, one, BEAM, LONGEST)[0] for one in batches]

            start = time.perf_counter()
            model.beam(batches[0], max_length=LONGEST, beam=BEAM).tokens.numpy()
            first = time.perf_counter() - start
            same = np.array_equal(np.concatenate(by_unigrad()), np.concatenate(by_torch()))
            print(f"{name}: first call {first:.1f} s; same tokens: {same}")
            compare({"torch, native": by_torch, name: by_unigrad}, rounds=5, warmup=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
