"""Axes of length zero in derivatives: gradients of the inputs' shapes, in both modes, twice.

One line per call: shapes, and a function of tensors of these shapes. What comes out has no
elements or is made of nothing, so that shapes and dtypes are all there is to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import spares_programs
from unigrad_conformance.levels import Level
from unigrad_conformance.subject import Deviation, quiet

Shape: TypeAlias = tuple[int, ...]
Function: TypeAlias = Callable[..., Any]
_Rows: TypeAlias = Iterator[tuple[str, Function, tuple[Shape, ...]]]

#: Pairs of shapes that broadcast to nothing.
_BROADCAST: tuple[tuple[Shape, Shape], ...] = (
    ((0, 3), (3,)), ((0, 3), (1, 3)), ((0, 1), (1, 3)), ((3, 0), (3, 1)), ((0,), ()),
)  # fmt: skip
_PRODUCTS: tuple[tuple[Shape, Shape], ...] = (
    ((2, 5, 0), (0, 3)), ((0, 4), (4, 3)), ((2, 4), (4, 0)), ((0,), (0,)), ((3, 0), (0,)),
    ((0,), (0, 3)), ((4,), (4, 0)), ((0, 2, 3), (3, 4)), ((0, 2, 3), (0, 3, 4)),
    ((2, 0, 3), (1, 3, 4)), ((2, 2, 0), (2, 0, 3)),
)  # fmt: skip
_MAPS: tuple[tuple[Shape, Shape, Shape], ...] = (
    ((2, 0), (0, 3), (3,)), ((2, 5, 0), (0, 3), (3,)), ((0,), (0, 3), (3,)),
    ((0, 4), (4, 3), (3,)), ((2, 0, 4), (4, 3), (3,)), ((2, 4), (4, 0), (0,)),
)  # fmt: skip
_EINSUMS: tuple[tuple[str, tuple[Shape, ...]], ...] = (
    ("ij,jk->ik", ((2, 0), (0, 3))), ("bij,bjk->bik", ((0, 2, 3), (0, 3, 4))),
    ("ij->j", ((0, 3),)), ("ii->", ((0, 0),)), ("i,j->ij", ((0,), (3,))),
    ("ij,jk,kl->il", ((2, 0), (0, 3), (3, 2))),
)  # fmt: skip
_UNARY = (
    "abs", "acosh", "cos", "erfinv", "exp", "floor", "log", "reciprocal", "sign", "sinc", "sqrt",
    "square", "tanh",
)  # fmt: skip
_ACTIVATIONS = (
    "celu", "elu", "gelu", "hard_silu", "hard_tanh", "leaky_relu", "mish", "relu", "relu6", "selu",
    "sigmoid", "silu", "softplus",
)  # fmt: skip
_BINARY = (
    "add", "atan2", "copysign", "divide", "floor_divide", "fmax", "heaviside", "hypot", "logaddexp",
    "maximum", "multiply", "pow", "remainder",
)  # fmt: skip


def _elementwise() -> _Rows:
    for name in _UNARY:
        yield name, lambda x, name=name: getattr(ug, name)(x), ((0, 3),)
    for name in _ACTIVATIONS:
        yield name, lambda x, name=name: getattr(ug.nn, name)(x), ((2, 0),)
    for name in _BINARY:
        for shapes in _BROADCAST:
            yield name, lambda x, y, name=name: getattr(ug, name)(x, y), shapes
    yield "a number % y", lambda y: 5.0 % y, ((0,),)
    yield "a number ** y", lambda y: 2.0**y, ((0,),)
    yield "maximum with a number", lambda x: ug.maximum(x, 0.5), ((0,),)
    yield "clip", lambda x: ug.clip(x, 0.0, 1.0), ((0,),)
    yield "where", lambda x, y: ug.where(x > y, x, y), ((2, 0), (2, 0))


def _reductions() -> _Rows:
    for name in ("sum", "mean", "prod", "var", "std", "norm", "logsumexp"):
        for axis in (None, 0, 1, (0, 1)):
            for shape in ((0, 3), (3, 0)):
                yield (
                    f"{name} over {axis}",
                    lambda x, name=name, axis=axis: getattr(ug, name)(x, axis=axis),
                    (shape,),
                )
    for name in ("max", "min", "softmax", "log_softmax"):
        function = getattr(ug, name) if name in ("max", "min") else getattr(ug.nn, name)
        yield name, lambda x, function=function: function(x, axis=1), ((0, 3),)
    for name in ("cumulative_sum", "cumulative_prod"):
        for length in ((0, 3), (3, 0), (0,), (1,)):
            for initial in (False, True):
                yield (
                    f"{name} with initial" if initial else name,
                    lambda x, name=name, initial=initial: getattr(ug, name)(
                        x, axis=0, include_initial=initial
                    ),
                    (length,),
                )
    for n in range(4):
        yield f"diff of order {n}", lambda x, y, n=n: ug.diff(x, n=n, append=y), ((2,), (1,))
        yield f"diff of order {n}", lambda x, y, n=n: ug.diff(x, n=n, prepend=y), ((0,), (0,))
    for name in ("count_nonzero", "any", "all"):
        yield name, lambda x, name=name: getattr(ug, name)(x, axis=0), ((0, 3),)


def _products() -> _Rows:
    for pair in _PRODUCTS:
        yield "matmul", lambda x, y: x @ y, pair
    for triple in _MAPS:
        yield "linear", ug.linear, triple
    for equation, operands in _EINSUMS:
        yield f"einsum {equation}", partial(ug.einsum, equation), operands
    yield "tensordot", lambda x, y: ug.tensordot(x, y, axes=1), ((2, 0), (0, 3))
    yield "tensordot", lambda x, y: ug.tensordot(x, y, axes=0), ((2, 0), (3,))
    yield "vecdot", ug.vecdot, ((2, 0), (2, 0))
    yield "vecdot", ug.vecdot, ((0, 3), (3,))
    yield "outer", ug.outer, ((0,), (3,))
    yield "trace", ug.trace, ((0, 0),)


def _shaping() -> _Rows:
    yield "concat", lambda x, y: ug.concat([x, y]), ((0, 3), (2, 3))
    yield "concat", lambda x, y: ug.concat([x, y], axis=1), ((2, 0), (2, 0))
    yield "concat of one", lambda x: ug.concat([x]), ((0,),)
    yield "stack", lambda x, y: ug.stack([x, y]), ((0, 3), (0, 3))
    yield "split", lambda x: ug.split(x, [0, 2], axis=1), ((2, 3),)
    yield "split", lambda x: ug.split(x, [0]), ((0, 3),)
    yield "unstack", ug.unstack, ((2, 0),)
    yield "reshape", lambda x: ug.reshape(x, (3, 0)), ((0, 5),)
    yield "broadcast_to", lambda x: ug.broadcast_to(x, (0, 3)), ((1, 3),)
    yield "broadcast_to", lambda x: ug.broadcast_to(x, (4, 0)), ((0,),)
    yield "permute_dims", lambda x: ug.permute_dims(x, (1, 0)), ((0, 3),)
    yield "flip", ug.flip, ((0, 3),)
    for axis in (None, 0, 1):
        yield f"roll over {axis}", lambda x, axis=axis: ug.roll(x, 2, axis=axis), ((0, 3),)
    yield "pad", lambda x: ug.pad(x, ((1, 1), (0, 0))), ((0, 3),)
    yield "pad by nothing", lambda x: ug.pad(x, ((0, 0), (0, 0))), ((0, 3),)
    yield "tile", lambda x: ug.tile(x, (0, 2)), ((2, 3),)
    yield "tile", lambda x: ug.tile(x, (3, 2)), ((0, 3),)
    yield "repeat", lambda x: ug.repeat(x, 0, axis=0), ((2, 3),)
    yield "repeat by each", lambda x: ug.repeat(x, [0, 0], axis=0), ((2, 3),)
    for name in ("tril", "triu", "diag"):
        yield name, lambda x, name=name: getattr(ug, name)(x), ((0, 3),)
    yield "diag", lambda x: ug.diag(x, k=1), ((0,),)
    yield "meshgrid", ug.meshgrid, ((0,), (3,))


def _indexing() -> _Rows:
    def none() -> ug.Tensor:
        return ug.zeros((0,), dtype="int64")

    yield "sort", ug.sort, ((0,),)
    yield "sort", lambda x: ug.sort(x, axis=1, descending=True), ((0, 3),)
    yield "top_k", lambda x: ug.top_k(x, 0)[0], ((3,),)
    yield "unique_values", ug.unique_values, ((0,),)
    yield "take", lambda x: ug.take(x, none(), axis=0), ((3, 2),)
    yield "take", lambda x: ug.take(x, none(), axis=0), ((0, 2),)
    yield "take", lambda x: ug.take(x, [0, 1], axis=0), ((2, 0),)
    for count in (0, 2):
        yield (
            "take_along_axis",
            lambda x, count=count: ug.take_along_axis(
                x, ug.zeros((count, 0), dtype="int64"), axis=1
            ),
            ((count, 3),),
        )
    keys: tuple[Any, ...] = (
        slice(0, 0), (slice(None), slice(None, None, -1)), [], None, True, False
    )  # fmt: skip
    for key in keys:
        yield f"x[{key}]", lambda x, key=key: x[key], ((3, 2),)
        yield f"x[{key}]", lambda x, key=key: x[key], ((0, 2),)
    yield "x[mask]", lambda x: x[x > 9.0], ((3, 2),)
    for how in ("set", "add", "multiply", "min", "max"):

        def write(x: Any, v: Any, key: Any, how: str = how) -> Any:
            return getattr(x.at[key], how)(v)

        yield f"x[0:0] {how}", partial(write, key=slice(0, 0)), ((3, 2), (0, 2))
        yield f"x[[]] {how}", partial(write, key=[]), ((3, 2), (0, 2))
        yield f"x[:] {how}", partial(write, key=slice(None)), ((0, 2), ())
        yield f"x[True] {how}", partial(write, key=True), ((2,), ())
        yield f"x[True] {how}", partial(write, key=True), ((2, 3), (1, 2, 3))
        yield f"x[False] {how}", partial(write, key=False), ((2, 3), (0, 2, 3))


def _check(function: Function, shapes: tuple[Shape, ...], few: bool) -> None:
    """Differentiate once and twice, natively and by the rules, and in forward mode."""
    generator = np.random.default_rng(0)
    arrays = [generator.uniform(0.2, 0.8, shape) for shape in shapes]
    alone = [one.shape for one in _listed(function(*map(ug.asarray, arrays)))]
    for reference in (False, True):
        xs = [*map(ug.asarray, arrays)]
        with ug.GradientTape(reference=reference) as tape:
            tape.watch(xs)
            results = _listed(function(*xs))
        if [one.shape for one in results] != alone:
            raise Deviation(f"on a tape the results' shapes are not {alone}")
        _require_shapes("gradient", tape.gradient(results, xs, unconnected_gradients="zero"), xs)
        if few:
            return
        with ug.GradientTape(reference=reference) as outer:
            outer.watch(xs)
            with ug.GradientTape(reference=reference) as inner:
                inner.watch(xs)
                results = _listed(function(*xs))
            first = inner.gradient(results, xs, unconnected_gradients="zero")
            total = sum((ug.sum(one * one) for one in first), ug.sum(xs[0]))
        _require_shapes("seen gradient", first, xs)
        second = outer.gradient(total, xs, unconnected_gradients="zero")
        _require_shapes("second gradient", second, xs)
    xs = [*map(ug.asarray, arrays)]
    results, tangents = ug.jvp(function, xs, [ug.ones_like(x) for x in xs])
    for result, tangent in zip(_listed(results), _listed(tangents), strict=True):
        if tangent is not None and tangent.shape != result.shape:
            raise Deviation(f"a tangent of shape {tangent.shape} for one of {result.shape}")


def _require_shapes(what: str, found: list[ug.Tensor], xs: list[ug.Tensor]) -> None:
    for i, (one, x) in enumerate(zip(found, xs, strict=True)):
        if one.shape != x.shape or one.dtype != x.dtype:
            raise Deviation(
                f"{what} by input {i}: {one.dtype.name}{one.shape}, the input is "
                f"{x.dtype.name}{x.shape}"
            )


def _listed(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (tuple, list)) else [results]


def check_empty(function: Function, shapes: tuple[Shape, ...], level: Level = Level.FULL) -> None:
    """Check one line of the table; in a brief run, where each program is compiled, once."""
    with quiet():
        _check(function, shapes, spares_programs(level))


def every_empty(level: Level = Level.FULL) -> Iterator[tuple[str, Callable[[], None]]]:
    """Return a name and a check for every line."""
    for rows in (_elementwise, _reductions, _products, _shaping, _indexing):
        for name, function, shapes in rows():
            yield (
                f"{name} of {' '.join(map(str, shapes))}",
                partial(check_empty, function, shapes, level),
            )
