"""Edges of dtypes and magnitudes: bools, narrow integers, bounds, very small numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad_conformance.edge import edge

#: The loops' values: lists of bools, ints or floats.
_value: Any

NAN, INF = math.nan, math.inf
FIRST, SECOND = [True, True, False, False], [True, False, True, False]

# -- bools: sums and maxima are "or", products and minima "and"; False is less than True
for _name, _value in {
    "add": [True, True, True, False],
    "multiply": [True, False, False, False],
    "maximum": [True, True, True, False],
    "minimum": [True, False, False, False],
    "fmax": [True, True, True, False],
    "fmin": [True, False, False, False],
    "less": [False, False, True, False],
    "less_equal": [True, False, True, True],
    "greater": [False, True, False, False],
    "greater_equal": [True, True, False, True],
    "equal": [True, False, False, True],
    "isclose": [True, False, False, True],
}.items():
    edge(
        f"{_name} of bools",
        lambda ug, name=_name: getattr(ug, name)(ug.asarray(FIRST), ug.asarray(SECOND)),
        value=_value,
    )
for _name in ("abs", "positive", "conj", "floor", "ceil", "trunc", "round", "nan_to_num"):
    edge(
        f"{_name} leaves bools as they are",
        lambda ug, name=_name: getattr(ug, name)(ug.asarray(SECOND)),
        value=SECOND,
    )
edge("max of bools", lambda ug: ug.max(ug.asarray(SECOND)), value=True)
edge("min of bools", lambda ug: ug.min(ug.asarray(SECOND)), value=False)
edge("bools and a number", lambda ug: ug.asarray(SECOND) + 1, value=[2, 1, 2, 1])
edge("clip of bools by integers", lambda ug: ug.clip(ug.asarray(SECOND), 0, 1), value=[1, 0, 1, 0])

# -- lists: NumPy's scalars and arrays are strong in them, Python's numbers weak
_half = np.float16(1.0)
for _name, _list, _dtype in (
    ("float64", [np.float64(1.0)], "float64"),
    ("nested float64 and numbers", [[np.float64(1.0), 2.0], [3, True]], "float64"),
    ("float16 and a number", [_half, 2.0], "float16"),
    ("float16 and complex numbers", [_half, 2.0j], "complex64"),
    ("float16 and float64", [_half, np.float64(2.0)], "float64"),
    ("complex128", [np.complex128(1.0)], "complex128"),
    ("uint8 and a number", [np.uint8(1), 2], "uint8"),
    ("uint8 and int8", [np.uint8(1), np.int8(2)], "int16"),
    ("int32 and a float", [np.int32(1), 2.5], "float32"),
    ("bools and a number", [np.bool_(True), 2], "int64"),
    ("arrays", [np.zeros(2), np.ones(2, np.float32)], "float64"),
    ("arrays and lists", [np.zeros(2, np.float16), [1.0, 2.0]], "float16"),
    ("numbers alone", [[1.0, 2]], "float32"),
):
    edge(
        f"the dtype of a list of {_name}",
        lambda ug, given=_list, dtype=_dtype: ug.asarray(
            [make(given).dtype.name == dtype for make in (ug.asarray, ug.Variable, ug.conj)]
            + [join([given, given]).dtype.name == dtype for join in (ug.stack, ug.concat)]
        ),
        value=[True] * 5,
    )
edge(
    "a float32 tensor and a list of float64",
    lambda ug, x: ug.asarray(
        ug.add(ug.astype(x, "float32"), [np.float64(1.0)]).dtype.name == "float64"
    ),
    [1.0],
    value=True,
)
edge(
    "an index that is a list of uint8",
    lambda ug, x: x[[np.uint8(1), 0]],
    [1.0, 2.0],
    value=[2.0, 1.0],
    gradients=([1.0, 1.0],),
)

# -- bounds
edge(
    "clip with min > max: max wins",
    lambda ug, x: ug.clip(x, 5.0, 2.0),
    [1.0, 3.0, 6.0],
    value=[2.0, 2.0, 2.0],
    gradients=([0.0, 0.0, 0.0],),
)
edge("clip to NaN", lambda ug, x: ug.clip(x, NAN, 2.0), [1.0], value=[NAN])
edge("clip to NaN above", lambda ug, x: ug.clip(x, None, NAN), [1.0], value=[NAN])
edge(
    "clip to tensors with a NaN",
    lambda ug, x: ug.clip(x, ug.asarray([NAN, 2.0], dtype=x.dtype), 5.0),
    [1.0, 1.0],
    value=[NAN, 2.0],
)
edge(
    "clip beyond an integer dtype",
    lambda ug: ug.astype(ug.clip(ug.asarray([1, 200], dtype="uint8"), -1, 300), "int64"),
    value=[1, 200],
)
edge(
    "clip to more than an integer dtype holds",
    lambda ug: ug.astype(ug.clip(ug.asarray([1, 200], dtype="uint8"), 300, None), "int64"),
    value=[255, 255],
)
edge(
    "isclose of unsigned integers",
    lambda ug: ug.isclose(
        ug.asarray([100], dtype="uint8"), ug.asarray([101], dtype="uint8"), rtol=0.05
    ),
    value=[True],
)
edge(
    "isclose of the ends of a dtype",
    lambda ug: ug.isclose(
        ug.asarray([127], dtype="int8"), ug.asarray([-128], dtype="int8"), atol=2
    ),
    value=[False],
)
edge(
    "pad of integers with a float",
    lambda ug: ug.pad(ug.asarray([1]), 1, constant_values=2.5),
    value=[2, 1, 2],
)

# -- magnitudes
for _name, _slope in (
    ("elu", 1.0),
    ("celu", 1.0),
    ("selu", 1.0507009873554804934 * 1.6732632423543772),
):
    edge(
        f"{_name} keeps the digits near 0",
        lambda ug, x, name=_name: getattr(ug.nn, name)(x) / x,
        [-1e-16, -2e-16],
        value=[_slope, _slope],
    )
_SELU = 1.0507009873554804934 * 1.6732632423543772
for _name, _function, _slope in (
    ("exp(x) - 1", lambda ug, x: ug.expm1(x), 1.0),
    ("elu", lambda ug, x: ug.nn.elu(x), 1.0),
    ("celu", lambda ug, x: ug.nn.celu(x), 1.0),
    ("selu", lambda ug, x: ug.nn.selu(x), _SELU),
):
    _slope *= 1e9 * math.exp(-20.0)
    edge(
        f"{_name} has a slope far below 0",
        lambda ug, x, function=_function: function(ug, x) * 1e9,
        [-20.0],
        gradients=([_slope],),
        second=([_slope],),
        tangent=[_slope],
    )
edge(
    "mish far above 0",
    lambda ug, x: ug.nn.mish(x),
    [90.0],
    value=[90.0],
    gradients=([1.0],),
    second=([0.0],),
    tangent=[1.0],
)
edge(
    "atan far above 0, second order",
    lambda ug, x: ug.astype(ug.atan(ug.astype(x, "float16")), x.dtype),
    [60000.0],
    gradients=([0.0],),
    second=([0.0],),
)
edge(
    "sigmoid far below 0",
    lambda ug, x: ug.sigmoid(ug.minimum(x * 100.0, -1e3)) * 1e38,
    [-INF, -100.0],
    value=[0.0, 0.0],
)
edge("silu far below 0", lambda ug, x: ug.nn.silu(x), [-1e38, -INF, INF], value=[0.0, NAN, INF])

# -- slopes at 0, NaN and the infinities
for _zero, _slope in ((0.0, INF), (0, INF), (-0.0, -INF)):
    edge(
        f"x / {_zero} of type {type(_zero).__name__}",
        lambda ug, x, zero=_zero: x / zero,
        [1.0, 0.0, -2.0],
        value=[_slope, NAN, -_slope],
        gradients=([_slope, _slope, _slope],),
    )
edge(
    "x**0 at NaN and ∞",
    lambda ug, x: x**0.0,
    [NAN, INF, 0.0],
    value=[1.0, 1.0, 1.0],
    gradients=([0.0, 0.0, 0.0],),
)
edge(
    "x**y at NaN and ∞, y = 0",
    lambda ug, x: ug.pow(x, ug.zeros_like(x)),
    [NAN, INF, 0.0],
    value=[1.0, 1.0, 1.0],
    gradients=([0.0, 0.0, 0.0],),
)
edge(
    "softplus at infinities",
    lambda ug, x: ug.nn.softplus(x),
    [-INF, INF],
    value=[0.0, INF],
    gradients=([0.0, 1.0],),
)
edge(
    "log_sigmoid at infinities",
    lambda ug, x: ug.nn.log_sigmoid(x),
    [-INF, INF],
    value=[-INF, 0.0],
    gradients=([1.0, 0.0],),
)

# -- NaN
edge(
    "logaddexp of NaN and -∞",
    lambda ug, x, y: ug.logaddexp(x, y),
    [NAN, -INF, NAN],
    [-INF, NAN, INF],
    value=[NAN, NAN, NAN],
)
for _name, _value in (("min", [NAN, NAN, 2.0, 4.0]), ("max", [NAN, NAN, 3.0, 4.0])):
    edge(
        f"at.{_name} of NaN",
        lambda ug, x, v, name=_name: getattr(x.at[[0, 0, 1, 2]], name)(v),
        [1.0, NAN, 3.0, 4.0],
        [NAN, 5.0, 1.0, 2.0],
        value=_value,
    )
for _side, _value in (("left", [0, 0, 1, 1, 2]), ("right", [0, 1, 1, 2, 4])):
    edge(
        f"searchsorted among NaNs, {_side}",
        lambda ug, x, y, side=_side: ug.searchsorted(x, y, side=side),
        [1.0, INF, NAN, NAN],
        [0.0, 1.0, 2.0, INF, NAN],
        value=_value,
    )
edge("isin among NaNs", lambda ug, x, y: ug.isin(x, y), [1.0, NAN], [NAN, 1.0], value=[True, False])

# -- complex numbers
edge(
    "abs of a complex 0",
    lambda ug, x: ug.abs(x * 1j),
    [0.0, -2.0],
    value=[0.0, 2.0],
    gradients=([0.0, -1.0],),
)
edge(
    "sign of a complex 0",
    lambda ug, x: ug.astype(ug.sign(x * (3 + 4j)), x.dtype),
    [0.0, -2.0],
    value=[0.0, -0.6],
    gradients=([0.0, 0.0],),
)
edge(
    "norm of complex zeros",
    lambda ug, x: ug.norm(x * 1j),
    [0.0, 0.0],
    value=0.0,
    gradients=([0.0, 0.0],),
)

# -- steps that leave the range that the result lies in
edge(
    "asinh of a number whose square is out of range",
    lambda ug, x: ug.asinh(x * 1e25),
    [2.0, -2.0],
    value=[math.asinh(2e25), -math.asinh(2e25)],
    gradients=([0.5, 0.5],),
    tangent=[0.5, 0.5],
)


def _batch_norm(ug: Any, x: Any, compiled: bool) -> Any:
    layer = ug.layers.BatchNorm(epsilon=1e-5)

    def run(x: Any) -> Any:
        return layer(x, training=True)

    return (ug.jit(run) if compiled else run)(x * 1e25)


for _compiled in (False, True):
    edge(
        f"BatchNorm of a batch whose squares are out of range, {'compiled' * _compiled or 'eager'}",
        lambda ug, x, compiled=_compiled: _batch_norm(ug, x, compiled),
        [[2.0], [-1.0], [-1.0]],
        value=[[math.sqrt(2.0)], [-math.sqrt(0.5)], [-math.sqrt(0.5)]],
    )
for _size in (1e-25, 1e25):
    edge(
        f"quotients of numbers of {_size:g}",
        lambda ug, x, y, size=_size: (x * size) / (y * size),
        [3.0],
        [2.0],
        value=[1.5],
        gradients=([0.5], [-0.75]),
        tangent=[-0.25],
    )
    edge(
        f"norm of numbers of {_size:g}",
        lambda ug, x, size=_size: ug.norm(x * size) * (1.0 / size),
        [3.0, -4.0],
        value=5.0,
        gradients=([0.6, -0.8],),
    )
    edge(
        f"std of numbers of {_size:g}",
        lambda ug, x, size=_size: ug.std(x * size) * (1.0 / size),
        [3.0, -3.0],
        value=3.0,
        gradients=([0.5, -0.5],),
    )
edge(
    "global norm of small numbers",
    lambda ug, x: ug.optimizers.global_norm([x[:1] * 1e-25, x[1:] * 1e-25]) * 1e25,
    [3.0, -4.0],
    value=5.0,
    gradients=([0.6, -0.8],),
)
edge(
    "an impossible class that is not the label's",
    lambda ug, x: ug.losses.categorical_crossentropy([0.0, 1.0, 0.0], x, from_logits=True),
    [0.0, 0.0, -INF],
    value=math.log(2.0),
    gradients=([0.5, -0.5, 0.0],),
)
edge(
    "certain and right binary predictions",
    lambda ug, x: ug.losses.binary_crossentropy([[1.0], [0.0]], x, from_logits=True),
    [[INF], [-INF]],
    value=[0.0, 0.0],
    gradients=([[0.0], [0.0]],),
)
for _value in (NAN, INF):
    edge(
        f"padding of {_value} in a masked loss",
        lambda ug, x: ug.seq2seq.masked_loss([[1, 0]], x),
        [[[0.0, 0.0], [_value, 1.0]]],
        value=math.log(2.0),
        gradients=([[[0.5, -0.5], [0.0, 0.0]]],),
    )
edge("softmax of NaN", lambda ug, x: ug.softmax(x), [0.0, NAN, 1.0], value=[NAN, NAN, NAN])
edge("softmax of ∞", lambda ug, x: ug.softmax(x), [0.0, INF, 1.0], value=[NAN, NAN, NAN])
edge(
    "integers to large powers",
    lambda ug, x, y: ug.pow(ug.astype(x, "int64"), ug.astype(y, "int64")),
    [3.0, 2.0, -1.0, 0.0, 3.0],
    [64.0, 70.0, 65.0, 64.0, 5.0],
    value=[8733086111712066817, 0, -1, 0, 243],
)
edge(
    "exp2 of large numbers",
    lambda ug, x: ug.exp2(x),
    [126.0, -126.0, 10.0, 0.5],
    value=[2.0**126, 2.0**-126, 1024.0, math.sqrt(2.0)],
)
edge(
    "a complex 0 ** 0",
    lambda ug, x: ug.abs(ug.pow(ug.astype(x, "complex64"), ug.astype(x, "complex64"))),
    [0.0],
    value=[1.0],
)
