"""How an elementwise op is declared.

`unary` and `binary` make the public function of an elementwise op. They are the hottest code in
the library: one function call, no look-up of context, no ``**settings``. While nothing records they
do themselves what `dispatch` would, which takes 0.1 µs less of 0.55 on NumPy and of 3.5 on JAX, and
0.3 less of 5.7 on TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import copysign
from typing import Any, TypeAlias

import numpy as np

from unigrad.core import recorders
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    common_tensors,
    promoted,
    readable,
    to_floating,
)
from unigrad.core.backend import Backend
from unigrad.core.dispatch import NONE, by_rare_kernel, dispatch
from unigrad.core.dtypes import COMPLEX, bool_, most
from unigrad.core.errors import DTypeError
from unigrad.core.op import Op, primitive
from unigrad.core.plans import Planned
from unigrad.core.tensor import Tensor

_process = recorders.process
#: Libraries take integers below this one beside floats.
_LARGE = 2**31


_Unary: TypeAlias = Callable[[TensorLike], Tensor]
_Binary: TypeAlias = Callable[[TensorLike, TensorLike], Tensor]


def real_floating(name: str, x: TensorLike) -> Tensor:
    """Return real numbers in a floating dtype.

    Raises:
        DTypeError: for complex numbers.
    """
    x = as_tensor(x)
    if x.dtype in COMPLEX:
        raise DTypeError(f"{name}: complex numbers ({x.dtype.name}) are not taken")
    floating: Tensor = to_floating(x)
    return floating


def real_pair(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    """Return two of them in one dtype. Raises as `real_floating`."""
    first, second = common_tensors(name, (x1, x2))
    return real_floating(name, first), real_floating(name, second)


def unary(
    floating: bool = False, of: Op | None = None, of_complex: Op | None = None
) -> Callable[[_Unary], _Unary]:
    """Declare an elementwise op of one tensor; the decorated function gives name and docstring.

    ``floating`` computes integers and bools in the default dtype. ``of`` is the op where it is a
    composite, which takes real numbers, in a floating dtype. ``of_complex`` is the op of complex
    numbers where that is another one.
    """
    alike = of is None is of_complex

    def declare(function: _Unary) -> _Unary:
        op = of or primitive(function.__name__.removesuffix("_"))
        # One input always broadcasts: whatever a kernel refuses, it is the dtype.
        op.broadcasts = True
        kernels = op.kernels

        @wraps(function)
        def run(x: TensorLike, /) -> Tensor:
            if type(x) is Tensor:
                backend = x.backend
                native = x._native
                dtype = native.dtype
                if (
                    dtype is backend.native_single
                    or (alike and not floating)
                    or dtype in (backend.native_floats if alike else backend.native_reals)
                ):
                    # See the module: `tests/test_plans.py` holds this and `dispatch` together.
                    if not _process.recording:
                        kernel = kernels[backend]
                        if kernel is not None:
                            try:
                                result = kernel(native)
                            except Exception as error:
                                result = by_rare_kernel(op, backend, (native,), NONE, error)
                            if type(result) is not backend.array_type:
                                result = backend.settle(result)
                            tensor = Tensor()
                            tensor._native = result
                            tensor.backend = backend
                            tensor.uid = 0
                            return tensor
                    made: Tensor = dispatch(op, backend, (x,), (native,))
                    return made
            elif type(x) in readable:
                return run(x.__unigrad_tensor__())
            if of is not None:
                x = real_floating(op.name, x)
            else:
                x = to_floating(as_tensor(x)) if floating else as_tensor(x)
            chosen = op
            if of_complex is not None and x._native.dtype in x.backend.native_complex:
                chosen = of_complex
            out: Tensor = chosen(x)
            return out

        op.public = run
        return run

    return declare


def binary(floating: bool = False) -> Callable[[_Binary], _Binary]:
    """Declare an elementwise op of two tensors, which broadcast and promote to one dtype."""

    def declare(function: _Binary) -> _Binary:
        op = primitive(function.__name__)
        op.broadcasts = True
        kernels = op.kernels

        @wraps(function)
        def run(x1: TensorLike, x2: TensorLike, /) -> Tensor:
            if type(x1) is Tensor:
                backend = x1.backend
                first = x1._native
                dtype = first.dtype
                if type(x2) is Tensor:
                    second = x2._native
                    fits = x2.backend is backend and dtype is second.dtype
                else:
                    second = x2
                    kind = type(x2)
                    # The commonest numbers without a call.
                    fits = (
                        (
                            (kind is float and (0.0 < x2 < 6e4 or -6e4 < x2 < 0.0))
                            or (kind is int and 0 <= x2 < 128)
                        )
                        and dtype in backend.weak[kind]
                        and op.name in backend.scalar_ops
                    ) or _absorbs(backend, op, dtype, x2)
                if fits and (
                    dtype is backend.native_single or not floating or dtype in backend.native_floats
                ):
                    # See the module: `tests/test_plans.py` holds this and `dispatch` together.
                    if not _process.recording:
                        kernel = kernels[backend]
                        if kernel is not None:
                            try:
                                result = kernel(first, second)
                            except Exception as error:
                                result = by_rare_kernel(op, backend, (first, second), NONE, error)
                            if type(result) is not backend.array_type:
                                result = backend.settle(result)
                            tensor = Tensor()
                            tensor._native = result
                            tensor.backend = backend
                            tensor.uid = 0
                            return tensor
                    made: Tensor = dispatch(op, backend, (x1, x2), (first, second))
                    return made
            elif type(x2) is Tensor:
                # A number before a tensor, as in 1.0 - x.
                backend, second = x2.backend, x2._native
                dtype = second.dtype
                if _absorbs(backend, op, dtype, x1) and (
                    not floating or dtype in backend.native_floats
                ):
                    return dispatch(op, backend, (x1, x2), (x1, second))  # type: ignore[no-any-return]
            if type(x1) in readable or type(x2) in readable:
                return run(
                    x1.__unigrad_tensor__() if type(x1) in readable else x1,
                    x2.__unigrad_tensor__() if type(x2) in readable else x2,
                )
            x1, x2 = promoted(op, x1, x2)
            if floating:
                x1, x2 = to_floating(x1), to_floating(x2)
            out: Tensor = op(x1, x2)
            return out

        op.public = run
        return run

    return declare


def one_at_once(op: Op | Planned, takes: str = "native_reals") -> Callable[[_Unary], _Unary]:
    """Give the public function of an op of one tensor a short way to it.

    It is for tensors of the dtypes that a backend has in this table.
    """
    of_single = takes == "native_reals"

    def declare(function: _Unary) -> _Unary:
        @wraps(function)
        def run(x: TensorLike, /) -> Tensor:
            if type(x) is Tensor:
                backend = x.backend
                native = x._native
                dtype = native.dtype
                if (of_single and dtype is backend.native_single) or (
                    dtype in getattr(backend, takes)
                ):
                    made: Tensor = dispatch(op, backend, (x,), (native,))
                    return made
            return function(x)

        return run

    return declare


def pairs_at_once(op: Op, takes: str = "native_reals") -> Callable[[_Binary], _Binary]:
    """Give the public function of an elementwise op of two tensors a short way to it.

    It is for two tensors of one backend and one dtype, which the backend has in this table.
    """
    op.broadcasts = True
    of_single = takes == "native_reals"

    def declare(function: _Binary) -> _Binary:
        @wraps(function)
        def run(x1: TensorLike, x2: TensorLike, /) -> Tensor:
            if type(x1) is Tensor and type(x2) is Tensor and x1.backend is x2.backend:
                backend, first, second = x1.backend, x1._native, x2._native
                dtype = first.dtype
                if dtype is second.dtype and (
                    (of_single and dtype is backend.native_single)
                    or dtype in getattr(backend, takes)
                ):
                    made: Tensor = dispatch(op, backend, (x1, x2), (first, second))
                    return made
            return function(x1, x2)

        return run

    return declare


def _absorbs(backend: Backend, op: Op, dtype: Any, scalar: Any) -> bool:
    """Tell whether a kernel takes a Python scalar beside an array of this native dtype."""
    kind = type(scalar)
    absorbing = backend.weak.get(kind)
    return (
        absorbing is not None
        and dtype in absorbing
        and op.name in backend.scalar_ops
        # Other integers may not fit: the long way takes a closer look.
        and (
            # Some libraries keep one constant for 0.0 and -0.0.
            (
                kind is float
                and (
                    0.0 < abs(scalar) <= _most(backend, dtype)
                    or (not scalar and copysign(1.0, scalar) > 0.0)
                )
            )
            or (kind is int and 0 <= scalar < 128)
            or (
                kind is int
                and -_LARGE < scalar < _LARGE
                and dtype in backend.native_floats
                and (-60000 < scalar < 60000 or abs(scalar) <= _most(backend, dtype))
            )
        )
    )


def numbers_beside(op: Op, given: list[Any]) -> list[Any]:
    """Return an elementwise op's inputs, with arrays for numbers that their backend does not take.

    What was captured on one backend has numbers where that one takes them.
    """
    tensors = [x for x in given if type(x) is Tensor]
    if len(tensors) == len(given):
        return given
    like = next((x for x in tensors if x.dtype != bool_), tensors[0])
    if not op.broadcasts and op.name not in like.backend.scalar_ops:
        return given
    return [
        x
        if type(x) is Tensor or _absorbs(like.backend, op, like._native.dtype, x)
        else as_tensor(np.asarray(x, like.dtype), like)
        for x in given
    ]


def _most(backend: Backend, native_dtype: Any) -> float:
    """Return the largest float that a native dtype holds."""
    found = _MOST.get(native_dtype)
    if found is None:
        _MOST.update((backend.native_dtype(one), most(one)) for one in backend.dtypes())
        found = _MOST[native_dtype]
    return found


_MOST: dict[Any, float] = {}
