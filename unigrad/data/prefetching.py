"""A thread that reads ahead."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Iterator
from typing import Any

from unigrad.data.datasets import Dataset, Passing

#: How often a thread that waits for room looks whether it is still wanted, in seconds.
_PATIENCE = 0.1


class _End:
    """What comes after the last element: an error, or nothing."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Prefetched(Passing):
    """Another dataset's elements, read by a thread."""

    def __init__(self, dataset: Dataset, number: int) -> None:
        self._dataset = dataset
        self._number = number

    def _length(self) -> int | None:
        return self._dataset._length()

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ones."""
        ready: queue.Queue[Any] = queue.Queue(self._number)
        unwanted = threading.Event()

        def put(one: Any) -> None:
            while not unwanted.is_set():
                try:
                    ready.put(one, timeout=_PATIENCE)
                    return
                except queue.Full:
                    continue

        def read() -> None:
            try:
                for element in self._dataset.elements(epoch, start):
                    put(element)
                    if unwanted.is_set():
                        return
                put(_End())
            except BaseException as error:
                put(_End(error))

        # The thread sees the backend, the dtype, … that are current here.
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(read,), name="unigrad.data.prefetch", daemon=True
        )
        thread.start()
        try:
            while not isinstance(one := ready.get(), _End):
                yield one
            if one.error is not None:
                raise one.error
        finally:
            unwanted.set()
            # A dropped iterator may be collected in any thread, the reading one included.
            if thread is not threading.current_thread():
                thread.join()
