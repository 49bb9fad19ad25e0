"""Forward mode: tangents carried along as the ops run.

A `ForwardAccumulator` is the twin of the tape: for every op on a value with a tangent it applies
the textbook's forward rule at once. The rules are made of ops, so tapes and outer accumulators
see through the tangents, to any order, on every backend.

Source of the name and meaning: ``tf.autodiff.ForwardAccumulator``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.rules.registry import has_no_tangent
from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.backend import Backend
from unigrad.core.dispatch import Recording, wrap
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import (
    BackendMismatchError,
    DTypeError,
    ShapeError,
    TapeError,
)
from unigrad.core.native_tape import Native, NativeTape
from unigrad.core.op import OPS, another_handle
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


class ForwardAccumulator:
    """Compute Jacobian-vector products while the function runs.

    Args:
        primals: Tensors or Variables (a pytree) to differentiate by.
        tangents: the direction, of the same structure, shapes and dtypes.

    Raises:
        ShapeError: when a tangent's shape is not its primal's.
        DTypeError: when a primal is no float.

    Example:
        >>> import unigrad as ug
        >>> x = ug.asarray(3.0)
        >>> with ForwardAccumulator(x, ug.asarray(1.0)) as accumulator:
        ...     y = x * x
        >>> float(accumulator.jvp(y))
        6.0
    """

    #: A forward rule is applied where a tape would take notes.
    needs_rules = True
    forward = True
    native_tapes: Mapping[Backend, NativeTape | None] = {}

    def __init__(self, primals: Any, tangents: Any) -> None:
        #: The tangents of the values that have one.
        self.tracked: dict[int, Tensor] = {}
        self._variables: dict[int, Tensor] = {}
        #: The arrays of those values, by identity.
        self._natives: WeakValueDictionary[int, Native] = WeakValueDictionary()
        #: Whether an op has ended a tangent whose derivative is zero everywhere.
        self.met_steps = False
        self._spent = False
        self._sources = _pairs(primals, tangents)

    def __enter__(self) -> ForwardAccumulator:
        if self._spent:
            raise TapeError("a forward accumulator is entered once")
        self._spent = True
        for primal, tangent in self._sources:
            if isinstance(primal, Variable):
                self._variables[primal.uid] = tangent
            else:
                if primal.uid == 0:
                    primal.uid = recorders.fresh_uid()
                self._carry(primal, tangent)
        recorders.push(self)
        return self

    def __exit__(self, *_: object) -> None:
        recorders.pop(self)

    def jvp(self, target: Any, unconnected_gradients: str = "none") -> Any:
        """Return the tangents of a pytree of results; ``None`` (or zeros) where unconnected."""

        def one(value: Any) -> Tensor | None:
            tensor = value if isinstance(value, Tensor) else as_tensor(value)
            found = self.tracked.get(tensor.uid) if tensor.uid else None
            if found is None and unconnected_gradients == "zero":
                return zeros_like(tensor)
            return None if found is None else another_handle(found)

        leaves, structure = tree.flatten(target)
        return tree.unflatten(structure, [one(leaf) for leaf in leaves])

    # -- what the ops tell (see unigrad.core.recorders.Recorder)

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        """Give a variable's reader its tangent."""
        if handle is None:
            handle = wrap(value.backend, value._native)
        tangent = self._variables.get(variable.uid)
        if tangent is not None and handle.uid not in self.tracked:
            if handle.uid == 0:
                handle.uid = recorders.fresh_uid()
            self._carry(handle, tangent)
        return handle

    def watches(self, variable: Variable) -> bool:
        """Tell whether this variable has a tangent."""
        return variable.uid in self._variables

    def handle_of(self, variable: Variable, value: Tensor) -> None:
        """Return nothing: a new handle serves as well, since tangents are kept by value."""

    def _carry(self, value: Tensor, tangent: Tensor) -> None:
        """Note a value's tangent."""
        self.tracked[value.uid] = tangent
        self._natives[id(value._native)] = value._native

    def holds(self, native: Native) -> bool:
        """Tell whether an array is that of a value with a tangent."""
        return self._natives.get(id(native)) is native

    def track(self, tensor: Tensor, native: Any) -> None:
        """Hear of a native gradient: its tangent is unknown, so there is none."""

    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Carry the tangents through one op."""
        rule = recording.op.rule
        if rule is not None and rule.zero:
            self.met_steps = True
            return
        if rule is None or rule.jvp is None:
            raise has_no_tangent(recording.op.name)
        backend = recording.backend
        inputs = [
            x if isinstance(x, (bool, int, float, complex)) else wrap(backend, x, uid)
            for x, uid in zip(recording.inputs, recording.uids, strict=True)
        ]
        tangents = [self.tracked.get(uid) if uid else None for uid in recording.uids]
        out = outputs if recording.multiple else outputs[0]
        with recorders.only(self._who_may_see()):
            found = rule.jvp(tangents, out, *inputs, **recording.settings)
            found = found if recording.multiple else (found,)
            for output, tangent in zip(outputs, found, strict=True):
                if output.dtype in INEXACT and tangent is not None:
                    if tangent.shape != output.shape:
                        tangent = OPS["broadcast_to"](tangent, shape=output.shape)
                    self._carry(output, tangent)

    def _who_may_see(self) -> list[Any]:
        """Return the recorders that hear of the tangents' ops: all tapes, outer accumulators."""
        seen, outer = [], True
        for one in recorders.active():
            if one is self:
                outer = False
            elif outer or not one.forward:
                seen.append(one)
        return seen


def _pairs(primals: Any, tangents: Any) -> list[tuple[Any, Tensor]]:
    """Pair primals with tangents and check them."""
    sources, structure = tree.flatten(primals)
    directions, other = tree.flatten(tangents)
    if structure != other:
        raise ShapeError(
            f"tangents are of the primals' structure, {structure}, with a leaf for each, "
            f"not {other}"
        )
    pairs = []
    for i, (primal, given) in enumerate(zip(sources, directions, strict=True)):
        if not isinstance(primal, (Tensor, Variable)):
            raise DTypeError(f"a primal is a Tensor or a Variable, not {type(primal).__name__}")
        if primal.dtype not in INEXACT:
            raise DTypeError(f"a primal of dtype {primal.dtype.name} has no tangent")
        like = primal if isinstance(primal, Tensor) else primal._untaped()
        tangent = as_tensor(given, like)
        if tangent.backend.root is not like.backend.root:
            raise BackendMismatchError(
                f"a tangent of backend {tangent.backend.name!r} for a primal of "
                f"{like.backend.name!r}"
            )
        if tangent.shape != primal.shape:
            raise ShapeError(
                f"{structure.accessors()[i].codify('tangents')} has shape {tangent.shape}, its "
                f"primal {primal.shape}: a tangent is of its primal's shape"
            )
        pairs.append((primal, cast(tangent, primal.dtype)))
    return pairs
