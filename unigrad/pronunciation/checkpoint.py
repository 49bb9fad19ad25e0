"""A pronouncer's file: float16 weights, and whose they are.

The file is one of `unigrad.io`: safetensors with a checksum. Its metadata says what it is, in which
version, and which letters and phonemes the tokens stand for. The model's sizes are those of the
weights' shapes, so that a file can ask for no more memory than it has itself.

What ``unigrad train g2p`` leaves is read as well: a run's checkpoints, and weights by themselves.
They name no letters; where shapes fit, the tokens are taken to be this version's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unigrad.core.errors import UnigradError
from unigrad.io import CheckpointError, latest, load, save
from unigrad.pronunciation.vocabulary import (
    END,
    LETTER_TOKENS,
    LETTERS,
    PADDING,
    PHONEME_TOKENS,
    PHONEMES,
    START,
)
from unigrad.seq2seq import Seq2Seq

__all__ = ["build_model", "load_model", "save_model", "shipped"]

#: What the metadata calls such a file.
FORMAT = "unigrad-pronouncer"
#: The newest version that this code reads, which is also the one that it writes.
VERSION = 1

#: Where each of the model's sizes stands in the weights' shapes: which weight, which axis.
_SIZES = {
    "embedding_size": ("encoder/embedding/table", 1),
    "encoder_units": ("encoder/recurrent/forward/recurrent_kernel", 0),
    "decoder_units": ("decoder/cell/recurrent_kernel", 0),
    "attention_units": ("decoder/attention/query_kernel", 1),
}
#: What stands before the weights' names in what a run has left: its checkpoints have other parts.
_ROOTS = ("model/", "")
#: How the states of dropout's generators are called, which are no weights.
_NOISE = "/generator/key"


def build_model(
    *,
    embedding_size: int = 128,
    encoder_units: int = 256,
    decoder_units: int = 256,
    attention_units: int = 256,
    encoder_layers: int = 1,
    dropout: float = 0.0,
) -> Seq2Seq:
    """Return an untrained model from letters to phonemes; the settings are those of `Seq2Seq`.

    Example:
        >>> build_model(embedding_size=4, encoder_units=4, decoder_units=4).vocabulary
        42
    """
    return Seq2Seq(
        LETTER_TOKENS,
        PHONEME_TOKENS,
        embedding_size=embedding_size,
        encoder_units=encoder_units,
        decoder_units=decoder_units,
        attention_units=attention_units,
        encoder_layers=encoder_layers,
        dropout=dropout,
        padding=PADDING,
        start=START,
        end=END,
    )


def shipped() -> Path:
    """Return the file that comes with the package: English, trained on the CMU dictionary.

    Example:
        >>> shipped().name
        'english.safetensors'
    """
    return Path(__file__).with_name("english.safetensors")


def save_model(path: str | os.PathLike[str], model: Seq2Seq) -> None:
    """Write a trained model as float16, replacing the file in one step.

    Raises:
        CheckpointError: as `ug.io.save`, or when a weight is no finite float16.

    Example:
        >>> import tempfile
        >>> model = build_model(embedding_size=4, encoder_units=4, decoder_units=4)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_model(f"{folder}/small.safetensors", model)
        ...     load_model(f"{folder}/small.safetensors").encoder.bridge.kernel.shape
        (8, 4)
    """
    arrays = {}
    with np.errstate(over="ignore"):
        for name, value in model.state_dict().items():
            if name.endswith(_NOISE):
                continue
            arrays[name] = value.astype(np.float16)
            if not np.isfinite(arrays[name]).all():
                raise CheckpointError(f"save: {name} has a value that float16 lacks")
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "letters": LETTERS,
        "phonemes": json.dumps(PHONEMES),
    }
    save(path, arrays, metadata)


def load_model(path: str | os.PathLike[str]) -> Seq2Seq:
    """Return the model of a file, in float32, on the current backend.

    Args:
        path: a pronouncer's file; or one that a run of the task ``g2p`` has left, or its folder,
            of which the newest checkpoint is taken.

    Raises:
        CheckpointError: when the file is missing, damaged or truncated, is no pronouncer's, is of a
            newer version, has other letters or phonemes, or weights that do not fit each other.

    Example:
        >>> load_model(shipped()).vocabulary
        42
    """
    if Path(path).is_dir():
        newest = latest(path)
        if newest is None:
            raise CheckpointError(f"load: {path} has no checkpoint of a run")
        path = newest
    arrays, metadata = load(path)
    if "format" in metadata or not _is_of_training(arrays):
        _check(path, metadata)
    else:
        arrays = _weights_of_training(arrays)
    model = build_model(**_sizes(path, arrays))
    wide = {
        name: one.astype(np.float32) if one.dtype == np.float16 else one
        for name, one in arrays.items()
    }
    try:
        model.load_state_dict(wide)
    except UnigradError as error:
        raise CheckpointError(f"load: {path} is no pronouncer: {error}") from error
    return model


def _is_of_training(arrays: Mapping[str, Any]) -> bool:
    """Tell whether a file without a format has weights of such a model, by their names."""
    return any(f"{root}{name}" in arrays for root in _ROOTS for name, _ in _SIZES.values())


def _weights_of_training(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights, by their names in the model, of what a run has left."""
    root = next(root for root in _ROOTS if any(name.startswith(root) for name in arrays))
    return {
        name.removeprefix(root): one
        for name, one in arrays.items()
        if name.startswith(root) and not name.endswith(_NOISE)
    }


def _check(path: object, metadata: Mapping[str, str]) -> None:
    """Check what a file says of itself."""
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"load: {path} is no pronouncer's file: its format is "
            f"{metadata.get('format')!r}, expected {FORMAT!r}"
        )
    version = metadata.get("version", "")
    if not version.isascii() or not version.isdigit() or int(version) < 1:
        raise CheckpointError(f"load: {path} has the version {version!r}, which is none")
    if int(version) > VERSION:
        raise CheckpointError(
            f"load: {path} is of version {version}, this unigrad reads up to {VERSION}: "
            "pip install --upgrade unigrad"
        )
    if (metadata.get("letters"), metadata.get("phonemes")) != (LETTERS, json.dumps(PHONEMES)):
        raise CheckpointError(
            f"load: {path} has other letters or phonemes than this version's: "
            f"{metadata.get('letters')!r}, {metadata.get('phonemes')!r}"
        )


def _sizes(path: object, arrays: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of the model whose weights these are."""
    found = {}
    for size, (name, axis) in _SIZES.items():
        if name not in arrays or arrays[name].ndim != 2 or not arrays[name].size:
            raise CheckpointError(f"load: {path} is no pronouncer: it has no matrix {name}")
        found[size] = arrays[name].shape[axis]
    places = {name.split("/")[2] for name in arrays if name.startswith("encoder/below/")}
    return {**found, "encoder_layers": 1 + len(places)}
