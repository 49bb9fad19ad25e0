"""One file: named arrays and a little metadata, in the safetensors format, through NumPy only.

A file appears under its name when all of it is on the disk, and not before: it is written beside
its place under another name, synchronised, and renamed. So a crash leaves the old file or the new
one, never half of one.

Format: https://huggingface.co/docs/safetensors (8 bytes of header length, a JSON header, data).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from unigrad.core import dtypes
from unigrad.core.errors import UnigradError

Arrays = dict[str, npt.NDArray[Any]]


class CheckpointError(UnigradError):
    """A checkpoint cannot be written, is truncated or foreign, or does not fit."""


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
    """Write named arrays to a file, replacing it in one step.

    Args:
        path: the file.
        values: a Module, an optimizer or anything with ``state_dict()``; or nested dicts, lists
            and tuples of Tensors, Variables and arrays, whose names are paths such as ``a/0``.
        metadata: strings by name.

    Raises:
        CheckpointError: when a leaf is no array, a dtype has no place in the format (complex), two
            values have one name, or one the name ``__metadata__``, or the disk refuses. The file
            that was there before is still there.

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
        arrays[name] = np.ascontiguousarray(array).reshape(array.shape)
    words = {str(key): str(value) for key, value in (metadata or {}).items()}
    try:
        _replace(Path(path), safetensors.numpy.save(arrays, words or None))
    except OSError as error:
        raise CheckpointError(f"save: {path} cannot be written: {error}") from error


def load(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, str]]:
    """Return the arrays and the metadata of a file.

    Raises:
        CheckpointError: when there is no such file, or it is truncated or not of this format.
    """
    try:
        # Through memory, so that nothing keeps the file open or mapped.
        data = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"load: {path} cannot be read: {error}") from error
    try:
        entries: Any = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
        arrays = {name: _array(one) for name, one in entries}
        header = int.from_bytes(data[:8], "little")
        metadata = _metadata(data[8 : 8 + header])
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"load: {path} is truncated or not a safetensors file: {error}"
        ) from error
    return arrays, metadata


def _array(entry: Mapping[str, Any]) -> npt.NDArray[Any]:
    """Return one entry's array, which may be written to."""
    return np.frombuffer(entry["data"], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])


def _metadata(header: bytes) -> dict[str, str]:
    found = json.loads(header).get("__metadata__") or {}
    return {str(key): str(value) for key, value in found.items()}


def _named(value: Any, path: str) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """Give a nested structure's leaves as ndarrays with their paths."""
    if isinstance(value, Mapping):
        children: Any = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    else:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        try:
            dtypes.as_dtype(array.dtype)
        except UnigradError as error:
            raise CheckpointError(f"save: {path or 'the value'} is no array: {error}") from error
        yield path or "value", array
        return
    for name, child in children:
        yield from _named(child, f"{path}/{name}" if path else str(name))


def _replace(path: Path, data: bytes) -> None:
    """Put bytes under a name: all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def _umask() -> int:
    """Return the permissions that new files lack (mkstemp's own are stricter)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Systems that cannot open a folder do so by themselves."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
