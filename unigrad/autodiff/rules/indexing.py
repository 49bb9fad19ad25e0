"""Derivatives of reading and writing by index: each is the other's transpose."""

from collections.abc import Callable
from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.rules.registry import rule, zero
from unigrad.core.arguments import cast, hidden
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops import updating as _updating  # noqa: F401  (declares the writes)
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import equal, greater_equal, less, logical_and, where
from unigrad.ops.shaping import reshape


def _op(name: str) -> Callable[..., Tensor]:
    """Return an op by name."""
    return OPS[name]


def _written(name: str, g: Tensor, index: Tensor, axis: int) -> Tensor:
    """Read a cotangent at the indices of a write, zero where nothing was written.

    A program drops what lies out of bounds, where its reads are NaN; nothing else does.
    """
    found = _op(name)(g, index, axis=axis)
    if not hidden(index):
        return found
    length = g.shape[axis]
    inside = logical_and(greater_equal(index, -length), less(index, length))
    if name == "take":
        inside = reshape(inside, (1,) * axis + index.shape + (1,) * (g.ndim - axis - 1))
    return where(inside, found, zeros_like(found))


def _linear_in_first(name: str, vjp: Any) -> None:
    """Write down an op that is linear in its first input; the others are integers."""

    def jvp(t: Any, out: Any, x: Tensor, *rest: Any, **settings: Any) -> Any:
        return _op(name)(t[0], *rest, **settings)

    def none(g: Tensor, *_: Any, **__: Any) -> Tensor:
        raise AssertionError("an integer has no cotangent")

    rule(name, vjp, none, jvp=jvp)


_linear_in_first(
    "getitem",
    lambda g, out, x, *starts, spec: _op("place_slice")(g, *starts, spec=spec, shape=x.shape),
)
_linear_in_first(
    "place_slice",
    lambda g, out, v, *starts, spec, shape: _op("getitem")(g, *starts, spec=spec),
)
_linear_in_first(
    "take",
    lambda g, out, x, index, axis: _op("scatter_add")(g, index, axis=axis, length=x.shape[axis]),
)
_linear_in_first(
    "scatter_add",
    lambda g, out, v, index, axis, length: _written("take", g, index, axis),
)
_linear_in_first(
    "take_along_axis",
    lambda g, out, x, index, axis: _op("add_along_axis")(g, index, axis=axis, length=x.shape[axis]),
)
_linear_in_first(
    "add_along_axis",
    lambda g, out, v, index, axis, length: _written("take_along_axis", g, index, axis),
)
zero("ravel_index", "nonzero", "last_of_each")


# -- writing


def _full(tangents: Any, *inputs: Tensor) -> list[Tensor]:
    """Return tangents with zeros for those that are absent."""
    return [zeros_like(x) if t is None else t for t, x in zip(tangents, inputs, strict=True)]


def _slice_tangent(t: Any, out: Tensor, x: Tensor, v: Tensor, *starts: int, spec: Any) -> Tensor:
    result: Tensor = _op("slice_update")(*_full(t[:2], x, v), *starts, spec=spec)
    return result


rule(
    "slice_update",
    lambda g, out, x, v, *starts, spec: _op("slice_update")(g, zeros_like(v), *starts, spec=spec),
    lambda g, out, x, v, *starts, spec: _op("getitem")(g, *starts, spec=spec),
    jvp=_slice_tangent,
)


rule(
    "at_add",
    lambda g, out, x, v, index, axis: g,
    lambda g, out, x, v, index, axis: _written("take", g, index, axis),
    jvp=lambda t, out, x, v, index, axis: _op("at_add")(*_full(t[:2], x, v), index, axis=axis),
)


def _winning(g: Tensor, v: Tensor, index: Tensor, axis: int, length: int) -> Tensor:
    """Return the elements at indices, zero for those that a later write undid."""
    won = _op("last_of_each")(index, length=length)
    column = (1,) * axis + index.shape + (1,) * (g.ndim - axis - 1)
    return where(reshape(won, column), _op("take")(g, index, axis=axis), zeros_like(v))


rule(
    "scatter_set",
    lambda g, out, x, v, index, axis: _op("scatter_set")(g, zeros_like(v), index, axis=axis),
    lambda g, out, x, v, index, axis: _winning(g, v, index, axis, x.shape[axis]),
    jvp=lambda t, out, x, v, index, axis: _op("scatter_set")(*_full(t[:2], x, v), index, axis=axis),
)


def _shares(
    out: Tensor, x: Tensor, v: Tensor, index: Tensor, axis: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return where x and v are the extreme (1 or 0), and how many there are for each place."""
    length = x.shape[axis]
    own = cast(equal(x, out), x.dtype)
    given = cast(equal(v, _op("take")(out, index, axis=axis)), x.dtype)
    count = own + _op("scatter_add")(given, index, axis=axis, length=length)
    return own, given, maximum(count, 1.0)


def _extreme_of_x(g: Tensor, out: Tensor, x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    own, _, count = _shares(out, x, v, index, axis)
    return g * own / count


def _extreme_of_v(g: Tensor, out: Tensor, x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    _, given, count = _shares(out, x, v, index, axis)
    return given * _written("take", g / count, index, axis)


def _extreme_tangent(t: Any, out: Tensor, x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    own, given, count = _shares(out, x, v, index, axis)
    of_x, of_v = _full(t[:2], x, v)
    added = _op("scatter_add")(given * of_v, index, axis=axis, length=x.shape[axis])
    return (own * of_x + added) / count


rule("scatter_min", _extreme_of_x, _extreme_of_v, jvp=_extreme_tangent)
rule("scatter_max", _extreme_of_x, _extreme_of_v, jvp=_extreme_tangent)
