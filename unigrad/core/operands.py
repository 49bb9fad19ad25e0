"""Operands: arguments of ops that are Python numbers as a rule, and may be tensors.

A Python number is a setting, which the kernels of libraries take. Anything else that stands for a
number, a Tensor, a Variable, an array or a number that is traced, is computed with: the op's
formula runs, so that tapes and transforms hear of it, and it promotes as an input does.

Every public function declares its operands by `operands`; the conformance suite perturbs each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, weak_types
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import Op
from unigrad.core.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

#: The operands of public functions, by function.
OPERANDS: dict[Callable[..., Any], tuple[str, ...]] = {}
_NUMBERS = (bool, int, float, np.generic)


def operands(*names: str) -> Callable[[F], F]:
    """Declare parameters of a public function to be operands.

    Example:
        >>> OPERANDS[operands("rate")(lambda x, rate: x * rate)]
        ('rate',)
    """

    def declare(function: F) -> F:
        OPERANDS[function] = names
        return function

    return declare


def operand(name: str, value: TensorLike) -> Any:
    """Return a real operand: a Python float for a number, else a tensor (weak if it is traced).

    Args:
        name: the function's, for messages.
        value: a real number, or what stands for one or for several.

    Raises:
        DTypeError: when it is no real number.
    """
    if type(value) is float:
        return value
    found = _as_number(value)
    if found is None:
        found = value if type(value) in weak_types else as_tensor(value)
        if found.dtype in dtypes.COMPLEX:
            raise DTypeError(f"{name}: expected real numbers, not {found.dtype.name}")
        return found
    try:
        return float(found)
    except TypeError:
        raise DTypeError(f"{name}: expected a real number, not {found!r}") from None
    except OverflowError:
        raise DTypeError(f"{name}: {found.bit_length()} bits do not fit a float") from None


def _as_number(value: Any) -> Any:
    """Return a Python number, if a value is one or NumPy's."""
    if isinstance(value, (bool, int, float, complex)):
        return value
    return value.item() if isinstance(value, np.generic) else None


def single(name: str, value: TensorLike, real: bool = True) -> Any:
    """Return an operand that is one number: a Python number, else a 0-d tensor.

    Args:
        name: the function's, for messages.
        value: a number, or what stands for one.
        real: refuse complex numbers, and return others, NumPy's too, as floats.

    Raises:
        DTypeError: when it is no number, or not a real one.
        ShapeError: when it is more than one.
    """
    if real:
        found = operand(name, value)
    else:
        # Python's own numbers stay what they are; NumPy's have dtypes.
        found = value if type(value) in weak_types else as_tensor(value)
    if isinstance(found, Tensor) and found.ndim:
        raise ShapeError(f"{name}: expected one number, not an array of {found.shape}")
    return found


def with_operands(op: Op, x: Tensor, **settings: Any) -> Tensor:
    """Run a composite of one tensor; by its formula if one of its settings is a tensor."""
    out: Tensor
    for one in settings.values():
        if isinstance(one, Tensor):
            assert op.body is not None
            out = op.body(x, **settings)
            return out
    out = op(x, **settings)
    return out


def beside(value: TensorLike, x: Tensor, dtype: dtypes.DType) -> Tensor:
    """Return an operand, whatever it is, as a tensor of a dtype beside another."""
    return in_dtype(value, dtype) if isinstance(value, Tensor) else cast(as_tensor(value, x), dtype)


def in_dtype(value: Any, dtype: dtypes.DType) -> Tensor:
    """Return an operand that is a tensor in another dtype. A weak one brings all of its digits."""
    return cast(value, dtype) if type(value) is Tensor else value.within(dtype)
