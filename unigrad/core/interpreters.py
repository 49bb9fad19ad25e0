"""Interpreters: backends that stand over another one and give its ops another meaning.

A transform such as `vmap`, or the capture of a graph, runs a function on handles of a backend of
its own. Every op on these is dispatched there like on any backend, and does its work by running ops
on handles further below. Two things are common to all interpreters:

* *Depth.* Each one running in a thread has the next depth (backends of libraries have 0). Where
  values of several depths meet in an op, those of less depth are lifted to the greatest.
* *Recorders.* Tapes and accumulators that were there before hear of the ops below, and of ops in
  the function on values of less depth; those opened inside of it hear of all. No recorder hears of
  an op twice.

An `Interpreter` is kept for good, one per library and depth, since ops keep kernels by backend;
what belongs to one run is its `Frame`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy.typing as npt

from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.errors import TracingError, UnigradError
from unigrad.core.native_tape import Kernel
from unigrad.core.tensor import Tensor
from unigrad.core.traces import tracing

if TYPE_CHECKING:
    from unigrad.core.op import Op

_process = recorders.process
_thread = recorders.thread
_new = Tensor.__new__


class Frame:
    """One run of an interpreter: its place in the thread's stack, and who recorded before it."""

    #: True where functions that are ops must close over nothing: their runs may come later, and
    #: in a place that a library chooses.
    closes = False

    def __init__(self) -> None:
        self.depth = len(stack.frames) + 1
        #: The frames and the recorders that are in force one level below.
        self._frames = stack.frames
        self._recorders = _thread.active, _thread.outer
        self._trace = tracing.trace

    def below(self, run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function at the level below: ops in it are what this frame's ops are made of."""
        frames, active, outer = stack.frames, _thread.active, _thread.outer
        trace, traced = tracing.trace, _thread.traced
        stack.frames = self._frames
        _thread.active, _thread.outer = self._recorders
        tracing.trace, _thread.traced = self._trace, self._trace is not None
        _thread.refresh()
        try:
            return run(*args, **kwargs)
        finally:
            stack.frames, _thread.active, _thread.outer = frames, active, outer
            tracing.trace, _thread.traced = trace, traced
            _thread.refresh()

    @property
    def runs(self) -> bool:
        """Whether this frame is running in this thread."""
        frames = stack.frames
        return len(frames) >= self.depth and frames[self.depth - 1] is self


class _Stack(threading.local):
    """This thread's frames, innermost last."""

    def __init__(self) -> None:
        self.frames: tuple[Frame, ...] = ()
        #: The calls of modules that are running, outermost first, while there are frames: the name
        #: of each, and a number that tells calls apart.
        self.scopes: tuple[tuple[str, int], ...] = ()


stack = _Stack()
F = TypeVar("F", bound=Frame)


@contextmanager
def running(frame: F) -> Iterator[F]:
    """Let a frame be the innermost inside the block, with no recorder at its level yet.

    Example:
        >>> with running(Frame()) as frame:
        ...     frame.depth
        1
    """
    frames, active, outer = stack.frames, _thread.active, _thread.outer
    stack.frames = (*frames, frame)
    _thread.active, _thread.outer = [], (*outer, active)
    _thread.refresh()
    key = _process.begin()
    try:
        yield frame
    finally:
        stack.frames, _thread.active, _thread.outer = frames, active, outer
        _thread.refresh()
        _process.end(key)


@contextmanager
def outside() -> Iterator[None]:
    """Leave every interpreter inside the block.

    Example:
        >>> with running(Frame()), outside():
        ...     stack.frames
        ()
    """
    frames, stack.frames = stack.frames, ()
    try:
        yield
    finally:
        stack.frames = frames


_calls = itertools.count()


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Say that what runs inside the block belongs to a module, for those who look at graphs.

    Example:
        >>> with scope("encoder"):
        ...     stack.scopes[0][0]
        'encoder'
    """
    before = stack.scopes
    stack.scopes = (*before, (name, next(_calls)))
    try:
        yield
    finally:
        stack.scopes = before


class Lifted:
    """The native array of an interpreter: belongs to one frame, has no value of its own.

    A subclass keeps what its interpreter knows of the value.
    """

    __slots__ = ("__weakref__", "device", "dtype", "frame", "shape")

    #: The library's own dtype, of which there is one object each.
    dtype: Any
    shape: tuple[int, ...]
    device: str
    frame: Frame

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)


class Interpreter(Backend):
    """A backend over another one. Subclasses say how an op runs (`run`) and how a value enters."""

    array_type: type = Lifted

    def __init__(self, root: Backend, depth: int) -> None:
        self.root = root
        self.depth = depth
        self.name = root.name
        for table in (
            "native_dtypes", "native_single", "native_floats", "native_complex", "native_reals",
            "native_integers", "native_indices", "native_bools", "weak", "scalar_ops",
            "checks_bounds",
        ):  # fmt: skip
            setattr(self, table, getattr(root, table))
        self.kernels = {}
        self.shape_key = attrgetter("shape")
        self._dtypes = {root.native_dtype(dtype): dtype for dtype in root.dtypes()}

    def run(self, op: Op, *natives: Any, **settings: Any) -> Any:
        """Run an op on lifted arrays and Python scalars; return what its kernel would."""
        raise NotImplementedError

    def enter(self, frame: Any, tensor: Tensor) -> Lifted:
        """Return what stands for a tensor of less depth."""
        raise NotImplementedError

    def beneath(self, native: Any) -> Tensor | None:
        """Return the tensor of less depth that holds the values which the program runs on, if any.

        Only for checks of arguments: a function must not compute from it.
        """
        return None

    # -- what every interpreter does alike

    def frame(self) -> Any:
        """Return the frame that runs at this depth."""
        frames = stack.frames
        if len(frames) < self.depth:
            raise TracingError(_LEAKED)
        return frames[self.depth - 1]

    def check(self, native: Lifted) -> None:
        """Refuse a value of a function that has ended.

        Raises:
            TracingError: for one.
        """
        if native.frame is not self.frame():
            raise TracingError(_LEAKED)

    def lift(self, tensor: Tensor) -> Tensor:
        """Return a handle here on a value of less depth, of the same identity for recorders."""
        # In a handle of its own: assigning to elements rebinds the given one.
        kept = _new(Tensor)
        kept._native, kept.backend, kept.uid = tensor._native, tensor.backend, tensor.uid
        handle = _new(Tensor)
        handle._native = self.enter(self.frame(), kept)
        handle.backend = self
        handle.uid = tensor.uid
        return handle

    def kernel(self, op: Op) -> Kernel | None:
        return partial(self.run, op)

    @property
    def version(self) -> str:
        return self.root.version

    def devices(self) -> list[str]:
        return self.root.devices()

    def place(self, device: str) -> str:
        return self.root.place(device)

    def dtypes(self) -> tuple[DType, ...]:
        return self.root.dtypes()

    def native_dtype(self, dtype: DType) -> Any:
        return self.root.native_dtype(dtype)

    def dtype(self, native: Lifted) -> DType:
        return self._dtypes[native.dtype]

    def shape(self, native: Lifted) -> tuple[int, ...]:
        return native.shape

    def device(self, native: Lifted) -> str:
        return native.device

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> Lifted:
        tensor = _new(Tensor)
        tensor._native = self.root.from_numpy(array, device)
        tensor.backend = self.root
        tensor.uid = 0
        return self.enter(self.frame(), tensor)

    def to_numpy(self, native: Lifted) -> npt.NDArray[Any]:
        raise TracingError(_NO_VALUE)

    def to_device(self, native: Lifted, device: str) -> Lifted:
        raise TracingError("a tensor changes its device outside of traced functions only")

    def owns(self, value: object) -> bool:
        return False

    def is_traced(self, native: Lifted) -> bool:
        return True

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        return self.root.error_class(error)

    def context(self) -> Any:
        return self.root.context()


_LEAKED = (
    "a Tensor was kept from a function that has ended (under ug.vmap, ug.jit or a loop's body) and "
    "used afterwards: it has no value outside; let the function return it"
)
_NO_VALUE = "the value of a traced tensor was asked for"


def highest(first: Backend, second: Backend) -> Backend | None:
    """Return which of two backends values of both can be lifted to, if to any."""
    if first.root is not second.root or first.depth == second.depth:
        return None
    return first if first.depth > second.depth else second


def lifted(backend: Any, values: Any) -> tuple[Any, ...]:
    """Return an op's inputs with every Tensor lifted to one backend."""
    return tuple(
        [backend.lift(x) if type(x) is Tensor and x.backend is not backend else x for x in values]
    )
