"""Ops: declared once, run on any backend.

An `Op` is a name, a table of kernels (one per backend, looked up at first use) and, for a
composite, a body written in terms of other ops. Calling one with normalised arguments (tensors
positional, settings by keyword) runs the kernel of the backend that its tensors live on and
tells the recorders. It knows no derivative.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from unigrad.core import recorders
from unigrad.core.backend import Backend, Kernel, Pullback
from unigrad.core.errors import (
    BackendMismatchError,
    DTypeError,
    ShapeError,
    TracingError,
    UnigradError,
)
from unigrad.core.tensor import Tensor

#: Every op by name.
OPS: dict[str, Op] = {}

_new = Tensor.__new__
_reference = weakref.ref
#: Makes a named tuple without a call of Python's.
_new_tuple = tuple.__new__
_process = recorders.process
_thread = recorders.thread
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
        if tracked and _process.recording:
            uids = tuple([x.uid if type(x) is Tensor else 0 for x in inputs])
            if self.dependencies is not None:
                needed = self.dependencies(*natives)
                uids = tuple([uid if one else 0 for uid, one in zip(uids, needed, strict=True)])
            watched = run_if_watched(self, backend, inputs, natives, uids, settings)
            if watched is not None:
                return watched
        kernel = self.kernels[backend]
        if kernel is None:
            return self.body(*inputs, **settings)  # type: ignore[misc]
        try:
            result = kernel(*natives, **settings)
        except Exception as error:
            raise explain(self, backend, natives, settings, error) from error
        if type(result) is tuple or type(result) is list:
            return tuple(wrap_all(backend, result))
        return wrap(backend, result)


class Recording(NamedTuple):
    """One run of an op, as recorders see it: plain values, no handle that could be rebound."""

    op: Op
    backend: Backend
    #: Native arrays or Python scalars.
    inputs: Sequence[Any]
    uids: tuple[int, ...]
    settings: Mapping[str, Any]
    #: Native arrays.
    outputs: tuple[Any, ...]
    output_uids: tuple[int, ...]
    #: True when the op returns a tuple.
    multiple: bool
    pullback: Pullback | None


def wrap(backend: Backend, native: Any, uid: int = 0) -> Tensor:
    """Make the handle of a native array."""
    if type(native) is not backend.array_type:
        native = backend.settle(native)
    tensor = _new(Tensor)
    tensor.native = native
    tensor.backend = backend
    tensor.uid = uid
    return tensor


def wrap_all(backend: Backend, natives: Sequence[Any]) -> list[Tensor]:
    """Make the handles of native arrays."""
    if {*map(type, natives)} != {backend.array_type}:
        return [wrap(backend, native) for native in natives]
    tensors = [*map(_new, repeat(Tensor, len(natives)))]
    for tensor, native in zip(tensors, natives):  # noqa: B905  # one for one by construction
        tensor.native = native
        tensor.backend = backend
        tensor.uid = 0
    return tensors


def another_handle(x: Tensor) -> Tensor:
    """Return a handle of its own on the same array: assigning to one leaves the other as it is.

    To recorders it is another value, computed from the first: no two handles share an identity.
    """
    if not x.uid:
        return wrap(x.backend, x.native)
    same: Tensor = OPS["identity"](x)
    if not same.uid:
        # Nobody noted it; a graph that the first one is in must not go on through it.
        same.native = x.backend.detach(same.native)
    return same


def tell_of_handle(handle: Tensor) -> None:
    """Tell the native tapes that track a value of one more handle: they clean up after all."""
    for watcher in recorders.watchers((handle.uid,)):
        graph = watcher.native_tapes.get(handle.backend)
        if graph is not None:
            graph.note(_reference(handle))


def run_if_watched(
    op: Op,
    backend: Backend,
    inputs: Sequence[Any],
    natives: Sequence[Any],
    uids: tuple[int, ...],
    settings: Mapping[str, Any],
) -> Any:
    """Run an op if a recorder of this thread tracks an input, and tell it; else return ``None``."""
    single = _thread.single
    if single is not None:
        # The commonest case beside none at all: one tape, and an op with one result.
        tracked = single.tracked
        for uid in uids:
            if uid in tracked:
                break
        else:
            return None
        kernel = op.kernels[backend]
        graph = single.native_tapes.get(backend)
        if kernel is None or (
            graph is None and op.rule is None and (single.needs_rules or not backend.differentiates)
        ):
            return op.body(*inputs, **settings)  # type: ignore[misc]
        pullback = None
        try:
            if graph is not None:
                result = graph.run(kernel, natives, uids, settings)
            else:
                result, pullback = backend.run_watched(
                    op, kernel, natives, uids, settings, _thread.active
                )
        except Exception as error:
            raise explain(op, backend, natives, settings, error) from error
        if type(result) is not backend.array_type:
            if type(result) is tuple or type(result) is list:
                return _recorded(op, backend, natives, uids, settings, [single], result, pullback)
            result = backend.settle(result)
        output = _new(Tensor)
        output.native = result
        output.backend = backend
        output.uid = uid = next(_uids)
        if graph is not None:
            tracked[uid] = uids
            graph.note(_reference(output))
        else:
            one = (op, backend, natives, uids, settings, (result,), (uid,), False, pullback)
            single.record(_new_tuple(Recording, one), (output,))
        return output
    watching = recorders.watchers(uids)
    if not watching:
        return None
    return _run_watched(op, backend, inputs, natives, uids, settings, watching)


def _run_watched(
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
    graph = pullback = None
    for one in watching:
        graph = graph or one.native_tapes.get(backend)
    try:
        if graph is not None:
            result = graph.run(kernel, natives, uids, settings)
        else:
            result, pullback = backend.run_watched(op, kernel, natives, uids, settings, watching)
    except Exception as error:
        raise explain(op, backend, natives, settings, error) from error
    return _recorded(op, backend, natives, uids, settings, watching, result, pullback)


def _recorded(
    op: Op,
    backend: Backend,
    natives: Sequence[Any],
    uids: tuple[int, ...],
    settings: Mapping[str, Any],
    watching: Sequence[Any],
    result: Any,
    pullback: Pullback | None,
) -> Any:
    """Make the handles of a result and tell the recorders."""
    multiple = type(result) is tuple or type(result) is list
    outputs = tuple(
        [wrap(backend, one, next(_uids)) for one in (result if multiple else (result,))]
    )
    recording = None
    # Tapes first: the ops that carry tangents onward use these very outputs.
    for one in watching if len(watching) == 1 else sorted(watching, key=_is_forward):
        graph = one.native_tapes.get(backend)
        if graph is not None:
            for output in outputs:
                one.tracked[output.uid] = uids
                graph.note(_reference(output))
            continue
        if recording is None:
            recording = Recording(
                op,
                backend,
                natives,
                uids,
                settings,
                tuple([output.native for output in outputs]),
                tuple([output.uid for output in outputs]),
                multiple,
                pullback,
            )
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


def explain(
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
    if op.name in broadcasting and kind is not TracingError:
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
    if kind is ShapeError and op.name in broadcasting:
        reason = "the shapes do not broadcast"
    return kind(f"{op.name}({', '.join(described)}{chosen}) on {backend.name}: {reason}")


#: Names of the ops whose inputs must broadcast against each other.
broadcasting: set[str] = set()


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
