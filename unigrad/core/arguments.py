"""What ops do with their arguments before they run: make Tensors, promote, count axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, recorders
from unigrad.core.backend import Backend
from unigrad.core.dispatch import dispatch, wrap
from unigrad.core.errors import HOW_TO_MOVE, BackendMismatchError, DTypeError
from unigrad.core.interpreters import lifted
from unigrad.core.leaks import warn_if_graph_ends, warn_if_it_returns
from unigrad.core.ndarrays import as_ndarray
from unigrad.core.op import OPS, Op, backend_of
from unigrad.core.plans import BySetting
from unigrad.core.python_values import (
    BUFFERS,
    NUMBERS,
    dtype_of_scalars,
    examples,
    python_dtype,
    python_values,
)
from unigrad.core.registry import current_backend, default_device, owner_of
from unigrad.core.tensor import Tensor

#: What ops take: a Tensor, a Variable, a Python scalar, nested lists, an ndarray, a native array.
TensorLike: TypeAlias = Any

#: Classes whose ``__unigrad_tensor__`` gives a Tensor (`unigrad.core.variable` adds its own).
readable: set[type] = set()
#: Classes of Python's numbers, and of what is as weak (`unigrad.core.weak` adds its own).
weak_types: set[type] = {bool, int, float, complex}


def as_tensor(
    x: TensorLike, like: Tensor | None = None, dtype: dtypes.DType | None = None
) -> Tensor:
    """Return the Tensor of anything that stands for one.

    New ones are made on the backend and device of ``like``, else on the current backend. Python
    values take ``dtype``, else the default dtype of their kind, or a wider one that ``like`` has:
    a default that is narrower would lose digits on the way. Everything else keeps its own, NumPy's
    scalars and arrays in lists too.
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
        if like is not None and like.backend.root is not owner:
            raise BackendMismatchError(
                f"an array of {owner.name} met a tensor of backend {like.backend.name!r}; "
                f"{HOW_TO_MOVE}"
            )
        return _entered(owner, x)
    found = examples(x, {}) if isinstance(x, (list, tuple)) else {}
    if any(_has_path(one) for one in found.values()):
        # Derivatives and traces go through the elements.
        stacked: Tensor = OPS["stack"](*common_tensors("stack", x, like), axis=0)
        return stacked
    array = as_ndarray(x)
    if not hasattr(x, "__array__") and not isinstance(x, BUFFERS):
        wanted = dtype or dtype_of_scalars(found) or python_dtype(array.dtype, like, found)
        array = python_values(x, array, wanted)
    return _of_array(array, like)


def _of_array(array: npt.NDArray[Any], like: Tensor | None) -> Tensor:
    """Return an ndarray's values as a Tensor beside another, else on the current backend."""
    if like is None:
        backend, device = placed()
    else:
        backend, device = like.backend, like.backend.beside(like._native)
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
    graph it is in ends here, with a warning, except in a function that the library's own user
    calls (`ug.interop`).
    """
    owner.check_array(native)
    if recorders.thread.borrowed:
        return wrap(owner, native)
    if not owner.in_graph(native):
        if recorders.active():
            warn_if_it_returns(native)
        return wrap(owner, owner.detach(native))
    seeing = []
    for one in recorders.active():
        graph = one.native_tapes.get(owner)
        if graph is not None and graph.tracks(native):
            seeing.append(one)
    if not seeing:
        if recorders.active():
            warn_if_it_returns(native)
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


def _has_path(x: Any) -> bool:
    """Tell whether an element of a list is a tensor, whose derivatives and traces go on."""
    if isinstance(x, Tensor) or type(x) in readable:
        return True
    return not isinstance(x, _PLAIN) and owner_of(x) is not None


def to_floating(x: Any) -> Any:
    """Cast integers and bools to the default dtype; leave the rest, Python scalars too."""
    if type(x) is Tensor:
        return x if x._native.dtype in x.backend.native_floats else cast(x, dtypes.default_dtype())
    return x


def cast(x: Tensor, dtype: dtypes.DType) -> Tensor:
    """Return ``x`` in another dtype (itself when it has it)."""
    if x.backend.native_dtype(dtype) is x._native.dtype or x.dtype == dtype:
        return x
    if dtype not in dtypes.INEXACT and x.dtype in dtypes.INEXACT:
        # What is no float any more has no derivative: the path ends here (as TensorFlow's does).
        x = untracked(x)
    out: Tensor = dispatch(_casts[dtype], x.backend, (x,), (x._native,))
    return out


_casts = BySetting("astype", "dtype")


def promoted(op: Op, x1: TensorLike, x2: TensorLike) -> tuple[Any, Any]:
    """Return two inputs in one dtype; a Python scalar stays one where the kernel takes it."""
    if type(x1) in weak_types and type(x2) not in weak_types:
        x2 = as_tensor(x2)
        x1, x2 = _with_scalar(op, x2, x1)[::-1]
        return x1, x2
    if type(x2) in weak_types and type(x1) not in weak_types:
        return _with_scalar(op, as_tensor(x1), x2)
    like = x1 if type(x1) is Tensor else x2 if type(x2) is Tensor else None
    x1 = as_tensor(x1, like)
    x2 = as_tensor(x2, x1 if like is None else like)
    if x1._native.dtype is not x2._native.dtype:
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
    kind: type = kind_of(scalar)
    dtype = dtypes.promote_scalar(x.dtype, kind) or dtypes.default_dtype_of_kind(kind)
    x = cast(x, dtype)
    if type(scalar) not in NUMBERS:
        return x, scalar.within(dtype)
    if (kind is int and not -128 <= scalar < 128) or (
        kind is int and scalar < 0 and dtype in dtypes.UNSIGNED
    ):
        scalar = _fitting(op, x, scalar)
    if type(scalar) is float and not _is_absorbed(scalar, dtype):
        return x, constant(x, dtypes.in_range(scalar, dtype), dtype)
    absorbing = x.backend.weak.get(type(scalar))
    if absorbing is not None and x._native.dtype in absorbing and op.name in x.backend.scalar_ops:
        return x, scalar
    return x, scalar if type(scalar) is Tensor else constant(x, scalar, dtype)


def _is_absorbed(scalar: float, dtype: dtypes.DType) -> bool:
    """Tell whether libraries take a float beside a tensor as it is."""
    if not scalar:
        # Some libraries keep one constant for 0.0 and -0.0.
        return math.copysign(1.0, scalar) > 0.0
    # Beyond the dtype's range some raise, some compute with a number that it does not hold.
    return not dtypes.most(dtype) < abs(scalar) < math.inf


def kind_of(scalar: Any) -> type:
    """Return the type of Python's number that a weak value is or stands for."""
    kind: type = type(scalar) if type(scalar) in NUMBERS else scalar.kind
    return kind


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
        return float(scalar) if abs(scalar) >= min(2**53, dtypes.most(dtype)) else scalar
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
    return wrap(x.backend, x._native)


def visible(x: Tensor) -> npt.NDArray[Any] | None:
    """Return a tensor's values if they are there to be checked: in eager mode on a CPU.

    Under `vmap` they are those of all examples.
    """
    held = held_by(x)
    return None if held is None else held.backend.to_numpy(held._native)


def checked(check: Callable[..., None], *tensors: Tensor) -> bool:
    """Run a check on values that are there to be seen, as `visible` says; tell whether they are.

    It raises for what is wrong, or a `CloserLookError` where that takes a closer look, and goes by
    these values and by what holds for all of their shapes and dtypes: it is made again by rows of
    kernels (`unigrad.core.repeated`) and by programs of backends that take notes of checks.
    """
    for x in tensors:
        if x.backend.note(check, tensors):
            return True
    values = [*map(visible, tensors)]
    if any(one is None for one in values):
        return False
    check(*values)
    return True


def hidden(x: Tensor) -> bool:
    """Tell whether nobody can look at a tensor's values: in a trace, or on an accelerator."""
    return held_by(x) is None


def held_by(x: Tensor) -> Tensor | None:
    """Return the tensor of a library that holds the values to be checked, if there is one."""
    found: Tensor | None = x
    while found is not None and found.backend.depth:
        found = found.backend.beneath(found._native)  # type: ignore[attr-defined]
    if found is None:
        return None
    return found if found.backend.shows(found._native) else None


def constant(like: Tensor, value: Any, dtype: dtypes.DType | None = None) -> Tensor:
    """Return a Python scalar as a 0-d tensor beside another tensor, in its dtype by default."""
    return beside(like, np.asarray(value, dtype=like.dtype if dtype is None else dtype))


def beside(like: Tensor, array: npt.NDArray[Any]) -> Tensor:
    """Return an ndarray's values as a Tensor that can meet another one."""
    backend = like.backend
    return wrap(backend, backend.from_numpy(array, backend.beside(like._native)))


def common_tensors(
    name: str, values: Sequence[TensorLike], like: Tensor | None = None
) -> list[Tensor]:
    """Return several inputs as Tensors of one backend and one promoted dtype.

    Those that are none yet are made beside the first that is one, else beside ``like``.
    """
    if values and alike(tuple(values)) is not None:
        return [*values]
    like = next((x for x in values if type(x) is Tensor), like)
    if like is None:
        like = next((as_tensor(x) for x in values if type(x) not in weak_types), None)
    tensors = [as_tensor(x, like) for x in values]
    backend = backend_of(OPS.get(name) or Op(name), tensors)
    if backend.depth:
        tensors = list(lifted(backend, tensors))
    strong = [
        x.dtype for x, given in zip(tensors, values, strict=True) if type(given) not in weak_types
    ]
    if not strong:
        strong = [x.dtype for x in tensors]
    common = dtypes.result_dtype(*strong)
    for given in values:
        if type(given) in weak_types:
            kind = kind_of(given)
            common = dtypes.promote_scalar(common, kind) or dtypes.default_dtype_of_kind(kind)
    return [
        # Python's own numbers have been made beside a tensor that holds their digits.
        given.within(common) if type(given) in weak_types - NUMBERS
        else cast(_checked(name, x, given, common), common)
        for x, given in zip(tensors, values, strict=True)
    ]  # fmt: skip


def _checked(name: str, x: Tensor, given: TensorLike, dtype: dtypes.DType) -> Tensor:
    """Return a tensor, unless it is of a Python integer that does not fit a dtype.

    Raises:
        DTypeError: for one.
    """
    if type(given) is int and dtype in dtypes.INTEGER:
        limits = np.iinfo(dtype)
        if not limits.min <= given <= limits.max:
            raise DTypeError(f"{name}: {given} does not fit {dtype.name}")
    return x


def alike(tensors: tuple[TensorLike, ...]) -> tuple[Any, ...] | None:
    """Return the native arrays if all are Tensors of one backend and one dtype, else ``None``."""
    first = tensors[0]
    if type(first) is not Tensor:
        return None
    backend, dtype = first.backend, first._native.dtype
    natives = []
    for one in tensors:
        if type(one) is not Tensor or one.backend is not backend or one._native.dtype is not dtype:
            return None
        natives.append(one._native)
    return tuple(natives)
