"""Loops: Python's, around the calls that a body was lowered to; results go into one array each."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.registry import load_backend


def _scan(
    *natives: Any, body: Any, carries: int, rows: int, length: int, reverse: bool, **_: Any
) -> tuple[Any, ...]:
    step = body.on(load_backend("numpy"))
    carry, xs = natives[:carries], natives[carries : carries + rows]
    constants = natives[carries + rows :]
    # Without axes, an array's element is no array.
    whole = [x.reshape(x.shape + (1,) * (x.ndim == 1)) for x in xs]
    shapes = [x.shape[1:] for x in xs]
    stacked: list[Any] = []
    for i in range(length - 1, -1, -1) if reverse else range(length):
        row = [x[i].reshape(shape) for x, shape in zip(whole, shapes, strict=True)]
        found = step(*carry, *row, *constants)
        carry, results = found[:carries], found[carries:]
        if not stacked:
            stacked = [np.empty((length, *one.shape), one.dtype) for one in results]
        for column, one in zip(stacked, results, strict=True):
            column[i] = one
    return (*carry, *stacked)


TABLE = {"scan": _scan}
