"""How an elementwise op is declared.

`unary` and `binary` make the public function of an elementwise op. They are the hottest code in
the library: one function call, no look-up of context, no ``**settings``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeAlias

from unigrad.core import recorders
from unigrad.core.arguments import TensorLike, as_tensor, promoted, readable, to_floating
from unigrad.core.op import broadcasting, explain, primitive, run_if_watched
from unigrad.core.tensor import Tensor

_new = Tensor.__new__
_process = recorders.process
_NONE: Mapping[str, Any] = {}
#: Libraries take integers below this one beside floats.
_LARGE = 2**31


_Unary: TypeAlias = Callable[[TensorLike], Tensor]
_Binary: TypeAlias = Callable[[TensorLike, TensorLike], Tensor]


def unary(floating: bool = False) -> Callable[[_Unary], _Unary]:
    """Declare an elementwise op of one tensor; the decorated function gives name and docstring.

    ``floating`` computes integers and bools in the default dtype. A function with a body is a
    composite, one that only has a docstring (returns None on None) a primitive: pass ``...``.
    """

    def declare(function: _Unary) -> _Unary:
        op = primitive(function.__name__.removesuffix("_"))
        kernels = op.kernels
        # One input always broadcasts: whatever a kernel refuses, it is the dtype.
        broadcasting.add(op.name)

        @wraps(function)
        def run(x: TensorLike, /) -> Tensor:
            if type(x) is Tensor:
                backend = x.backend
                native = x.native
                if not floating or native.dtype in backend.native_floats:
                    if _process.recording and x.uid:
                        watched: Tensor | None = run_if_watched(
                            op, backend, (x,), (native,), (x.uid,), _NONE
                        )
                        if watched is not None:
                            return watched
                    try:
                        result = kernels[backend](native)  # type: ignore[misc]
                    except Exception as error:
                        raise explain(op, backend, (native,), {}, error) from error
                    if type(result) is not backend.array_type:
                        result = backend.settle(result)
                    tensor = _new(Tensor)
                    tensor.native = result
                    tensor.backend = backend
                    tensor.uid = 0
                    return tensor
            elif type(x) in readable:
                return run(x.__unigrad_tensor__())
            x = as_tensor(x)
            out: Tensor = op(to_floating(x) if floating else x)
            return out

        op.public = run
        return run

    return declare


def binary(floating: bool = False) -> Callable[[_Binary], _Binary]:
    """Declare an elementwise op of two tensors, which broadcast and promote to one dtype."""

    def declare(function: _Binary) -> _Binary:
        op = primitive(function.__name__)
        kernels = op.kernels
        broadcasting.add(op.name)

        @wraps(function)
        def run(x1: TensorLike, x2: TensorLike, /) -> Tensor:
            if type(x1) in readable:
                x1 = x1.__unigrad_tensor__()
            if type(x2) in readable:
                x2 = x2.__unigrad_tensor__()
            if type(x1) is Tensor:
                backend = x1.backend
                first = x1.native
                uid = 0
                if type(x2) is Tensor:
                    second = x2.native
                    uid = x2.uid
                    fits = (
                        x2.backend is backend
                        and first.dtype is second.dtype
                        and (not floating or first.dtype in backend.native_floats)
                    )
                else:
                    second = x2
                    absorbing = backend.weak.get(type(x2))
                    fits = (
                        absorbing is not None
                        and first.dtype in absorbing
                        and op.name in backend.scalar_ops
                        # Other integers may not fit: the long way takes a closer look.
                        and (
                            type(x2) is float
                            or 0 <= x2 < 128
                            or (-_LARGE < x2 < _LARGE and first.dtype in backend.native_floats)
                        )
                        and (not floating or first.dtype in backend.native_floats)
                    )
                if fits:
                    if _process.recording and (x1.uid or uid):
                        watched: Tensor | None = run_if_watched(
                            op, backend, (x1, x2), (first, second), (x1.uid, uid), _NONE
                        )
                        if watched is not None:
                            return watched
                    try:
                        result = kernels[backend](first, second)  # type: ignore[misc]
                    except Exception as error:
                        raise explain(op, backend, (first, second), {}, error) from error
                    if type(result) is not backend.array_type:
                        result = backend.settle(result)
                    tensor = _new(Tensor)
                    tensor.native = result
                    tensor.backend = backend
                    tensor.uid = 0
                    return tensor
            x1, x2 = promoted(op, x1, x2)
            if floating:
                x1, x2 = to_floating(x1), to_floating(x2)
            out: Tensor = op(x1, x2)
            return out

        op.public = run
        return run

    return declare
