"""Samples of the ops that move, join and repeat elements."""

from typing import Any

import numpy as np

from unigrad_conformance.sample import booleans, case, integers, real, samples, values

samples(
    "reshape",
    case(real(3, 4), (2, 6)),
    case(real(3, 4), -1),
    case(real(2, 3, 2), (3, -1)),
    case(real(), (1, 1)),
    case(real(0, 3), (3, 0, 2)),
    case(integers(2, 2), 4),
    oracle=np.reshape,
)
samples("ravel", case(real(2, 3)), case(real()), oracle=np.ravel)
samples(
    "broadcast_to",
    case(real(3), (2, 3)),
    case(real(2, 1, 3), (4, 2, 5, 3)),
    case(real(), (2, 2)),
    case(real(1), (0,)),
    case(booleans(2, 1), (2, 2)),
    oracle=np.broadcast_to,
)
samples(
    "broadcast_arrays",
    case(real(3, 1), real(1, 4)),
    case(real(), real(2), real(2, 2)),
    oracle=lambda *xs: list(np.broadcast_arrays(*xs)),
)
samples(
    "broadcast_shapes",
    case((2, 1), (3,)),
    case((), (4, 1), (1, 5)),
    oracle=lambda *shapes: np.array(np.broadcast_shapes(*shapes)),
    call=lambda ug, *shapes: ug.asarray(ug.broadcast_shapes(*shapes)),
    dtype="int64",
)
samples("permute_dims", case(real(2, 3, 4), (2, 0, 1)), case(real(), ()), oracle=np.transpose)
samples(
    "transpose",
    case(real(2, 3, 4)),
    case(real(2, 3), (1, 0)),
    case(real(3)),
    oracle=np.transpose,
)
samples("swapaxes", case(real(2, 3, 4), 0, -1), case(real(2, 3), 1, 1), oracle=np.swapaxes)
samples(
    "moveaxis",
    case(real(2, 3, 4), 0, -1),
    case(real(2, 3, 4), (0, 1), (-1, 0)),
    case(real(2, 3, 4, 2), (3, 0), (1, 2)),
    oracle=np.moveaxis,
)
samples(
    "expand_dims",
    case(real(2, 3), axis=1),
    case(real(2, 3), axis=(0, -1)),
    case(real(), axis=0),
    oracle=np.expand_dims,
)
samples(
    "squeeze",
    case(real(1, 3, 1)),
    case(real(1, 3, 1), axis=-1),
    case(real(1, 3, 1), axis=(0, 2)),
    oracle=np.squeeze,
)
samples(
    "flip",
    case(real(2, 3)),
    case(real(2, 3), axis=1),
    case(real(2, 3, 2), axis=(0, -1)),
    case(real()),
    oracle=np.flip,
)
samples(
    "roll",
    case(real(2, 3), 2),
    case(real(2, 3), -4, axis=1),
    case(real(2, 3), (1, -1), axis=(0, 1)),
    case(real(2, 3), 1, axis=(0, 1)),
    case(real(3, 2), (1, 1), axis=(0, 0)),
    oracle=np.roll,
)
samples(
    "stack",
    case([real(2, 3), real(2, 3)]),
    case([real(2, 3), real(2, 3), real(2, 3)], axis=-1),
    case([real(2), integers(2)], axis=1),
    oracle=np.stack,
)
samples(
    "concat",
    case([real(2, 3), real(1, 3)]),
    case([real(2, 3), real(2, 1), real(2, 0)], axis=-1),
    case([real(2, 3), real(2)], axis=None),
    case([integers(2), booleans(3)]),
    oracle=np.concatenate,
)
samples(
    "split",
    case(real(4, 3), 2),
    case(real(4, 3), [1, 1, 3]),
    case(real(2, 5), [-2], axis=1),
    case(real(6), [4, 9]),
    oracle=np.split,
)
samples(
    "unstack",
    case(real(2, 3)),
    case(real(2, 3), axis=-1),
    oracle=lambda x, axis=0: list(np.moveaxis(x, axis, 0)),
)
samples(
    "tile",
    case(real(2, 3), 2),
    case(real(2, 3), (2, 1, 3)),
    case(real(3), (2, 2)),
    case(real(2, 3), (0, 1)),
    case(real(), 3),
    oracle=np.tile,
)
samples(
    "repeat",
    case(real(2, 3), 2),
    case(real(2, 3), 3, axis=1),
    case(real(3, 2), [2, 0, 1], axis=0),
    case(real(2), 0),
    oracle=np.repeat,
)
_CONSTANT = "constant"


def _pad(x: Any, width: Any, mode: Any = _CONSTANT, **settings: Any) -> Any:
    return np.pad(x, width, mode, **settings)


samples(
    "pad",
    case(real(2, 3), 1),
    case(real(2, 3), (1, 2), constant_values=1.5),
    case(real(2, 3), ((0, 1), (2, 0))),
    case(real(4, 3), ((1, 2), (2, 0)), "reflect"),
    case(real(2, 3), ((3, 2), (1, 1)), "symmetric"),
    case(real(2, 3), 2, "edge"),
    case(real(2, 3), ((1, 0), (4, 2)), "wrap"),
    case(integers(3), (0, 2), constant_values=-1),
    case(booleans(3), 1),
    oracle=_pad,
)
_TRIANGLES = (
    case(real(3, 3)),
    case(real(2, 3, 4), k=1),
    case(real(4, 3), k=-2),
    case(real(2, 2), k=5),
    case(values([[np.nan, np.inf], [-np.inf, 1.0]])),
    case(integers(3, 3)),
    case(booleans(2, 3)),
)
samples("tril", *_TRIANGLES, oracle=np.tril)
samples("triu", *_TRIANGLES, oracle=np.triu)
samples(
    "diag",
    case(real(3)),
    case(real(2), k=2),
    case(real(2), k=-1),
    case(real(3, 4)),
    case(real(3, 4), k=2),
    case(real(4, 3), k=-3),
    case(real(2, 2), k=2),
    oracle=np.diag,
)
samples(
    "meshgrid",
    case(real(2), real(3)),
    case(real(2), real(3), real(4)),
    case(real(2), real(3), indexing="ij"),
    oracle=lambda *xs, **settings: list(np.meshgrid(*xs, **settings)),
)
