"""`Variable`: a named place that holds a Tensor and can be assigned another.

Reading it gives its current Tensor and tells the tapes of this thread, which watch trainable
variables by themselves. Assignments are not differentiated (as in TensorFlow): ``v -= x`` is one,
and is refused while a tape records. Under `ug.jit` a
trace stands between the place and its readers, so that a compiled program takes the variables it
reads as inputs and returns those it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import add, sub
from typing import TYPE_CHECKING, Any

from unigrad.core import context, recorders
from unigrad.core.arguments import TensorLike, as_tensor, cast, check_kind, readable, weak_types
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import INTEGER, DType, DTypeLike, as_dtype
from unigrad.core.errors import (
    HOW_TO_MOVE,
    BackendMismatchError,
    DTypeError,
    ShapeError,
    TracingError,
)
from unigrad.core.exchanging import FREE_RUNS, NO_LEAF, exchange, exchanging, returned
from unigrad.core.op import another_handle
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing

_process = recorders.process
_thread = recorders.thread


if TYPE_CHECKING:
    from unigrad.core.backend import Backend

    # It reads like a Tensor: type checkers may take its operators and methods from there.
    _LikeTensor = Tensor
else:
    _LikeTensor = object


class Variable(_LikeTensor):
    """A mutable, named Tensor for weights and state.

    Inside a function that `ug.jit` traces it is made for real, outside of the trace.

    Args:
        value: the initial value.
        trainable: whether tapes watch it when it is read, and optimizers should train it.
        name: for checkpoints and messages.
        dtype: cast the initial value to this dtype.

    Example:
        >>> v = Variable(2.0, name="weight")
        >>> v.assign_add(1.0).item()
        3.0
        >>> float(v * v)
        9.0
    """

    __slots__ = (
        "__weakref__",
        "_tensor",
        "_trainable",
        "inexact",
        "leaf",
        "name",
        "uid",
        "watchable",
    )

    def __init__(
        self,
        value: TensorLike,
        *,
        trainable: bool = True,
        name: str = "Variable",
        dtype: DTypeLike | None = None,
    ) -> None:
        wanted = None if dtype is None else as_dtype(dtype)
        if tracing.trace is None:
            tensor = _of_no_trace(_initial(value, wanted), name)
        else:
            tensor = tracing.trace.outside(_initial, value, wanted)
        self._tensor = tensor
        #: A value and what stood for it in the last native tape, to be used again: see
        #: `unigrad.core.native_tape.NativeTape.read`. One object, since another thread may assign
        #: at any time.
        self.leaf: tuple[Tensor | None, Any, Any] = NO_LEAF
        #: Whether its dtype, which never changes, has derivatives.
        self.inexact = tensor._native.dtype in tensor.backend.native_floats
        self._trainable = bool(trainable)
        #: Whether tapes watch it when it is read, which ask every time.
        self.watchable = self._trainable and self.inexact
        self.name = name
        #: Its identity for tapes, never used again for another variable.
        self.uid = recorders.fresh_uid()

    def read(self) -> Tensor:
        """Return the current value in a handle of its own; recording tapes take note."""
        return another_handle(self.__unigrad_tensor__())

    def __unigrad_tensor__(self) -> Tensor:
        """Return the current value in a handle that all readers share: not to be assigned to."""
        if not _process.recording:
            return self._tensor
        single = _thread.single
        if single is not None:
            return single.read(self, self._tensor)  # type: ignore[no-any-return]
        return _read_together(self, self.current())

    def assign(self, value: TensorLike) -> Variable:
        """Replace the value; return the variable.

        Raises:
            ShapeError: when the shape is another.
            DTypeError: when the dtype of a Tensor is another, or when Python values or an array
                do not fit: a float into an integer, say.
            BackendMismatchError: when the value lives on another backend.
            TracingError: when the value was kept from a trace that is over.
        """
        tensor = self._fitting(value)
        if tracing.trace is not None:
            tracing.trace.write(self, tensor)
            return self
        with exchanging:
            self._tensor = tensor
            self.leaf = NO_LEAF
        return self

    def _fitting(self, value: TensorLike) -> Tensor:
        """Return a value to be assigned in a handle that nobody else holds. Raises as `assign`."""
        current = self._tensor
        tensor = as_tensor(value, None if isinstance(value, Variable) else current)
        if tensor.backend.root is not current.backend.root:
            raise BackendMismatchError(
                f"{self.name}.assign: the variable lives on {current.backend.name!r}, "
                f"the value on {tensor.backend.name!r}; {HOW_TO_MOVE}"
            )
        if tensor.shape != current.shape:
            raise ShapeError(
                f"{self.name}.assign: the variable has shape {current.shape}, "
                f"the value {tensor.shape}"
            )
        if tensor.dtype != current.dtype:
            if isinstance(value, (Tensor, Variable)) and type(value) not in weak_types:
                raise DTypeError(
                    f"{self.name}.assign: the variable is {current.dtype.name}, "
                    f"the value {tensor.dtype.name}"
                )
            check_kind(f"{self.name}.assign", tensor, current.dtype)
            if isinstance(value, Tensor):
                # A traced number, which takes the dtype that it meets.
                within: Any = value
                return _own(within.within(current.dtype))
            if current.dtype in INTEGER:
                # Python's integers from themselves: those that do not fit are refused.
                tensor = as_tensor(value, current, current.dtype)
            tensor = cast(tensor, current.dtype)
        return _kept(_of_no_trace(tensor, self.name) if tracing.trace is None else tensor)

    def _quickly_fitting(self, value: Any) -> Tensor:
        """Do as `_fitting` outside of traces; most values fit as they are."""
        current: Tensor = self._tensor
        unchanged: bool = value is current
        if unchanged:
            return current
        if type(value) is Tensor and value.backend is current.backend:
            like = current.backend.likeness
            new, old = like(value._native), like(current._native)
            if new is old or new == old:
                return _own(_of_no_trace(value, self.name))
        return self._fitting(value)

    def assign_add(self, delta: TensorLike) -> Variable:
        """Add to the value; return the variable. Raises as `assign`.

        No addition of another thread is lost.
        """
        return self._changed(add, delta)

    def assign_sub(self, delta: TensorLike) -> Variable:
        """Subtract from the value; return the variable. As `assign_add`."""
        return self._changed(sub, delta)

    def _changed(self, change: Callable[[Any, Any], Tensor], delta: TensorLike) -> Variable:
        """Assign what an operator gives; `exchange` in short."""
        if tracing.trace is None:
            for _ in range(FREE_RUNS):
                before = self._tensor
                tensor = self._fitting(change(before, delta))
                with exchanging:
                    if self._tensor is before:
                        self._tensor = tensor
                        self.leaf = NO_LEAF
                        return self
        exchange([self], lambda _: ([change(self._untaped(), delta)], None))
        return self

    def replace(self, tensor: Tensor) -> None:
        """Hold another value, in a handle that nobody else holds, as it is."""
        with exchanging:
            self._tensor = tensor
            self.leaf = NO_LEAF

    def current(self) -> Tensor:
        """Return the value in the variable's own handle, which no tape knows: to look at only."""
        return self._tensor if tracing.trace is None else tracing.trace.read(self)

    def _untaped(self) -> Tensor:
        """Return the value without telling the tapes."""
        return _own(self.current())

    @property
    def trainable(self) -> bool:
        """Whether tapes watch it when it is read. A change re-traces the programs that asked."""
        if _process.recording and tracing.trace is not None:
            tracing.trace.dependencies.on_trainable(self)
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        self._trainable = bool(trainable)
        self.watchable = self._trainable and self.inexact
        context.structure_changed()

    @property
    def value(self) -> Tensor:
        """The current value, as `read` gives it."""
        return self.read()

    @property
    def dtype(self) -> DType:
        """The value's dtype."""
        return self._tensor.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        return self._tensor.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._tensor.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._tensor.size

    @property
    def device(self) -> str:
        """The name of the device that holds it."""
        return self._tensor.device

    @property
    def backend(self) -> Backend:  # type: ignore[override]  # a Tensor's is an attribute
        """The backend it lives on."""
        return self._tensor.backend

    @property
    def native(self) -> Any:
        """The backend's own array of the current value."""
        return self.__unigrad_tensor__().native

    def __repr__(self) -> str:
        return f"Variable(name={self.name!r}, trainable={self.trainable}, value={self._tensor!r})"

    __hash__ = object.__hash__

    if TYPE_CHECKING:  # `unigrad.ops.methods` attaches what assigns in place.

        def __iadd__(self, other: TensorLike, /) -> Variable: ...
        def __isub__(self, other: TensorLike, /) -> Variable: ...
        def __imul__(self, other: TensorLike, /) -> Variable: ...
        def __itruediv__(self, other: TensorLike, /) -> Variable: ...
        def __ifloordiv__(self, other: TensorLike, /) -> Variable: ...
        def __imod__(self, other: TensorLike, /) -> Variable: ...
        def __ipow__(self, other: TensorLike, /) -> Variable: ...
        def __imatmul__(self, other: TensorLike, /) -> Variable: ...
        def __iand__(self, other: TensorLike, /) -> Variable: ...
        def __ior__(self, other: TensorLike, /) -> Variable: ...
        def __ixor__(self, other: TensorLike, /) -> Variable: ...
        def __ilshift__(self, other: TensorLike, /) -> Variable: ...
        def __irshift__(self, other: TensorLike, /) -> Variable: ...

    if not TYPE_CHECKING:  # Type checkers know a Tensor's names.

        def __getattr__(self, name: str) -> Any:
            # Reads like a Tensor: every method and property that a Variable lacks is its value's.
            if name == "_tensor":
                return returned(self)
            if name.startswith("_"):
                raise AttributeError(name)
            return getattr(self.__unigrad_tensor__(), name)


readable.add(Variable)


def _initial(value: TensorLike, dtype: DType | None) -> Tensor:
    """Return a variable's first value."""
    tensor = as_tensor(value, dtype=dtype)
    return _kept(tensor if dtype is None else cast(tensor, dtype))


def _of_no_trace(tensor: Tensor, name: str) -> Tensor:
    """Return a Tensor that is to stay in a variable; it must not be of a trace."""
    if tensor.backend.is_traced(tensor._native):
        raise TracingError(
            f"{name}: a variable outlives a trace, and this value, {tensor!r}, is of one: it has "
            "no value to keep"
        )
    return tensor


def _own(tensor: Tensor) -> Tensor:
    """Return an untracked handle of the same value that nobody else holds."""
    handle = Tensor.__new__(Tensor)
    handle._native = tensor.backend.detach(tensor._native)
    handle.backend = tensor.backend
    handle.uid = 0
    return handle


def _kept(tensor: Tensor) -> Tensor:
    """Return a handle as `_own` does, of a value that stays while a variable holds it.

    In a function of `ug.interop` arrays may be the caller's, who may write to them afterwards.
    """
    handle = _own(tensor)
    if _thread.borrowed:
        handle._native = handle.backend.owned(handle._native)
    return handle


def _read_together(variable: Variable, value: Tensor) -> Tensor:
    """Give the readers one handle that all recorders know."""
    if not _thread.active:
        return value
    handle: Tensor | None = recorders.handle_of(variable, value)
    if handle is None:
        handle = wrap(value.backend, value._native)
    for recorder in _thread.active:
        recorder.read(variable, value, handle)
    return handle


def _of_value(name: str) -> Any:
    method = getattr(Tensor, name)

    def ask(self: Variable, *args: Any) -> Any:
        return method(self.__unigrad_tensor__(), *args)

    return ask


for _name in ("bool", "int", "float", "complex", "index", "len", "format"):
    setattr(Variable, f"__{_name}__", _of_value(f"__{_name}__"))
