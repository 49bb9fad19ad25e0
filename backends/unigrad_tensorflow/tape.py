"""``tf.GradientTape`` behind one front-end tape: the two have the same meaning.

TensorFlow's tapes know values by their tensors, the front end's by their identities, which several
handles of one tensor need not share. What is left to do here is to keep one tensor per identity,
the same for all tapes: a watched value gets a tensor of its own, a result has one, and what no tape
tracks is cut off from what TensorFlow has noted of its tensor.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import tensorflow as tf

from unigrad.core.native_tape import Kernel, NativeTape
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad_tensorflow.private import is_on_a_tape

#: The dtypes that TensorFlow differentiates.
_FLOATS = frozenset((tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.complex64, tf.complex128))
#: The tapes that are alive.
_living: dict[int, weakref.ref[TensorflowTape]] = {}


class TensorflowTape(NativeTape):
    """The TensorFlow side of one tape."""

    def __init__(self) -> None:
        # Persistent always: how often it may be asked is the front end's business.
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
        self._tape.__enter__()
        #: The tensors of the watched values.
        self._natives: dict[int, Any] = {}
        #: The results: their tensors are those of their handles.
        self._results: set[int] = set()
        # Last: other threads look at the tapes that are there.
        key = id(self)
        _living[key] = weakref.ref(self, partial(_living.pop, key))

    def watch(self, handle: Tensor) -> None:
        native = self._natives[handle.uid] = _shared_by_all(handle)
        self._tape.watch(native)

    def read(self, uid: int, variable: Variable, value: Tensor) -> None:
        of, leaf, _ = variable.leaf
        # What the tape before this one noted of the leaf has gone with it.
        if of is not value or len(_living) > 1:
            leaf = _leaf_of(value._native)
            variable.leaf = value, leaf, None
        self._natives[uid] = leaf
        self._tape.watch(leaf)

    def run(
        self,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
        others: Sequence[Any] = (),
        uid: int = 0,
    ) -> Any:
        natives = self.seen(natives, uids, others)
        result = kernel(*natives, **settings)
        # A kernel that returns its input would give two values one tensor.
        if type(result) is tuple or type(result) is list:
            results: Sequence[Any] = [_alias(one, natives) for one in result]
            result = results
        else:
            for native in natives:
                if result is native:
                    result = tf.identity(result)
                    break
            results = (result,)
        for native in natives:
            if getattr(native, "dtype", tf.float32) not in _FLOATS:
                self._follow(results, others)
                break
        if uid:
            self._results.add(uid)
        return result

    def keep(self, uid: int, result: Any, plain: Any = None) -> Any:
        self._results.add(uid)
        return result

    def _follow(self, results: Sequence[Any], others: Sequence[Any]) -> None:
        """Watch what was computed through a bool or an integer.

        TensorFlow notes nothing of that path, and what follows depends on the results all the
        same. To be watched changes nothing for a tape that knows a result already: of several
        tapes any may not.
        """
        for one in results:
            if one.dtype in _FLOATS and (others or not self.tracks(one)):
                for tape in (self, *others):
                    tape._tape.watch(one)

    def seen(
        self, natives: Sequence[Any], uids: Sequence[int], others: Sequence[Any] = ()
    ) -> list[Any]:
        tapes: Sequence[TensorflowTape] = (self, *others) if others else (self,)
        found = []
        for native, uid in zip(natives, uids, strict=True):
            for tape in tapes:
                if uid in tape._results:
                    break
                if uid in tape._natives:
                    native = tape._natives[uid]
                    break
            else:
                if isinstance(native, tf.Tensor) and self.tracks(native):
                    native = tf.stop_gradient(native)
            found.append(native)
        return found

    def lend(self, handle: Tensor, others: Sequence[Any] = ()) -> Any:
        [native] = self.seen([handle._native], [handle.uid], others)
        return native

    def tracks(self, native: Any) -> bool:
        return is_on_a_tape(native)

    def pause(self) -> None:
        self._tape.__exit__(None, None, None)

    def resume(self) -> None:
        self._tape.__enter__()

    def gradient(
        self,
        targets: Sequence[tuple[Tensor, Any | None]],
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
                tf.ones_like(target._native) if seed is None else seed for target, seed in pairs
            ]
        found = self._tape.gradient(
            [self._natives.get(target.uid, target._native) for target, _ in pairs],
            [self._natives.get(source.uid, source._native) for source in sources],
            output_gradients=seeds,
        )
        found = [
            tf.convert_to_tensor(one) if isinstance(one, tf.IndexedSlices) else one for one in found
        ]
        return _distinct(found, seeds or ())


def _shared_by_all(handle: Tensor) -> Any:
    """Return the tensor by which living tapes know a value, or a new one."""
    for one in list(_living.values()):
        tape = one()
        if tape is not None:
            if handle.uid in tape._natives:
                return tape._natives[handle.uid]
            if handle.uid in tape._results:
                return handle._native
    return _leaf_of(handle._native)


def _leaf_of(native: Any) -> Any:
    """Return a tensor of the same values that no tape has met."""
    return tf.stop_gradient(native)


def _has_derivative(tensor: Tensor) -> bool:
    return tensor._native.dtype in tensor.backend.native_floats


def _alias(result: Any, natives: Sequence[Any]) -> Any:
    """Return a result as a tensor of its own if it is one of the inputs."""
    return tf.identity(result) if any(result is native for native in natives) else result


def _distinct(gradients: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """Return each gradient as a tensor of its own, for those that record this.

    One that was handed through is its cotangent, and may have gone to several sources.
    """
    times = Counter(map(id, chain(cotangents, gradients)))
    return [one if one is None or times[id(one)] == 1 else tf.identity(one) for one in gradients]
