"""Ops: declared once, run on any backend.

An `Op` is a name, a table of kernels (one per backend, looked up at first use) and, for a
composite, a body written in terms of other ops. Calling one with normalised arguments (tensors
positional, settings by keyword) runs the kernel of the backend that its tensors live on and
tells the recorders. It knows no derivative.

`unary` and `binary` make the public function of an elementwise op. They are the hottest code in
the library: one function call, no look-up of context, no ``**settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, recorders
from unigrad.core.backend import NATIVE, Backend, Kernel, Pull, as_ndarray
from unigrad.core.errors import (
    BackendMismatchError,
    DTypeError,
    ShapeError,
    UnigradError,
)
from unigrad.core.registry import current_backend, default_device, owner_of
from unigrad.core.tensor import Tensor

#: What ops take: a Tensor, a Variable, a Python scalar, nested lists, an ndarray, a native array.
TensorLike: TypeAlias = Any

#: Every op by name.
OPS: dict[str, Op] = {}

_new = Tensor.__new__
_anywhere = recorders.anywhere
_uids = recorders.uids


class _Kernels(dict[Backend, Kernel | None]):
    """An op's kernels, fetched from a backend's table when that backend first runs the op."""

    def __init__(self, op: Op) -> None:
        self.op = op

    def __missing__(self, backend: Backend) -> Kernel | None:
        kernel = backend.kernel(self.op)
        if kernel is None and self.op.body is None:
            raise UnigradError(f"the backend {backend.name!r} has no kernel for {self.op.name!r}")
        self[backend] = kernel
        return kernel


class Op:
    """One operation. See the module's docstring."""

    __slots__ = ("body", "dependencies", "kernels", "name", "public", "rule")

    def __init__(self, name: str, body: Callable[..., Any] | None = None) -> None:
        self.name = name
        #: How a composite is computed from other ops; None for a primitive.
        self.body = body
        self.kernels = _Kernels(self)
        #: The reference's derivative, set by `unigrad.autodiff.rules`.
        self.rule: Any = None
        #: Tells which inputs the result depends on, where that may be fewer than all
        #: (a function of the native inputs); None means all.
        self.dependencies: Callable[..., Sequence[bool]] | None = None
        #: The documented function, for those that list the ops.
        self.public: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Run on Tensors (at least one) and Python scalars; return a Tensor or a tuple of them."""
        backend: Any = None
        natives = []
        tracked = False
        for x in inputs:
            if type(x) is Tensor:
                if x.backend is not backend:
                    if backend is not None:
                        break
                    backend = x.backend
                if x.uid:
                    tracked = True
                natives.append(x.native)
            else:
                natives.append(x)
        if len(natives) < len(inputs) or backend is None:
            backend_of(self, inputs)  # raises
        if tracked and _anywhere.count:
            uids = tuple([x.uid if type(x) is Tensor else 0 for x in inputs])
            if self.dependencies is not None:
                needed = self.dependencies(*natives)
                uids = tuple([uid if one else 0 for uid, one in zip(uids, needed, strict=True)])
            watching = recorders.watchers(uids)
            if watching:
                return run_watched(self, backend, inputs, natives, uids, settings, watching)
        kernel = self.kernels[backend]
        if kernel is None:
            return self.body(*inputs, **settings)  # type: ignore[misc]
        try:
            result = kernel(*natives, **settings)
        except Exception as error:
            raise _explain(self, backend, natives, settings, error) from error
        if type(result) is tuple or type(result) is list:
            return tuple([wrap(backend, one) for one in result])
        return wrap(backend, result)


class Recording:
    """One run of an op, as recorders see it: plain values, no handle that could be rebound."""

    __slots__ = (
        "backend", "inputs", "multiple", "op", "output_uids", "outputs", "pull", "settings", "uids",
    )  # fmt: skip

    def __init__(
        self,
        op: Op,
        backend: Backend,
        inputs: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
        outputs: tuple[Tensor, ...],
        multiple: bool,
        pull: Pull | None,
    ) -> None:
        self.op = op
        self.backend = backend
        #: Native arrays or Python scalars.
        self.inputs = inputs
        self.uids = uids
        self.settings = settings
        if len(outputs) == 1:
            self.outputs: tuple[Any, ...] = (outputs[0].native,)
            self.output_uids: tuple[int, ...] = (outputs[0].uid,)
        else:
            self.outputs = tuple([output.native for output in outputs])
            self.output_uids = tuple([output.uid for output in outputs])
        #: True when the op returns a tuple.
        self.multiple = multiple
        self.pull = pull


def wrap(backend: Backend, native: Any, uid: int = 0) -> Tensor:
    """Make the handle of a native array."""
    if type(native) is not backend.array_type:
        native = backend.settle(native)
    tensor = _new(Tensor)
    tensor.native = native
    tensor.backend = backend
    tensor.uid = uid
    return tensor


def run_watched(
    op: Op,
    backend: Backend,
    inputs: Sequence[Any],
    natives: Sequence[Any],
    uids: tuple[int, ...],
    settings: Mapping[str, Any],
    watching: Sequence[Any],
) -> Any:
    """Run an op whose inputs some recorders track, and tell them."""
    kernel = op.kernels[backend]
    if op.body is not None and (
        kernel is None
        or (
            op.rule is None
            and (not backend.differentiates or any(one.needs_rules for one in watching))
        )
    ):
        return op.body(*inputs, **settings)
    assert kernel is not None
    try:
        result, pull = backend.run_watched(op, kernel, natives, uids, settings, watching)
    except Exception as error:
        raise _explain(op, backend, natives, settings, error) from error
    multiple = type(result) is tuple or type(result) is list
    if multiple:
        outputs = tuple([wrap(backend, one, next(_uids)) for one in result])
    else:
        if type(result) is not backend.array_type:
            result = backend.settle(result)
        output = _new(Tensor)
        output.native = result
        output.backend = backend
        output.uid = next(_uids)
        if pull is NATIVE and len(watching) == 1 and not watching[0].needs_rules:
            watching[0].depend(backend, uids, output)
            return output
        outputs = (output,)
    recording = None
    # Tapes first: the ops that carry tangents onward use these very outputs.
    for one in watching if len(watching) == 1 else sorted(watching, key=_is_forward):
        if pull is NATIVE and not one.needs_rules:
            for output in outputs:
                one.depend(backend, uids, output)
            continue
        if recording is None:
            recording = Recording(op, backend, natives, uids, settings, outputs, multiple, pull)
        one.record(recording, outputs)
    return outputs if multiple else outputs[0]


def _is_forward(recorder: Any) -> bool:
    return bool(recorder.forward)


def backend_of(op: Op, inputs: Sequence[Any]) -> Backend:
    """Return the one backend of an op's inputs.

    Raises:
        BackendMismatchError: when there are two.
    """
    found: Backend | None = None
    for x in inputs:
        if type(x) is Tensor and x.backend is not found:
            if found is not None:
                raise BackendMismatchError(
                    f"{op.name}: a tensor of backend {found.name!r} met one of "
                    f"{x.backend.name!r}; move one with ug.asarray(x.numpy())"
                )
            found = x.backend
    if found is None:
        raise DTypeError(f"{op.name}: expected a tensor")
    return found


def _explain(
    op: Op,
    backend: Backend,
    natives: Sequence[Any],
    settings: Mapping[str, Any],
    error: Exception,
) -> Exception:
    """Turn a native error into unigrad's class, with the op, the shapes and the dtypes."""
    # A warning is here because somebody made warnings errors: it is theirs to see.
    if isinstance(error, (UnigradError, ZeroDivisionError, Warning)):
        return error
    described, shapes = [], []
    for native in natives:
        if isinstance(native, (bool, int, float, complex)):
            described.append(repr(native))
        else:
            shapes.append(backend.shape(native))
            described.append(f"{backend.dtype(native).name}{list(shapes[-1])}")
    kind = backend.error_class(error)
    if op.name in _BROADCASTING:
        try:
            np.broadcast_shapes(*shapes)
            kind = DTypeError
        except ValueError:
            kind = ShapeError
    if kind is None:
        return error
    chosen = "".join(f", {name}={value!r}" for name, value in settings.items())
    text = str(error).strip()
    reason = text.splitlines()[0][:200] if text else type(error).__name__
    if kind is ShapeError and op.name in _BROADCASTING:
        reason = "the shapes do not broadcast"
    return kind(f"{op.name}({', '.join(described)}{chosen}) on {backend.name}: {reason}")


#: Names of the ops whose inputs must broadcast against each other.
_BROADCASTING: set[str] = set()


# -- declaring


def primitive(name: str) -> Op:
    """Declare an op that every backend supplies and the reference has a rule for."""
    return _declare(Op(name))


def composite(body: Callable[..., Any]) -> Op:
    """Declare an op computed from other ops; a backend may still bring a kernel for it.

    The op's name is the function's, less a leading underscore. The function takes normalised
    arguments: tensors positional, settings by keyword.
    """
    op = Op(body.__name__.removeprefix("_"), body)
    op.public = body
    return _declare(op)


def _declare(op: Op) -> Op:
    if op.name in OPS:
        raise UnigradError(f"op {op.name!r} is declared twice")
    OPS[op.name] = op
    return op


_NONE: Mapping[str, Any] = {}

#: Classes whose ``read`` gives a Tensor (`unigrad.core.variable` adds its own).
readable: set[type] = set()

_Unary: TypeAlias = Callable[[TensorLike], Tensor]
_Binary: TypeAlias = Callable[[TensorLike, TensorLike], Tensor]


def unary(floating: bool = False) -> Callable[[_Unary], _Unary]:
    """Declare an elementwise op of one tensor; the decorated function gives name and docstring.

    ``floating`` computes integers and bools in the default dtype. A function with a body is a
    composite, one that only has a docstring (returns None on None) a primitive: pass ``...``.
    """

    def declare(function: _Unary) -> _Unary:
        op = primitive(function.__name__.removesuffix("_"))
        kernels = op.kernels
        # One input always broadcasts: whatever a kernel refuses, it is the dtype.
        _BROADCASTING.add(op.name)

        @wraps(function)
        def run(x: TensorLike, /) -> Tensor:
            if type(x) in readable:
                x = x.read()
            if type(x) is Tensor:
                backend = x.backend
                native = x.native
                if not floating or native.dtype in backend.native_floats:
                    if _anywhere.count and x.uid:
                        watching = recorders.watchers((x.uid,))
                        if watching:
                            watched: Tensor = run_watched(
                                op, backend, (x,), (native,), (x.uid,), _NONE, watching
                            )
                            return watched
                    try:
                        result = kernels[backend](native)  # type: ignore[misc]
                    except Exception as error:
                        raise _explain(op, backend, (native,), {}, error) from error
                    if type(result) is not backend.array_type:
                        result = backend.settle(result)
                    tensor = _new(Tensor)
                    tensor.native = result
                    tensor.backend = backend
                    tensor.uid = 0
                    return tensor
            x = as_tensor(x)
            out: Tensor = op(to_floating(x) if floating else x)
            return out

        op.public = run
        return run

    return declare


def binary(floating: bool = False) -> Callable[[_Binary], _Binary]:
    """Declare an elementwise op of two tensors, which broadcast and promote to one dtype."""

    def declare(function: _Binary) -> _Binary:
        op = primitive(function.__name__)
        kernels = op.kernels
        _BROADCASTING.add(op.name)

        @wraps(function)
        def run(x1: TensorLike, x2: TensorLike, /) -> Tensor:
            if type(x1) in readable:
                x1 = x1.read()
            if type(x2) in readable:
                x2 = x2.read()
            if type(x1) is Tensor:
                backend = x1.backend
                first = x1.native
                uid = 0
                if type(x2) is Tensor:
                    second = x2.native
                    uid = x2.uid
                    fits = (
                        x2.backend is backend
                        and first.dtype is second.dtype
                        and (not floating or first.dtype in backend.native_floats)
                    )
                else:
                    second = x2
                    absorbing = backend.weak.get(type(x2))
                    fits = (
                        absorbing is not None
                        and first.dtype in absorbing
                        and op.name in backend.scalar_ops
                        and (not floating or first.dtype in backend.native_floats)
                    )
                if fits:
                    if _anywhere.count and (x1.uid or uid):
                        uids = (x1.uid, uid)
                        watching = recorders.watchers(uids)
                        if watching:
                            watched: Tensor = run_watched(
                                op, backend, (x1, x2), (first, second), uids, _NONE, watching
                            )
                            return watched
                    try:
                        result = kernels[backend](first, second)  # type: ignore[misc]
                    except Exception as error:
                        raise _explain(op, backend, (first, second), {}, error) from error
                    if type(result) is not backend.array_type:
                        result = backend.settle(result)
                    tensor = _new(Tensor)
                    tensor.native = result
                    tensor.backend = backend
                    tensor.uid = 0
                    return tensor
            x1, x2 = promoted(op, x1, x2)
            if floating:
                x1, x2 = to_floating(x1), to_floating(x2)
            out: Tensor = op(x1, x2)
            return out

        op.public = run
        return run

    return declare


# -- normalising arguments


def as_tensor(x: TensorLike, like: Tensor | None = None) -> Tensor:
    """Return the Tensor of anything that stands for one.

    New ones are made on the backend and device of ``like``, else on the current backend.
    """
    if type(x) is Tensor:
        return x
    if hasattr(x, "__unigrad_tensor__"):
        tensor: Tensor = x.__unigrad_tensor__()
        return tensor
    owner = None if isinstance(x, _PLAIN) else owner_of(x)
    if owner is not None:
        if like is not None and like.backend is not owner:
            raise BackendMismatchError(
                f"an array of {owner.name} met a tensor of backend {like.backend.name!r}"
            )
        return wrap(owner, owner.detach(x))
    backend, device = (
        (like.backend, like.backend.device(like.native))
        if like is not None
        else (current_backend(), default_device())
    )
    if isinstance(x, (list, tuple)) and any(isinstance(one, Tensor) for one in x):
        x = [one.numpy() if isinstance(one, Tensor) else one for one in x]
    array = as_ndarray(x)
    if not isinstance(x, (np.ndarray, np.generic)):
        array = array.astype(_python_dtype(array.dtype), copy=False)
    dtypes.as_dtype(array.dtype)
    return wrap(backend, backend.from_numpy(array, device))


#: What every backend takes along, made by none of them.
_PLAIN = (bool, int, float, complex, list, tuple, np.ndarray, np.generic)


def _python_dtype(found: np.dtype[Any]) -> dtypes.DType:
    """Return the dtype for Python values that NumPy would hold as ``found``."""
    kind = {"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(found.kind)
    if found == np.uint64:
        return dtypes.uint64
    return dtypes.default_dtype_of_kind(kind) if kind else dtypes.as_dtype(found)


def to_floating(x: Any) -> Any:
    """Cast integers and bools to the default dtype; leave the rest, Python scalars too."""
    if type(x) is Tensor:
        return x if x.native.dtype in x.backend.native_floats else cast(x, dtypes.default_dtype())
    return x


_astype = primitive("astype")


def cast(x: Tensor, dtype: dtypes.DType) -> Tensor:
    """Return ``x`` in another dtype (itself when it has it)."""
    if x.backend.native_dtype(dtype) is x.native.dtype or x.dtype == dtype:
        return x
    if dtype not in dtypes.INEXACT and x.dtype in dtypes.INEXACT:
        # What is no float any more has no derivative: the path ends here (as TensorFlow's does).
        x = untracked(x)
    out: Tensor = _astype(x, dtype=dtype)
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
    absorbing = x.backend.weak.get(kind)
    if absorbing is not None and x.native.dtype in absorbing and op.name in x.backend.scalar_ops:
        return x, scalar
    return x, constant(x, scalar, dtype)


def untracked(x: Tensor) -> Tensor:
    """Return a handle of the same value that no recorder knows."""
    return wrap(x.backend, x.native)


def visible(x: Tensor) -> npt.NDArray[Any] | None:
    """Return a tensor's values if they are there to be checked: in eager mode on a CPU."""
    backend, native = x.backend, x.native
    if backend.is_traced(native) or backend.device(native) != "cpu":
        return None
    return backend.to_numpy(native)


def constant(like: Tensor, value: Any, dtype: dtypes.DType | None = None) -> Tensor:
    """Return a Python scalar as a 0-d tensor beside another tensor, in its dtype by default."""
    array = np.asarray(value, dtype=like.dtype if dtype is None else dtype)
    backend = like.backend
    return wrap(backend, backend.from_numpy(array, backend.device(like.native)))


def common_tensors(name: str, values: Sequence[TensorLike]) -> list[Tensor]:
    """Return several inputs as Tensors of one backend and one promoted dtype."""
    like = next((x for x in values if type(x) is Tensor), None)
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


def normalize_axis(name: str, axis: Any, ndim: int) -> int:
    """Return an axis counted from the front.

    Raises:
        ShapeError: when it is outside of ``[-ndim, ndim)``.
        DTypeError: when it is no integer.
    """
    try:
        index = axis.__index__()
    except AttributeError:
        raise DTypeError(f"{name}: an axis is an integer, not {axis!r}") from None
    if not -ndim <= index < ndim:
        raise ShapeError(f"{name}: axis {axis} is out of range for {ndim} dimensions")
    return int(index % ndim)


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
