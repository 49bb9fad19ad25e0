"""Derivatives of reading and writing by index: each is the other's transpose."""

from typing import Any

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.rules.registry import linear, rule, zero
from unigrad.core.op import OPS, cast
from unigrad.core.tensor import Tensor

_op = OPS.__getitem__


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
    lambda g, out, x, index, axis: _op("scatter_add")(
        g, index, axis=axis, length=x.shape[axis]
    ),
)
_linear_in_first(
    "scatter_add",
    lambda g, out, v, index, axis, length: _op("take")(g, index, axis=axis),
)
_linear_in_first(
    "take_along_axis",
    lambda g, out, x, index, axis: _op("add_along_axis")(
        g, index, axis=axis, length=x.shape[axis]
    ),
)
_linear_in_first(
    "add_along_axis",
    lambda g, out, v, index, axis, length: _op("take_along_axis")(g, index, axis=axis),
)
zero("ravel_index", "nonzero")
