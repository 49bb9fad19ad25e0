"""Weights with a structure: identities, orthogonal matrices, few connections."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np

from unigrad import random
from unigrad.core.arguments import as_tensor, constant
from unigrad.core.dtypes import DType
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.initializers.base import Initializer, check_spread, scaled
from unigrad.ops.comparison import where
from unigrad.ops.shaping import reshape
from unigrad.random.keys import halves


def _at_centre(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return where the middle of a kernel's window is."""
    mask = np.zeros(shape, bool)
    mask[tuple([(n - 1) // 2 for n in shape[:-2]])] = True
    return mask


def _check_matrix(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise ShapeError(f"{name}: a kernel has two axes or more, not the shape {shape}")


@dataclass(frozen=True)
class Identity(Initializer):
    """Ones where the numbers of input and output are equal, in the middle of a window; else zeros.

    A layer with it hands on what it gets.

    Example:
        >>> Identity()(None, (2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    gain: float = 1.0

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        _check_matrix("Identity", shape)
        values = (_at_centre(shape) & np.eye(*shape[-2:], dtype=np.bool_)) * np.asarray(
            self.gain, dtype
        )
        values = values.astype(dtype)
        return as_tensor(values) if key is None else constant(as_tensor(key), values, dtype)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A matrix with orthonormal columns (or rows), uniformly distributed, times a gain.

    Of a kernel of more than two axes the last is one side of the matrix, the others the other.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2014.

    Example:
        >>> q = Orthogonal()(random.key(0), (4, 2), "float64")
        >>> bool(abs(q.T @ q - [[1.0, 0.0], [0.0, 1.0]]).max() < 1e-12)
        True
    """

    gain: float = 1.0

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        _check_matrix("Orthogonal", shape)
        q = random.orthogonal(key, prod(shape[:-1]), (), shape[-1], dtype)
        return scaled(reshape(q, shape), self.gain)


@dataclass(frozen=True)
class DeltaOrthogonal(Initializer):
    """An orthogonal matrix in the middle of a convolution's window, zeros around it.

    Source: Xiao, Bahri, Sohl-Dickstein, Schoenholz and Pennington, "Dynamical isometry and a mean
    field theory of CNNs", 2018.

    Example:
        >>> kernel = DeltaOrthogonal()(random.key(0), (3, 3, 2, 4))
        >>> int((kernel != 0).sum())
        8
    """

    gain: float = 1.0

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        if len(shape) < 3 or shape[-2] > shape[-1]:
            raise ShapeError(
                "DeltaOrthogonal: a kernel (*window, inputs, outputs) with no more inputs than "
                f"outputs, not of shape {shape}"
            )
        q = scaled(random.orthogonal(key, shape[-2], (), shape[-1], dtype), self.gain)
        return where(constant(q, _at_centre(shape), np.dtype(bool)), q, constant(q, 0.0))


@dataclass(frozen=True)
class Sparse(Initializer):
    """Normal weights of which each output keeps a fixed number; the other inputs count nothing.

    Args:
        sparsity: the part of each column that is zero, rounded up to whole weights.
        stddev: the standard deviation of the others.

    Source: Martens, "Deep learning via Hessian-free optimization", 2010.

    Raises:
        SettingError: when the sparsity is not in [0, 1], or the standard deviation is negative or
            not finite.

    Example:
        >>> weights = Sparse(0.75)(random.key(0), (8, 3))
        >>> (weights == 0).sum(axis=0).tolist()
        [6, 6, 6]
    """

    sparsity: float = 0.9
    stddev: float = 0.01

    def __post_init__(self) -> None:
        if not 0.0 <= self.sparsity <= 1.0:
            raise SettingError(f"a sparsity is in [0, 1], not {self.sparsity}")
        check_spread(self, "stddev", self.stddev)

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        if len(shape) != 2:
            raise ShapeError(f"Sparse: a matrix (inputs, outputs), not of shape {shape}")
        of_values, of_places = halves(as_tensor(key))
        weights = scaled(random.normal(of_values, shape, dtype), self.stddev)
        absent = np.arange(shape[0])[:, None] < ceil(self.sparsity * shape[0])
        absent = np.broadcast_to(absent, shape)
        mask = random.permutation(of_places, constant(weights, absent, np.dtype(bool)), 0, True)
        return where(mask, constant(weights, 0.0), weights)
