"""Ops: declared once, run on any backend.

An `Op` is a name, a table of kernels (one per backend, looked up at first use) and, for a
composite, a body written in terms of other ops. Calling one with normalised arguments (tensors
positional, settings by keyword) runs the kernel of the backend that its tensors live on and
tells the recorders. It knows no derivative.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unigrad.core.backend import Backend
from unigrad.core.dispatch import NONE, dispatch, wrap
from unigrad.core.errors import (
    HOW_TO_MOVE,
    BackendMismatchError,
    DTypeError,
    UnigradError,
    UnsupportedError,
)
from unigrad.core.interpreters import highest, lifted
from unigrad.core.native_tape import Kernel
from unigrad.core.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.core.plans import Planned

#: Every op by name.
OPS: dict[str, Op] = {}


class _Kernels(dict[Backend, Kernel | None]):
    """An op's kernels, fetched from a backend's table when that backend first runs the op."""

    def __init__(self, op: Op) -> None:
        self.op = op

    def __missing__(self, backend: Backend) -> Kernel | None:
        kernel = backend.kernel(self.op)
        if kernel is None and self.op.body is None:
            if (why := backend.unsupported.get(self.op.name)) is not None:
                raise UnsupportedError(f"{backend.name} has no {self.op.name!r}: {why}")
            raise UnigradError(f"the backend {backend.name!r} has no kernel for {self.op.name!r}")
        super().__setitem__(backend, kernel)
        return kernel

    # A kernel that is exchanged is exchanged in all that were bound to settings, too.

    def __setitem__(self, backend: Backend, kernel: Kernel | None) -> None:
        super().__setitem__(backend, kernel)
        self._unbind(backend)

    def __delitem__(self, backend: Backend) -> None:
        super().__delitem__(backend)
        self._unbind(backend)

    def pop(self, backend: Backend, *default: Any) -> Any:
        self._unbind(backend)
        return super().pop(backend, *default)

    def _unbind(self, backend: Backend) -> None:
        for one in self.op.planned:
            one.kernels.pop(backend, None)
        backend.root.forget_rows()


class Op:
    """One operation. See the module's docstring."""

    __slots__ = (
        "batching",
        "body",
        "broadcasts",
        "by_value",
        "cut",
        "declared",
        "dependencies",
        "example",
        "foreign",
        "inlined",
        "kernels",
        "looks",
        "name",
        "one_kind",
        "opaque",
        "planned",
        "public",
        "rule",
        "scalars",
        "settings",
    )

    def __init__(self, name: str, body: Callable[..., Any] | None = None) -> None:
        self.name = name
        #: How a composite is computed from other ops; None for a primitive.
        self.body = body
        self.kernels: dict[Backend, Kernel | None] = _Kernels(self)
        #: The op, and what is bound to it: see `unigrad.core.plans.Planned`.
        self.declared = self
        self.settings = NONE
        self.one_kind = False
        self.scalars: tuple[Any, ...] = ()
        #: Those made of this op.
        self.planned: weakref.WeakSet[Planned] = weakref.WeakSet()
        #: True for an elementwise op, whose inputs broadcast against each other.
        self.broadcasts = False
        #: True for a function of the program's own, with a derivative of its own: nobody looks
        #: inside, and its errors are the program's.
        self.opaque = False
        #: True for one whose body is ops alone, which programs take in its place.
        self.inlined = False
        #: True when the shape of the result depends on values: no compiler takes such an op.
        self.by_value = False
        #: True for a public function as an op (`unigrad.core.whole`) that looks at values.
        self.looks = False
        #: The places of inputs at which derivatives end.
        self.cut: tuple[int, ...] = ()
        #: True for a library's function, whose errors are its own and of which no program is kept.
        self.foreign = False
        #: The reference's derivative, set by `unigrad.autodiff.rules`.
        self.rule: Any = None
        #: How it runs on batches of its inputs, set by `unigrad.batching.rules`.
        self.batching: Any = None
        #: Gives results of the right shapes and dtypes for less than a run, as
        #: ``example(op, inputs, settings)``: for captures. None where a run is cheap.
        self.example: Callable[..., Any] | None = None
        #: Tells which inputs the result depends on, where that may be fewer than all
        #: (a function of the native inputs); None means all.
        self.dependencies: Callable[..., Sequence[bool]] | None = None
        #: The documented function, for those that list the ops.
        self.public: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        # There is one of each: what holds an op may be copied and pickled.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return op_named, (self.name,)

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Run on Tensors (at least one) and Python scalars; return a Tensor or a tuple of them."""
        first = inputs[0]
        if type(first) is Tensor and len(inputs) == 1:
            return dispatch(self, first.backend, inputs, (first._native,), settings)
        backend = backend_of(self, inputs)
        if backend.depth:
            inputs = lifted(backend, inputs)
        natives = tuple([x._native if type(x) is Tensor else x for x in inputs])
        return dispatch(self, backend, inputs, natives, settings)


def op_named(name: str) -> Op:
    """Return an op by name."""
    return OPS[name]


def another_handle(x: Tensor) -> Tensor:
    """Return a handle of its own on the same array: assigning to one leaves the other as it is.

    To recorders it is another value, computed from the first: no two handles share an identity.
    """
    if not x.uid:
        return wrap(x.backend, x._native)
    same: Tensor = OPS["identity"](x)
    return same


def copied_handle(x: Tensor) -> Tensor:
    """Return a handle of its own for a program that asks for a copy.

    Raises:
        TracingError: when the tensor was kept from a trace that is over: it has no value.
    """
    if x.uid or x.backend.is_traced(x._native):
        same: Tensor = OPS["identity"](x)
        return same
    return wrap(x.backend, x._native)


def backend_of(op: Op, inputs: Sequence[Any]) -> Backend:
    """Return the one backend of an op's inputs, or the one that the others are lifted to.

    Raises:
        BackendMismatchError: when there are two.
    """
    found: Backend | None = None
    for x in inputs:
        if type(x) is Tensor and x.backend is not found:
            higher = x.backend if found is None else highest(found, x.backend)
            if higher is None:
                assert found is not None
                raise BackendMismatchError(
                    f"{op.name}: a tensor of backend {found.name!r} met one of "
                    f"{x.backend.name!r}; {HOW_TO_MOVE}"
                )
            found = higher
    if found is None:
        raise DTypeError(f"{op.name}: expected a tensor")
    return found


def together(op: Op, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the inputs of an op on one backend: those of less depth are lifted to the greatest.

    Raises:
        BackendMismatchError: when they are of two libraries.
    """
    return lifted(backend_of(op, tensors), tensors)


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
