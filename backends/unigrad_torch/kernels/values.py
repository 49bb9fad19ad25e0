"""Whether there are values to look at: then a kernel may choose by them."""

import cmath
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from unigrad_torch.private import (
    PLAIN_KEYS,
    dispatch_modes,
    is_batched_of_old,
    is_wrapped_by_transform,
    keys_of,
)


class _Thread(threading.local):
    hidden = False


_thread = _Thread()


@contextmanager
def without_values() -> Iterator[None]:
    """Let kernels go by what holds for all values inside the block, as in a captured graph."""
    before, _thread.hidden = _thread.hidden, True
    try:
        yield
    finally:
        _thread.hidden = before


def has_values(x: torch.Tensor) -> bool:
    """Tell whether an array's values are there to be read, and reading them waits for nothing."""
    return (
        type(x) is torch.Tensor
        and not _thread.hidden
        # While a graph is captured, even what it closes over gives no numbers.
        and not dispatch_modes()
        # The first is the answer nearly always, in half the time.
        and (
            keys_of(x) == PLAIN_KEYS
            or (x.is_cpu and not is_wrapped_by_transform(x) and not is_batched_of_old(x))
        )
    )


def are_finite(x: torch.Tensor) -> bool:
    """Tell whether no element is NaN or infinite, if that is seen at a glance: by their sum."""
    return has_values(x) and cmath.isfinite(x.sum().item())
