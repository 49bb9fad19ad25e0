"""Samples of grids, of what turns, joins and takes apart tensors, and of choosing by conditions."""

from typing import Any

import numpy as np

from unigrad_conformance.sample import (
    booleans,
    case,
    complexes,
    distinct,
    integers,
    real,
    samples,
    values,
)

samples("diagflat", case(real(2, 2)), case(real(3), k=-1), case(integers(2), k=1), case(real()),
        oracle=np.diagflat)  # fmt: skip
samples("diagflat", case(complexes(2)), oracle=np.diagflat, brief=True)
samples("vander", case(real(3)), case(values([0.0, 2.0, -1.5]), 4, increasing=True),
        case(real(2), 1), case(real(3), 0), case(values([1, 2, 3]), 5),
        oracle=np.vander, ulps=8)  # fmt: skip
samples("vander", case(complexes(3)), oracle=np.vander, brief=True, ulps=8)
samples("indices", case((2, 3)), case((2, 3), sparse=True), case((4,)), case((0, 2)),
        oracle=np.indices, dtype="int64", differentiable=False)  # fmt: skip
samples("fromfunction", case((2, 3)), oracle=lambda shape: np.add(*np.indices(shape) * 1.5),
        call=lambda ug, shape: ug.fromfunction(lambda i, j: (i + j) * 1.5, shape),
        dtype="float32", differentiable=False)  # fmt: skip
samples("tril_indices", case(3), case(3, -1, 4), case(0), oracle=np.tril_indices, dtype="int64",
        differentiable=False)  # fmt: skip
samples("triu_indices", case(3), case(3, 1, 4), oracle=np.triu_indices, dtype="int64",
        differentiable=False)  # fmt: skip
samples("diag_indices", case(3), case(2, 3), oracle=np.diag_indices, dtype="int64",
        differentiable=False)  # fmt: skip
_FLAT = values([[5, 0], [11, 7]])
samples("unravel_index", case(_FLAT, (3, 4)), case(values([-1, 3]), (2, 1, 3)), case(_FLAT, 12),
        oracle=lambda x, shape: np.unravel_index(x % np.prod(shape), shape),
        dtype="int64")  # fmt: skip
samples("ravel_multi_index", case([values([1, 0]), values([2, 1])], (2, 3)),
        case([values([[1], [0]]), values([2, 1, 0])], (2, 3)),
        case([values([7, -2]), values([4, 1])], (2, 3), mode="wrap"),
        case([values([7, -2]), values([4, 1])], (2, 3), mode="clip"),
        oracle=lambda given, shape, **settings: np.ravel_multi_index(
            tuple(given), shape, **settings), dtype="int64")  # fmt: skip
samples("ravel_multi_index", case([values([-1, 0]), values([2, -3])], (2, 3)),
        oracle=lambda given, shape: np.array([5, 0]), dtype="int64")  # fmt: skip

# -- turned and joined
_x: Any
for _name in ("flipud", "fliplr"):
    samples(_name, case(real(2, 3)), case(real(2, 3, 2)), case(integers(2, 2)),
            oracle=getattr(np, _name))  # fmt: skip
    samples(_name, case(complexes(2, 3)), oracle=getattr(np, _name), brief=True)
samples("rot90", case(real(2, 3)), case(real(2, 3, 2), k=-1, axes=(0, -1)), case(real(2, 3), k=2),
        case(real(2, 3), k=4), oracle=np.rot90)  # fmt: skip
samples("rot90", case(complexes(2, 3)), oracle=np.rot90, brief=True)
for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    samples(_name, case(real()), case(real(3)), case(real(2, 3)), case(real(2, 1, 2), real(2)),
            case(integers(2)),
            oracle=getattr(np, _name))  # fmt: skip
    samples(_name, case(complexes(3)), oracle=getattr(np, _name), brief=True)
samples("atleast_nd", case(real(2, 3), ndim=3), case(real(2), ndim=1), case(real(), ndim=2),
        oracle=lambda x, ndim: np.reshape(x, (1,) * max(ndim - x.ndim, 0) + x.shape))  # fmt: skip
samples("rearrange", case(real(2, 3, 4), "a b c -> c (a b)"), brief=True,
        oracle=lambda x, _: x.transpose(2, 0, 1).reshape(4, 6))  # fmt: skip
samples("rearrange", case(real(2, 6, 5), "b (h k) ... -> b k ... 1 h", k=2), brief=True,
        oracle=lambda x, _, k: x.reshape(2, 3, 2, 5).transpose(0, 2, 3, 1)[..., None, :],
        )  # fmt: skip
samples("rearrange", case(complexes(3, 1, 2), "a 1 b -> (b a)"),
        case(integers(2, 1, 2), "a 1 b -> (b a)"),
        oracle=lambda x, _: x[:, 0].T.reshape(-1), brief=True)  # fmt: skip
for _name in ("hstack", "vstack", "dstack", "column_stack"):
    samples(_name, case([real(3), real(3)]), case([real(3, 2), real(3, 2)]),
            case([integers(2), real(2)]), oracle=getattr(np, _name))  # fmt: skip
    samples(_name, case([complexes(2), real(2)]), oracle=getattr(np, _name), brief=True)
samples("hstack", case([real(), real(2)]), oracle=np.hstack)
samples("vstack", case([real(2), real(3, 2)]), oracle=np.vstack)
samples("column_stack", case([real(2), real(2, 3)]), oracle=np.column_stack)
samples("array_split", case(real(7, 2), 3), case(real(2, 5), 7, axis=1), case(real(5), [1, 3]),
        oracle=np.array_split)  # fmt: skip
samples("array_split", case(complexes(3), 2), oracle=np.array_split, brief=True)
samples("append", case(real(2, 3), real(2)), case(real(2, 3), real(1, 3), axis=0),
        case(integers(2), real(2)), oracle=np.append)  # fmt: skip
samples("append", case(complexes(2), real(2)), oracle=np.append, brief=True)
samples("delete", case(real(3, 4), 1, axis=1), case(real(5), [0, -1]),
        case(real(2, 3), slice(0, 2)),
        case(real(4), [True, False, True, False]), case(integers(3), []),
        oracle=lambda x, places, axis=None: np.delete(
            x, np.array(places, int) if places == [] else places, axis=axis))  # fmt: skip
samples("delete", case(complexes(3), 1), oracle=np.delete, brief=True)
samples("insert", case(real(3), 1, real(2)), case(real(2, 3), [0, 2, 2], real(2, 3), axis=1),
        case(real(2, 3), 1, real(3), axis=0), case(real(2, 3), [1], real(2, 1), axis=-1),
        case(real(2, 2), -1, 0.5), case(integers(3), 3, 7), case(real(4), slice(0, 4, 2), 1.5),
        oracle=np.insert)  # fmt: skip
samples("insert", case(complexes(3), 1, complexes(2)), oracle=np.insert, brief=True)

# -- chosen
_MASKS = [booleans(2, 3), booleans(3)]
samples("select", case(_MASKS, [real(2, 3), real(3)]), case(_MASKS, [real(), real(2, 1)], 0.5),
        case(_MASKS, [integers(3), integers(2, 3)]), oracle=np.select)  # fmt: skip
samples("select", case(_MASKS, [complexes(3), complexes(2, 3)]), oracle=np.select, brief=True)


def _choose(indices: Any, choices: Any, mode: Any = "raise") -> Any:
    counted = indices % len(choices) if mode == "raise" else indices
    return np.choose(counted, choices, mode=mode)


_NUMBERS = values([[0, 1, -1], [1, 1, 0]])
samples("choose", case(_NUMBERS, [real(2, 3), real(3)]), case(_NUMBERS, [real(), real(2, 1)]),
        case(integers(3), [integers(3), integers(3)], mode="wrap"),
        case(integers(3), [real(3), real(3)], mode="clip"), oracle=_choose)  # fmt: skip
samples("choose", case(_NUMBERS, [complexes(3), complexes(3)]), oracle=_choose, brief=True)
_MASK = values([True, False, True])
samples("compress", case(_MASK, real(3, 2), axis=0), case(_MASK, real(2, 3), axis=-1),
        case(_MASK, real(2, 2)), case([0, 1], integers(3)), oracle=np.compress)  # fmt: skip
samples("compress", case(_MASK, complexes(3)), oracle=np.compress, brief=True)
samples("extract", case(values([[True, False], [True, True]]), real(2, 2)),
        case([0, 2], integers(2)), oracle=np.extract)  # fmt: skip
samples("extract", case(_MASK, complexes(3)), oracle=np.extract, brief=True)

# -- in order
samples("partition", case(distinct(3, 4), 1), case(distinct(3, 4), (0, -1), axis=0),
        case(integers(7), 3), oracle=lambda x, kth, axis=-1: np.sort(x, axis=axis))  # fmt: skip
samples("argpartition", case(distinct(3, 4), 1), case(integers(7), 3), dtype="int64",
        oracle=lambda x, kth, axis=-1: np.argsort(x, axis=axis, kind="stable"),
        zero_gradient=True)  # fmt: skip
samples("lexsort", case([integers(6, low=0, high=3), integers(6, low=0, high=2)]),
        case([distinct(3, 4), integers(3, 4, low=0, high=2)], axis=0), case(integers(3, 5)),
        oracle=lambda keys, **settings: np.lexsort(keys, **settings),
        dtype="int64", zero_gradient=True)  # fmt: skip
_LADDER = values([-1.0, 0.0, 1.0, 1.0, 2.5])
_PROBES = values([[-2.0, -1.0, 0.5], [1.0, 2.5, 3.0]])
samples("digitize", case(_PROBES, _LADDER), case(_PROBES, _LADDER, right=True),
        case(_PROBES, values([2.5, 1.0, -1.0])),
        case(_PROBES, values([2.5, 1.0, -1.0]), right=True),
        case(integers(4), values([0, 2])), case(values([np.nan, np.inf]), _LADDER),
        oracle=np.digitize, dtype="int64", zero_gradient=True)  # fmt: skip


def _in_top(targets: Any, predictions: Any, k: int) -> Any:
    own = np.take_along_axis(predictions, targets[..., None], -1)
    before = ((predictions > own) | np.isnan(predictions)).sum(-1)
    return (before < k) & ~np.isnan(own[..., 0])


samples("in_top_k", case(values([0, 2]), distinct(2, 3), 2),
        case(values([0, 1]), values([[0.5, 0.5, 1.0], [np.nan, 1.0, 0.0]]), 2),
        case(values([[1, 0]]), integers(1, 2, 3), 1), oracle=_in_top, dtype="bool",
        zero_gradient=True)  # fmt: skip
samples("union1d", case(integers(3, 2), integers(4)), case(distinct(3), distinct(4)),
        oracle=np.union1d)  # fmt: skip
samples("setdiff1d", case(integers(8), integers(4)), case(distinct(6), distinct(3)),
        case(values([3, 1, 2]), values([1]), assume_unique=True), oracle=np.setdiff1d)  # fmt: skip
samples("intersect1d", case(integers(8), integers(4)), case(distinct(6), distinct(3)),
        case(values([]), distinct(3)), oracle=np.intersect1d)  # fmt: skip
samples("intersect1d", case(integers(8), integers(4), return_indices=True), oracle=np.intersect1d,
        dtype=(None, "int64", "int64"))  # fmt: skip


def _bits(x: Any, dtype: str) -> Any:
    return np.ascontiguousarray(x[..., None]).view(dtype).reshape(*x.shape, -1)


samples("bitcast", case(integers(2, 3), "uint64"), oracle=lambda x, dtype: x.view(dtype),
        dtype="uint64")  # fmt: skip
samples("bitcast", case(values([2**62 + 2**52, -(2**62)]), "float64"), dtype="float64", ulps=0.0,
        oracle=lambda x, dtype: x.view(dtype))  # fmt: skip
samples("bitcast", case(integers(3), "uint16"), dtype="uint16", oracle=_bits)
samples("bitcast", case(real(2, 3), "int64"), dtype="int64", zero_gradient=True,
        oracle=lambda x, dtype: x.view(dtype),
        call=lambda ug, x, dtype: ug.bitcast(ug.astype(x, "float64"), dtype))  # fmt: skip
