"""``tf.GradientTape`` behind one front-end tape: the two have the same meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from unigrad.core.backend import NativeTape
from unigrad.core.tensor import Tensor


class TensorflowTape(NativeTape):
    """The TensorFlow side of one tape."""

    def __init__(self) -> None:
        # Persistent always: how often it may be asked is the front end's business.
        self._tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
        #: Values whose handle was given another tensor since.
        self._natives: dict[int, Any] = {}

    def watch(self, handle: Tensor, tracked_elsewhere: bool) -> None:
        if not tracked_elsewhere:
            # Other handles may share this tensor without being watched.
            handle.native = tf.identity(handle.native)
        self._tape.watch(handle.native)

    def note(self, outputs: Sequence[Tensor]) -> None:
        pass

    def pause(self, still_tracked: Callable[[int], bool]) -> None:
        self._tape.__exit__(None, None, None)

    def resume(self) -> None:
        self._tape.__enter__()

    def gradient(
        self,
        targets: Sequence[Tensor],
        cotangents: Sequence[Tensor],
        sources: Sequence[Tensor],
        *,
        keep: bool,
        differentiable: bool,
    ) -> list[Any]:
        found = self._tape.gradient(
            [target.native for target in targets],
            [source.native for source in sources],
            output_gradients=[cotangent.native for cotangent in cotangents],
        )
        return [
            tf.convert_to_tensor(one) if isinstance(one, tf.IndexedSlices) else one
            for one in found
        ]
