"""One way through: how an op runs on native arrays, and who hears of it.

`dispatch` is the hot path of the whole library. It asks one question, "does any thread record?",
runs the kernel, and makes the handle of the result. Where a recorder of this thread tracks an
input, `dispatch_recorded` runs the op so that the recorder can differentiate it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.explain import explain
from unigrad.core.native_tape import Kernel, NativeTape, Pullback
from unigrad.core.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.core.op import Op
    from unigrad.core.plans import Planned

_new = Tensor.__new__
#: Makes a named tuple without a call of Python's.
_new_tuple = tuple.__new__
_process = recorders.process
_thread = recorders.thread
_uids = recorders.uids

#: Python's numbers, which stay what they are among native arrays.
SCALARS = frozenset((bool, int, float, complex))
#: The settings of an op that has none.
NONE: Mapping[str, Any] = {}


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
    tensor = Tensor()
    tensor._native = native
    tensor.backend = backend
    tensor.uid = uid
    return tensor


def wrap_all(backend: Backend, natives: Sequence[Any]) -> list[Tensor]:
    """Make the handles of native arrays."""
    array_type = backend.array_type
    tensors = [*map(_new, repeat(Tensor, len(natives)))]
    for tensor, native in zip(tensors, natives):  # noqa: B905  # one for one by construction
        tensor._native = native if type(native) is array_type else backend.settle(native)
        tensor.backend = backend
        tensor.uid = 0
    return tensors


def native_of(x: Tensor, lent: bool = False) -> Any:
    """Return the array under which the graphs of this thread's recorders know a value.

    ``lent`` says that it goes to functions of the library's own.
    """
    if not x.uid:
        return x._native
    graphs = _graphs(recorders.watchers((x.uid,), x.backend.depth), x.backend)
    if not graphs:
        return x._native
    first, *others = graphs
    return first.lend(x, others) if lent else first.seen([x._native], [x.uid], others)[0]


def _graphs(watching: Sequence[Any], backend: Backend) -> list[NativeTape]:
    """Return the recorders' native tapes of one backend."""
    found = [one.native_tapes.get(backend) for one in watching]
    return [one for one in found if one is not None]


def dispatch(
    op: Op | Planned,
    backend: Backend,
    inputs: tuple[Any, ...],
    natives: tuple[Any, ...],
    settings: Mapping[str, Any] = NONE,
) -> Any:
    """Run an op on one backend; return a Tensor, or a tuple of them.

    Args:
        op: the op, or one with its settings and scalars bound: these are not given then.
        backend: where all inputs live.
        inputs: Tensors and Python scalars.
        natives: their native arrays and the scalars, in the same order.
        settings: the normalised settings.

    Raises:
        UnigradError: of the class that `explain` gives to what the library raises.
    """
    if _process.recording:
        recorded = dispatch_recorded(op, backend, inputs, natives, settings)
        if recorded is not None:
            return recorded
    kernel = op.kernels[backend]
    if kernel is None:
        return backend.composed(op, inputs, natives, settings)
    try:
        # An empty mapping costs the call a copy of it.
        result = kernel(*natives, **settings) if settings else kernel(*natives)
    except Exception as error:
        result = by_rare_kernel(op, backend, natives, settings, error)
    if type(result) is not backend.array_type:
        if type(result) is tuple or type(result) is list:
            return tuple(wrap_all(backend, result))
        result = backend.settle(result)
    # A call of the class is faster than one of its __new__.
    tensor = Tensor()
    tensor._native = result
    tensor.backend = backend
    tensor.uid = 0
    return tensor


def by_rare_kernel(
    given: Op | Planned,
    backend: Backend,
    natives: tuple[Any, ...],
    settings: Mapping[str, Any],
    error: Exception,
) -> Any:
    """Run the kernel that a backend has for dtypes which its library does not take.

    These are integers, through which nothing is differentiated. The arguments are those of
    `dispatch`, and what went wrong.

    Raises:
        UnigradError: if there is none, what `explain` makes of the error.
    """
    op, natives, settings = given.declared, natives + given.scalars, settings or given.settings
    if backend.rare:
        found = [backend.dtype(one) for one in natives if type(one) not in SCALARS]
        kernel = backend.rare_kernel(op, found)
        if kernel is not None:
            try:
                return kernel(*natives, **settings)
            except Exception as other:
                error = other
    raise explain(op, backend, natives, settings, error) from error


def dispatch_recorded(
    given: Op | Planned,
    backend: Backend,
    inputs: tuple[Any, ...],
    natives: tuple[Any, ...],
    settings: Mapping[str, Any],
) -> Any:
    """Run an op if a recorder of this thread tracks an input, and tell it; else return ``None``.

    The arguments are those of `dispatch`.
    """
    uids = tuple([x.uid if type(x) is Tensor else 0 for x in inputs])
    # The commonest case beside none at all: one tape, and an op with one result.
    single = _thread.single
    if single is not None:
        tracked = single.tracked
        for uid in uids:
            if uid in tracked:
                break
        else:
            return None
        graph = single.native_tapes.get(backend)
        if graph is not None:
            kernel = given.kernels[backend]
            if kernel is None:
                return given.body(*inputs, **settings)  # type: ignore[misc]
            uid = next(_uids)
            try:
                result = graph.run(kernel, natives, uids, settings, (), uid)
            except Exception as error:
                result = by_rare_kernel(given, backend, natives, settings, error)
            if type(result) is not backend.array_type:
                if type(result) is tuple or type(result) is list:
                    return _recorded(
                        given.declared, backend, natives, uids, settings, [single], result, None
                    )
                result = graph.keep(uid, backend.settle(result))
            output = Tensor()
            output._native = result
            output.backend = backend
            output.uid = uid
            tracked[uid] = uids
            return output
    return _record(given, backend, inputs, natives, uids, settings, single)


def _record(
    given: Op | Planned,
    backend: Backend,
    inputs: tuple[Any, ...],
    natives: tuple[Any, ...],
    uids: tuple[int, ...],
    settings: Mapping[str, Any],
    single: Any,
) -> Any:
    """Run an op that a recorder without a graph tracks, or several recorders may; tell them.

    ``single`` is the only one there is, which tracks an input, or ``None``.
    """
    # What is recorded is all that an op was given.
    op, scalars = given.declared, given.scalars
    if scalars:
        inputs, natives, uids = inputs + scalars, natives + scalars, uids + (0,) * len(scalars)
    settings = settings or given.settings
    if op.dependencies is not None:
        needed = op.dependencies(*natives)
        uids = tuple([uid if one else 0 for uid, one in zip(uids, needed, strict=True)])
    if single is None or op.dependencies is not None:
        watching = recorders.watchers(uids, backend.depth)
        if not watching:
            return None
        return _dispatch_to_several(op, backend, inputs, natives, uids, settings, watching)
    kernel = op.kernels[backend] or _body_as_kernel(op, backend, False)
    if kernel is None or (op.rule is None and (single.needs_rules or not backend.differentiates)):
        return op.body(*inputs, **settings)  # type: ignore[misc]
    pullback, uid = None, next(_uids)
    try:
        result, pullback = backend.run_watched(op, kernel, natives, uids, settings, _thread.active)
    except Exception as error:
        result = by_rare_kernel(op, backend, natives, settings, error)
    if type(result) is not backend.array_type:
        if type(result) is tuple or type(result) is list:
            return _recorded(op, backend, natives, uids, settings, [single], result, pullback)
        result = backend.settle(result)
    output = Tensor()
    output._native = result
    output.backend = backend
    output.uid = uid
    one = (op, backend, natives, uids, settings, (result,), (uid,), False, pullback)
    single.record(_new_tuple(Recording, one), (output,))
    return output


def _dispatch_to_several(
    op: Op,
    backend: Backend,
    inputs: Sequence[Any],
    natives: tuple[Any, ...],
    uids: tuple[int, ...],
    settings: Mapping[str, Any],
    watching: Sequence[Any],
) -> Any:
    """Run an op whose inputs some recorders track, and tell them."""
    graphs = _graphs(watching, backend)
    kernel = op.kernels[backend] or _body_as_kernel(op, backend, bool(graphs))
    if op.body is not None and (
        kernel is None
        or (
            op.rule is None
            and (not backend.differentiates or any(one.needs_rules for one in watching))
        )
    ):
        return op.body(*inputs, **settings)
    assert kernel is not None
    pullback = None
    try:
        if graphs:
            result = graphs[0].run(kernel, natives, uids, settings, graphs[1:])
        else:
            result, pullback = backend.run_watched(op, kernel, natives, uids, settings, watching)
    except Exception as error:
        result = by_rare_kernel(op, backend, natives, settings, error)
    return _recorded(op, backend, natives, uids, settings, watching, result, pullback)


def _body_as_kernel(op: Op, backend: Backend, native_tape: bool) -> Kernel | None:
    """Return a composite's body as its kernel where its derivative is a rule written for it.

    A rule may hold where the body's derivative does not, as at infinities: a backend that brings no
    kernel gets it too. The library's own tape differentiates the body.
    """
    rule = op.rule
    if rule is None or rule.of_body or native_tape:
        return None

    def run(*natives: Any, **settings: Any) -> Any:
        inputs = [x if type(x) in SCALARS else wrap(backend, x) for x in natives]
        found = op.body(*inputs, **settings)  # type: ignore[misc]
        return found._native if type(found) is Tensor else tuple([one._native for one in found])

    return run


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
    results = [output._native for output in outputs]
    plain: list[Any] = [None] * len(results)
    recording = None
    # Tapes first: the ops that carry tangents onward use these very outputs.
    for one in watching if len(watching) == 1 else sorted(watching, key=_is_forward):
        graph = one.native_tapes.get(backend)
        if graph is not None:
            for i, output in enumerate(outputs):
                one.tracked[output.uid] = uids
                output._native = plain[i] = graph.keep(output.uid, results[i], plain[i])
            continue
        if recording is None:
            recording = Recording(
                op,
                backend,
                natives,
                uids,
                settings,
                tuple([output._native for output in outputs]),
                tuple([output.uid for output in outputs]),
                multiple,
                pullback,
            )
        one.record(recording, outputs)
    return outputs if multiple else outputs[0]


def _is_forward(recorder: Any) -> bool:
    return bool(recorder.forward)
