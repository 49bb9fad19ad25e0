"""The backward pass of the reference tape: a walk back along a list of recorded ops.

It knows no op: each recording brings either its backend's pullback or a rule of the textbook.
What it does itself is everything that is common to all ops: find the recordings that lie between
sources and targets, add up the cotangents of values used more than once, undo broadcasting, and
carry "connected, but zero" as a symbol until somebody needs an array.

Linear in the number of recordings, in time and in memory; no recursion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from unigrad.core import recorders
from unigrad.core.arguments import untracked
from unigrad.core.backend import Backend
from unigrad.core.dispatch import SCALARS, Recording, wrap
from unigrad.core.dtypes import INEXACT
from unigrad.core.errors import NotDifferentiableError
from unigrad.core.interpreters import stack
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor


class _Zero:
    """The cotangent of a value that is connected to the target with derivative zero."""

    def __repr__(self) -> str:
        return "ZERO"


ZERO: Final = _Zero()
Cotangent = Tensor | _Zero
#: Recordings, last first, and which inputs of each need a cotangent.
_Path: TypeAlias = Sequence[tuple[Recording, Sequence[bool]]]


def backward(
    backend: Backend,
    recordings: Sequence[Recording],
    cotangents: dict[int, Cotangent],
    wanted: set[int],
    by_rule: bool = False,
) -> None:
    """Carry cotangents, keyed by value, from targets back to the wanted values.

    All are of one backend. ``by_rule`` uses the textbook also where the backend brought
    derivatives of its own. On return ``cotangents`` holds those of the wanted values that are
    connected.
    """
    needed = set(wanted)
    path = []
    for recording in recordings:
        which = [uid in needed for uid in recording.uids]
        if True in which:
            needed.update(recording.output_uids)
            path.append((recording, which))
    path.reverse()
    seen = bool(recorders.active())
    # Inside of an interpreter its values may meet the library's: ops lift them, natives do not.
    by_rule = by_rule or bool(stack.frames)
    if by_rule or seen:
        _walk(path, cotangents, wanted, by_rule, seen)
    else:
        _walk_unseen(backend, path, cotangents, wanted)


def _walk(
    path: _Path, cotangents: dict[int, Cotangent], wanted: set[int], by_rule: bool, seen: bool
) -> None:
    """Walk back in ops, which whoever records can see."""
    for recording, which in path:
        found = [
            cotangents.get(uid) if uid in wanted else cotangents.pop(uid, None)
            for uid in recording.output_uids
        ]
        if any(one is not None for one in found):
            _step(recording, found, which, cotangents, by_rule, seen)


def _walk_unseen(
    backend: Backend, path: _Path, cotangents: dict[int, Cotangent], wanted: set[int]
) -> None:
    """Walk back in native arrays, by pullbacks where there are any: nobody needs to see ops."""
    natives: dict[int, Any] = {uid: _native(one) for uid, one in cotangents.items()}
    found: Sequence[Any]
    carried: Any
    pullbacks = backend.pullbacks
    add = OPS["add"].kernels[backend]
    for recording, which in path:
        op, _, inputs, uids, settings, outputs, output_uids, multiple, pullback = recording
        if multiple:
            found = [_taken(natives, uid, wanted) for uid in output_uids]
            if all(one is None for one in found):
                continue
            carried = NotImplemented
        else:
            # As `_taken`, in place: nearly all ops have one result.
            uid = output_uids[0]
            g = natives.get(uid) if uid in wanted else natives.pop(uid, None)
            if g is None:
                continue
            found = (g,)
            if g is ZERO:
                carried = NotImplemented
            elif pullback is not None:
                carried = pullback(found)
            elif op.name in pullbacks:
                carried = pullbacks[op.name](g, outputs[0], inputs, which, **settings)
            else:
                carried = NotImplemented
        if carried is NotImplemented:
            gained: dict[int, Cotangent] = {}
            known = [one if one is None or one is ZERO else wrap(backend, one) for one in found]
            _step(recording, known, which, gained, False, False)
            uids, which = tuple(gained), [True] * len(gained)
            carried = [_native(one) for one in gained.values()]
        for uid, needed, more in zip(uids, which, carried, strict=True):
            if needed:
                before = natives.get(uid)
                if before is None or before is ZERO:
                    natives[uid] = ZERO if more is None else more
                elif more is not None and more is not ZERO:
                    natives[uid] = add(before, more)  # type: ignore[misc]
    cotangents.clear()
    for uid in wanted:
        if uid in natives:
            one = natives[uid]
            cotangents[uid] = ZERO if one is ZERO else wrap(backend, one)


def _taken(natives: dict[int, Any], uid: int, wanted: set[int]) -> Any:
    """Return a value's cotangent, if there is one, and keep only those that are wanted."""
    return natives.get(uid) if uid in wanted else natives.pop(uid, None)


def _native(cotangent: Cotangent) -> Any:
    return cotangent._native if isinstance(cotangent, Tensor) else ZERO


def _step(
    recording: Recording,
    found: Sequence[Cotangent | None],
    which: Sequence[bool],
    cotangents: dict[int, Cotangent],
    by_rule: bool,
    seen: bool,
) -> None:
    """Carry the cotangents of one op's outputs to its inputs; ``seen`` if anybody records it."""
    rule = recording.op.rule
    uids = recording.uids
    positions = [i for i, needed in enumerate(which) if needed]
    if (rule is not None and rule.zero) or all(one is None or one is ZERO for one in found):
        for i in positions:
            cotangents.setdefault(uids[i], ZERO)
        return
    if rule is not None and rule.flat:
        for i in rule.flat.intersection(positions):
            cotangents.setdefault(uids[i], ZERO)
        positions = [i for i in positions if i not in rule.flat]
    pullback = None if by_rule else recording.pullback
    symbolic = pullback is None and rule is not None and rule.symbolic
    full: list[Any] = [
        one if type(one) is Tensor else None if symbolic else _materialize(recording, i)
        for i, one in enumerate(found)
    ]
    if pullback is None or (seen and pullback.op(0) is None):
        _by_rule(recording, rule, full, positions, cotangents)
    elif seen:
        inputs = _handles(recording)
        for i in positions:
            add_cotangent(cotangents, uids[i], _floats(inputs[i], pullback.op(i), (*inputs, *full)))
    else:
        carried = pullback([one._native for one in full])
        for i in positions:
            native = carried[i]
            add_cotangent(
                cotangents, uids[i], ZERO if native is None else wrap(recording.backend, native)
            )


def _by_rule(
    recording: Recording,
    rule: Any,
    full: Sequence[Tensor],
    positions: Sequence[int],
    cotangents: dict[int, Cotangent],
) -> None:
    """Apply the textbook's rule for every input that needs a cotangent."""
    if rule is None:
        raise NotDifferentiableError(f"{recording.op.name} has no derivative")
    backend = recording.backend
    inputs = _handles(recording)
    if recording.multiple:
        g: Any = full
        out: Any = [
            wrap(backend, native, uid)
            for native, uid in zip(recording.outputs, recording.output_uids, strict=True)
        ]
    else:
        g = full[0]
        out = wrap(backend, recording.outputs[0], recording.output_uids[0])
    floating = []
    for i in positions:
        if inputs[i]._native.dtype in backend.native_floats:
            floating.append(i)
        else:
            add_cotangent(cotangents, recording.uids[i], ZERO)
    found = rule.cotangents(floating, g, out, inputs, recording.settings)
    for i, cotangent in zip(floating, found, strict=True):
        shape = backend.shape(inputs[i]._native)
        if cotangent.shape != shape:
            cotangent = unbroadcast(cotangent, shape)
        add_cotangent(cotangents, recording.uids[i], cotangent)


def _floats(x: Tensor, pullback: Any, arguments: Sequence[Any]) -> Cotangent:
    """Pull a cotangent back to an input, unless it is of a dtype that has no derivative."""
    return pullback(*arguments) if x.dtype in INEXACT else ZERO


def _handles(recording: Recording) -> list[Any]:
    """Return an op's inputs as Tensors; Python scalars stay."""
    backend = recording.backend
    return [
        x if type(x) in SCALARS else wrap(backend, x, uid)
        for x, uid in zip(recording.inputs, recording.uids, strict=True)
    ]


def _materialize(recording: Recording, position: int) -> Tensor:
    """Return an output's cotangent of zero as an array."""
    return zeros_like(wrap(recording.backend, recording.outputs[position]))


def add_cotangent(cotangents: dict[int, Cotangent], uid: int, cotangent: Cotangent) -> None:
    """Add to a value's cotangent."""
    before = cotangents.get(uid)
    if before is None or before is ZERO:
        cotangents[uid] = cotangent
    elif isinstance(cotangent, Tensor):
        assert isinstance(before, Tensor)
        cotangents[uid] = before + cotangent


def unbroadcast(cotangent: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Sum a cotangent over the axes along which its input was broadcast."""
    found = cotangent.shape
    if found == shape:
        return cotangent
    extra = len(found) - len(shape)
    axes = tuple(range(extra)) + tuple(
        extra + i for i, length in enumerate(shape) if length == 1 and found[extra + i] != 1
    )
    if axes:
        cotangent = OPS["sum"](cotangent, axis=axes, keepdims=False)
    if cotangent.shape != shape:
        # Axes of length one were summed away, or the rule left some to be filled in.
        size = 1
        for length in cotangent.shape:
            size *= length
        wanted = 1
        for length in shape:
            wanted *= length
        op = "reshape" if size == wanted else "broadcast_to"
        cotangent = OPS[op](cotangent, shape=shape)
    return cotangent


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros of a tensor's shape and dtype beside it."""
    out: Tensor = OPS["full_like"](untracked(x), value=0)
    return out


def ones_like(x: Tensor) -> Tensor:
    """Return ones of a tensor's shape and dtype beside it."""
    op = OPS["full_like"]
    kernel = op.kernels[x.backend]
    if kernel is None:
        out: Tensor = op(untracked(x), value=1)
        return out
    # Nobody follows it, and nothing can go wrong: a way of its own, in half the time.
    return wrap(x.backend, kernel(x._native, value=1))
