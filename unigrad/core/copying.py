"""Copies and pickles of Tensors and Variables, for ``copy`` and ``pickle``.

A Tensor's array never changes, so a copy is another handle on it; to a tape that records, it is
computed from the first. A Variable's copy is a Variable of its own. A pickle names the backend and
the device and holds the values.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.dispatch import wrap
from unigrad.core.op import another_handle, copied_handle
from unigrad.core.registry import load_backend
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable

Reduced = tuple[Any, tuple[Any, ...]]


def own_handles(values: Any) -> Any:
    """Return a pytree with a handle of its own for every Tensor, and one on every Variable's value.

    What calls a user's function gives its results back so: the function may return what it was
    given, or what it keeps.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray([1.0, 2.0])
        >>> own_handles({"x": x})["x"] is x
        False
    """
    return tree.map(_own_handle, values)


def _own_handle(one: Any) -> Any:
    if isinstance(one, Tensor):
        return another_handle(as_tensor(one))
    return one.read() if isinstance(one, Variable) else one


def kept_handles(values: Any) -> Any:
    """Return a pytree of Tensors with other handles on the very values that recorders know.

    A derivative is by what an argument was, also when the function writes to it (``x[i] = v``).

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray([1.0, 2.0])
        >>> kept = kept_handles(x)
        >>> x[0] = 5.0
        >>> kept.tolist()
        [1.0, 2.0]
    """
    return tree.map(lambda x: wrap(x.backend, x._native, x.uid), values)


def restored_tensor(backend: str, values: npt.NDArray[Any], device: str | None) -> Tensor:
    """Return a pickled Tensor on the backend and device that it came from."""
    home = load_backend(backend)
    return wrap(home, home.from_numpy(values, device))


def restored_variable(value: Tensor, trainable: bool, name: str) -> Variable:
    """Return a pickled or copied Variable: another one, of the same value."""
    return Variable(value, trainable=trainable, name=name)


def _reduced_tensor(self: Tensor) -> Reduced:
    return restored_tensor, (self.backend.name, self.numpy(), self.backend.beside(self._native))


def _reduced_variable(self: Variable) -> Reduced:
    return restored_variable, (self._untaped(), self.trainable, self.name)


def _copied_tensor(self: Tensor, memo: dict[int, Any] | None = None) -> Tensor:
    return copied_handle(self)


def _copied_variable(self: Variable, memo: dict[int, Any] | None = None) -> Variable:
    return restored_variable(self._untaped(), self.trainable, self.name)


for _kind, _reduced, _copied in (
    (Tensor, _reduced_tensor, _copied_tensor),
    (Variable, _reduced_variable, _copied_variable),
):
    _kind.__reduce__ = _reduced  # type: ignore[method-assign,assignment]
    _kind.__copy__ = _copied  # type: ignore[union-attr]
    _kind.__deepcopy__ = _copied  # type: ignore[union-attr]
