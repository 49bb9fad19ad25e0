"""NumPy's functions on tensors: ``np.sort(x)``, ``np.stack([x, y])``, ``np.linalg.norm(x)``.

NumPy asks its arguments by ``__array_function__``. A function whose op means the same is only named
here: its call is bound to NumPy's own signature, and what the op knows goes on to the op, so that
the result is a Tensor of the same backend and recorded. Where NumPy's defaults or axes differ, a
line says how. What is given and has no counterpart leaves for the host, with a warning.

Source: NumPy's ``__array_function__`` (NEP 18).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.dtypes import INEXACT
from unigrad.core.foreign import is_ours
from unigrad.core.leaks import warn_program

__all__: list[str] = []

_Function = Callable[..., Any]

#: Functions whose op has their name, parameters in their order, and their defaults.
_ALIKE = frozenset(
    {
        "all", "allclose", "angle", "any", "append", "argmax", "argmin", "argpartition", "argsort",
        "array_split", "astype", "atleast_1d", "atleast_2d", "atleast_3d", "average", "bincount",
        "broadcast_arrays", "broadcast_to", "can_cast", "choose", "clip", "column_stack",
        "compress", "concat", "copy", "corrcoef", "count_nonzero", "cov", "cumulative_prod",
        "cumulative_sum", "delete", "diag", "diagflat", "diff", "digitize", "dot", "dstack",
        "expand_dims", "extract", "flip", "fliplr", "flipud", "full_like", "geomspace", "gradient",
        "histogram", "histogram_bin_edges", "hstack", "imag", "inner", "insert", "interp",
        "intersect1d", "isclose", "isin", "kron", "lexsort", "linspace", "logspace",
        "matrix_transpose", "max", "mean", "median", "meshgrid", "min", "moveaxis", "nanargmax",
        "nanargmin", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile", "nanprod",
        "nanquantile", "nanstd", "nansum", "nanvar", "ndim", "outer", "pad", "partition",
        "percentile", "permute_dims", "prod", "ptp", "quantile", "ravel", "ravel_multi_index",
        "real", "repeat", "reshape", "result_type", "roll", "rot90", "round", "searchsorted",
        "select", "setdiff1d", "shape", "sinc", "sort", "split", "squeeze", "stack", "std", "sum",
        "swapaxes", "take", "take_along_axis", "tensordot", "tile", "transpose", "trapezoid",
        "tril", "triu", "union1d", "unique_all", "unique_counts", "unique_inverse", "unique_values",
        "unravel_index", "unstack", "vander", "var", "vstack",
        "linalg.cholesky", "linalg.cross", "linalg.det", "linalg.diagonal", "linalg.eig",
        "linalg.eigvals", "linalg.inv", "linalg.matmul", "linalg.matrix_norm", "linalg.norm",
        "linalg.matrix_power", "linalg.matrix_rank", "linalg.matrix_transpose", "linalg.multi_dot",
        "linalg.outer", "linalg.pinv", "linalg.slogdet", "linalg.solve", "linalg.svdvals",
        "linalg.tensordot", "linalg.trace", "linalg.vecdot", "linalg.vector_norm",
        "fft.fft", "fft.fft2", "fft.fftn", "fft.fftshift", "fft.hfft", "fft.ifft", "fft.ifft2",
        "fft.ifftn", "fft.ifftshift", "fft.ihfft", "fft.irfft", "fft.irfft2", "fft.irfftn",
        "fft.rfft", "fft.rfft2", "fft.rfftn",
    }
)  # fmt: skip
#: Functions whose op goes by another name.
_OTHER_NAMES = {"amax": "max", "amin": "min", "around": "round", "concatenate": "concat"}
#: Parameters that go by another name.
_PARAMETERS = {"ddof": "correction", "a_min": "min", "a_max": "max"}
#: Settings by which NumPy chooses memory, a subclass or an algorithm; values do not depend on them.
_OF_NO_EFFECT = frozenset({"copy", "kind", "overwrite_input", "subok"})
#: Orders in memory in which elements are counted as a Tensor's are.
_ROW_MAJOR = ("A", "C", "K")
#: Functions that write into an argument.
_IN_PLACE = frozenset(
    {"copyto", "fill_diagonal", "place", "put", "putmask", "put_along_axis", "nan_to_num"}
)
#: Functions whose results are text, files, or facts about the host: nothing is lost by them.
_OF_THE_HOST = frozenset(
    {
        "array2string", "array_repr", "array_str", "save", "savetxt", "savez", "savez_compressed",
        "array_equal", "array_equiv", "may_share_memory", "shares_memory", "iscomplexobj",
        "isrealobj", "common_type", "min_scalar_type",
    }
)  # fmt: skip


class _NoCounterpart(Exception):
    """What a call asks for is nothing that an op does."""


def array_function(
    self: Any, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run the op that a function of NumPy means; without one, NumPy's function on the values.

    Warns:
        GradientWarning: when the result is NumPy's and not a Tensor.

    Raises:
        TypeError: for ``out=`` and functions that write into an argument.
        TracingError: for a function without an op inside a traced function.
    """
    if not all(hasattr(kind, "__unigrad_interop__") or kind is np.ndarray for kind in types):
        return NotImplemented
    name = _name(function)
    try:
        return _counterpart(function)(*args, **kwargs)
    except _NoCounterpart as unknown:
        reason = str(unknown)
    if name in _IN_PLACE or reason.endswith("out"):
        raise TypeError(
            f"np.{name}{reason}: a tensor is a value; nothing is written into an argument or out=; "
            "use what unigrad's op returns, x[i] = v or x.at[i].set(v)"
        )
    values = tree.map(_on_the_host, (list(args), kwargs))
    result = function._implementation(*values[0], **values[1])
    if name not in _OF_THE_HOST:
        warn_program(
            f"np.{name}{reason} has no counterpart among unigrad's ops: the values leave for the "
            "host, and NumPy's result has no gradient. Use unigrad's ops, or np.asarray(x) or "
            "ug.stop_gradient(x).numpy() if this is meant"
        )
    return result


def _name(function: Any) -> str:
    """Return a function's name after ``np.``."""
    home = function.__module__.removeprefix("numpy").removeprefix(".")
    return f"{home}.{function.__name__}" if home in ("linalg", "fft") else str(function.__name__)


def _on_the_host(x: Any) -> Any:
    return as_tensor(x)._values(None) if is_ours(x) else x


@cache
def _counterpart(function: Any) -> _Function:
    """Return what runs instead of a function of NumPy.

    Example:
        >>> import numpy as np
        >>> from unigrad.ops.creation import asarray
        >>> _counterpart(np.flip)(asarray([1, 2])).tolist()
        [2, 1]
    """
    name = _name(function)
    if name in _WRITTEN:
        return _WRITTEN[name]
    if name not in _ALIKE and name not in _OTHER_NAMES:
        return _refuse
    return _bound(function, _op(_OTHER_NAMES.get(name, name)))


def _refuse(*args: Any, **kwargs: Any) -> Any:
    raise _NoCounterpart("")


def _op(name: str) -> _Function:
    """Return an op by its name after ``ug.``."""
    found: Any = sys.modules["unigrad"]
    for part in name.split("."):
        found = getattr(found, part)
    op: _Function = found
    return op


def _bound(function: Any, op: _Function) -> _Function:
    """Call an op as NumPy calls a function.

    The op's positional parameters are NumPy's first ones, the others are found by their names.
    """
    theirs = inspect.signature(function)
    ours = inspect.signature(op).parameters
    places = [name for name, one in ours.items() if one.kind is one.POSITIONAL_ONLY]
    # Parameters that may come by position or by name have their names in both.
    named = {name: name for name in theirs.parameters if name in ours}
    named |= {name: other for name, other in _PARAMETERS.items() if other in ours}
    first = dict(zip(theirs.parameters, places, strict=False))
    where = {**named, **first}
    operands = {name for name, one in ours.items() if "TensorLike" in str(one.annotation)}

    def call(*args: Any, **kwargs: Any) -> Any:
        given = theirs.bind(*args, **kwargs).arguments
        like = _first([*args, *kwargs.values()])
        settings: dict[str, Any] = {}
        lead: list[Any] = []
        for name, value in given.items():
            kind, default = theirs.parameters[name].kind, theirs.parameters[name].default
            other = where.get(name)
            if kind is inspect.Parameter.VAR_POSITIONAL:
                lead.extend(_beside(like, one) for one in value)
            elif kind is inspect.Parameter.VAR_KEYWORD:
                settings.update({key: _beside(like, one) for key, one in value.items()})
            elif other is None:
                meant = name not in _OF_NO_EFFECT and not (name == "order" and value in _ROW_MAJOR)
                if value is not default and value is not None and meant:
                    raise _NoCounterpart(f" with {name}")
            elif name == "axis" and value is None and ours[other].annotation == "int":
                lead[0] = _op("reshape")(lead[0], -1)
            elif value is not default or other in places:
                value = _beside(like, value) if other in operands else _plain(value)
                if other in places:
                    lead.append(value)
                else:
                    settings[other] = value
        unknown = sorted(set(settings) - set(ours))
        if unknown:
            raise _NoCounterpart(f" with {', '.join(unknown)}")
        return op(*lead, **settings)

    return call


def _first(values: Any) -> Any:
    """Return the first Tensor of a call."""
    return next(as_tensor(x) for x in tree.leaves(list(values)) if is_ours(x))


def _beside(like: Any, value: Any) -> Any:
    """Return an operand whose ndarrays are tensors of the same backend."""
    return tree.map(lambda x: as_tensor(x, like) if isinstance(x, np.ndarray) else x, value)


def _plain(value: Any) -> Any:
    """Return a setting that is an ndarray as Python's numbers."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def _flattened(name: str) -> _Function:
    """Return the op that runs along all elements where no axis is named."""

    def function(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
        if out is not None:
            raise _NoCounterpart(" with out")
        x = _op("reshape")(a, -1) if axis is None else a
        return _op(name)(x, axis=0 if axis is None else axis, dtype=dtype)

    return function


def _of_two_axes(name: str) -> _Function:
    """Return the op over the last two axes, for the two axes that NumPy names."""

    def function(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **settings: Any) -> Any:
        if settings.pop("out", None) is not None:
            raise _NoCounterpart(" with out")
        x = _op("moveaxis")(a, (axis1, axis2), (-2, -1))
        return _op(name)(x, offset=offset, **settings)

    return function


def _cond(x: Any, p: Any = None) -> Any:
    return _op("linalg.cond_number")(x, p=2 if p is None else p)


def _where(condition: Any, *values: Any) -> Any:
    if not values:
        return _op("nonzero")(condition)
    like = _first([condition, *values])
    return _op("where")(*(_beside(like, one) for one in (condition, *values)))


def _einsum(*operands: Any, out: None = None, optimize: Any = False, **settings: Any) -> Any:
    if settings or out is not None or not isinstance(operands[0], str):
        raise _NoCounterpart(" of this form")
    like = _first(operands)
    return _op("einsum")(operands[0], *(_beside(like, one) for one in operands[1:]))


def _to_be_filled(name: str) -> _Function:
    """Return NumPy's function: programs write into what it makes, through views as well."""

    def function(a: Any, *args: Any, **kwargs: Any) -> Any:
        x = as_tensor(a)
        like = np.broadcast_to(np.zeros((), x.dtype), x.shape)
        return getattr(np, name)(like, *args, **kwargs)

    return function


def _size(a: Any, axis: int | None = None) -> int:
    x = as_tensor(a)
    return x.size if axis is None else x.shape[axis]


def _svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    # The singular values of a Hermitian matrix are found by the general way too.
    if not compute_uv:
        return _op("linalg.svdvals")(a)
    return _op("linalg.svd")(a, full_matrices=full_matrices)


def _triangle(name: str) -> _Function:
    """Return the op of a Hermitian matrix of which NumPy reads one triangle."""

    def function(a: Any, UPLO: str = "L") -> Any:
        if UPLO not in ("L", "l"):
            raise _NoCounterpart(f" with UPLO={UPLO!r}")
        return _op(name)(a)

    return function


def _qr(a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "complete"):
        raise _NoCounterpart(f" with mode={mode!r}")
    return _op("linalg.qr")(a, mode=mode)


def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    # Of floats NumPy's NaNs are one, and the standard's are many.
    if axis is not None or as_tensor(ar).dtype in INEXACT:
        raise _NoCounterpart(" of floats or along an axis")
    found = _op("unique_all")(ar)
    asked = (True, return_index, return_inverse, return_counts)
    wanted = tuple([one for one, is_asked in zip(found, asked, strict=True) if is_asked])
    return wanted if len(wanted) > 1 else wanted[0]


def _nan_to_num(x: Any, copy: bool = True, **settings: Any) -> Any:
    if not copy:
        raise _NoCounterpart(" with copy=False")
    return _op("nan_to_num")(x, **settings)


#: Functions whose defaults, axes or results differ from their op's.
_WRITTEN: dict[str, _Function] = {
    "cumprod": _flattened("cumulative_prod"),
    "cumsum": _flattened("cumulative_sum"),
    "diagonal": _of_two_axes("diagonal"),
    "einsum": _einsum,
    "empty_like": _to_be_filled("empty_like"),
    "linalg.cond": _cond,
    "linalg.eigh": _triangle("linalg.eigh"),
    "linalg.eigvalsh": _triangle("linalg.eigvalsh"),
    "linalg.qr": _qr,
    "linalg.svd": _svd,
    "nan_to_num": _nan_to_num,
    "nonzero": lambda a: _op("nonzero")(a),
    "ones_like": _to_be_filled("ones_like"),
    "size": _size,
    "trace": _of_two_axes("trace"),
    "unique": _unique,
    "where": _where,
    "zeros_like": _to_be_filled("zeros_like"),
}
