"""Bad calls of quantiles, counts, segments, grids, and of what takes tensors apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import unigrad as ug
from unigrad_conformance.errors import bad

_COMPLEX = [1j, 2.0]


def _x(*shape: int) -> ug.Tensor:
    return ug.ones(shape)


_OF_REALS = (
    "median", "nanmax", "nanmin", "nanargmax", "nanargmin", "nanvar", "nanstd", "ptp", "moments",
    "cumulative_max", "cumulative_logsumexp", "histogram",
)  # fmt: skip
for _name in _OF_REALS:
    bad(f"{_name} of complex numbers", ug.DTypeError, _name, "complex64")(
        partial(lambda name: getattr(ug, name)(_COMPLEX), _name)
    )
_REDUCING = (
    "median", "nansum", "nanmean", "nanmax", "nanstd", "ptp", "moments", "average",
)  # fmt: skip
for _name in _REDUCING:
    bad(f"{_name} along no axis", ug.AxisError, "axis 2")(
        partial(lambda name: getattr(ug, name)(_x(2, 3), axis=2), _name)
    )
bad("fliplr of a vector", ug.AxisError, "fliplr: axis 1")(lambda: ug.fliplr(_x(3)))
for _name in ("nanmax", "nanmin", "ptp", "nanargmax"):
    bad(f"{_name} of nothing", ug.ShapeError, "no elements")(
        partial(lambda name: getattr(ug, name)(_x(0)), _name)
    )

_SETTINGS: dict[str, Callable[[], Any]] = {
    "quantile: method": lambda: ug.quantile(_x(3), 0.5, method="hazen"),  # type: ignore[arg-type]
    "quantile: q is in": lambda: ug.quantile(_x(3), 1.5),
    "percentile: q is in [0, 100]": lambda: ug.percentile(_x(3), [20.0, -1.0]),
    "gradient: edge_order": lambda: ug.gradient(_x(4), edge_order=3),
    "interp: the period": lambda: ug.interp(_x(2), [0.0, 1.0], [0.0, 1.0], period=0.0),
    "choose: mode": lambda: ug.choose([0], [_x(1)], mode="no"),  # type: ignore[arg-type]
    "ravel_multi_index: mode": lambda: ug.ravel_multi_index([[0]], (1,), mode="no"),  # type: ignore[arg-type]
}
for _words, _call in _SETTINGS.items():
    bad(f"a setting that is none: {_words}", ug.SettingError, _words)(_call)

_SEEN: dict[str, Callable[[], Any]] = {
    "nanargmax: only NaNs": lambda: ug.nanargmax([float("nan")] * 2),
    "interp: xp does not increase": lambda: ug.interp(_x(2), [1.0, 0.0], [0.0, 1.0]),
    "histogram: the edges": lambda: ug.histogram(_x(3), [0.0, 2.0, 1.0]),
    "is not finite": lambda: ug.histogram([1.0, float("nan")]),
    "does not ascend": lambda: ug.histogram(_x(3), range=(1.0, 0.0)),
    "digitize: the bounds": lambda: ug.digitize(_x(3), [0.0, 2.0, 1.0]),
    "ragged_gather: [0, 3] do not split": lambda: ug.ragged_gather(_x(2), [0, 3], [0]),
    "a length of 1": lambda: ug.ragged_gather(_x(2), [0, 2], [0], length=1),
}
for _words, _call in _SEEN.items():
    bad(f"values that are none: {_words}", ug.SettingError, _words, looks=True)(_call)

_BEYOND: dict[str, Callable[[], Any]] = {
    "segment_sum: 3 is not in [0, 3)": lambda: ug.segment_sum(_x(2), [0, 3], 3),
    "segment_max: -1 is not in [0, 3)": lambda: ug.segment_max(_x(2), [0, -1], 3),
    "bincount: -1": lambda: ug.bincount([1, -1]),
    "bincount: 4 is not in [0, 4)": lambda: ug.bincount([1, 4], length=4),
    "unravel_index: index 6": lambda: ug.unravel_index([6], (2, 3)),
    "ravel_multi_index: index 3": lambda: ug.ravel_multi_index([[0], [3]], (2, 3)),
    "index 2 is out of bounds": lambda: ug.choose([0, 2], [_x(2), _x(2)]),
    "index 5 is out of bounds": lambda: ug.in_top_k([5], _x(1, 3), 2),
    "ragged_gather": lambda: ug.ragged_gather(_x(2), [0, 2], [1]),
}
for _words, _call in _BEYOND.items():
    bad(f"out of bounds: {_words}", ug.OutOfBoundsError, _words, looks=True)(_call)
bad("deleting what is not there", ug.OutOfBoundsError, "delete")(lambda: ug.delete(_x(3), 3))
bad("inserting beyond the end", ug.OutOfBoundsError, "insert")(lambda: ug.insert(_x(3), 4, 1.0))
bad("more conditions than elements", ug.OutOfBoundsError, "compress")(
    lambda: ug.compress([True] * 4, _x(3))
)

_SHAPES: dict[str, Callable[[], Any]] = {
    "cumulative_max: an axis": lambda: ug.cumulative_max(_x(2, 2)),
    "average: weights": lambda: ug.average(_x(2, 3), weights=_x(2)),
    "cov: shape": lambda: ug.cov(_x(2, 2, 2)),
    "corrcoef: shape": lambda: ug.corrcoef(_x(2, 2, 2)),
    "trapezoid: 3 places": lambda: ug.trapezoid(_x(2, 4), _x(3)),
    "gradient: 1 points": lambda: ug.gradient(_x(1)),
    "gradient: 2 spacings": lambda: ug.gradient(_x(3), 1.0, 2.0),
    "interp: xp": lambda: ug.interp(_x(2), _x(2), _x(3)),
    "histogram: 0 bins": lambda: ug.histogram(_x(3), 0),
    "histogram: weights": lambda: ug.histogram(_x(3), weights=_x(2)),
    "bincount: shape": lambda: ug.bincount([[1]]),
    "segment_sum: ids": lambda: ug.segment_sum(_x(3), [0, 1], 2),
    "segment_sum: -1 segments": lambda: ug.segment_sum(_x(1), [0], -1),
    "vander: shape": lambda: ug.vander(_x(2, 2)),
    "indices: a shape": lambda: ug.indices((2, -1)),
    "hstack: needs": lambda: ug.hstack([]),
    "array_split: 0 pieces": lambda: ug.array_split(_x(3), 0),
    "rot90: the axes": lambda: ug.rot90(_x(2, 2), axes=(0, -2)),
    "insert: values": lambda: ug.insert(_x(3), [0, 1], _x(3)),
    "select: 1 conditions": lambda: ug.select([ug.ones(2, dtype="bool")], []),
    "choose: there are": lambda: ug.choose([0], []),
    "compress: the condition": lambda: ug.compress([[True]], _x(1)),
    "extract: a condition": lambda: ug.extract([True], _x(2)),
    "partition: there is no 3-th": lambda: ug.partition(_x(3), 3),
    "lexsort: the shapes": lambda: ug.lexsort([_x(2), _x(3)]),
    "digitize: the bounds": lambda: ug.digitize(_x(2), _x(2, 2)),
    "in_top_k: targets": lambda: ug.in_top_k([0], _x(2, 3), 1),
    "bitcast: float32": lambda: ug.bitcast(_x(3), "float64"),
    "random.multinomial: p": lambda: ug.random.multinomial(ug.random.key(0), 3, 0.5),
}
for _words, _call in _SHAPES.items():
    bad(f"shapes that do not fit: {_words}", ug.ShapeError, _words)(_call)

_DTYPES: dict[str, Callable[[], Any]] = {
    "ptp": lambda: ug.ptp([True, False]),
    "segment_sum: segment ids": lambda: ug.segment_sum(_x(2), [0.0, 1.0], 2),
    "segment_max: not for bool": lambda: ug.segment_max([True], [0], 1),
    "bincount: integers": lambda: ug.bincount([1.0]),
    "unravel_index: indices": lambda: ug.unravel_index([1.0], (2,)),
    "choose: indices": lambda: ug.choose([0.0], [_x(1)]),
    "select: conditions": lambda: ug.select([_x(2)], [_x(2)]),
    "interp: places": lambda: ug.interp([1j], [0.0, 1.0], [0.0, 1.0]),
    "delete: places": lambda: ug.delete(_x(3), 1.0),
    "in_top_k: targets": lambda: ug.in_top_k([0.0], _x(1, 3), 1),
    "bitcast: bits": lambda: ug.bitcast([True], "int8"),
    "random.multinomial: counts": lambda: ug.random.multinomial(
        ug.random.key(0), 3, [1.0], dtype="bool"
    ),
}
for _words, _call in _DTYPES.items():
    bad(f"dtypes that are not taken: {_words}", ug.DTypeError, _words)(_call)
