"""Parts of numbers: components and angle of complex ones, sign bit, bits, neighbour of floats."""

from __future__ import annotations

from typing import Any

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, to_floating
from unigrad.core.dispatch import dispatch
from unigrad.core.dtypes import DType, DTypeLike, as_dtype
from unigrad.core.elementwise import binary, one_at_once
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import OPS, primitive
from unigrad.core.plans import Planned
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import less
from unigrad.ops.elementary import atan2
from unigrad.ops.filling import zeros_like
from unigrad.ops.identity import identity

__all__ = ["angle", "bitcast", "imag", "nextafter", "real", "signbit"]

_imag = primitive("imag")
_imag.broadcasts = True
_signbit = primitive("signbit")
_signbit.broadcasts = True
_bitcast = primitive("bitcast")

_PARTS = {dtypes.complex64: dtypes.float32, dtypes.complex128: dtypes.float64}


def part_dtype(dtype: DType) -> DType:
    """Return the dtype of a complex dtype's parts; any other as it is.

    Example:
        >>> part_dtype(dtypes.complex64).name
        'float32'
    """
    return _PARTS.get(dtype, dtype)


def real(x: TensorLike, /) -> Tensor:
    """Return the real part of complex numbers; a real tensor's values as they are.

    Dtype: float32 of complex64, float64 of complex128. Its cotangent g comes back as g + 0i.

    Example:
        >>> real([1 + 2j, 3 - 1j]).tolist()
        [1.0, 3.0]
    """
    if type(x) is Tensor and x._native.dtype in _real_parts:
        backend, native = x.backend, x._native
        out: Tensor = dispatch(_real_parts[native.dtype], backend, (x,), (native,))
        return out
    x = as_tensor(x)
    if x.dtype not in dtypes.COMPLEX:
        return identity(x)
    found = _real_parts[x._native.dtype] = Planned(OPS["astype"], {"dtype": part_dtype(x.dtype)})
    made: Tensor = dispatch(found, x.backend, (x,), (x._native,))
    return made


#: The casts that take them, by native dtype.
_real_parts: dict[Any, Planned] = {}


@one_at_once(_imag, "native_complex")
def imag(x: TensorLike, /) -> Tensor:
    """Return the imaginary part of complex numbers; zeros of a real tensor's shape and dtype.

    Dtype: as `real`. Its cotangent g comes back as 0 + gi.

    Example:
        >>> imag([1 + 2j, 3 - 1j]).tolist()
        [2.0, -1.0]
    """
    x = as_tensor(x)
    out: Tensor = _imag(x) if x.dtype in dtypes.COMPLEX else zeros_like(x)
    return out


@whole.as_one_op()
def angle(x: TensorLike, /) -> Tensor:
    """Return the angle of complex numbers, in radians from -π to π: atan2(imag x, real x).

    Of a real number it is 0, or π of a negative one, -0.0 included. Integers and bools are computed
    in the default floating dtype.

    Example:
        >>> round(angle(1j).item(), 5)
        1.5708
    """
    x = to_floating(as_tensor(x))
    return atan2(imag(x), real(x))


@one_at_once(_signbit)
def signbit(x: TensorLike, /) -> Tensor:
    """Tell for each number whether its sign bit is set: of -0.0 and of a negative NaN, too.

    Integers are asked whether they are negative.

    Raises:
        DTypeError: of complex numbers, which have no sign bit.

    Example:
        >>> signbit([-0.0, 0.0, -2.0]).tolist()
        [True, False, True]
    """
    x = as_tensor(x)
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError("signbit: complex numbers have no sign bit")
    if x.dtype in dtypes.INEXACT:
        out: Tensor = _signbit(x)
        return out
    return less(cast(x, dtypes.int8) if x.dtype == dtypes.bool_ else x, 0)


def bitcast(x: TensorLike, dtype: DTypeLike, /) -> Tensor:
    """Return the bits of real numbers read as another dtype. Derivative zero.

    Into a dtype of half the size (a quarter …) each element becomes two (four …) along a new last
    axis, the lowest bits first; into one of twice the size a last axis of length two goes.

    Raises:
        DTypeError: from and to bools and complex numbers.
        ShapeError: into a larger dtype, when the last axis has another length.

    Example:
        >>> bitcast([1.0, -0.0], "uint32").tolist()
        [1065353216, 2147483648]
    """
    x = as_tensor(x)
    chosen = as_dtype(dtype)
    for one in (x.dtype, chosen):
        if one == dtypes.bool_ or one in dtypes.COMPLEX:
            raise DTypeError(f"bitcast: bits of real numbers alone, not {one.name}")
    ratio = chosen.itemsize // x.dtype.itemsize
    if ratio > 1 and (not x.ndim or x.shape[-1] != ratio):
        raise ShapeError(
            f"bitcast: {x.dtype.name} of shape {x.shape} into {chosen.name} needs a last axis of "
            f"length {ratio}"
        )
    out: Tensor = _bitcast(x, dtype=chosen)
    return out


@binary(floating=True)
def nextafter(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the number of the dtype next to x₁ in the direction of x₂; x₂ where they are equal.

    The derivative by x₁ is 1, as that of all that is x₁ but for a rounding's size; by x₂ it is 0.

    Example:
        >>> nextafter(1.0, 2.0).item() - 1.0 == 2.0**-23
        True
    """
    ...


OPS["nextafter"].broadcasts = True
