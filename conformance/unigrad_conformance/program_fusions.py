"""A backend's fused ops compute what they stand for, where its programs put them.

Each pattern is compiled and run op by op on the same inputs: NaN, infinities, both zeros and
subnormal numbers among them, in every combination of a few shapes, whether the fused op is for
them or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

import unigrad as ug
from unigrad.core.programs import Fusion
from unigrad.core.registry import current_backend
from unigrad_conformance.subject import Deviation, quiet

_Array = npt.NDArray[Any]
_Shape = tuple[int, ...]

_ENDS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, -1e-40, 1e30, -1e30, 1.0, -1.0, 0.5, -3.0)
#: Shapes of inputs that meet element by element: small, of axes that are spread, and so many
#: elements as backends have other kernels for.
_TOGETHER = ((), (1,), (13,), (13, 13), (2, 1, 13), (300, 256))
#: Left and right factors, and what is added to their product.
_FACTORS: tuple[tuple[_Shape, _Shape], ...] = (
    ((3, 4), (4, 5)),
    ((1, 4), (4, 1)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((64, 128), (128, 256)),
)


def _added(left: _Shape, right: _Shape) -> tuple[_Shape, ...]:
    rows, columns = left[-2], right[-1]
    whole = (*left[:-1], columns)
    return ((), (1,), (columns,), (1, columns), (rows, 1), whole, (2, 3, *whole))


def _products(pattern: Any) -> tuple[Any, ...] | None:
    """Return the part of a pattern that is a product of matrices."""
    if type(pattern) is not tuple:
        return None
    if pattern[0] in ("matmul", "linear"):
        return pattern
    return next((found for one in pattern[1:] if (found := _products(one))), None)


def _ops(pattern: Any) -> Iterator[str]:
    if type(pattern) is tuple:
        yield pattern[0]
        for one in pattern[1:]:
            yield from _ops(one)


def _shapes(fusion: Fusion) -> Iterator[Mapping[str, _Shape]]:
    names = fusion.inputs
    factors = _products(fusion.pattern)
    if factors is None:
        for shapes in product(_TOGETHER, repeat=len(names)):
            # Pairs of large ones with all others are enough.
            if sum(one == _TOGETHER[-1] for one in shapes) in (0, len(names), len(names) - 1):
                yield dict(zip(names, shapes, strict=True))
        return
    left, right = factors[1:3]
    others = [one for one in names if one not in (left, right)]
    for x, y in _FACTORS:
        added = _added(x, y) if factors[0] == "matmul" else ((y[-1],),)
        for rest in product(added, repeat=len(others)):
            yield {left: x, right: y, **dict(zip(others, rest, strict=True))}


def _values(shape: _Shape, seed: int, dtype: Any, ends: bool) -> _Array:
    """Return numbers, and the ends among them in another order for each seed."""
    rng = np.random.default_rng(seed)
    found = rng.standard_normal(shape).astype(dtype)
    if ends:
        flat = found.reshape(-1)
        count = min(len(_ENDS) ** 2, flat.size)
        # The first runs through all while the second stays, and so on: every pair is met.
        place = np.arange(count) // len(_ENDS) ** (seed % 2) % len(_ENDS)
        flat[:count] = np.asarray(_ENDS).astype(dtype)[place]
    return found


def _computed(pattern: Any, named: Mapping[str, ug.Tensor]) -> Any:
    if type(pattern) is not tuple:
        return named[pattern] if type(pattern) is str else pattern
    name, *inputs = pattern
    op = getattr(ug, name)
    return op(*[_computed(one, named) for one in inputs])


def _compare(fusion: Fusion, dtype: Any, shapes: Mapping[str, _Shape]) -> None:
    products, ops = _products(fusion.pattern) is not None, [*_ops(fusion.pattern)]
    masks = {
        name: np.random.default_rng(7).random(shape) < 0.5
        for name, shape in shapes.items()
        if name in fusion.masks
    }
    named = {
        name: ug.asarray(masks[name] if name in masks else _values(shape, i, dtype, not products))
        for i, (name, shape) in enumerate(shapes.items())
    }

    def run(*inputs: ug.Tensor) -> ug.Tensor:
        found: ug.Tensor = _computed(fusion.pattern, dict(zip(named, inputs, strict=True)))
        return found

    try:
        expected = run(*named.values()).numpy()
    except ug.ShapeError:
        return
    found = ug.jit(run)(*named.values()).numpy()
    what = f"{fusion.name} of {dtype.name} {dict(shapes)}"
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise Deviation(f"{what}: {found.dtype}{found.shape}, not {expected.dtype}{expected.shape}")
    # Sums may cancel, and be rounded in another order.
    rtol = 16 * float(np.finfo(dtype).eps)
    size = np.sqrt(shapes[fusion.inputs[0]][-1]) if products else 1.0 * ("add" in ops)
    exact = {*ops} <= {"where", "greater"}
    same = np.isclose(found, expected, rtol, rtol * size, equal_nan=True)
    if exact:
        same &= (found == expected) | np.isnan(expected)
    if not np.all(same):
        at = tuple(int(i) for i in np.argwhere(~same)[0])
        raise Deviation(f"{what}: {found[at]!r} at {at} where {expected[at]!r} is right")


def fused_ops_are_what_they_stand_for() -> None:
    """A program with a fused op gives what its ops give one by one."""
    with quiet():
        for fusion in current_backend().fusions:
            for shapes in _shapes(fusion):
                for dtype in fusion.dtypes:
                    _compare(fusion, dtype, shapes)


#: Checks by name.
PROGRAM_FUSIONS: dict[str, Callable[[], None]] = {
    "fused ops are what they stand for": fused_ops_are_what_they_stand_for
}
