"""`interop`: a function written in unigrad, for callers who use a library of arrays themselves.

The caller's arrays are put into handles as they are, so that every op runs on what the library's
own graph, transformation or trace follows, and it differentiates, batches and compiles the kernels
as if they had been called one by one. Nothing is added to its graph. Inside of the call no tape
cuts that graph: the tapes that are opened there are made of ops.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec

import numpy as np

from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.calls import check_function
from unigrad.core.copying import own_handles
from unigrad.core.dispatch import native_of, wrap
from unigrad.core.dtypes import as_dtype
from unigrad.core.errors import HOW_TO_MOVE, BackendMismatchError
from unigrad.core.foreign import mark
from unigrad.core.leaks import warn_if_unseen
from unigrad.core.ndarrays import as_ndarray
from unigrad.core.registry import at_home, current_backend, has_choice, load_backend, owner_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable

P = ParamSpec("P")
_OURS = (Tensor, Variable)
_thread = recorders.thread
_numbers = frozenset((bool, int, float, complex))
#: Classes whose instances are no arrays, and those of the libraries' arrays: a question to all
#: backends takes long.
_others: set[type] = {*_numbers, str, bytes}
_homes: dict[type, Backend] = {}


def interop(function: Callable[P, Any], /) -> Callable[P, Any]:
    """Make a function written in unigrad take and return the caller's own arrays.

    Among the arguments, pytrees of them and keywords included, native arrays of one library come
    in as Tensors, and Tensors in the result go out as arrays of that library. Everything else,
    Python numbers for example, is handed through. The caller's own differentiation, batching and
    compilation go through it. Of NumPy arrays it makes NumPy arrays, without a derivative.

    Inside, the current backend and device are those of the arrays; without any, the current ones.
    Variables that the function reads are constants to the caller's graph. Given Tensors (or
    Variables) it returns Tensors, so that it may be called from unigrad as well.

    Args:
        function: takes and returns pytrees of Tensors.

    Raises:
        BackendMismatchError: when arrays of two libraries meet among the arguments, or when the
            function returns a Tensor of another library.

    Example:
        >>> import numpy as np
        >>> import unigrad as ug
        >>> @interop
        ... def scaled(x, factor=2.0):
        ...     return {"y": ug.tanh(x) * factor}
        >>> scaled(np.zeros(2, "float32"))
        {'y': array([0., 0.], dtype=float32)}
    """

    check_function("interop: function", function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        if not kwargs:
            # The commonest call: arrays of one library, and numbers.
            kinds = {*map(type, args)} - _numbers
            if len(kinds) == 1:
                home = _homes.get(kinds.pop())
                if home is not None:
                    return _borrowed(function, home, args, kwargs, None)
        leaves, structure = tree.flatten((args, kwargs))
        homes = {one: None for leaf in leaves if (one := home_of(leaf)) is not None}
        if len(homes) > 1:
            raise _mixed(function, args, kwargs)
        home = next(iter(homes), None)
        if any(isinstance(leaf, _OURS) for leaf in leaves):
            args, kwargs = tree.unflatten(structure, [*map(_beside, leaves)])
            return own_handles(function(*args, **kwargs))
        return _borrowed(function, home, leaves, kwargs, structure)

    @functools.wraps(function)
    def entry(*args: P.args, **kwargs: P.kwargs) -> Any:
        # A compiler that is given this function itself reads its code, and finds a marked one.
        return call(*args, **kwargs)

    mark(call)
    mark(entry)
    return entry


# Also where it is called in a program that is rewritten.
mark(interop)


def _borrowed(
    function: Callable[..., Any],
    home: Backend | None,
    given: Sequence[Any],
    kwargs: Mapping[str, Any],
    structure: Any,
) -> Any:
    """Call a function on arrays of one library.

    Args:
        home: the library; ``None`` when no array is given.
        given: the arguments, or their leaves if there is a ``structure``.
    """
    borrowed, device, arrays = _thread.borrowed, None, given
    _thread.borrowed = True
    try:
        if home is not None:
            given = [_entering(home, one) for one in given]
            if has_choice(home):
                first = next(one for one in given if type(one) is Tensor)
                device = first.backend.beside(first._native)
        if structure is not None:
            given, kwargs = tree.unflatten(structure, given)
        with at_home(home or current_backend(), device):
            result = function(*given, **kwargs)
            if type(result) is Tensor:
                return _leaving(function, home, arrays, result)
            return tree.map(functools.partial(_leaving, function, home, arrays), result)
    finally:
        _thread.borrowed = borrowed


def home_of(leaf: Any) -> Backend | None:
    """Return the library that an argument, or what a library's variable holds, is an array of."""
    kind = type(leaf)
    if kind in _others:
        return None
    if kind in _homes:
        return _homes[kind]
    if isinstance(leaf, _OURS):
        return leaf.backend.root
    if kind is np.ndarray:
        _homes[kind] = load_backend("numpy")
        return _homes[kind]
    owner = owner_of(leaf)
    if owner is None and (held := _held(leaf)) is not None:
        owner = owner_of(held)
    if owner is None:
        _others.add(kind)
    elif kind is owner.array_type:
        _homes[kind] = owner
    return owner


def _held(leaf: Any) -> Any:
    """Return what a variable of a library holds, such as those of Keras and of Flax."""
    kind = type(leaf)
    if hasattr(kind, "get_value") and hasattr(kind, "set_value"):
        return leaf.get_value()
    return leaf.value if hasattr(kind, "value") and hasattr(kind, "__array__") else None


def _entering(home: Backend, leaf: Any) -> Any:
    """Return the handle of an array, or another leaf as it is."""
    kind = type(leaf)
    if kind in _others:
        return leaf
    if kind is home.array_type and leaf.dtype in home.native_dtypes:
        return wrap(home, leaf)
    if kind is np.ndarray:
        array = as_ndarray(leaf)
        as_dtype(array.dtype)
        return wrap(home, home.from_numpy(array, None))
    if home.owns(leaf):
        return as_tensor(leaf)
    return _entering(home, _held(leaf))


def _leaving(
    function: Callable[..., Any], home: Backend | None, given: Sequence[Any], leaf: Any
) -> Any:
    """Return the array of a result that is a Tensor or a Variable, or another leaf as it is.

    Args:
        given: the caller's arrays, which may come back.
    """
    if not isinstance(leaf, _OURS):
        return leaf
    tensor = leaf if type(leaf) is Tensor else as_tensor(leaf)
    if tensor.backend is not home and home is not None:
        raise BackendMismatchError(
            f"interop: {name_of(function)} was given arrays of {home.name} and returned a tensor "
            f"of backend {tensor.backend.name!r}; {HOW_TO_MOVE}"
        )
    if not tensor.uid:
        return tensor.backend.handed_out(tensor._native, given)
    warn_if_unseen(tensor, tensor.backend.array_type)
    return native_of(tensor, lent=True)


def _beside(leaf: Any) -> Any:
    """Return what an argument beside Tensors is to the function: itself, or a Tensor."""
    return leaf if isinstance(leaf, _OURS) or home_of(leaf) is None else as_tensor(leaf)


def name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__qualname__)


def _mixed(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> BackendMismatchError:
    """Return the error that names which arguments are of which library."""
    found: dict[str, list[str]] = {}
    for name, value in _named(function, args, kwargs):
        leaves, structure = tree.flatten(value)
        for leaf, place in zip(leaves, structure.accessors(), strict=True):
            owner = home_of(leaf)
            if owner is not None:
                found.setdefault(owner.name, []).append(repr(place.codify(name)))
    parts = [f"{', '.join(names)} of {library}" for library, names in found.items()]
    return BackendMismatchError(
        f"interop: {name_of(function)} was given arrays of several libraries: {'; '.join(parts)}; "
        "give all of one library"
    )


def _named(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Give the arguments with their names, those of no name with their places."""
    try:
        bound = inspect.signature(function).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {f"argument {i}": one for i, one in enumerate(args)} | dict(kwargs)
    yield from bound.items()
