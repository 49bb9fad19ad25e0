"""A tape's derivatives, backend by backend: from its recordings, or from a native tape.

Which values are connected is read off the tape's notes; a native ``None`` between connected values
is a zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Protocol

from unigrad.autodiff.backward import ZERO, Cotangent, backward, ones_like
from unigrad.autodiff.cotangents import is_inexact
from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.dispatch import Recording, native_of, wrap, wrap_all
from unigrad.core.errors import TracingError
from unigrad.core.interpreters import stack
from unigrad.core.native_tape import NativeTape
from unigrad.core.op import OPS, another_handle
from unigrad.core.tensor import Tensor


class Recorded(Protocol):
    """What a tape has noted."""

    @property
    def persistent(self) -> bool:
        """Whether it will be asked again."""
        ...

    @property
    def needs_rules(self) -> bool:
        """Whether it goes by the textbook's rules alone."""
        ...

    @property
    def tracked(self) -> Mapping[int, tuple[int, ...]]:
        """For every tracked value the values it was computed from."""
        ...

    @property
    def recordings(self) -> Sequence[Recording]:
        """The ops, where the library takes no notes."""
        ...

    @property
    def native_tapes(self) -> Mapping[Backend, NativeTape | None]:
        """The libraries' own tapes."""
        ...


def differentiate(
    tape: Recorded,
    targets: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    handles: Sequence[Tensor],
) -> list[Cotangent | None]:
    """Return the derivative of the targets by each tracked handle, ``None`` where unconnected."""
    tracked = tape.tracked
    pairs = [pair for pair in zip(targets, cotangents, strict=True) if pair[0].uid in tracked]
    if len(tape.native_tapes) == 1:
        [(backend, native)] = tape.native_tapes.items()
        return _on_backend(tape, backend, native, pairs, handles)
    results: list[Cotangent | None] = [None] * len(handles)
    # Recordings of interpreters, and of the library beneath, hang together.
    known = {
        (backend.root if native is None else backend): native
        for backend, native in tape.native_tapes.items()
    }
    for backend, native in known.items():

        def is_here(one: Tensor, backend: Backend = backend) -> bool:
            return one.backend.root is backend

        places = [i for i, handle in enumerate(handles) if is_here(handle)]
        here = [handles[i] for i in places]
        mine = [pair for pair in pairs if is_here(pair[0])]
        found = _on_backend(tape, backend, native, mine, here)
        for i, one in zip(places, found, strict=True):
            results[i] = one
    return results


def _on_backend(
    tape: Recorded,
    backend: Backend,
    native: NativeTape | None,
    pairs: Sequence[tuple[Tensor, Tensor | None]],
    handles: Sequence[Tensor],
) -> list[Cotangent | None]:
    """Differentiate what lives on one backend."""
    if not pairs or not handles:
        return [None] * len(handles)
    if native is None:
        return _by_recordings(tape, backend, pairs, handles)
    return _by_native(tape, backend, native, pairs, handles)


def _by_recordings(
    tape: Recorded,
    backend: Backend,
    pairs: Sequence[tuple[Tensor, Tensor | None]],
    handles: Sequence[Tensor],
) -> list[Cotangent | None]:
    """Walk back along the list of recorded ops."""
    cotangents: dict[int, Cotangent] = {}
    for target, cotangent in pairs:
        before = cotangents.get(target.uid)
        seed: Cotangent = ZERO
        if is_inexact(target):
            seed = ones_like(target) if cotangent is None else _conjugated(cotangent)
        cotangents[target.uid] = (
            before + seed if isinstance(before, Tensor) and isinstance(seed, Tensor) else seed
        )
    wanted = [handle.uid for handle in handles]
    # While it records, a persistent tape grows under this very walk.
    recordings = tuple(tape.recordings)
    backward(backend, recordings, cotangents, set(wanted), by_rule=tape.needs_rules)
    return _distinct([_conjugated(cotangents.get(uid)) for uid in wanted])


def _distinct(found: list[Cotangent | None]) -> list[Cotangent | None]:
    """Return each gradient in a handle of its own: one cotangent may have gone to several.

    None of them then is computed from another one, for those that record this.
    """
    if len({*map(id, found)}) == len(found):
        return found
    times = Counter(map(id, found))
    return [
        another_handle(one) if isinstance(one, Tensor) and times[id(one)] > 1 else one
        for one in found
    ]


def _conjugated(cotangent: Any) -> Any:
    """Change between the gradient that is answered and the cotangent that the rules carry.

    The gradient of a real y by a complex z = a + bi is ∂y/∂a + i ∂y/∂b, as in TensorFlow and torch:
    the direction of steepest ascent. Rules and pullbacks carry its conjugate, so that the chain
    rule of holomorphic functions is plain multiplication by f'(z), as in JAX.
    """
    if type(cotangent) is Tensor and cotangent._native.dtype in cotangent.backend.native_complex:
        return OPS["conj"](cotangent)
    return cotangent


def _by_native(
    tape: Recorded,
    backend: Backend,
    native: NativeTape,
    pairs: Sequence[tuple[Tensor, Tensor | None]],
    handles: Sequence[Tensor],
) -> list[Cotangent | None]:
    """Ask the backend's own autograd."""
    outer = recorders.active()
    if stack.frames and any(one is not None and one.backend.depth for _, one in pairs):
        raise TracingError(
            "gradient: the library's own tape takes no cotangent of a function under ug.vmap; open "
            "the tape in that function, or with GradientTape(reference=True)"
        )
    targets = [
        (target, None if cotangent is None else native_of(cotangent)) for target, cotangent in pairs
    ]
    found = native.gradient(targets, handles, keep=tape.persistent, differentiable=bool(outer))
    if not outer and NoneType not in map(type, found):
        return [*wrap_all(backend, found)]
    starts = [target.uid for target, _ in pairs]
    results: list[Cotangent | None] = []
    for handle, gradient in zip(handles, found, strict=True):
        if gradient is None:
            results.append(ZERO if _leads_to(tape, starts, handle.uid) else None)
            continue
        result = wrap(backend, backend.detach(gradient) if outer else gradient)
        for one in outer:
            one.track(result, gradient)
        results.append(result)
    return results


def _leads_to(tape: Recorded, starts: Sequence[int], end: int) -> bool:
    """Tell whether a value was computed, by the notes, from another."""
    seen = set()
    stack = list(starts)
    while stack:
        uid = stack.pop()
        if uid == end:
            return True
        if uid not in seen:
            seen.add(uid)
            stack.extend(tape.tracked.get(uid, ()))
    return False
