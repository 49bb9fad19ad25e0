"""Which native arrays belong to the values that a tape tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unigrad.autodiff.differentiation import Recorded
from unigrad.core.native_tape import Native
from unigrad.core.tensor import Tensor


class HeldArrays:
    """The arrays of a tape's values, looked up by identity.

    Nothing is written down as ops run: a question looks at what was recorded since the last one.
    """

    def __init__(self) -> None:
        #: Identities of the arrays in the recordings looked at so far.
        self._identities: set[int] = set()
        self._seen = 0

    def has(
        self,
        tape: Recorded,
        watched: Sequence[Native],
        handles: Mapping[int, Sequence[Tensor]],
        native: Native,
    ) -> bool:
        """Tell whether an array is that of a value that the tape tracks.

        ``watched`` are arrays that it watches, and ``handles`` those of variables.
        """
        recordings = tape.recordings[self._seen :]
        self._seen += len(recordings)
        for one in recordings:
            self._identities.update(map(id, one.outputs))
            self._identities.update(
                id(x) for x, uid in zip(one.inputs, one.uids, strict=True) if uid in tape.tracked
            )
        return (
            id(native) in self._identities
            or any(one is native for one in watched)
            or any(one._native is native for some in handles.values() for one in some)
            or any(one is not None and one.holds(native) for one in tape.native_tapes.values())
        )
