"""Samples of reductions, running sums and products, and statistics."""

import math
from typing import Any

import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance.sample import booleans, case, distinct, integers, real, samples, values

_op: str
_oracle: Any

_TIES = values([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
_SPECIAL = values([[1.0, math.nan, 3.0, math.nan], [-math.inf, 0.0, math.inf, math.inf]])
_ZEROS = values([[2.0, 0.0, 3.0, -1.5], [0.0, 5.0, 0.0, 1.0], [1.0, 2.0, 3.0, 4.0]])


def _axes(draw: Any) -> tuple[Any, ...]:
    """A tensor of three axes reduced over each kind of axis."""
    return (
        case(draw(2, 3, 4)),
        case(draw(2, 3, 4), axis=1),
        case(draw(2, 3, 4), axis=-1, keepdims=True),
        case(draw(2, 3, 4), axis=(0, 2)),
        case(draw(2, 3, 4), axis=(-1, 0), keepdims=True),
        case(draw(2, 3, 4), axis=()),
        case(draw(1, 5), axis=0),
        case(draw()),
    )


for _op, _oracle in (("sum", np.sum), ("mean", np.mean), ("prod", np.prod)):
    samples(_op, *_axes(real), case(real(4), keepdims=True), oracle=_oracle, ulps=8.0)
samples("sum", case(real(0, 3), axis=0), case(real(0, 3), axis=1), oracle=np.sum)
samples("prod", case(real(0, 3), axis=0), oracle=np.prod)
samples(
    "prod",
    case(_ZEROS, axis=1),
    case(_ZEROS, axis=0, keepdims=True),
    case(_ZEROS),
    oracle=np.prod,
)
for _op, _oracle in (("sum", np.sum), ("prod", np.prod)):
    samples(
        _op,
        case(integers(3, 4)),
        case(booleans(3, 4), axis=0),
        oracle=_oracle,
        dtype="int64",
        differentiable=False,
    )
    for _dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"):
        samples(
            _op,
            case(integers(3, 9, low=0), axis=1, dtype=_dtype),
            case(integers(3, 9, low=0), axis=(), dtype=_dtype),
            oracle=lambda x, axis, dtype, f=_oracle: f(x.astype(dtype), axis=axis, dtype=dtype),
            dtype=_dtype,
            differentiable=False,
        )
        samples(
            _op,
            case(integers(3, 4, low=0)),
            oracle=_oracle,
            call=lambda ug, x, f=_op, d=_dtype: getattr(ug, f)(ug.astype(x, d)),
            dtype="uint64" if _dtype[0] == "u" else "int64",
            differentiable=False,
        )
    samples(
        _op,
        case(integers(3, 4), axis=1, dtype="float64"),
        oracle=lambda x, axis, dtype, f=_oracle: f(x, axis=axis, dtype=dtype),
        dtype="float64",
        differentiable=False,
    )
samples(
    "mean",
    case(integers(3, 4), axis=1),
    case(booleans(3, 4)),
    oracle=np.mean,
    dtype="float32",
    differentiable=False,
)

for _op, _oracle in (("max", np.max), ("min", np.min)):
    samples(
        _op,
        *_axes(distinct),
        case(_SPECIAL, axis=1),
        case(_SPECIAL),
        case(integers(3, 4), axis=0),
        oracle=_oracle,
        ulps=0.0,
    )
    # The derivative at a tie is an edge.
    samples(_op, case(_TIES, axis=1), oracle=_oracle, ulps=0.0, differentiable=False)

for _op, _oracle in (("argmax", np.argmax), ("argmin", np.argmin)):
    samples(
        _op,
        case(distinct(2, 3, 4)),
        case(distinct(2, 3, 4), axis=1),
        case(distinct(2, 3, 4), axis=-1, keepdims=True),
        case(distinct(2, 3), keepdims=True),
        case(_TIES, axis=1),
        case(_SPECIAL, axis=1),
        case(integers(3, 4), axis=0),
        case(booleans(3, 4), axis=1),
        case(real()),
        oracle=_oracle,
        dtype="int64",
        zero_gradient=True,
    )

for _op, _oracle in (("any", np.any), ("all", np.all)):
    samples(
        _op,
        *_axes(booleans),
        case(integers(3, 2, low=0, high=2), axis=1),
        case(values([[0.0, math.nan], [0.0, 0.0]]), axis=1),
        case(booleans(0, 3), axis=0),
        oracle=_oracle,
        dtype="bool",
        zero_gradient=True,
    )
samples(
    "count_nonzero",
    case(integers(3, 4, low=-1, high=2)),
    case(_ZEROS, axis=0),
    case(_ZEROS, axis=(0, 1), keepdims=True),
    case(_ZEROS, axis=()),
    case(booleans(3, 4), axis=1),
    oracle=np.count_nonzero,
    dtype="int64",
    zero_gradient=True,
)


def _of_deviations(function: Any) -> Any:
    def oracle(x: Any, correction: float = 0.0, **settings: Any) -> Any:
        return function(x, ddof=correction, **settings)

    return oracle


for _op, _oracle in (("var", np.var), ("std", np.std)):
    samples(
        _op,
        case(real(2, 3, 4)),
        case(real(2, 3, 4), axis=1, correction=1),
        case(real(2, 3, 4), axis=(0, -1), keepdims=True),
        case(real(2, 3, 4), axis=-1, correction=0.5),
        oracle=_of_deviations(_oracle),
        ulps=16.0,
    )
    samples(
        _op,
        case(integers(3, 4), axis=1),
        oracle=_of_deviations(_oracle),
        ulps=8.0,
        dtype="float32",
        differentiable=False,
    )
samples(
    "std",
    case(values([[2.0, 2.0, 2.0], [0.1, 0.1, 0.1]]), axis=1),
    case(real(3, 1), axis=1),
    case(real(3), axis=()),
    oracle=lambda x, axis: np.zeros(np.sum(x, axis=axis).shape),
    zero_gradient=True,
)


def _normalized(x: Any, epsilon: float) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + epsilon)


samples(
    "normalized",
    case(real(3, 5), epsilon=1e-5),
    case(real(2, 3, 4), epsilon=0.1),
    case(real(6), epsilon=0.0),
    case(real(2, 0), epsilon=1e-5),
    case(values([[2.0, 2.0], [-1.0, 1.0]]), epsilon=0.5),
    oracle=lambda x, epsilon: _normalized(x, epsilon) if x.size else x,
    ulps=16.0,
    call=lambda ug, x, epsilon: OPS["normalized"](x, epsilon=epsilon),
)


def _norm(x: Any, ord: float = 2, axis: Any = None, keepdims: bool = False) -> Any:
    size = np.abs(x)
    chosen = {math.inf: np.max, -math.inf: np.min}.get(ord)
    if chosen is not None:
        return chosen(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(size != 0, axis=axis, keepdims=keepdims).astype(size.dtype)
    with np.errstate(divide="ignore"):
        return np.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


samples(
    "norm",
    *[
        one
        for ord in (1, 2, math.inf, -math.inf, 3, 2.5, 0.5, -1)
        for one in (
            case(distinct(2, 3, 5), ord=ord),
            case(distinct(2, 3, 5), ord=ord, axis=1),
            case(distinct(2, 3, 5), ord=ord, axis=(0, 2), keepdims=True),
            case(real(), ord=ord),
        )
    ],
    oracle=_norm,
    ulps=8.0,
)
samples(
    "norm",
    *[
        case(values([[0.0, 0.0], [0.0, 0.0]]), ord=ord, axis=1)
        for ord in (1, 2, math.inf, -math.inf, 3, 0.5, -1)
    ],
    case(distinct(2, 3), ord=0, axis=1),
    case(values([[0.0, 2.0], [0.0, 0.0]]), ord=0),
    case(real(2, 3), ord=0, axis=(0, 1), keepdims=True),
    oracle=_norm,
    zero_gradient=True,
)
samples(
    "norm",
    case(real(2, 0), ord=3, axis=1),
    case(real(2, 0), ord=0.5, axis=1, keepdims=True),
    case(real(3), ord=3, axis=()),
    oracle=_norm,
)


def _running(function: Any, initial: float) -> Any:
    def oracle(
        x: Any, axis: int | None = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        axis = 0 if axis is None else axis
        out = function(x, axis=axis, dtype=dtype)
        if include_initial:
            first = np.full_like(np.take(out, [0], axis=axis), initial)
            out = np.concatenate([first, out], axis=axis)
        return out

    return oracle


for _op, _oracle in (
    ("cumulative_sum", _running(np.cumsum, 0)),
    ("cumulative_prod", _running(np.cumprod, 1)),
):
    samples(
        _op,
        case(real(5)),
        case(real(1)),
        case(real(2, 3, 4), axis=1),
        case(real(2, 3, 4), axis=-1),
        case(real(3, 2), axis=0, include_initial=True),
        case(_ZEROS, axis=1),
        oracle=_oracle,
        ulps=8.0,
    )
    samples(_op, case(integers(3, 4), axis=1), oracle=_oracle, dtype="int64", differentiable=False)
    samples(
        _op,
        case(integers(5), dtype="float64"),
        oracle=_oracle,
        dtype="float64",
        differentiable=False,
    )
samples("cumulative_prod", case(values([2.0, 0.0, 3.0])), oracle=np.cumprod)


def _difference(x: Any, prepend: Any = None, append: Any = None, **settings: Any) -> Any:
    given = {"prepend": prepend, "append": append}
    return np.diff(x, **settings, **{k: v for k, v in given.items() if v is not None})


samples(
    "diff",
    case(real(5)),
    case(real(5), n=2),
    case(real(5), n=0),
    case(real(3, 4), axis=0),
    case(real(2, 3), prepend=[[0.5], [1.5]], append=[[2.0, 3.0], [4.0, 5.0]]),
    case(real(1)),
    oracle=_difference,
    ulps=8.0,
)
samples("diff", case(booleans(6)), oracle=_difference, dtype="bool", differentiable=False)
samples(
    "allclose",
    case(values([1.0, 2.0]), values([1.0, 2.0 + 1e-7])),
    case(values([1.0, 2.0]), values([1.0, 2.1])),
    case(values([1.0, math.nan]), values([1.0, math.nan])),
    case(values([1.0, math.nan]), values([1.0, math.nan]), equal_nan=True),
    case(values([1.0, 2.0]), values([1.0, 2.1]), rtol=0.1),
    oracle=np.allclose,
    dtype="bool",
    differentiable=False,
)
