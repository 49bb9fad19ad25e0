"""``tf.GradientTape`` behind one front-end tape: the two have the same meaning."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from unigrad.core import recorders
from unigrad.core.backend import Kernel, NativeTape
from unigrad.core.op import wrap
from unigrad.core.tensor import Tensor
from unigrad_tensorflow.private import is_on_a_tape

#: Iterating over a weak set while another thread adds to it is an error, hence the lock.
_lock = threading.Lock()
_living: weakref.WeakSet[TensorflowTape] = weakref.WeakSet()


class TensorflowTape(NativeTape):
    """The TensorFlow side of one tape."""

    def __init__(self) -> None:
        # Persistent always: how often it may be asked is the front end's business.
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
        #: What stands on this tape for values whose handle was given another tensor.
        self._natives: dict[int, Any] = {}
        self._tape.__enter__()
        self._recording = True
        #: Identities only grow: values beyond this one are younger than the last recording.
        self._latest = 0
        with _lock:
            _living.add(self)

    def native_of(self, handle: Tensor) -> Any:
        """Return the tensor that stands for a handle's value on this tape."""
        return self._natives.get(handle.uid, handle.native)

    def watch(self, handle: Tensor, tracked_elsewhere: bool) -> None:
        if not tracked_elsewhere:
            # Other handles may share this tensor without being watched, and it may have been
            # computed in sight of a tape from which this handle was cut off.
            with _lock:
                for tape in _living:
                    if tape._recording or handle.uid <= tape._latest:
                        tape._natives.setdefault(handle.uid, handle.native)
            handle.native = tf.stop_gradient(handle.native)
        self._natives[handle.uid] = handle.native
        self._tape.watch(handle.native)

    def leaf_of(self, value: Tensor, before: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        if before is None or before[0] is not value:
            native = tf.stop_gradient(value.native)
            before = value, wrap(value.backend, native, recorders.fresh_uid())
        self._tape.watch(before[1].native)
        return before

    def run(
        self,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
    ) -> Any:
        result = kernel(*natives, **settings)
        # A kernel that returns its input would give two values one identity on the tape.
        if type(result) is tuple or type(result) is list:
            return [_alias(one, natives) for one in result]
        for native in natives:
            if result is native:
                return tf.identity(result)
        return result

    def note(self, output: weakref.ref[Tensor]) -> None:
        """Do nothing: TensorFlow's tape has taken note of the tensor itself."""

    def tracks(self, native: Any) -> bool:
        return is_on_a_tape(native)

    def pause(self) -> None:
        self._tape.__exit__(None, None, None)
        self._recording = False
        self._latest = recorders.fresh_uid()

    def resume(self) -> None:
        self._tape.__enter__()
        self._recording = True

    def gradient(
        self,
        targets: Sequence[tuple[Tensor, Tensor | None]],
        sources: Sequence[Tensor],
        *,
        keep: bool,
        differentiable: bool,
    ) -> list[Any]:
        pairs = [(one, seed) for one, seed in targets if _has_derivative(one)]
        if not pairs:
            return [None] * len(sources)
        seeds = None
        if any(seed is not None for _, seed in pairs):
            seeds = [
                tf.ones_like(target.native) if seed is None else seed.native
                for target, seed in pairs
            ]
        found = self._tape.gradient(
            [self.native_of(target) for target, _ in pairs],
            [self.native_of(source) for source in sources],
            output_gradients=seeds,
        )
        return [
            tf.convert_to_tensor(one) if isinstance(one, tf.IndexedSlices) else one for one in found
        ]


def _has_derivative(tensor: Tensor) -> bool:
    return tensor.native.dtype in tensor.backend.native_floats


def _alias(result: Any, natives: Sequence[Any]) -> Any:
    """Return a result as a tensor of its own if it is one of the inputs."""
    return tf.identity(result) if any(result is native for native in natives) else result
