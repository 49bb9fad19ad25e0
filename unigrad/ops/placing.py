"""Where a new tensor goes: the meaning of ``device``, ``like`` and ``backend``.

``like`` is for functions that know nothing of backends: what they make beside an argument meets it
in one op. As in NumPy's NEP 35 it says nothing of the dtype.
"""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import placed
from unigrad.core.backend import Backend
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.registry import owner_of, use_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


def place_of(
    device: str | None, like: Any = None, backend: str | None = None
) -> tuple[Backend, str | None]:
    """Return the backend for a new tensor, and its device; ``None`` leaves that to the library.

    Raises:
        UnigradError: when there is no such backend or device.
        SettingError: when both ``like`` and ``backend`` are given.
        DTypeError: when ``like`` lives on no backend.
    """
    if like is None and backend is None:
        return placed(device)
    if like is None:
        with use_backend(str(backend)):
            return placed(device)
    if backend is not None:
        raise SettingError("like= and backend= both name a backend: give one of them")
    if isinstance(like, (Tensor, Variable)):
        # A constant is the same to every interpreter that stands over the library.
        tensor = like if isinstance(like, Tensor) else like._untaped()
        owner, beside = like.backend.root, tensor.backend.beside(tensor._native)
    else:
        found = owner_of(like)
        if found is None:
            raise DTypeError(f"like= is a tensor, a variable or a native array, not {like!r}")
        owner, beside = found, found.beside(like)
    return owner, beside if device is None else owner.place(device)
