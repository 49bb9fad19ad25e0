"""What the Python Array API standard lets a program ask of a namespace.

Source: Python array API standard 2025.12, "Inspection". The answers are those of the current
backend; dtypes beyond the standard's (float16 and bfloat16) are not listed.
"""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core import dtypes
from unigrad.core.arguments import placed
from unigrad.core.dtypes import DType
from unigrad.core.registry import current_backend

__array_api_version__ = "2025.12"

_STANDARD = (
    dtypes.bool_, *dtypes.SIGNED, *dtypes.UNSIGNED,
    dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128,
)  # fmt: skip


class NamespaceInfo:
    """The answers, one method per question."""

    def capabilities(self) -> dict[str, bool | int]:
        """Tell what programs may do here.

        Results whose shape depends on values, boolean masks among them, are for eager mode: a
        traced function has no values. So many axes go through every op of every backend; most go
        further on most.
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 5}

    def default_device(self) -> str:
        """Return the device on which new tensors are made."""
        backend, place = placed()
        return backend.devices()[0] if place is None else place

    def devices(self) -> list[str]:
        """Return the devices there are."""
        return current_backend().devices()

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """Return the dtypes of what is made without one, by kind."""
        return {
            "real floating": dtypes.default_dtype(),
            "complex floating": dtypes.default_dtype_of_kind(complex),
            "integral": dtypes.int64,
            "indexing": dtypes.int64,
        }

    def dtypes(
        self, *, device: str | None = None, kind: str | Sequence[str] | None = None
    ) -> dict[str, DType]:
        """Return the standard's dtypes that there are, of a kind or of one among several.

        Raises:
            DTypeError: for an unknown kind.
        """
        wanted = kind if kind is None or isinstance(kind, str) else tuple(kind)
        return {
            dtype.name: dtype
            for dtype in current_backend().dtypes()
            if dtype in _STANDARD and (wanted is None or dtypes.isdtype(dtype, wanted))
        }


def __array_namespace_info__() -> NamespaceInfo:
    """Return the object that answers a program's questions about this namespace.

    Example:
        >>> info = __array_namespace_info__()
        >>> info.default_dtypes()["integral"].name
        'int64'
        >>> sorted(info.dtypes(kind="complex floating"))
        ['complex128', 'complex64']
    """
    return NamespaceInfo()
