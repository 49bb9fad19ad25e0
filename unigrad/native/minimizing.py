"""Objectives for SciPy's optimizers, whose points are flat vectors of float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.autodiff.transforms import value_and_grad
from unigrad.core import tree
from unigrad.core.arguments import as_tensor, beside, described
from unigrad.core.calls import check_function
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import COMPLEX, INEXACT
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable

_Vector = npt.NDArray[np.float64]


class Objective:
    """A function of a flat vector, with its gradient: what `scipy_value_and_grad` returns."""

    def __init__(self, function: Callable[..., Any], example: Any) -> None:
        self._both = value_and_grad(function)
        self._structure: Any = None
        self._likes: list[Tensor] = []
        if example is not None:
            leaves, self._structure = tree.flatten(example)
            self._likes = [*map(_like, leaves)]

    def flatten(self, point: Any) -> _Vector:
        """Return a point of the example's structure as a flat vector: an ``x0``.

        Raises:
            ShapeError: when its structure or a shape is another.
        """
        leaves, structure = tree.flatten(point)
        if self._structure is None or structure != self._structure:
            raise ShapeError(
                f"scipy_value_and_grad: a point of structure {structure}, not the one "
                f"of the example, {self._structure}"
            )
        arrays = [np.asarray(_values(one)) for one in leaves]
        for array, like in zip(arrays, self._likes, strict=True):
            if array.shape != like.shape:
                raise ShapeError(
                    f"scipy_value_and_grad: a leaf of shape {array.shape} for {described(like)}"
                )
        return _joined(arrays)

    def unflatten(self, x: npt.ArrayLike) -> Any:
        """Return a flat vector as a point of the example's structure, dtypes and backend.

        Raises:
            ShapeError: when its length is another.
        """
        refuse_mask(x)
        vector = np.asarray(x, np.float64)
        if self._structure is None:
            return as_tensor(vector)
        wanted = sum(one.size for one in self._likes)
        if vector.shape != (wanted,):
            raise ShapeError(
                f"scipy_value_and_grad: a vector of shape {vector.shape}, where the example has "
                f"{wanted} numbers"
            )
        leaves, start = [], 0
        for like in self._likes:
            part = vector[start : start + like.size].reshape(like.shape).astype(like.dtype)
            leaves.append(beside(like, part))
            start += like.size
        return tree.unflatten(self._structure, leaves)

    def __call__(self, x: npt.ArrayLike, *args: Any) -> tuple[float, _Vector]:
        """Return the value and the gradient at a flat vector."""
        value, gradient = self._both(self.unflatten(x), *args)
        return float(value), _joined([one.numpy() for one in tree.leaves(gradient)])


def scipy_value_and_grad(function: Callable[..., Any], example: Any = None) -> Objective:
    """Return an objective for ``scipy.optimize.minimize(…, jac=True)``.

    It takes a flat vector of float64 and returns the value as a float and the gradient as a flat
    ndarray of float64, whatever the backend computes in.

    Args:
        function: of a Tensor, or of a pytree of them, and of what ``args=`` of SciPy gives; returns
            a floating scalar.
        example: a pytree of real floating Tensors, Variables or arrays like the one that the
            function takes: ``objective.flatten(example)`` is its vector, and
            ``objective.unflatten(result.x)`` the way back. Without it the function takes the vector
            itself, of float64 on the current backend.

    Raises:
        DTypeError: when a leaf of the example is not of a real floating dtype.
        ShapeError: when the function returns no scalar, or a vector does not fit the example.

    Example:
        >>> import unigrad as ug
        >>> objective = scipy_value_and_grad(lambda x: ug.sum((x - 3.0) ** 2))
        >>> value, gradient = objective([1.0, 2.0])
        >>> value, gradient.tolist()
        (5.0, [-4.0, -2.0])
    """
    check_function("scipy_value_and_grad: function", function)
    return Objective(function, example)


def _like(leaf: Any) -> Tensor:
    """Return a leaf of the example as a Tensor that no tape knows."""
    tensor = leaf._untaped() if isinstance(leaf, Variable) else as_tensor(leaf)
    if tensor.dtype not in INEXACT or tensor.dtype in COMPLEX:
        raise DTypeError(
            f"scipy_value_and_grad: the example has a leaf of {tensor.dtype.name}; SciPy moves "
            "real floating numbers only"
        )
    return wrap(tensor.backend, tensor._native)


def _values(leaf: Any) -> Any:
    return _like(leaf).numpy()


def _joined(arrays: list[npt.NDArray[Any]]) -> _Vector:
    """Return arrays as one flat vector of float64."""
    flat = [one.astype(np.float64).reshape(-1) for one in arrays]
    return np.concatenate(flat) if flat else np.zeros(0)
