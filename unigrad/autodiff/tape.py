"""`GradientTape`: reverse-mode differentiation with TensorFlow's meaning, on every backend.

The tape decides *which* values count: it notes, for every op that ran on a tracked value while it
recorded, which values the result depends on. *How much* is then asked of the backend: its own
autograd (torch, TensorFlow), its pullbacks (JAX), or the rules of the reference. So a source is
connected on all backends or on none.

Source of the semantics: the documentation of ``tf.GradientTape`` (TensorFlow 2.21).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Literal

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.cotangents import (
    by_itself,
    given_cotangents,
    is_watchable,
    source_handles,
    summed,
    target_handle,
    unknown_word,
    untaped,
    why_none,
)
from unigrad.autodiff.differentiation import differentiate
from unigrad.autodiff.held import HeldArrays
from unigrad.autodiff.jacobians import batch_jacobian, jacobian
from unigrad.core import recorders, tree
from unigrad.core.backend import Backend
from unigrad.core.dispatch import Recording, wrap
from unigrad.core.errors import TapeError
from unigrad.core.interpreters import stack
from unigrad.core.leaks import warn_program
from unigrad.core.native_tape import Native, NativeTape
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable

_uids = recorders.uids
#: What pytrees of sources and targets hold.
_LEAVES = frozenset((Tensor, Variable))
_ONLY_TENSORS = frozenset((Tensor,))
Unconnected = Literal["none", "zero"]


class GradientTape:
    """Record what is computed, to differentiate it afterwards.

    Trainable variables are watched as they are read; Tensors when they are given to `watch`. A
    target that is no scalar is summed.

    Args:
        persistent: allow more than one call of `gradient`; the recorded values then live as long
            as the tape.
        watch_accessed_variables: watch trainable variables as they are read.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray(3.0)
        >>> with ug.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> float(tape.gradient(y, x))
        6.0
    """

    forward = False
    #: What messages call the cotangents that are given.
    _cotangents = "output_gradients"

    def __init__(
        self,
        persistent: bool = False,
        watch_accessed_variables: bool = True,
        *,
        reference: bool = False,
    ) -> None:
        self.persistent = persistent
        #: True to use the textbook's rules on any backend: what calls `ug.interop` must see ops.
        self.needs_rules = reference or recorders.thread.borrowed
        self._watch_accessed = watch_accessed_variables
        self._recording = False
        self._start()

    def _start(self) -> None:
        """Forget everything."""
        self._spent = False
        #: For every tracked value the values it was computed from.
        self.tracked: dict[int, tuple[int, ...]] = {}
        self.recordings: list[Recording] = []
        self.native_tapes: dict[Backend, NativeTape | None] = {}
        self.variables: dict[int, Variable] = {}
        #: For every watched variable its readers' handles, one for each value that it had.
        self._handles: dict[int, list[Tensor]] = {}
        #: Watched tensors' arrays, which stay alive here, so that no other one gets their identity.
        self._watched: list[Native] = []
        self._held: HeldArrays | None = None

    # -- recording

    def __enter__(self) -> GradientTape:
        if self._recording:
            raise TapeError("the tape is recording already: a tape cannot be entered twice")
        if self._spent:
            self._start()
        self._resume()
        return self

    def __exit__(self, *_: object) -> None:
        if self._recording:
            self._pause()

    def _resume(self) -> None:
        self._recording = True
        recorders.push(self)
        for native in self.native_tapes.values():
            if native is not None:
                native.resume()

    def _pause(self) -> None:
        self._recording = False
        recorders.pop(self)
        for native in self.native_tapes.values():
            if native is not None:
                native.pause()

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Do not record what runs inside the ``with`` block.

        Raises:
            TapeError: when the tape is not recording.
        """
        if not self._recording:
            raise TapeError("stop_recording: the tape is not recording")
        self._pause()
        try:
            yield
        finally:
            self._resume()

    def reset(self) -> None:
        """Forget everything recorded and watched so far; go on recording if it was."""
        recording = self._recording
        if recording:
            self._pause()
        self._start()
        if recording:
            self._resume()

    def watch(self, tensors: Any) -> None:
        """Make Tensors or Variables (a pytree of them) sources of this tape.

        Only what is computed from them afterwards counts. An integer cannot be watched: it is
        left out with a `GradientWarning`.

        Raises:
            TapeError: when the tape is not recording.
            DTypeError: when a leaf is neither a Tensor nor a Variable.
        """
        if not self._recording:
            raise TapeError("watch: the tape is not recording; call it inside the with block")
        for one in tree.leaves(tensors):
            if not is_watchable(one):
                continue
            if isinstance(one, Variable):
                self.variables.setdefault(one.uid, one)
                value = one.current()
                known = recorders.handle_of(one, value)
                handle = wrap(value.backend, value._native) if known is None else known
                self.read(one, value, handle)
            else:
                self._watch(one)

    def _watch(self, tensor: Tensor) -> None:
        """Make one handle's value a source, unless it is tracked already."""
        if tensor.uid in self.tracked:
            return
        if not tensor.uid:
            tensor.uid = recorders.fresh_uid()
        backend, tapes = tensor.backend, self.native_tapes
        native = tapes[backend] if backend in tapes else self._open(backend)
        if native is not None:
            native.watch(tensor)
        self._watched.append(tensor._native)
        self.tracked[tensor.uid] = ()

    def _open(self, backend: Backend) -> NativeTape | None:
        """Open the backend's own tape behind this one."""
        # A recorder around this tape that lives by the rules (a forward accumulator, say) must
        # see the backward pass: only the reference's is made of ops. So must an interpreter, where
        # values of its own and of the library meet, and whoever follows the arrays unseen.
        if stack.frames or recorders.thread.by_rules:
            self.needs_rules = True
        for one in recorders.active():
            if one.needs_rules:
                self.needs_rules = True
        native = self.native_tapes[backend] = None if self.needs_rules else backend.open_tape()
        return native

    def watched_variables(self) -> tuple[Variable, ...]:
        """Return the variables watched so far, in the order in which they were made."""
        return tuple([variable for _, variable in sorted(self.variables.items())])

    # -- what the ops tell (see unigrad.core.recorders.Recorder)
    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Note an op that ran on a tracked value."""
        for uid in recording.output_uids:
            self.tracked[uid] = recording.uids
        self.recordings.append(recording)

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        """Watch a variable that is being read; return the handle that its readers get."""
        key = variable.uid
        handles = self._handles.get(key)
        if handles is not None:
            last = handles[-1]
            if last._native is value._native and (handle is None or last is handle):
                return last
            if handle is not None and any(one is handle for one in handles):
                return handle
        elif variable.watchable and self._watch_accessed:
            self.variables[key] = variable
        elif key not in self.variables:
            return wrap(value.backend, value._native) if handle is None else handle
        if handle is not None:
            self._watch(handle)
        else:
            backend, tapes = value.backend, self.native_tapes
            native = tapes[backend] if backend in tapes else self._open(backend)
            handle = Tensor()
            handle._native, handle.backend, handle.uid = value._native, backend, next(_uids)
            if native is not None:
                native.read(handle.uid, variable, value)
            self.tracked[handle.uid] = ()
        if handles is None:
            self._handles[key] = [handle]
        else:
            handles.append(handle)
        return handle

    def watches(self, variable: Variable) -> bool:
        """Tell whether a read of this variable is, or would become, a source of this tape."""
        free = self._watch_accessed and variable.trainable and variable.inexact
        return free or variable.uid in self.variables

    def handle_of(self, variable: Variable, value: Tensor) -> Tensor | None:
        """Return the handle under which this tape knows a variable's value."""
        handles = self._handles.get(variable.uid)
        return handles[-1] if handles and handles[-1]._native is value._native else None

    # -- asking

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Unconnected = "none",
    ) -> Any:
        """Return the derivative of the (summed) target by the sources.

        Args:
            target: a Tensor, a Variable or a pytree of them.
            sources: the same; the result has its structure.
            output_gradients: a cotangent per target, in the target's structure, to use in place
                of ones.
            unconnected_gradients: ``"none"`` gives ``None``, with a `GradientWarning` that says
                why, for a source that the target does not depend on; ``"zero"`` gives zeros.

        Raises:
            TapeError: at a second call on a tape that is not persistent.
            ShapeError: when a cotangent's shape is not its target's.
            SettingError: when ``unconnected_gradients`` is neither word.
        """
        found, structure = self._ask(target, sources, output_gradients, unconnected_gradients)
        return tree.unflatten(structure, found)

    def _ask(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any,
        unconnected: Unconnected,
        itself: bool = True,
    ) -> tuple[list[Any], Any]:
        if unconnected not in ("none", "zero"):
            raise unknown_word(unconnected)
        self._spend()
        source_leaves, structure = tree.flatten_quickly(sources, _LEAVES)
        groups = source_handles(source_leaves, self.tracked, self._handles)
        cotangents: list[Tensor | None]
        if type(target) is Tensor and output_gradients is None:
            # A loss, most often.
            target_leaves, targets, cotangents = [target], [target], [None]
        else:
            target_leaves, outline = tree.flatten(target)
            targets = [target_handle(one, self._handles) for one in target_leaves]
            cotangents = given_cotangents(targets, outline, output_gradients, self._cotangents)
        found = differentiate(self, targets, cotangents, [*chain.from_iterable(groups)])
        self._release()
        sizes = [*map(len, groups)]
        if sizes.count(1) < len(sizes):
            found = summed(found, sizes)
        if not _ONLY_TENSORS.issuperset(map(type, found)):
            for i, source in enumerate(source_leaves):
                if found[i] is None and itself:
                    found[i] = by_itself(source, target_leaves, targets, cotangents)
                if found[i] is None and unconnected == "none":
                    self._warn_of_none(source, targets)
                elif not isinstance(found[i], Tensor):
                    found[i] = zeros_like(untaped(source))
        return found, structure

    def _warn_of_none(self, source: Any, targets: Sequence[Tensor]) -> None:
        """Say why a gradient is ``None``."""
        warn_program(why_none(self.tracked, self.variables, source, targets))

    def _spend(self) -> None:
        """Check and note that the tape is being asked."""
        if self._spent:
            raise TapeError(
                "a tape that is not persistent gives one set of gradients: "
                "use GradientTape(persistent=True) for more"
            )
        if not self.persistent:
            if self._recording:
                self._pause()
            self._spent = True

    def _release(self) -> None:
        """Let go of every recorded value of a spent tape."""
        if self._spent:
            self.native_tapes, self.recordings, self._handles = {}, [], {}
            self._watched, self._held = [], None

    def holds(self, native: Native) -> bool:
        """Tell whether an array is that of a value that this tape tracks."""
        self._held = self._held or HeldArrays()
        return self._held.has(self, self._watched, self._handles, native)

    def track(self, tensor: Tensor, native: Any) -> None:
        """Track what a library computed in our sight; its graph knows on what that depends."""
        graph = self.native_tapes.get(tensor.backend)
        if graph is not None and graph.tracks(native):
            if tensor.uid == 0:
                tensor.uid = recorders.fresh_uid()
            self.tracked[tensor.uid] = ()
            graph.keep(tensor.uid, native, tensor._native)

    def jacobian(
        self, target: Tensor, sources: Any, unconnected_gradients: Unconnected = "none"
    ) -> Any:
        """Return the derivative of every element of the target by every element of the sources.

        Shape: the target's followed by the source's, in the sources' structure.

        Raises:
            TapeError: as `gradient`.
        """
        handle = target_handle(target, self._handles)
        return jacobian(self._rows, handle, sources, unconnected_gradients)

    def batch_jacobian(
        self, target: Tensor, source: Tensor, unconnected_gradients: Unconnected = "none"
    ) -> Tensor:
        """Return each example's Jacobian, where row i of the target depends on row i of the source.

        Shape: the batch, then the rest of the target's, then of the source's. Unconnected: zeros.

        Raises:
            TapeError: as `gradient`.
            ShapeError: when the two have not the same first axis.
        """
        return batch_jacobian(self._rows, target, source, unconnected_gradients)

    def _rows(
        self,
        target: Tensor,
        sources: list[Any],
        cotangents: Sequence[Tensor | None],
        unconnected: Unconnected,
    ) -> list[list[Tensor | None]]:
        """Ask once per cotangent, staying usable in between."""
        persistent, self.persistent = self.persistent, True
        try:
            if not persistent and self._recording:
                self._pause()
            # An unwatched source that is the target itself counts for `gradient` only.
            rows = [self._ask(target, sources, one, unconnected, False)[0] for one in cotangents]
        finally:
            self.persistent = persistent
        self._spend()
        self._release()
        return rows
