"""Regular numbers between tensors: the formulas of `unigrad.ops.ranges` where an end is a tensor.

They are computed on the ends' backend, and differentiable by each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, common_tensors, constant, untracked
from unigrad.core.dtypes import DType
from unigrad.core.errors import ShapeError, TracingError
from unigrad.core.interpreters import lifted
from unigrad.core.op import Op, backend_of
from unigrad.core.operands import in_dtype, single
from unigrad.core.tensor import Tensor
from unigrad.core.weak import Weak
from unigrad.ops.arithmetic import pow
from unigrad.ops.comparison import where
from unigrad.ops.filling import ones
from unigrad.ops.reductions import widened

#: Where a result goes: device, like, backend, as creation functions take them.
Place = tuple[Any, Any, Any]


def numbers_of(name: str, *values: TensorLike, real: bool = True) -> list[Any]:
    """Return operands as Python numbers, or tensors where they are computed with.

    Raises:
        DTypeError: when one is no number, or not a real one.
        ShapeError: when one is several.
    """
    plain = [one.item() if isinstance(one, np.generic) else one for one in values]
    return [single(name, one, real) for one in plain]


def are_computed(numbers: Sequence[Any]) -> bool:
    """Tell whether one of some operands is a tensor."""
    return any(isinstance(one, Tensor) for one in numbers)


def between(
    name: str, ends: Sequence[Any], count: int, endpoint: bool, place: Place, dtype: DType | None
) -> Tensor:
    """Return ``count`` evenly spaced numbers, computed with digits enough for a dtype asked for."""
    start, stop = _wide(name, ends, place, dtype)
    part = _parts(start, count, endpoint)
    out: Tensor = start * (1.0 - part) + stop * part
    return out


def powers_between(
    name: str,
    ends: Sequence[Any],
    base: Any,
    count: int,
    endpoint: bool,
    place: Place,
    dtype: DType | None,
) -> Tensor:
    """Return a base to the power of ``count`` evenly spaced numbers."""
    start, stop, base = _wide(name, (*ends, base), place, dtype)
    part = _parts(start, count, endpoint)
    return pow(base, start * (1.0 - part) + stop * part)


def multiples_between(
    name: str, ends: Sequence[Any], count: int, endpoint: bool, place: Place, dtype: DType | None
) -> Tensor:
    """Return ``count`` numbers of which each is the same multiple of the one before."""
    start, stop = _wide(name, ends, place, dtype)
    part = _parts(start, count, endpoint)
    return where(part == 1.0, stop, start * pow(stop / start, part))


def steps_from(numbers: Sequence[Any], place: Place, dtype: DType | None) -> Tensor:
    """Return start, start + step, … below a stop, whose values are looked at, in a dtype.

    Raises:
        ShapeError: when the step is zero.
        TracingError: when a value is not known: it decides how long the result is.
    """
    known = [_known(one) for one in numbers]
    if known[2] == 0:
        raise ShapeError("arange: the step is not zero")
    start, _, step = _beside("arange", numbers, place)
    wanted = start.dtype if dtype is None else dtype
    if start.dtype in dtypes.INEXACT:
        start, step = _with_digits((start, step), start.dtype, wanted)
    return cast(start + step * constant(start, np.arange(len(np.arange(*known)))), wanted)


def _known(value: Any) -> Any:
    """Return an operand's value as a Python number."""
    if not isinstance(value, Tensor):
        return value
    try:
        return untracked(value).item()
    except TracingError:
        raise TracingError(
            "arange: the length of the result depends on the values of its arguments, which do not "
            "exist while a function is traced; give Python numbers (static arguments of ug.jit), "
            "or use ug.linspace, whose length is given"
        ) from None


def _beside(name: str, values: Sequence[Any], place: Place) -> list[Tensor]:
    """Return operands as tensors of one dtype and backend, on the place that is asked for."""
    device, like, backend = place
    if not any(type(one) is Tensor for one in values):
        # Numbers that are traced are computed in 64 bits, as Python's are.
        values = [in_dtype(one, _WIDEST[one.kind]) if type(one) is Weak else one for one in values]
    tensors = common_tensors(name, values)
    if like is not None or backend is not None:
        backend_of(Op(name), (*tensors, ones((), like=like, backend=backend)))
    higher = backend_of(Op(name), tensors)
    found = [*lifted(higher, tensors)]
    if device is None:
        return found
    from unigrad.ops.creation import to_device

    return [to_device(one, device) for one in found]


_WIDEST = {int: dtypes.int64, float: dtypes.float64, complex: dtypes.complex128}


def _wide(name: str, values: Sequence[Any], place: Place, dtype: DType | None) -> list[Tensor]:
    """Return operands as floating tensors of a dtype with digits enough for what is between."""
    tensors = _beside(name, values, place)
    own = tensors[0].dtype
    if own not in dtypes.INEXACT:
        weak = not any(type(one) is Tensor for one in values)
        own = dtypes.float64 if weak else dtypes.default_dtype()
    return _with_digits(tensors, own, own if dtype is None else dtype)


def _with_digits(tensors: Sequence[Tensor], own: DType, wanted: DType) -> list[Tensor]:
    """Return tensors in a floating dtype to compute in: their own, or with more digits if what is
    wanted has them; half precision in float32, integers in float64."""
    wanted = wanted if wanted in dtypes.INEXACT else dtypes.float64
    common = dtypes.result_dtype(own, wanted)
    return [widened(cast(one, common)) for one in tensors]


def _parts(like: Tensor, count: int, endpoint: bool) -> Tensor:
    """Return evenly spaced numbers from 0 to 1 in the real dtype beside a tensor."""
    values = np.linspace(0.0, 1.0, count, endpoint=endpoint)
    return constant(like, values, _real(like.dtype))


def _real(dtype: DType) -> DType:
    """Return the dtype of a dtype's parts."""
    if dtype in dtypes.COMPLEX:
        return dtypes.float32 if dtype.itemsize == 8 else dtypes.float64
    return dtype
