"""Many threads at once, switched between as often as Python can."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import unigrad as ug

THREADS = 8
RUNS = 200


@contextmanager
def frequent_switches() -> Iterator[None]:
    """Let threads take turns every ten microseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def in_threads(
    work: Callable[[int, int], Any], runs: int = RUNS, threads: int = THREADS
) -> list[list[Any]]:
    """Call ``work(thread, run)`` so often in each of so many threads; return what each got.

    All start at the same moment, on the backend of the caller. The first error is raised.
    """
    backend = ug.get_backend()
    start = threading.Barrier(threads)
    results: list[list[Any]] = [[] for _ in range(threads)]
    errors: list[BaseException] = []

    def body(thread: int) -> None:
        try:
            with ug.use_backend(backend):
                start.wait()
                for run in range(runs):
                    results[thread].append(work(thread, run))
        except BaseException as error:
            errors.append(error)

    workers = [threading.Thread(target=body, args=(i,), daemon=True) for i in range(threads)]
    with frequent_switches():
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(120)
    assert not any(worker.is_alive() for worker in workers), "threads wait for each other"
    if errors:
        raise errors[0]
    return results
