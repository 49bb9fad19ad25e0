"""The protocols by which programs and NumPy take tensors: ``np.sin(x)``, ``np.asarray(x)``, DLPack.

`unigrad.ops.methods` attaches these methods to `Tensor` and `Variable`. NumPy's functions come back
to unigrad's op of the same name, so they are recorded and stay on their backend; for those that are
no ufuncs see `unigrad.ops.numpy_functions`. The protocols of other libraries are their backends' to
say: see `unigrad.core.foreign`.

Sources: NumPy's ``__array_ufunc__`` and ``__array__``, DLPack, and the Python array API standard.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import as_tensor
from unigrad.core.errors import DTypeError, SettingError, TracingError
from unigrad.core.leaks import warn_if_it_leaves
from unigrad.ops.numpy_functions import array_function

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
#: Ufuncs that accumulate, by the op's name.
_ACCUMULATIONS = {"add": "cumulative_sum", "multiply": "cumulative_prod"}


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
        TypeError: for ``ufunc.at``, which would write into a tensor.
    """
    ops = sys.modules["unigrad"]
    name = ufunc.__name__
    given = {key: value for key, value in kwargs.items() if value is not None}
    like = as_tensor(next(x for x in inputs if hasattr(x, "__unigrad_interop__")))
    beside = [as_tensor(x, like) if isinstance(x, np.ndarray) else x for x in inputs]
    op = divmod if name == "divmod" else getattr(ops, _OTHER_NAMES.get(name, name), None)
    if op is not None and not given:
        if method == "__call__":
            return op(*beside)
        if method == "outer":
            first, second = (as_tensor(x, like) for x in beside)
            return op(first[(..., *(None,) * second.ndim)], second)
    table = {"reduce": _REDUCTIONS, "accumulate": _ACCUMULATIONS}.get(method, {})
    if name in table and set(given) <= {"axis", "keepdims"}:
        return getattr(ops, table[name])(*beside, **{**given, "axis": kwargs.get("axis", 0)})
    if method == "at":
        raise TypeError(
            f"np.{name}.at: a tensor is a value; nothing is written into it: use x.at[i]"
        )
    raise DTypeError(
        f"np.{name} ({method}, settings {sorted(kwargs)}) has no counterpart among unigrad's ops; "
        "use np.asarray(x) to compute on the values"
    )


def dlpack(
    self: Any,
    /,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[Any, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Return a DLPack capsule of the native array, whose library reads what is given."""
    warn_if_it_leaves(as_tensor(self), "DLPack")
    settings = {
        "stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy,
    }  # fmt: skip
    given = {name: value for name, value in settings.items() if value is not None}
    return _native(self).__dlpack__(**given)


def dlpack_device(self: Any) -> Any:
    """Return the device as DLPack numbers it."""
    native = _native(self)
    if not hasattr(native, "__dlpack_device__"):
        raise DTypeError(f"an array of {self.backend.name} does not speak DLPack")
    return native.__dlpack_device__()


def _native(x: Any) -> Any:
    """Return the array to hand out: its values without the graph."""
    tensor = as_tensor(x)
    if tensor.backend.is_traced(tensor._native):
        raise TracingError("a traced tensor has no values to share")
    return tensor.backend.plain(tensor.backend.detach(tensor._native))


#: The methods by name.
PROTOCOLS: dict[str, Any] = {
    "__array__": array,
    "__array_function__": array_function,
    "__array_namespace__": namespace,
    "__array_ufunc__": array_ufunc,
    "__dlpack__": dlpack,
    "__dlpack_device__": dlpack_device,
    "__unigrad_interop__": True,
}
