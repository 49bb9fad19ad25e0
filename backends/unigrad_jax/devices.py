"""JAX's devices by unigrad's names: "cpu", "cpu:1", …, "gpu:0", "gpu:1", …."""

from __future__ import annotations

from functools import cache
from typing import Any

import jax


def name_of(device: Any) -> str:
    """Return the name of a device; the first CPU, mostly the only one, has no number."""
    if device.platform != "cpu":
        return f"gpu:{device.id}"
    return f"cpu:{device.id}" if device.id else "cpu"


@cache
def by_name() -> dict[str, Any]:
    """Return the devices there are, by name."""
    found = {}
    for kind in ("cpu", "gpu"):
        try:
            found.update({name_of(one): one for one in jax.devices(kind)})
        except RuntimeError:
            continue
    return found
