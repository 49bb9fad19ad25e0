"""A thread that reads ahead."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Iterator
from typing import Any

from unigrad.data.datasets import Dataset, Passing
from unigrad.data.outcomes import Failed, outcomes, raising

#: How often a thread that waits for room looks whether it is still wanted, in seconds.
_PATIENCE = 0.1


#: What comes after the last element.
_END = object()


class Prefetched(Passing):
    """Another dataset's elements, read by a thread."""

    def __init__(self, dataset: Dataset, number: int) -> None:
        self._dataset = dataset
        self._number = number

    def _length(self) -> int | None:
        return self._dataset._length()

    def elements(self, epoch: int = 0, start: int = 0) -> Iterator[Any]:
        """Return an iterator over an epoch's elements, without the first ones."""
        return raising(self._ahead(epoch, start))

    def _ahead(self, epoch: int, start: int) -> Iterator[Any]:
        """Yield outcomes. A thread ends at an error; another reads on when more is asked for."""
        found = self._opened(epoch, start)
        while True:
            for outcome in self._read(found):
                if outcome is _END:
                    return
                yield outcome

    def _opened(self, epoch: int, start: int) -> Iterator[Any]:
        """Yield outcomes of what is opened in the thread."""
        try:
            elements = self._dataset.elements(epoch, start)
        except Exception as error:
            yield Failed(error)
        else:
            yield from outcomes(elements)

    def _read(self, found: Iterator[Any]) -> Iterator[Any]:
        """Yield outcomes that a thread reads, up to the first that failed, or `_END`."""
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
                for outcome in found:
                    put(outcome)
                    if unwanted.is_set() or isinstance(outcome, Failed):
                        return
            except BaseException as error:
                put(Failed(error))
                return
            put(_END)

        # The thread sees the backend, the dtype, … that are current here.
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(read,), name="unigrad.data.prefetch", daemon=True
        )
        thread.start()
        one = None
        try:
            while one is not _END and not isinstance(one, Failed):
                one = ready.get()
                if isinstance(one, Failed):
                    thread.join()
                yield one
        finally:
            unwanted.set()
            # A dropped iterator may be collected in any thread, the reading one included.
            if thread is not threading.current_thread():
                thread.join()
