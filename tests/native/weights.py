"""The grapheme-to-phoneme model's weights: sizes, layout, names and a NumPy initialiser.

What: one dict of float32 arrays that every implementation of the model takes, so that two of
them can start from the same point. Why: agreement between frameworks means nothing unless
layout and gate order are fixed in one place; this is the place.

Kernels are (in, out) and used as ``x @ kernel``. A GRU's three gates lie side by side along the
last axis in `GATE_ORDER`. The GRU is that of Cho et al. 2014 with the reset gate applied after
the recurrent product (hence two biases); attention is that of Bahdanau et al. 2015. Matrices are
drawn as in Glorot & Bengio 2010. Biases are drawn too, not zero, so that a swapped or forgotten
bias shows up in the first loss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]
Batch = tuple[NDArray[np.int64], NDArray[np.int64]]

GATE_ORDER = ("reset", "update", "new")
EMBEDDING_SIZE = 128
ENCODER_SIZE = 256  # per direction
ATTENTION_SIZE = 256
DECODER_SIZE = 256
MEMORY_SIZE = 2 * ENCODER_SIZE
PADDING, START, END = 0, 1, 2
BIAS_LIMIT = 0.05
EMBEDDING_LIMIT = 0.5  # at a tenth of this, ten losses barely tell attention from a plain mean


def gru_shapes(prefix: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of one GRU's four arrays."""
    gates = len(GATE_ORDER) * units
    return {
        f"{prefix}/kernel": (inputs, gates),
        f"{prefix}/recurrent_kernel": (units, gates),
        f"{prefix}/bias": (gates,),
        f"{prefix}/recurrent_bias": (gates,),
    }


def weight_shapes(vocabulary_in: int, vocabulary_out: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all the model's arrays, in a fixed order."""
    return {
        "encoder/embedding": (vocabulary_in, EMBEDDING_SIZE),
        **gru_shapes("encoder/forward", EMBEDDING_SIZE, ENCODER_SIZE),
        **gru_shapes("encoder/backward", EMBEDDING_SIZE, ENCODER_SIZE),
        "bridge/kernel": (MEMORY_SIZE, DECODER_SIZE),
        "bridge/bias": (DECODER_SIZE,),
        "decoder/embedding": (vocabulary_out, EMBEDDING_SIZE),
        "decoder/attention/memory_kernel": (MEMORY_SIZE, ATTENTION_SIZE),
        "decoder/attention/query_kernel": (DECODER_SIZE, ATTENTION_SIZE),
        "decoder/attention/bias": (ATTENTION_SIZE,),
        "decoder/attention/score": (ATTENTION_SIZE,),
        **gru_shapes("decoder/cell", MEMORY_SIZE + EMBEDDING_SIZE, DECODER_SIZE),
        "decoder/output/kernel": (DECODER_SIZE, vocabulary_out),
        "decoder/output/bias": (vocabulary_out,),
    }


def uniform_limit(name: str, shape: tuple[int, ...]) -> float:
    """Half-width of the uniform distribution that the array called `name` is drawn from."""
    if name.endswith("bias"):
        return BIAS_LIMIT
    if name.endswith("embedding"):
        return EMBEDDING_LIMIT
    fan_in = shape[0]
    fan_out = shape[1] if len(shape) == 2 else 1
    if name.endswith(("forward/kernel", "backward/kernel", "cell/kernel", "recurrent_kernel")):
        fan_out //= len(GATE_ORDER)  # each gate is a matrix of its own
    return float(np.sqrt(6.0 / (fan_in + fan_out)))


def name_of_ours(name: str) -> str:
    """The name that a weight has in `ug.seq2seq.Seq2Seq`."""
    if name.endswith("embedding"):
        return f"{name}/table"
    for old, new in (
        ("encoder/forward", "encoder/recurrent/forward"),
        ("encoder/backward", "encoder/recurrent/backward"),
        ("bridge", "encoder/bridge"),
    ):
        name = name.replace(old, new)
    return name


def initial_weights(vocabulary_in: int, vocabulary_out: int, seed: int) -> Weights:
    """Freshly drawn float32 weights, the same for the same arguments."""
    generator = np.random.default_rng(seed)
    weights: Weights = {}
    for name, shape in weight_shapes(vocabulary_in, vocabulary_out).items():
        limit = uniform_limit(name, shape)
        weights[name] = generator.uniform(-limit, limit, shape).astype(np.float32)
    return weights
