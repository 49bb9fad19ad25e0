"""The contract between the front end and an array library: one table and a dozen small methods.

A backend package exports one instance of a subclass of `Backend` through the entry-point group
``unigrad.backends``. Its heart is ``kernels``, a table from an op's name to a function on native
arrays (tensors positional, settings by keyword, already normalised). What a backend does not say
about differentiation it gets from the reference tape.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core.composites import Composites
from unigrad.core.dtypes import DType
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError, UnigradError
from unigrad.core.native_code import NativeCode
from unigrad.core.native_tape import Kernel, Native, NativeTape
from unigrad.core.repeated import Repeated

if TYPE_CHECKING:
    from unigrad.core.op import Op
    from unigrad.core.programs import Fusion, Program, Saving

#: Makes an array from outside of a trace one of its inputs, and returns what stands for it there.
Lift: TypeAlias = Callable[[Any], Any]


class Backend(Composites, NativeCode):
    """An array library as unigrad sees it. See the module's docstring."""

    name: str
    #: The class of most native arrays: any other result goes through `settle`.
    array_type: type
    #: From an op's name to its kernel.
    kernels: Mapping[str, Kernel]
    #: Primitives that it has no kernel for, and why: they raise an `UnsupportedError`.
    unsupported: Mapping[str, str] = {}
    #: Ops whose kernels take a Python scalar in place of an array and treat it as weak.
    scalar_ops: frozenset[str] = frozenset()
    #: Derivatives on native arrays, by op, to use in place of the rules where nothing records the
    #: backward pass: ``pullback(g, out, inputs, wanted, **settings)`` gives a cotangent per input
    #: (of its shape), or ``NotImplemented`` to leave the case to the rule.
    pullbacks: Mapping[str, Kernel] = {}
    #: Kernels for programs in place of those of ``kernels``, by op: there nobody can look at
    #: values, so a read out of bounds gives NaN or 0, and a write there is dropped.
    unchecked: Mapping[str, Kernel] = {}
    #: Kernels, by op, of dtypes for which the library has none of its own, and these dtypes: used
    #: eagerly where the op's kernel raises, and in programs.
    rare: Mapping[str, Kernel] = {}
    rare_dtypes: frozenset[DType] = frozenset()
    #: Kernels that write into an array, by op: ``kernel(*natives, out, **settings)`` returns
    #: ``out``, which has the result's shape and dtype, and may be an input of an elementwise op.
    #: Programs use their arrays again where they can (see `unigrad.tracing.memory`). An op of
    #: several results gets a list, with ``None`` for those that it makes itself, and returns all.
    #: Numbers come to elementwise ones as arrays of no axes.
    into: Mapping[str, Kernel] = {}
    #: From how many bytes on a program keeps an array for its next run, and writes over one that
    #: nobody needs any more: of less the library makes a new one in less time.
    least_kept: int = 1024
    least_written_over: int = 0
    #: Elementwise ops to which a program gives numbers as arrays without axes, since that takes
    #: less time: the library would make such an array of a number at each call.
    by_arrays: frozenset[str] = frozenset()
    #: Kernels of update ops (see `unigrad.optimizers.updates`) that write into the parameters and
    #: slots that they are given, which `may_be_written`, and return nothing.
    in_place: Mapping[str, Kernel] = {}
    #: Ops whose results may be views of an input: to be complete where there is ``into``.
    views: frozenset[str] = frozenset()
    #: Ops that it computes in one go where a program has several, and ops that leave something
    #: behind for another op of a program.
    fusions: Sequence[Fusion] = ()
    savings: Sequence[Saving] = ()
    #: From a kernel to a function of its settings, and of the scalars behind its arrays, that gives
    #: a faster kernel for just these: see `bound`.
    binders: Mapping[Kernel, Callable[..., Kernel]] = {}
    #: True when the library differentiates its own kernels, False when it needs our rules.
    differentiates: bool = False
    #: Ops whose kernels have the textbook's derivative also under the library's own autograd.
    by_rule: frozenset[str] = frozenset()
    #: True when a read beyond an axis raises by itself.
    checks_bounds: bool = True
    #: True when the library's backward pass gives zeros for the cotangents that nobody asked for.
    zeros_for_none: bool = False
    #: True when an array that is there already is quicker handed to a kernel than Python's number.
    keeps_numbers: bool = False
    #: How many interpreters stand one over the other (see `unigrad.core.interpreters`).
    depth: int = 0

    def __init__(self) -> None:
        #: The library's backend behind this one.
        self.root: Backend = self
        # Every op reads it, and of an instance that is faster than of a class.
        self.array_type = self.array_type
        #: Gives what hashes and compares as an array's shape does, by the shortest way there is.
        self.shape_key: Callable[[Native], tuple[int, ...]] = self.shape
        #: Gives what an array's shape and dtype hang on, by the shortest way there is: of arrays
        #: that are unlike it is unequal.
        self.likeness: Callable[[Native], Any] = lambda one: (self.shape(one), self.dtype(one))
        pair = [(dtype, self.native_dtype(dtype)) for dtype in self.dtypes()]
        #: Native dtypes, all and by kind, as dictionaries for the fastest membership test.
        self.native_dtypes = {n: True for _, n in pair}
        self.native_floats = {n: True for d, n in pair if d.kind in "fVc"}
        #: The commonest of them: a library's dtype may take longer to hash than to compare.
        self.native_single = next((n for d, n in pair if d.name == "float32"), None)
        self.native_complex = {n: True for d, n in pair if d.kind == "c"}
        self.native_reals = {n: True for d, n in pair if d.kind in "fV"}
        self.native_integers = {n: True for d, n in pair if d.kind in "iu"}
        #: Those of indices that need no cast.
        self.native_indices = {n: True for d, n in pair if d.name in ("int32", "int64")}
        self.native_bools = {n: True for d, n in pair if d.kind == "b"}
        numbers = {**self.native_integers, **self.native_floats}
        #: For each type of Python scalar the native dtypes that absorb it.
        self.weak = {float: self.native_floats, int: numbers}
        self._places: dict[str, str] = {}
        self._repeated = Repeated(self)

    def __repr__(self) -> str:
        return f"<backend {self.name}>"

    def chosen(self) -> None:
        """Hear that somebody chose this backend as unigrad's, rather than hand in an array of it.

        Here the library's own settings may be changed; elsewhere those of the program hold.
        """
        return

    def clear_caches(self) -> None:
        """Forget the programs that the library compiled: it compiles them again when needed."""
        return

    def share_programs(self, folder: str) -> None:
        """Keep what the library compiles in a folder too, and take what other processes left there.

        To be called before anything is compiled.
        """
        return

    # -- what is installed

    @property
    @abstractmethod
    def version(self) -> str:
        """The framework's version."""

    @abstractmethod
    def devices(self) -> list[str]:
        """Names of the devices that tensors can be placed on, the default one first."""

    def place(self, device: str) -> str:
        """Return a device's name as `devices` has it: "cpu" for "cpu:0", "gpu:0" for "gpu".

        Raises:
            UnigradError: when there is no such device.
        """
        if not isinstance(device, str) or device not in self._places:
            names = self.devices()
            found = next((one for one in _spellings(device) if one in names), None)
            if found is None:
                raise UnigradError(
                    f"{self.name} has no device {device!r} here; it has {', '.join(names)}"
                )
            self._places[device] = found
        return self._places[device]

    def dtypes(self) -> tuple[DType, ...]:
        """The dtypes that this backend holds; of others `native_dtype` raises."""
        from unigrad.core import dtypes

        return dtypes.ALL

    # -- arrays

    @abstractmethod
    def native_dtype(self, dtype: DType) -> Any:
        """Translate a dtype; raise an UnsupportedError for one that is none of `dtypes`."""

    @abstractmethod
    def dtype(self, native: Native) -> DType:
        """Return an array's dtype."""

    @abstractmethod
    def shape(self, native: Native) -> tuple[int, ...]:
        """Return an array's shape as a tuple of ints."""

    @abstractmethod
    def device(self, native: Native) -> str:
        """Return the name of the device that holds an array."""

    @abstractmethod
    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> Native:
        """Copy an ndarray, whatever its strides, to a device of a name as `place` takes it."""

    @abstractmethod
    def to_numpy(self, native: Native) -> npt.NDArray[Any]:
        """Return an array's values as an ndarray (perhaps read-only, perhaps shared)."""

    @abstractmethod
    def to_device(self, native: Native, device: str) -> Native:
        """Return the array on another device."""

    @abstractmethod
    def owns(self, value: object) -> bool:
        """Tell whether a value is one of this library's arrays."""

    def check_array(self, native: Native) -> None:
        """Raise a DTypeError for an array of the library that unigrad has no dtype or ops for."""
        if native.dtype not in self.native_dtypes:
            raise DTypeError(
                f"unigrad has no dtype for {native.dtype} of {self.name}: convert the array first"
            )

    def settle(self, native: Native) -> Native:
        """Turn what a kernel returned into a proper array (only called if it is none)."""
        return native

    def number(self, value: float, dtype: DType) -> Native:
        """Return a number as an array, for programs that may run in any mode of the library's."""
        return self.from_numpy(np.asarray(value, dtype), None)

    def empty(self, shape: tuple[int, ...], dtype: DType) -> Native:
        """Return an array to write into."""
        return self.from_numpy(np.zeros(shape, dtype), None)

    def may_be_written(self, natives: Sequence[Native]) -> Sequence[bool]:
        """Tell of arrays that Python knows no other holder of which are nobody else's memory.

        Those are whole and in the order of their axes.
        """
        return [False] * len(natives)

    def are_apart(self, some: Sequence[Native], others: Sequence[Native]) -> bool:
        """Tell whether arrays are different objects, and no other is one of them or a view of it.

        Views that `may_be_written` hears of need not be looked for.
        """
        found = {*map(id, some)}
        return len(found) == len(some) and found.isdisjoint(map(id, others))

    def detach(self, native: Native) -> Native:
        """Return the array cut off from any native graph."""
        return native

    def in_graph(self, native: Native) -> bool:
        """Tell whether the library's own autograd follows an array."""
        return False

    def follows(self, native: Native) -> bool:
        """Tell whether the library's own autograd would note an op that is run on an array now."""
        return self.in_graph(native)

    def is_traced(self, native: Native) -> bool:
        """Tell whether the array has no value yet because a function is being traced."""
        return False

    def is_stand_in(self, native: Native) -> bool:
        """Tell whether an array only stands for one in a trace of the library's own.

        A program that is made meanwhile would hold others like it for good.
        """
        return False

    def shows(self, native: Native) -> bool:
        """Tell whether an array's values are there to be checked: in eager mode on the CPU."""
        return not self.is_traced(native) and self.device(native)[:3] == "cpu"

    # -- running

    def kernel(self, op: Op) -> Kernel | None:
        """Return the kernel of an op, or ``None`` for a composite that has none of its own."""
        return self.kernels.get(op.name)

    def rare_kernel(self, op: Op, dtypes: Iterable[DType]) -> Kernel | None:
        """Return the kernel of an op for rare dtypes, if one of those of its inputs is."""
        kernel = self.rare.get(op.name)
        return kernel if kernel is not None and not self.rare_dtypes.isdisjoint(dtypes) else None

    def bound(
        self, op: Op, settings: Mapping[str, Any], scalars: tuple[Any, ...] = ()
    ) -> Kernel | None:
        """Return an op's kernel as a function of arrays alone, made once and called often.

        Its settings are in it, and the Python scalars that it gets behind the arrays.
        """
        kernel = op.kernels[self]
        if kernel is None:
            return None
        bind = self.binders.get(kernel)
        if bind is not None:
            return bind(*scalars, **settings)
        if scalars:
            return lambda *arrays: kernel(*arrays, *scalars, **settings)
        return partial(kernel, **settings) if settings else kernel

    def run_watched(
        self,
        op: Op,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: Sequence[int],
        settings: Mapping[str, Any],
        watchers: Sequence[Any],
    ) -> tuple[Any, Any]:
        """Run a kernel whose inputs are tracked.

        Returns its result and a `Pullback`, or ``None`` when the reference's rule is to be used.
        """
        return kernel(*natives, **settings), None

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        """Return unigrad's class for an error that this library raised, or ``None``."""
        if isinstance(error, IndexError):
            return OutOfBoundsError
        if isinstance(error, (TypeError, NotImplementedError)):
            return DTypeError
        return ShapeError if isinstance(error, (ValueError, RuntimeError)) else None

    # -- differentiation and compilation

    def open_tape(self) -> NativeTape | None:
        """Return a native tape that records, or ``None`` for the reference's list of ops."""
        return None

    def trace(
        self,
        function: Callable[..., Sequence[Native]],
        examples: Sequence[Native],
        options: Mapping[str, Any],
    ) -> Program | None:
        """Trace ``function(lift, *arrays)``; ``None`` leaves it to unigrad's own trace.

        That runs the kernels in a row, in a function without any of the front end's work (see
        `unigrad.tracing.lowering`), so it is for libraries that have no compiler.

        The function calls ``lift(native)`` for each array that it meets on its way and that is to
        be an input as the ``examples`` are.
        """
        return None

    def unfollowed(self, run: Kernel, constants: Sequence[Native]) -> Kernel:
        """Return a program's function, which takes less time where the library follows nothing.

        Args:
            run: a row of kernels, none of which calls functions of the user's.
            constants: the arrays that it has within itself.
        """
        return run

    def context(self) -> Hashable:
        """Return the library's own settings that a trace made now would depend on."""
        return None

    def init_scope(self) -> AbstractContextManager[Any]:
        """Leave any native tracing inside the block: values made there are real."""
        return nullcontext()

    def beside(self, native: Native) -> str | None:
        """Return the device for an array that is made to meet another one.

        ``None`` leaves it to the library, which has arrays that were put nowhere in particular and
        go along with others: what meets such a one must be free to go along too.
        """
        return self.device(native)

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        """Make new arrays on this device inside the block."""
        return nullcontext()


def _spellings(device: object) -> tuple[str, ...]:
    """Return the names that mean the same device: the first of a kind needs no number."""
    if not isinstance(device, str):
        return ()
    kind, _, number = device.partition(":")
    return device, kind if number == "0" else f"{device}:0"
