"""A compiled function's arguments: inputs of its program, or part of its signature."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from unigrad.core import dtypes, recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.context import context_values
from unigrad.core.dispatch import wrap
from unigrad.core.errors import HOW_TO_MOVE, BackendMismatchError, DTypeError, SettingError
from unigrad.core.interpreters import Interpreter, highest
from unigrad.core.origins import Limit, Origin
from unigrad.core.registry import current_backend, default_device, owner_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.core.weak import Weak, weak


class Static:
    """A static argument: compares and hashes by type and value, a leaf whatever it holds."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and exact(self.value) == exact(other.value)

    def __hash__(self) -> int:
        try:
            return hash(exact(self.value))
        except TypeError:
            raise SettingError(
                "jit: a static argument must be hashable, which a "
                f"{type(self.value).__name__} is not: give a tuple"
            ) from None


def exact(value: Any) -> Any:
    """Return what tells values apart that are equal and do different things.

    Those are 2, 2.0 and True, and 0.0 and -0.0.
    """
    if isinstance(value, (float, complex)):
        return type(value), repr(value)
    if type(value) is tuple:
        return tuple, *map(exact, value)
    return type(value), value


def is_input(leaf: Any) -> bool:
    """Tell whether a leaf is an input of the program rather than part of its signature."""
    if isinstance(leaf, (bool, Variable, Static, str)):
        return False
    if isinstance(leaf, (Tensor, int, float, complex, np.ndarray, np.generic)):
        return True
    return owner_of(leaf) is not None


def given_value(leaf: Any) -> Any:
    """Return the argument that a leaf stands for."""
    return leaf.value if isinstance(leaf, Static) else leaf


_NUMBERS = frozenset((int, float, complex))
_TENSORS = frozenset((Tensor,))


def are_tensors(values: Iterable[Any]) -> bool:
    """Tell whether all values are Tensors, and none is a weak one."""
    return _TENSORS.issuperset(map(type, values))


@functools.lru_cache(64)
def positional(count: int) -> Any:
    """Return the structure of so many leaves as positional arguments.

    Example:
        >>> tree.unflatten(positional(2), [3.0, 4.0])
        ((3.0, 4.0), {})
    """
    return tree.structure(((0,) * count, {}))


class Call:
    """The arguments of one call, sorted: its signature, and the tensors that are inputs."""

    __slots__ = ("inputs", "leaves", "seen", "signature", "structure")

    def __init__(self, leaves: Sequence[Any], structure: Any) -> None:
        self.leaves = leaves
        self.structure = structure
        backend = backend_of(leaves)
        if isinstance(backend, Interpreter):
            backend.frame()  # None runs where calls are compiled: the argument outlived its own.
        several = has_several_devices(backend)
        self.inputs: list[Tensor] = []
        key: list[Any] = []
        for leaf in leaves:
            kind = weak_dtype = None
            if type(leaf) is Tensor:
                tensor = leaf
            elif is_input(leaf):
                like = next((one for one in leaves if isinstance(one, Tensor)), None)
                tensor = input_of(leaf, backend, like)
                # A number may be any, but what it becomes where it is a tensor by itself.
                kind = number_kind(leaf)
                weak_dtype = None if kind is None else number_dtype(kind, leaves)
            else:
                key.append((type(leaf), leaf))
                continue
            self.inputs.append(tensor)
            native = tensor._native
            place = tensor.device if several else None
            shape, dtype = backend.shape(native), backend.dtype(native)
            key.append((kind or type(leaf), shape, dtype, weak_dtype, place))
        #: Whether anybody records.
        self.seen = bool(recorders.active()) or _are_followed(self.inputs)
        self.signature = (
            backend, structure, tuple(key), context_values(), backend.context(), self.seen
        )  # fmt: skip

    @property
    def is_plain(self) -> bool:
        """Whether the arguments are nothing but Tensors, and nobody records."""
        plain = positional(len(self.leaves)) == self.structure
        return plain and not self.seen and are_tensors(self.leaves)


def _are_followed(inputs: Sequence[Tensor]) -> bool:
    """Tell whether a caller of `ug.interop` differentiates by the library's own graph."""
    return recorders.thread.borrowed and any(x.backend.follows(x._native) for x in inputs)


def number_kind(leaf: Any) -> type | None:
    """Return the type of the number that an argument is or, from another trace, stands for."""
    if type(leaf) is Weak:
        return leaf.kind
    return type(leaf) if type(leaf) in _NUMBERS else None


def input_of(leaf: Any, backend: Backend, like: Tensor | None) -> Tensor:
    """Return an argument as a tensor; a number in 64 bits, if the library holds such."""
    if type(leaf) is Weak:
        return leaf.__unigrad_tensor__() if leaf.uid else leaf.carrier
    if type(leaf) not in _NUMBERS:
        return as_tensor(leaf, like)
    device = default_device() if like is None else like.backend.beside(like._native)
    array = np.asarray(leaf)
    if array.dtype.kind not in "ifc":
        raise DTypeError(
            f"jit: the number {leaf} does not fit int64; give a float, or make the argument static"
        )
    try:
        native = backend.from_numpy(array, device)
    except DTypeError:
        array = array.astype(dtypes.default_dtype_of_kind(type(leaf)))
        native = backend.from_numpy(array, device)
    return wrap(backend, native)


def number_dtype(kind: type, leaves: Sequence[Any]) -> dtypes.DType:
    """Return the dtype of a number that is a tensor by itself: 64 bits beside such an argument."""
    if kind is not int and any(
        isinstance(leaf, Tensor) and leaf.dtype in (dtypes.float64, dtypes.complex128)
        for leaf in leaves
    ):
        return dtypes.float64 if kind is float else dtypes.complex128
    return dtypes.default_dtype_of_kind(kind)


def argument(
    leaf: Any,
    tensor: Tensor,
    leaves: Sequence[Any],
    place: int = 0,
    limits: list[Limit] | None = None,
) -> Tensor:
    """Return what a function gets for an input: a tensor, a weak one for a number.

    Args:
        leaf: the argument.
        tensor: what stands for it.
        leaves: all arguments.
        place: where the argument is among them.
        limits: where the trace notes what integers must fit; ``None`` where nothing is traced.
    """
    kind = number_kind(leaf)
    if kind is None:
        return tensor
    origin = None
    if type(leaf) is Weak:
        origin = leaf.origin
    elif kind is int:
        origin = Origin((lambda _: leaf) if limits is None else itemgetter(place), limits)
    return weak(tensor, kind, number_dtype(kind, leaves), origin)


@functools.cache
def has_several_devices(backend: Backend) -> bool:
    """Tell whether arguments may be on different devices.

    Example:
        >>> has_several_devices(current_backend()) in (False, True)
        True
    """
    return len(backend.devices()) > 1


def backend_of(leaves: Sequence[Any]) -> Backend:
    """Return the backend of the Tensors and Variables, the innermost of what runs over one library.

    Without any, it is the current one.

    Raises:
        BackendMismatchError: when there are two.
    """
    found: Backend | None = None
    for leaf in leaves:
        if isinstance(leaf, (Tensor, Variable)):
            backend = leaf.backend
            if found is not None and backend is not found:
                higher = highest(found, backend)
                if higher is None:
                    raise BackendMismatchError(
                        f"jit: an argument of backend {found.name!r} met one of "
                        f"{backend.name!r}; {HOW_TO_MOVE}"
                    )
                backend = higher
            found = backend
    return found or current_backend()
