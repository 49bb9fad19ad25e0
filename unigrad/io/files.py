"""One file: named arrays and a little metadata, in the safetensors format, through NumPy only.

Every file has a checksum of all that is in it, which is verified when it is read, and appears
under its name when all of it is on the disk (`unigrad.io.replacing`).

Format: https://huggingface.co/docs/safetensors (8 bytes of header length, a JSON header, data).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from unigrad.core import dtypes
from unigrad.core.errors import UnigradError
from unigrad.core.ndarrays import refuse_mask
from unigrad.io import checksum
from unigrad.io.replacing import replace

Arrays = dict[str, npt.NDArray[Any]]


class CheckpointError(UnigradError):
    """A checkpoint cannot be written, is damaged or foreign, or does not fit."""


#: The longest header that readers of the format accept.
_LONGEST_HEADER = 100_000_000
#: safetensors has no names for these.
_UNKNOWN = dtypes.COMPLEX
#: The format's names. Its own reader for NumPy leaves bfloat16 out.
_DTYPES: dict[str, dtypes.DType] = {
    "BOOL": dtypes.bool_,
    **{f"I{8 * dtype.itemsize}": dtype for dtype in dtypes.SIGNED},
    **{f"U{8 * dtype.itemsize}": dtype for dtype in dtypes.UNSIGNED},
    **{f"F{8 * dtype.itemsize}": dtype for dtype in dtypes.FLOATING - {dtypes.bfloat16}},
    "BF16": dtypes.bfloat16,
}


def save(
    path: str | os.PathLike[str],
    values: Any,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write named arrays to a file with a checksum, replacing it in one step.

    Unfinished files that killed processes have left in the folder are removed.

    Args:
        path: the file. Of a link, what it leads to is replaced.
        values: a Module, an optimizer or anything with ``state_dict()``; or nested dicts, lists
            and tuples of Tensors, Variables and arrays, whose names are paths such as ``a/0``.
        metadata: strings by name.

    Raises:
        CheckpointError: when a leaf is no array, a dtype has no place in the format (complex), two
            values have one name, or one the name ``__metadata__``, the path is a folder's, or the
            disk refuses. The file that was there before is still there.

    Example:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "weights.safetensors"
        ...     save(path, {"w": [1.0, 2.0]}, {"epoch": "3"})
        ...     arrays, metadata = load(path)
        >>> sorted(arrays), metadata
        (['w/0', 'w/1'], {'epoch': '3'})
    """
    found = values.state_dict() if hasattr(values, "state_dict") else values
    arrays: Arrays = {}
    for name, array in _named(found, ""):
        if name in arrays:
            raise CheckpointError(f"save: two values are called {name!r}")
        if name == "__metadata__":
            raise CheckpointError(f"save: {name!r} is the format's own word, not a value's name")
        if array.dtype in _UNKNOWN:
            raise CheckpointError(f"save: {name} is {array.dtype.name}, which safetensors lacks")
        # The format's writer takes the bytes in memory order.
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        arrays[name] = np.ascontiguousarray(native).reshape(array.shape)
    parts = _encoded(arrays, {str(key): str(value) for key, value in (metadata or {}).items()})
    try:
        replace(Path(path), parts)
    except OSError as error:
        raise CheckpointError(f"save: {path} cannot be written: {error}") from error


def _encoded(arrays: Arrays, metadata: dict[str, str]) -> Sequence[bytes | memoryview]:
    """Return a file's parts."""
    if checksum.KEY in metadata:
        raise CheckpointError(f"save: {checksum.KEY!r} is unigrad's own line of metadata")
    try:
        data = safetensors.numpy.save(arrays, {**metadata, checksum.KEY: checksum.BLANK})
    except (safetensors.SafetensorError, ValueError) as error:
        # Names that are no Unicode, say.
        raise CheckpointError(f"save: safetensors cannot hold this: {error}") from error
    if int.from_bytes(data[:8], "little") > _LONGEST_HEADER:
        raise CheckpointError("save: names and metadata are longer than safetensors can read")
    return checksum.sealed(data)


def load(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, str]]:
    """Return the arrays and the metadata of a file, verified by its checksum.

    Files that other programs wrote have none: theirs are read as they are.

    Raises:
        CheckpointError: when there is no such file, or it is damaged or not of this format.
    """
    try:
        # Through memory, so that nothing keeps the file open or mapped.
        data = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"load: {path} cannot be read: {error}") from error
    try:
        metadata = header_metadata(data[8 : 8 + int.from_bytes(data[:8], "little")])
        checksum.verify(data, metadata)
        metadata.pop(checksum.KEY, None)
        entries: Any = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
        return {name: _array(name, one) for name, one in entries}, metadata
    except (safetensors.SafetensorError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"load: {path} is damaged, truncated or not a safetensors file: {error}"
        ) from error


def _array(name: str, entry: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Return one entry's array, which may be written to."""
    dtype = _DTYPES.get(entry["dtype"])
    if dtype is None:
        raise CheckpointError(f"load: {name} is {entry['dtype']}, which unigrad lacks")
    return np.frombuffer(entry["data"], dtype=dtype).reshape(entry["shape"])


def header_metadata(header: bytes) -> dict[str, str]:
    """Return the metadata in a file's header.

    Raises:
        ValueError: when it is no header.
    """
    found = json.loads(header)
    metadata = found.get("__metadata__") or {} if isinstance(found, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("it has no header")
    return {str(key): str(value) for key, value in metadata.items()}


def _named(value: Any, path: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Give a nested structure's leaves as ndarrays with their paths."""
    if isinstance(value, Mapping):
        children: Any = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    else:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        try:
            refuse_mask(value)
            dtypes.as_dtype(array.dtype)
        except UnigradError as error:
            raise CheckpointError(f"save: {path or 'the value'} is no array: {error}") from error
        yield path or "value", array
        return
    for name, child in children:
        yield from _named(child, f"{path}/{name}" if path else str(name))
