"""Which native arrays belong to the values that a tape tracks."""

from __future__ import annotations

from collections.abc import Iterable

from unigrad.autodiff.differentiation import Recorded
from unigrad.core.native_tape import Native
from unigrad.core.tensor import Tensor


class HeldArrays:
    """The arrays of a tape's values, looked up by identity.

    Nothing is written down as ops run: a question looks at what was recorded since the last one.
    """

    def __init__(self) -> None:
        #: Watched tensors' arrays, which stay alive here, so that no other one gets their identity.
        self.watched: list[Native] = []
        #: Identities of the arrays in the recordings looked at so far.
        self._identities: set[int] = set()
        self._seen = 0

    def has(self, tape: Recorded, values: Iterable[Tensor], native: Native) -> bool:
        """Tell whether an array is that of a value that the tape tracks.

        ``values`` are those of the variables that it watches.
        """
        recordings = tape.recordings[self._seen :]
        self._seen += len(recordings)
        for one in recordings:
            self._identities.update(map(id, one.outputs))
            self._identities.update(
                id(x) for x, uid in zip(one.inputs, one.uids, strict=True) if uid in tape.tracked
            )
        if id(native) in self._identities or any(one is native for one in self.watched):
            return True
        return any(value._native is native for value in values) or any(
            one is not None and one.holds(native) for one in tape.native_tapes.values()
        )
