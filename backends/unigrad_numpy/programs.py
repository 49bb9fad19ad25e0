"""What `ug.jit` uses on NumPy beside the table: kernels that write into given arrays, and fusions.

``out`` may be an input of an elementwise op: such a kernel reads all of it before it writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.native_tape import Kernel
from unigrad.core.programs import Fusion, Saving
from unigrad_numpy.kernels import TABLE
from unigrad_numpy.kernels.bfloat16 import BFLOAT16
from unigrad_numpy.kernels.losses import gradient_of_saved, saving_crossentropy

Array = npt.NDArray[Any]

#: The integers as wide as a float.
_BITS = {2: np.int16, 4: np.int32, 8: np.int64}


#: Zeros by dtype: beside an array, NumPy takes a Python number in twice the time of an array.
_ZEROS = {dtype: np.zeros((), dtype) for dtype in dtypes.ALL}


def _matmul(x1: Array, x2: Array, out: Array) -> Array:
    if out.dtype == BFLOAT16:
        out[...] = np.matmul(x1, x2)
        return out
    return np.matmul(x1, x2, out)


def _linear(x: Array, kernel: Array, bias: Array, out: Array) -> Array:
    _matmul(x, kernel, out)
    return np.add(out, bias, out)


def _relu(x: Array, out: Array) -> Array:
    return np.maximum(x, _ZEROS[x.dtype], out=out)


def _square(x: Array, out: Array) -> Array:
    return np.square(x, out)


def alive(g: Array, x: Array) -> Array:
    """Return g where x > 0, and 0 elsewhere: g's bits times 1 or 0, in half a select's time."""
    return _alive(g, x, np.empty_like(g))


def _alive(g: Array, x: Array, out: Array) -> Array:
    bits = _BITS[g.itemsize]
    above = np.greater(x, _ZEROS[x.dtype])
    np.multiply(g.view(bits), above, out.view(bits))
    return out


_FLOATS = frozenset(map(np.dtype, (np.float16, np.float32, np.float64)))

FUSIONS = [
    Fusion(
        "alive",
        ("where", ("greater", "x", 0.0), "g", 0.0),
        ("g", "x"),
        alive,
        _FLOATS,
    )
]

SAVINGS = [
    Saving(
        "sparse_softmax_crossentropy",
        "sparse_softmax_crossentropy_gradient",
        saving_crossentropy,
        gradient_of_saved,
    )
]

#: The wrappers of the table are for what a trace has checked: here the ufuncs are enough.
_WRAPPED: dict[str, Kernel] = {
    name: getattr(np, name)
    for name in ("fmax", "fmin", "greater", "greater_equal", "less", "less_equal")
}


def _maximum(x: Array, y: Array, out: Array) -> Array:
    return np.maximum(x, y, out=out)


def _minimum(x: Array, y: Array, out: Array) -> Array:
    return np.minimum(x, y, out=out)


INTO: dict[str, Kernel] = {
    **{name: kernel for name, kernel in TABLE.items() if isinstance(kernel, np.ufunc)},
    **_WRAPPED,
    "maximum": _maximum,
    "minimum": _minimum,
    "square": _square,
    "relu": _relu,
    "matmul": _matmul,
    "linear": _linear,
    "alive": _alive,
}

#: Ops whose results may be views.
VIEWS = frozenset(
    (
        "identity", "stop_gradient", "reshape", "broadcast_to", "permute_dims", "flip", "roll",
        "split", "unstack", "getitem", "einsum", "clip", "round", "conj", "to_device", "bitcast",
    )
)  # fmt: skip
