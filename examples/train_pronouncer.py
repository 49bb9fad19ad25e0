"""Train the model that `unigrad pronounce` ships: letters to phonemes, a rate that decays.

    python examples/train_pronouncer.py --backend jax

The model and the data are those of `g2p.py`. What differs is how it is trained: Adam behind a
clipped gradient, a rate that warms up, stays and falls to zero (Hu et al., "MiniCPM" (2024),
section 4), then falls once more from half its height, and a smoothed loss. The result is written as
float16, the file that lies in the package as ``unigrad/pronunciation/english.safetensors``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from data_pronunciations import BUCKETS, read_dictionary, training_batches
from numpy.typing import NDArray
from training import Run, flags, run_program, say

import unigrad as ug
from unigrad.pronunciation import build_model, save_model

BATCH = 128
RATE = 2e-3
#: The rate warms up until the first of these steps, stays until the second one, is zero at the
#: third one and again at the last.
WARM, FALLS, ZERO, STEPS = 300, 2400, 4000, 5200
LABEL_SMOOTHING = 0.05
LONGEST_NORM = 1.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and write the checkpoint that ships."""
    parser = flags(__doc__.splitlines()[0], "pronouncer")
    parser.set_defaults(epochs=7, steps=STEPS, checkpoint=200)
    chosen = parser.parse_args(arguments)
    with ug.use_backend(chosen.backend):
        ug.layers.set_seed(chosen.seed)
        training = read_dictionary().training[: chosen.limit]
        if len(training) < BATCH * len(BUCKETS):
            sys.exit(f"--limit {chosen.limit}: give at least {BATCH * len(BUCKETS)} words")
        model = build_model()
        total = min(chosen.steps, chosen.epochs * (len(training) // BATCH))
        rate = ug.optimizers.schedules.join(
            [
                ug.optimizers.schedules.wsd(RATE, WARM, FALLS - WARM, ZERO - FALLS),
                ug.optimizers.schedules.linear(RATE / 2, 0.0, STEPS - ZERO),
            ],
            [ZERO],
        )
        optimizer = ug.optimizers.chain(
            ug.optimizers.clip_by_global_norm(LONGEST_NORM), ug.optimizers.Adam(rate)
        )

        @ug.jit
        def train_step(letters: ug.Tensor, sounds: ug.Tensor) -> ug.Tensor:
            with ug.GradientTape() as tape:
                loss = model.loss(letters, sounds, label_smoothing=LABEL_SMOOTHING)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            return loss

        def step(letters: NDArray[np.int64], sounds: NDArray[np.int64]) -> float:
            return float(train_step(ug.asarray(letters), ug.asarray(sounds)))

        folder = chosen.output or Path("runs") / f"pronouncer-{chosen.backend}"
        run = Run(
            folder, model, optimizer, chosen.checkpoint, chosen.resume,
            seed=chosen.seed, limit=chosen.limit,
        )  # fmt: skip
        run.train(step, training_batches(training, BATCH, chosen.seed + 1, chosen.epochs), total)
        run.finish(f"the pronouncer on {chosen.backend}", backend=chosen.backend)
        file = folder / "english.safetensors"
        save_model(file, model)
        say(f"{file}: {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    run_program(main)
