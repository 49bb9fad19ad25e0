"""Tensors in other libraries' functions: ``np.sin(x)``, ``torch.sin(x)``, ``jnp.sin(x)``, ….

Each library asks its arguments by a method of its own naming (a *protocol*); the methods are here
and `unigrad.ops.methods` attaches them to `Tensor` and `Variable`. NumPy's functions come back to
unigrad's op of the same name, so they are recorded and stay on their backend. Another library's
functions get an array of that library: the very native array where the tensor lives there (its
own autograd then goes on), else a copy of the values.

No framework is imported here: by the time one of its functions calls, its caller has.

Sources: NumPy's ``__array_ufunc__`` and ``__array__``, DLPack, PyTorch's ``__torch_function__``,
``__jax_array__``, ``__tf_tensor__``, and the Python array API standard.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.dispatch import native_of
from unigrad.core.errors import DTypeError, SettingError, TracingError
from unigrad.core.leaks import warn_if_it_leaves, warn_if_unseen

__all__: list[str] = []

#: Ufuncs whose op goes by another name; the others are called alike.
_OTHER_NAMES = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin",
    "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh",
    "conjugate": "conj", "float_power": "pow", "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift", "mod": "remainder", "power": "pow", "rint": "round",
    "right_shift": "bitwise_right_shift", "true_divide": "divide",
}  # fmt: skip
#: Ufuncs that reduce, by the reduction's name.
_REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all",
    "logical_or": "any",
}  # fmt: skip


def namespace(self: Any, /, *, api_version: str | None = None) -> Any:
    """Return the module whose functions take this tensor."""
    return sys.modules["unigrad"]


def array(self: Any, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
    """Return the values as an ndarray: always a copy.

    Raises:
        TracingError: inside a traced function.
        SettingError: when ``copy=False`` asks for none.
    """
    if copy is False:
        raise SettingError("the values of a Tensor are copied: np.asarray(x, copy=False) cannot be")
    values = as_tensor(self)._values("np.asarray(x)")
    return values if dtype is None else values.astype(dtype, copy=False)


def array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Run the op of a ufunc's name instead.

    Raises:
        DTypeError: when there is no such op, or for a setting or method that ops do not have.
    """
    ops = sys.modules["unigrad"]
    if method == "__call__" and not kwargs:
        op = getattr(ops, _OTHER_NAMES.get(ufunc.__name__, ufunc.__name__), None)
        if op is not None:
            like = as_tensor(next(x for x in inputs if hasattr(x, "__unigrad_interop__")))
            return op(*[as_tensor(x, like) if isinstance(x, np.ndarray) else x for x in inputs])
    if method == "reduce" and ufunc.__name__ in _REDUCTIONS:
        given = {name: value for name, value in kwargs.items() if value is not None}
        if set(given) <= {"axis", "keepdims"}:
            axis = kwargs.get("axis", 0)
            keepdims = bool(given.get("keepdims", False))
            return getattr(ops, _REDUCTIONS[ufunc.__name__])(*inputs, axis=axis, keepdims=keepdims)
    raise DTypeError(
        f"np.{ufunc.__name__} ({method}, settings {sorted(kwargs)}) has no counterpart among "
        "unigrad's ops; use np.asarray(x) to compute on the values"
    )


def dlpack(self: Any, **settings: Any) -> Any:
    """Return a DLPack capsule of the native array."""
    warn_if_it_leaves(as_tensor(self), "DLPack")
    return _native(self).__dlpack__(**settings)


def dlpack_device(self: Any) -> Any:
    """Return the device as DLPack numbers it."""
    native = _native(self)
    if not hasattr(native, "__dlpack_device__"):
        raise DTypeError(f"an array of {self.backend.name} does not speak DLPack")
    return native.__dlpack_device__()


def _native(x: Any) -> Any:
    """Return the array to hand out: its values without the graph."""
    tensor = as_tensor(x)
    if tensor.backend.is_traced(tensor.native):
        raise TracingError("a traced tensor has no values to share")
    return tensor.backend.detach(tensor.native)


def torch_function(
    cls: type, function: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
) -> Any:
    """Call a function of the library on native arrays."""
    library: Any = sys.modules["torch"]
    args, kwargs = tree.map(
        lambda one: (
            _foreign(one, library.Tensor, library.as_tensor)
            if hasattr(one, "__unigrad_interop__")
            else one
        ),
        (list(args), dict(kwargs or {})),
    )
    return function(*args, **kwargs)


def jax_array(self: Any) -> Any:
    """Return an array of the library that asks."""
    library: Any = sys.modules["jax"]
    return _foreign(self, library.Array, library.numpy.asarray)


def tf_tensor(self: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return a tensor of the library that asks."""
    library: Any = sys.modules["tensorflow"]
    found = _foreign(self, library.Tensor, library.constant)
    return found if dtype is None or found.dtype == dtype else library.cast(found, dtype)


def _foreign(x: Any, kind: type, make: Any) -> Any:
    """Return a tensor's native array if it is of a library's kind, else one of its values."""
    tensor = as_tensor(x)
    native = native_of(tensor, lent=True)
    warn_if_unseen(tensor, kind)
    return native if isinstance(native, kind) else make(tensor._values(None))


#: The methods by name.
PROTOCOLS: dict[str, Any] = {
    "__array__": array,
    "__array_namespace__": namespace,
    "__array_ufunc__": array_ufunc,
    "__dlpack__": dlpack,
    "__dlpack_device__": dlpack_device,
    "__jax_array__": jax_array,
    "__tf_tensor__": tf_tensor,
    "__torch_function__": classmethod(torch_function),
    "__unigrad_interop__": True,
}
