"""Uniform draws of half precision in a range: the same bits however they are computed.

Compilers fuse the product and the sum where a processor has arithmetic of half precision, and
scale the range before the draw, which may leave it without digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.levels import Level
from unigrad_conformance.subject import Deviation, quiet, require_close

#: Ranges, the narrow ones among them with subnormal products.
_RANGES = ((-3.0, 8.0), (0.0, 0.01), (0.0, 6e-5), (1e-7, 6e-7), (-1e-3, 1e-3), (-3e4, 3e4))
_COUNT = 200


def draws_of_halves(dtype: str, brief: bool = False) -> None:
    """unit · (high - low) + low has two roundings: eager, compiled, under `ug.vmap`."""
    keys = ug.random.split(ug.random.key(5), 2)
    unit = ug.random.uniform(keys[1], (_COUNT,), dtype).numpy()
    for low, high in _RANGES[2:3] if brief else _RANGES:
        first, last = np.asarray([low, high], unit.dtype)
        expected = np.maximum(first, unit * (last - first) + first)

        def draw(key: ug.Tensor, low: Any = low, high: Any = high) -> Any:
            return ug.random.uniform(key, (_COUNT,), dtype, low, high)

        def of_each(keys: ug.Tensor, draw: Any = draw) -> Any:
            return ug.vmap(draw)(keys)

        found = {
            "eager": draw(keys[1]),
            "compiled": ug.jit(draw)(keys[1]),
            "under vmap": of_each(keys)[1],
            "compiled under vmap": ug.jit(of_each)(keys)[1],
        }
        for how, one in found.items():
            off = int((one.numpy() != expected).sum())
            if off:
                raise Deviation(f"{off} of {_COUNT} numbers in [{low}, {high}) differ, {how}")
        _check_slopes(dtype, keys[1], unit, low, high)


def _check_slopes(dtype: str, key: ug.Tensor, unit: Any, low: float, high: float) -> None:
    """The derivative by the upper bound is the draw of [0, 1), by the lower one the rest."""
    sources = [ug.asarray(one, dtype=dtype) for one in (low, high)]
    with quiet(), ug.GradientTape() as tape:
        tape.watch(sources)
        total = ug.sum(ug.random.uniform(key, (_COUNT,), dtype, *sources))
    slopes = tape.gradient(total, sources, unconnected_gradients="zero")
    found = [float(one) for one in slopes]
    by_high = unit.astype(np.float64).sum()
    for one, expected in zip(found, (_COUNT - by_high, by_high), strict=True):
        require_close(
            f"the slope by a bound of [{low}, {high})", np.asarray(one), np.asarray(expected), 4.0
        )


def half_draws(level: Level) -> dict[str, Callable[[], None]]:
    """Return a check per dtype, by name."""
    brief = level.brief
    return {
        f"uniform of {dtype} in a range": partial(draws_of_halves, dtype, brief)
        for dtype in ("float16", "bfloat16")
    }
