"""What ops do with their arguments before they run: make Tensors, promote, count axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, recorders
from unigrad.core.backend import Backend, as_ndarray
from unigrad.core.dispatch import wrap
from unigrad.core.errors import HOW_TO_MOVE, BackendMismatchError, DTypeError, ShapeError
from unigrad.core.leaks import warn_if_graph_ends, warn_if_it_returns
from unigrad.core.op import OPS, Op, backend_of
from unigrad.core.registry import current_backend, default_device, owner_of
from unigrad.core.tensor import Tensor

#: What ops take: a Tensor, a Variable, a Python scalar, nested lists, an ndarray, a native array.
TensorLike: TypeAlias = Any

#: Classes whose ``__unigrad_tensor__`` gives a Tensor (`unigrad.core.variable` adds its own).
readable: set[type] = set()


def as_tensor(
    x: TensorLike, like: Tensor | None = None, dtype: dtypes.DType | None = None
) -> Tensor:
    """Return the Tensor of anything that stands for one.

    New ones are made on the backend and device of ``like``, else on the current backend. Python
    values take ``dtype``, else the default dtype of their kind, or a wider one that ``like`` has:
    a default that is narrower would lose digits on the way. Everything else keeps its own.
    """
    if type(x) is Tensor:
        return x
    if type(x) is np.ndarray:
        return _of_array(x, like)
    if hasattr(x, "__unigrad_tensor__"):
        tensor: Tensor = x.__unigrad_tensor__()
        return tensor
    owner = None if isinstance(x, _PLAIN) else owner_of(x)
    if owner is not None:
        if like is not None and like.backend is not owner:
            raise BackendMismatchError(
                f"an array of {owner.name} met a tensor of backend {like.backend.name!r}; "
                f"{HOW_TO_MOVE}"
            )
        return _entered(owner, x)
    if isinstance(x, (list, tuple)) and _holds_tensor(x):
        # Derivatives and traces go through the elements.
        stacked: Tensor = OPS["stack"](*common_tensors("stack", x, like), axis=0)
        return stacked
    array = as_ndarray(x)
    if not isinstance(x, (np.ndarray, np.generic)):
        array = _python_values(x, array, dtype or _python_dtype(array.dtype, like))
    return _of_array(array, like)


def _of_array(array: npt.NDArray[Any], like: Tensor | None) -> Tensor:
    """Return an ndarray's values as a Tensor beside another, else on the current backend."""
    if like is None:
        backend, device = placed()
    else:
        backend, device = like.backend, like.backend.device(like.native)
    if recorders.process.recording and recorders.active():
        warn_if_it_returns(array)
    if array.dtype not in _HELD:
        array = as_ndarray(array)
        dtypes.as_dtype(array.dtype)
    return wrap(backend, backend.from_numpy(array, device))


#: NumPy's dtypes that unigrad has, in the machine's byte order.
_HELD = frozenset(dtypes.ALL)


def placed(device: str | None = None) -> tuple[Backend, str | None]:
    """Return the backend for a new tensor, and its device; ``None`` leaves that to the library.

    Raises:
        UnigradError: when there is no such device, asked for here or by ``UNIGRAD_DEVICE``.
    """
    backend = current_backend()
    wanted = default_device() if device is None else device
    return backend, None if wanted is None else backend.place(wanted)


def _entered(owner: Backend, native: Any) -> Tensor:
    """Return the handle of a native array that comes from outside.

    Tapes behind which the library's own graph leads to it go on seeing through it. Any other
    graph it is in ends here, with a warning.
    """
    if recorders.active():
        warn_if_it_returns(native)
    if not owner.in_graph(native):
        return wrap(owner, owner.detach(native))
    seeing = []
    for one in recorders.active():
        graph = one.native_tapes.get(owner)
        if graph is not None and graph.tracks(native):
            seeing.append(one)
    if not seeing:
        detached = owner.detach(native)
        if owner.in_graph(detached):  # A library that need not cut it does not.
            return wrap(owner, detached)
        warn_if_graph_ends(owner)
        return wrap(owner, detached)
    tensor = wrap(owner, owner.detach(native))
    for one in seeing:
        one.track(tensor, native)
    return tensor


#: What every backend takes along, made by none of them.
_PLAIN = (bool, int, float, complex, list, tuple, np.ndarray, np.generic)


def _holds_tensor(values: Sequence[Any]) -> bool:
    """Tell whether nested lists have a Tensor or a Variable in them."""
    for one in values:
        if isinstance(one, Tensor) or type(one) in readable:
            return True
        if isinstance(one, (list, tuple)) and _holds_tensor(one):
            return True
    return False


def _python_dtype(found: np.dtype[Any], like: Tensor | None) -> dtypes.DType:
    """Return the dtype for Python values that NumPy would hold as ``found``."""
    kind = {"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(found.kind)
    if found == np.uint64:
        return dtypes.uint64
    if kind is None:
        return dtypes.as_dtype(found)
    dtype = dtypes.default_dtype_of_kind(kind)
    if like is not None and like.native.dtype in like.backend.native_floats:
        wide = like.dtype in (dtypes.float64, dtypes.complex128)
        if wide and dtype in dtypes.INEXACT:
            return dtypes.float64 if kind is float else dtypes.complex128
    return dtype


def _python_values(values: Any, array: npt.NDArray[Any], dtype: dtypes.DType) -> npt.NDArray[Any]:
    """Return Python values, held as ``array`` by NumPy's choice, in another dtype.

    Raises:
        DTypeError: when an integer does not fit.
    """
    if dtype not in dtypes.INTEGER or array.dtype.kind not in "iuf":
        return array.astype(dtype, copy=False)
    try:
        # From the values themselves: of mixed large integers NumPy's choice has lost digits.
        return np.array(values, dtype)
    except OverflowError as error:
        raise DTypeError(f"asarray: {error}") from None


def to_floating(x: Any) -> Any:
    """Cast integers and bools to the default dtype; leave the rest, Python scalars too."""
    if type(x) is Tensor:
        return x if x.native.dtype in x.backend.native_floats else cast(x, dtypes.default_dtype())
    return x


def cast(x: Tensor, dtype: dtypes.DType) -> Tensor:
    """Return ``x`` in another dtype (itself when it has it)."""
    if x.backend.native_dtype(dtype) is x.native.dtype or x.dtype == dtype:
        return x
    if dtype not in dtypes.INEXACT and x.dtype in dtypes.INEXACT:
        # What is no float any more has no derivative: the path ends here (as TensorFlow's does).
        x = untracked(x)
    out: Tensor = OPS["astype"](x, dtype=dtype)
    return out


_SCALARS = (bool, int, float, complex)


def promoted(op: Op, x1: TensorLike, x2: TensorLike) -> tuple[Any, Any]:
    """Return two inputs in one dtype; a Python scalar stays one where the kernel takes it."""
    if type(x1) in _SCALARS and type(x2) not in _SCALARS:
        x2 = as_tensor(x2)
        x1, x2 = _with_scalar(op, x2, x1)[::-1]
        return x1, x2
    if type(x2) in _SCALARS and type(x1) not in _SCALARS:
        return _with_scalar(op, as_tensor(x1), x2)
    like = x1 if type(x1) is Tensor else x2 if type(x2) is Tensor else None
    x1 = as_tensor(x1, like)
    x2 = as_tensor(x2, x1 if like is None else like)
    if x1.native.dtype is not x2.native.dtype:
        first, second = x1.dtype, x2.dtype
        if first != second:
            backend_of(op, (x1, x2))
            try:
                common = dtypes.promote(first, second)
            except DTypeError as error:
                raise DTypeError(f"{op.name}: {error}") from None
            return cast(x1, common), cast(x2, common)
    return x1, x2


def _with_scalar(op: Op, x: Tensor, scalar: Any) -> tuple[Tensor, Any]:
    """Promote a tensor with a weak Python scalar."""
    kind: type = type(scalar)
    dtype = dtypes.promote_scalar(x.dtype, kind) or dtypes.default_dtype_of_kind(kind)
    x = cast(x, dtype)
    if (kind is int and not -128 <= scalar < 128) or (
        kind is int and scalar < 0 and dtype in dtypes.UNSIGNED
    ):
        scalar = _fitting(op, x, scalar)
    if type(scalar) is float and not scalar and math.copysign(1.0, scalar) < 0.0:
        # Some libraries keep one constant for 0.0 and -0.0.
        return x, constant(x, scalar, dtype)
    absorbing = x.backend.weak.get(type(scalar))
    if absorbing is not None and x.native.dtype in absorbing and op.name in x.backend.scalar_ops:
        return x, scalar
    return x, scalar if type(scalar) is Tensor else constant(x, scalar, dtype)


def _fitting(op: Op, x: Tensor, scalar: int) -> Any:
    """Return a large or negative integer as something that a library takes beside a tensor.

    Raises:
        DTypeError: when it does not fit the tensor's dtype.
    """
    dtype = x.dtype
    if dtype in dtypes.INTEGER:
        limits = np.iinfo(dtype)
        if not limits.min <= scalar <= limits.max:
            raise DTypeError(f"{op.name}: {scalar} does not fit {dtype.name}")
        # Libraries read Python integers as int64.
        return scalar if scalar < 2**63 else constant(x, scalar)
    try:
        return float(scalar) if abs(scalar) >= 2**53 else scalar
    except OverflowError:
        raise DTypeError(f"{op.name}: {scalar.bit_length()} bits do not fit {dtype.name}") from None


def described(x: Any) -> str:
    """Return a tensor's or an ndarray's dtype and shape as messages show them.

    Example:
        >>> described(np.zeros((2, 3), np.float32))
        'float32[2, 3]'
    """
    return f"{x.dtype.name}{list(x.shape)}"


#: The rank of each kind of dtype among written values; signed and unsigned integers mix.
_RANKS = {"b": 0, "i": 1, "u": 1, "f": 3, "V": 3, "c": 4}


def check_kind(name: str, new: Tensor, dtype: dtypes.DType) -> None:
    """Check that values to be written into a dtype are of its kind or of a narrower one.

    Raises:
        DTypeError: when they are not: floats do not fit into integers.
    """
    if _RANKS[new.dtype.kind] > _RANKS[dtype.kind]:
        raise DTypeError(
            f"{name}: {new.dtype.name} values do not fit into a {dtype.name} tensor; cast one of "
            "them with ug.astype"
        )


def untracked(x: Tensor) -> Tensor:
    """Return a handle of the same value that no recorder knows."""
    return wrap(x.backend, x.native)


def visible(x: Tensor) -> npt.NDArray[Any] | None:
    """Return a tensor's values if they are there to be checked: in eager mode on a CPU."""
    return None if hidden(x) else x.backend.to_numpy(x.native)


def hidden(x: Tensor) -> bool:
    """Tell whether nobody can look at a tensor's values: in a trace, or on an accelerator."""
    backend, native = x.backend, x.native
    return backend.is_traced(native) or not backend.device(native).startswith("cpu")


def constant(like: Tensor, value: Any, dtype: dtypes.DType | None = None) -> Tensor:
    """Return a Python scalar as a 0-d tensor beside another tensor, in its dtype by default."""
    array = np.asarray(value, dtype=like.dtype if dtype is None else dtype)
    backend = like.backend
    return wrap(backend, backend.from_numpy(array, backend.device(like.native)))


def common_tensors(
    name: str, values: Sequence[TensorLike], like: Tensor | None = None
) -> list[Tensor]:
    """Return several inputs as Tensors of one backend and one promoted dtype.

    Those that are none yet are made beside the first that is one, else beside ``like``.
    """
    like = next((x for x in values if type(x) is Tensor), like)
    if like is None:
        like = next((as_tensor(x) for x in values if type(x) not in _SCALARS), None)
    tensors = [as_tensor(x, like) for x in values]
    backend_of(OPS.get(name) or Op(name), tensors)
    strong = [
        x.dtype for x, given in zip(tensors, values, strict=True) if type(given) not in _SCALARS
    ]
    if not strong:
        strong = [x.dtype for x in tensors]
    common = dtypes.result_dtype(*strong)
    for given in values:
        kind: type = type(given)
        if kind in _SCALARS:
            common = dtypes.promote_scalar(common, kind) or dtypes.default_dtype_of_kind(kind)
    return [cast(x, common) for x in tensors]


def alike(values: Sequence[TensorLike]) -> tuple[Tensor, ...] | None:
    """Return the values if all are Tensors of one backend and one dtype, else ``None``."""
    tensors = tuple(values)
    first = tensors[0]
    if type(first) is not Tensor:
        return None
    backend, dtype = first.backend, first.native.dtype
    for one in tensors:
        if type(one) is not Tensor or one.backend is not backend or one.native.dtype is not dtype:
            return None
    return tensors


def axis_number(name: str, axis: Any) -> int:
    """Return an axis as Python's int.

    Raises:
        DTypeError: when it is no integer. A bool is none, though Python would count with it.
    """
    try:
        number = None if isinstance(axis, (bool, np.bool_)) else axis.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None:
        raise DTypeError(f"{name}: an axis is an integer, not {axis!r}")
    return int(number)


def plain_axis(name: str, axis: Any) -> Any:
    """Return one axis as Python's int, several as a tuple of them, and ``None`` as it is.

    Raises:
        DTypeError: when one is no integer.
    """
    if axis is None or type(axis) is int:
        return axis
    if isinstance(axis, (tuple, list)):
        return plain_axes(name, axis)
    return axis_number(name, axis)


def plain_axes(name: str, axes: Sequence[Any]) -> tuple[int, ...]:
    """Return axes as Python's ints. Raises as `plain_axis`."""
    return tuple([one if type(one) is int else axis_number(name, one) for one in axes])


def normalize_axis(name: str, axis: Any, ndim: int) -> int:
    """Return an axis counted from the front.

    Raises:
        ShapeError: when it is outside of ``[-ndim, ndim)``.
        DTypeError: when it is no integer.
    """
    index = axis if type(axis) is int else axis_number(name, axis)
    if not -ndim <= index < ndim:
        raise ShapeError(f"{name}: axis {axis} is out of range for {ndim} dimensions")
    return index % ndim


def normalize_axes(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Return one axis, several, or all (``None``) as a sorted tuple.

    Raises:
        ShapeError: when one is out of range or comes twice.
    """
    if axis is None:
        return tuple(range(ndim))
    many = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(sorted(normalize_axis(name, one, ndim) for one in many))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: axis {axis} names a dimension twice")
    return axes
