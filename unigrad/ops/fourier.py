"""Discrete Fourier transforms: the Array API's ``fft`` extension and its two-dimensional forms.

Float32 and complex64 are computed in single precision, float64 and complex128 in double, integers
in the default float, half precision in float32. The sums are Σ xₖ exp(∓2πi jk / n); ``norm`` says
where the factor 1/n goes: ``"backward"`` to the inverse, ``"forward"`` to the forward transform,
``"ortho"`` its root to both. ``n`` and ``s`` cut an axis off or fill it with zeros first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.axes import normalize_axes
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import Op, primitive
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import conj
from unigrad.ops.identity import identity
from unigrad.ops.linalg.matrices import complex_dtype, floating
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import as_integer

__all__ = [
    "fft",
    "fft2",
    "fftn",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftn",
]

#: Where the factor goes.
FFTNorm = Literal["backward", "ortho", "forward"]

# Over axes counted from the end, the last of them the one of half length: the forward ones without
# a factor, the inverse ones with 1/n.
_fft, _ifft, _rfft = map(primitive, ("fft", "ifft", "rfft"))
#: To ``n`` elements on the last of the axes.
_irfft = primitive("irfft")

_INVERSE = frozenset((_ifft, _irfft))


def _factor(name: str, norm: str, count: int, inverse: bool) -> float:
    """Return what the result of a kernel is multiplied with."""
    if norm not in get_args(FFTNorm):
        raise SettingError(f"{name}: norm is 'backward', 'ortho' or 'forward', not {norm!r}")
    if norm == "backward":
        return 1.0
    root = math.sqrt(count) if norm == "ortho" else float(count)
    return root if inverse else 1.0 / root


def _axes_of(
    name: str, x: Tensor, s: Sequence[int] | None, axes: Sequence[int] | None
) -> tuple[int, ...]:
    """Return axes, counted from the end; by default all, or as many of the last as ``s`` has."""
    if axes is None:
        axes = tuple(range(x.ndim)) if s is None else tuple(range(x.ndim - len(s), x.ndim))
    found = tuple([axis - x.ndim for axis in normalize_axes(name, tuple(axes), x.ndim) or ()])
    if s is not None and len(s) != len(found):
        raise ShapeError(f"{name}: {len(s)} lengths for {len(found)} axes")
    return found


def _fitted(name: str, x: Tensor, axis: int, n: int) -> Tensor:
    """Return a tensor cut off or filled with zeros to ``n`` elements along an axis."""
    have = x.shape[axis]
    if n < 1:
        raise ShapeError(f"{name}: a transform has one element or more, not {n}")
    if n < have:
        return x[(..., slice(n), *[slice(None)] * (-axis - 1))]
    if n > have:
        widths = [(0, 0)] * x.ndim
        widths[axis] = (0, n - have)
        return pad(x, widths)
    return x


def _transformed(
    name: str,
    op: Op,
    x: TensorLike,
    s: Sequence[int] | None,
    axes: Sequence[int] | None,
    norm: FFTNorm,
) -> Tensor:
    """Run a transform over axes."""
    key = None
    if type(x) is Tensor and s is None and norm == "backward" and _is_plain(axes):
        native = x._native
        key = op, x.backend.name, native.dtype, x.backend.shape_key(native), axes
        plan = _plans.get(key)
        if plan is not None:
            done: Tensor = dispatch(plan, x.backend, (x,), (native,))
            return done
    wide, dtype = floating(x)
    found = _axes_of(name, wide, s, axes)
    if op is _rfft and dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: real numbers are transformed, not {dtype.name}")
    if op is _irfft:
        wide = cast(wide, complex_dtype(wide.dtype))
    lengths = [*([wide.shape[axis] for axis in found] if s is None else s)]
    lengths = [as_integer(name, n) for n in lengths]
    settings: dict[str, Any] = {}
    kept = list(lengths)
    if op is _irfft and found:
        if s is None:
            lengths[-1] = 2 * (lengths[-1] - 1)
        kept = [*lengths[:-1], lengths[-1] // 2 + 1]
        settings["n"] = lengths[-1]
        if lengths[-1] < 1:
            raise ShapeError(f"{name}: a transform has one element or more, not {lengths[-1]}")
    for axis, n in zip(found, kept, strict=True):
        wide = _fitted(name, wide, axis, n)
    if not found:
        if op in (_rfft, _irfft):
            raise ShapeError(f"{name}: there is no axis to transform along")
        return identity(cast(wide, complex_dtype(wide.dtype)))
    if key is not None and wide is x:
        _plans.keep(key, Planned(op, {"axes": found, **settings}))
    out: Tensor = op(wide, axes=found, **settings)
    factor = _factor(name, norm, math.prod(lengths), op in _INVERSE)
    return out if factor == 1.0 else out * factor


#: By op, dtype, shape and axes: of transforms that need no preparation and no factor.
_plans = Plans()


def _is_plain(axes: Any) -> bool:
    """Tell whether axes may be part of a key."""
    return axes is None or (type(axes) is tuple and all(type(one) is int for one in axes))


def _along(name: str, op: Op, x: TensorLike, n: int | None, axis: int, norm: FFTNorm) -> Tensor:
    """Run a transform along one axis."""
    return _transformed(name, op, x, None if n is None else (n,), (axis,), norm)


def fft(
    x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: FFTNorm = "backward"
) -> Tensor:
    """Return the Fourier transform along an axis, complex.

    Raises:
        ShapeError: for a bad axis or length.
        SettingError: for another ``norm``.

    Example:
        >>> fft([1.0, 0.0]).tolist()
        [(1+0j), (1+0j)]
    """
    return _along("fft", _fft, x, n, axis, norm)


def ifft(
    x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: FFTNorm = "backward"
) -> Tensor:
    """Return the inverse Fourier transform along an axis, complex. Errors as in `fft`.

    Example:
        >>> ifft([2.0, 0.0]).tolist()
        [(1+0j), (1+0j)]
    """
    return _along("ifft", _ifft, x, n, axis, norm)


def rfft(
    x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: FFTNorm = "backward"
) -> Tensor:
    """Return the first n // 2 + 1 elements of the Fourier transform of real numbers.

    Raises:
        DTypeError: for complex numbers.
        ShapeError: for a bad axis or length.
        SettingError: for another ``norm``.

    Example:
        >>> rfft([1.0, 0.0, 0.0]).tolist()
        [(1+0j), (1+0j)]
    """
    return _along("rfft", _rfft, x, n, axis, norm)


def irfft(
    x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: FFTNorm = "backward"
) -> Tensor:
    """Return the ``n`` real numbers that `rfft` makes ``x`` of; by default twice its length - 2.

    The imaginary parts of the first element, and for an even ``n`` of the last, have no influence.
    Errors as in `fft`.

    Example:
        >>> irfft([1.0, 1.0], n=3).tolist()
        [1.0, 0.0, 0.0]
    """
    return _along("irfft", _irfft, x, n, axis, norm)


@whole.as_one_op(looks=True, name="fft.hfft")
def hfft(
    x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: FFTNorm = "backward"
) -> Tensor:
    """Return the real Fourier transform of a sequence that is Hermitian, of its first half.

    Errors as in `fft`.

    Example:
        >>> hfft([1.0, 1.0], n=3).tolist()
        [3.0, 0.0, 0.0]
    """
    return _along("hfft", _irfft, conj(as_tensor(x)), n, axis, _opposite(norm))


@whole.as_one_op(looks=True, name="fft.ihfft")
def ihfft(
    x: TensorLike, /, *, n: int | None = None, axis: int = -1, norm: FFTNorm = "backward"
) -> Tensor:
    """Return the first half of the inverse transform of real numbers, which is Hermitian.

    Errors as in `rfft`.

    Example:
        >>> ihfft([3.0, 0.0, 0.0]).tolist()
        [(1-0j), (1-0j)]
    """
    return conj(_along("ihfft", _rfft, x, n, axis, _opposite(norm)))


def _opposite(norm: FFTNorm) -> Any:
    """Return the norm of the transform the other way."""
    return {"backward": "forward", "forward": "backward"}.get(norm, norm)


def fftn(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the Fourier transform over several axes, by default all, with lengths ``s``.

    Errors as in `fft`.

    Example:
        >>> fftn([[1.0, 0.0], [0.0, 0.0]]).tolist()
        [[(1+0j), (1+0j)], [(1+0j), (1+0j)]]
    """
    return _transformed("fftn", _fft, x, s, axes, norm)


def ifftn(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the inverse Fourier transform over several axes, by default all.

    Errors as in `fft`.

    Example:
        >>> ifftn([[1.0, 0.0], [0.0, 0.0]]).tolist()
        [[(0.25+0j), (0.25+0j)], [(0.25+0j), (0.25+0j)]]
    """
    return _transformed("ifftn", _ifft, x, s, axes, norm)


def rfftn(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the transform of real numbers over several axes, `rfft` along the last of them.

    Errors as in `rfft`.

    Example:
        >>> rfftn([[1.0, 0.0], [0.0, 0.0]]).tolist()
        [[(1+0j), (1+0j)], [(1+0j), (1+0j)]]
    """
    return _transformed("rfftn", _rfft, x, s, axes, norm)


def irfftn(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] | None = None,
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the inverse of `rfftn`: real numbers, `irfft` along the last of the axes.

    Errors as in `fft`.

    Example:
        >>> irfftn([[2.0, 0.0], [0.0, 0.0]]).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    return _transformed("irfftn", _irfft, x, s, axes, norm)


def fft2(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the Fourier transform over two axes.

    Errors as in `fft`.

    Example:
        >>> fft2([[1.0, 0.0], [0.0, 0.0]]).tolist()
        [[(1+0j), (1+0j)], [(1+0j), (1+0j)]]
    """
    return _transformed("fft2", _fft, x, s, axes, norm)


def ifft2(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the inverse Fourier transform over two axes.

    Errors as in `fft`.

    Example:
        >>> ifft2([[1.0, 0.0], [0.0, 0.0]]).tolist()
        [[(0.25+0j), (0.25+0j)], [(0.25+0j), (0.25+0j)]]
    """
    return _transformed("ifft2", _ifft, x, s, axes, norm)


def rfft2(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the transform of real numbers over two axes.

    Errors as in `rfft`.

    Example:
        >>> rfft2([[1.0, 0.0], [0.0, 0.0]]).tolist()
        [[(1+0j), (1+0j)], [(1+0j), (1+0j)]]
    """
    return _transformed("rfft2", _rfft, x, s, axes, norm)


def irfft2(
    x: TensorLike,
    /,
    *,
    s: Sequence[int] | None = None,
    axes: Sequence[int] = (-2, -1),
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the inverse of `rfft2`, real numbers.

    Errors as in `fft`.

    Example:
        >>> irfft2([[2.0, 0.0], [0.0, 0.0]]).tolist()
        [[0.5, 0.5], [0.5, 0.5]]
    """
    return _transformed("irfft2", _irfft, x, s, axes, norm)
