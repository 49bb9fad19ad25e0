"""`Tensor`: a thin handle on one native array of one backend.

Immutable by value: ops return new handles, ``x[i] = v`` rebinds this one to a new array, and no
other handle ever sees a change. Operators and methods are the front end's ops, so they mean the
same on every backend; `unigrad.ops.methods` attaches them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unigrad.core import recorders
from unigrad.core.errors import ShapeError, TracingError
from unigrad.core.leaks import warn_if_it_leaves, warn_if_taken

if TYPE_CHECKING:
    from unigrad.core.backend import Backend
    from unigrad.core.dtypes import DType
    from unigrad.ops.declarations import Attached as _Attached
else:
    _Attached = object

_process = recorders.process


class Tensor(_Attached):
    """An n-dimensional array on one of the backends. Made by `ug.asarray` and the ops.

    Attributes:
        native: the backend's own array.
        backend: the backend it lives on.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray([[1.0, 2.0], [3.0, 4.0]])
        >>> x.shape, x.dtype.name, float(x.sum())
        ((2, 2), 'float32', 10.0)
    """

    __slots__ = ("__weakref__", "_native", "backend", "uid")

    _native: Any
    backend: Backend
    #: The value's identity for recorders; 0 while nothing tracks it.
    uid: int

    # -- what it is

    @property
    def native(self) -> Any:
        """The backend's own array.

        A recorder that follows the value sees nothing of what is computed from the array by the
        library's functions, unless the library's own autograd does: it warns.
        """
        if self.uid:
            warn_if_taken(self)
        return self._native

    @property
    def dtype(self) -> DType:
        """The elements' dtype."""
        return self.backend.dtype(self._native)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.backend.shape(self._native)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.backend.shape(self._native))

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for length in self.backend.shape(self._native):
            size *= length
        return size

    @property
    def device(self) -> str:
        """The name of the device that holds it."""
        return self.backend.device(self._native)

    # -- values

    def numpy(self) -> npt.NDArray[Any]:
        """Return a copy of the values as an ndarray.

        A `GradientWarning` names the line where a tape or an accumulator that records follows the
        value: it does not see what is computed from the copy. The same holds for `item`, `tolist`,
        ``float(x)`` and ``np.asarray(x)``; not for ``int``, ``bool`` and formatting, whose
        derivatives are zero. ``ug.stop_gradient(x).numpy()`` says that it is meant.

        Raises:
            TracingError: inside a traced function, where there are no values yet.
        """
        return self._values("x.numpy()")

    def _values(self, way: str | None) -> npt.NDArray[Any]:
        """Return a copy of the values; ``way`` names the way out in the warning, if one is due."""
        backend, native = self.backend, self._native
        if backend.is_traced(native):
            raise TracingError(
                f"the value of a {self.dtype.name}{list(self.shape)} tensor was asked for while "
                "its function is traced (ug.jit and friends run it once without values): use "
                "ug.where or ug.scan instead of Python's if and while, and a static argument of "
                "ug.jit for a shape or an axis; a tensor kept from such a function has no value "
                "afterwards either: let the function return it"
            )
        if self.uid and way is not None and _process.recording:
            warn_if_it_leaves(self, way)
        return np.array(backend.to_numpy(native))

    def item(self) -> Any:
        """Return the only element as a Python scalar.

        Raises:
            ShapeError: when there is more than one.
        """
        return self._element("x.item()")

    def _element(self, way: str | None) -> Any:
        if self.size != 1:
            raise ShapeError(f"a tensor of shape {self.shape} has no single value")
        return self._values(way).item()

    def tolist(self) -> Any:
        """Return the values as nested Python lists."""
        return self._values("x.tolist()").tolist()

    def __bool__(self) -> bool:
        return bool(self._element(None))

    def __int__(self) -> int:
        return int(self._element(None))

    def __float__(self) -> float:
        return float(self._element("float(x)"))

    def __complex__(self) -> complex:
        return complex(self._element("complex(x)"))

    def __index__(self) -> int:
        value = self._element(None)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"a {self.dtype.name} tensor is no index")
        return value

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        head = f"backend={self.backend.name!r}, dtype={self.dtype.name}"
        if self.backend.is_traced(self._native):
            return f"Tensor(traced, shape={self.shape}, {head})"
        values = np.array2string(
            self.backend.to_numpy(self._native), separator=", ", prefix="Tensor("
        )
        return f"Tensor({values}, {head})"

    def __format__(self, spec: str) -> str:
        return format(self._element(None), spec) if spec else repr(self)

    # A handle hashes by identity: equality is elementwise.
    __hash__ = object.__hash__
