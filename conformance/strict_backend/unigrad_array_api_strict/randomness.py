"""Random bits and numbers: unigrad's generator, which works in the host's memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import array_api_strict as xp
import numpy as np

from unigrad.core import threefry
from unigrad_array_api_strict.creation import DEVICES, native


def _in_host_memory(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Return a draw of arrays of the library."""

    @wraps(draw)
    def run(*arrays: Any, **settings: Any) -> Any:
        if "dtype" in settings:
            native(settings["dtype"])
        device = arrays[0].device
        host = [
            x if isinstance(x, int) else np.asarray(x.to_device(DEVICES["cpu"])) for x in arrays
        ]
        return xp.asarray(np.array(draw(*host, **settings)), device=device)

    return run


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": _in_host_memory(threefry.random_bits),
    "random_fold_in": _in_host_memory(threefry.random_fold_in),
    "random_gamma_sample": lambda alpha, sample: xp.asarray(sample, copy=True),
    "random_randint": _in_host_memory(threefry.random_randint),
    "random_split": _in_host_memory(threefry.random_split),
    "random_uniform": _in_host_memory(threefry.random_uniform),
}
