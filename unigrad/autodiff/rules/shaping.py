"""Derivatives of the ops that only move elements: their transposes."""

from typing import Any

from unigrad.autodiff.backward import unbroadcast, zeros_like
from unigrad.autodiff.rules.registry import linear, rule, variadic, zero
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops import repeating as _repeating  # noqa: F401  (declares pad, tril, triu)
from unigrad.ops.indexing import getitem
from unigrad.ops.shaping import permute_dims, reshape


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    inverse = [0] * len(axes)
    for position, axis in enumerate(axes):
        inverse[axis] = position
    return tuple(inverse)


def _variadic_jvp(name: str) -> Any:
    """The tangent of an op linear in all its inputs together: absent tangents are zeros."""

    def jvp(tangents: Any, out: Any, *inputs: Tensor, **settings: Any) -> Any:
        full = [zeros_like(x) if t is None else t for t, x in zip(tangents, inputs, strict=True)]
        return OPS[name](*full, **settings)

    return jvp


linear("reshape", lambda g, out, x, shape: reshape(g, x.shape))
linear("broadcast_to", lambda g, out, x, shape: unbroadcast(g, x.shape))
linear("permute_dims", lambda g, out, x, axes: permute_dims(g, _inverse(axes)))
linear("to_device", lambda g, out, x, device: OPS["to_device"](g, device=x.device))
linear("flip", lambda g, out, x, axis: OPS["flip"](g, axis=axis))
linear(
    "roll",
    lambda g, out, x, shift, axis: OPS["roll"](g, shift=tuple(-n for n in shift), axis=axis),
)


def _unpad(g: Tensor, out: Any, x: Tensor, widths: Any, value: Any) -> Tensor:
    """Return the part of a cotangent that is not padding."""
    return getitem(g, tuple([slice(w[0], w[0] + n) for w, n in zip(widths, x.shape, strict=True)]))


rule(
    "pad",
    _unpad,
    jvp=lambda t, out, x, widths, value: OPS["pad"](t[0], widths=widths, value=0),
)
zero("full", "full_like")
linear("tril", lambda g, out, x, k: OPS["tril"](g, k=k))
linear("triu", lambda g, out, x, k: OPS["triu"](g, k=k))


def _piece(i: int, g: Tensor, out: Any, *xs: Tensor, axis: int) -> Tensor:
    """Return the part of a cotangent that belongs to the i-th of the joined tensors."""
    start = sum(x.shape[axis] for x in xs[:i])
    return getitem(g, (*[slice(None)] * axis, slice(start, start + xs[i].shape[axis])))


variadic(
    "stack",
    lambda i, g, out, *xs, axis: getitem(g, (*[slice(None)] * axis, i)),
    _variadic_jvp("stack"),
)
variadic("concat", _piece, _variadic_jvp("concat"))
linear("split", lambda g, out, x, axis, sizes: OPS["concat"](*g, axis=axis))
linear("unstack", lambda g, out, x, axis: OPS["stack"](*g, axis=axis))
