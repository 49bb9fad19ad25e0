"""A tape's derivatives, backend by backend: from its recordings, or from a native tape.

Which values are connected is read off the tape's notes; a native ``None`` between connected values
is a zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unigrad.autodiff.answers import is_inexact, with_more
from unigrad.autodiff.backward import ZERO, Cotangent, backward, ones_like
from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.op import wrap
from unigrad.core.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.autodiff.tape import GradientTape


def differentiate(
    tape: GradientTape,
    targets: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    sources: list[list[Tensor]],
) -> list[Tensor | None]:
    """Return each source's gradient, ``None`` where unconnected."""
    results: list[Tensor | None] = [None] * len(sources)
    live: dict[Backend, list[tuple[Tensor, Tensor | None]]] = {}
    for target, cotangent in zip(targets, cotangents, strict=True):
        if target.uid in tape.tracked:
            live.setdefault(target.backend, []).append((target, cotangent))
    for backend, mine in live.items():
        handles = {h.uid: h for group in sources for h in group if h.backend is backend}
        if tape.natives.get(backend) is None:
            found = _by_recordings(tape, mine, set(handles))
        else:
            found = _by_native(tape, backend, mine, list(handles.values()))
        for i, group in enumerate(sources):
            for handle in group:
                one = found.get(handle.uid)
                if one is not None:
                    before = results[i]
                    if before is None and type(one) is Tensor:
                        results[i] = one
                    else:
                        results[i] = with_more(before, one, handle)
    return results


def _by_recordings(
    tape: GradientTape, pairs: Sequence[tuple[Tensor, Tensor | None]], wanted: set[int]
) -> dict[int, Cotangent]:
    """Walk back along the list of recorded ops."""
    cotangents: dict[int, Cotangent] = {}
    for target, cotangent in pairs:
        before = cotangents.get(target.uid)
        seed: Cotangent = ZERO
        if is_inexact(target):
            seed = ones_like(target) if cotangent is None else cotangent
        cotangents[target.uid] = (
            before + seed if isinstance(before, Tensor) and isinstance(seed, Tensor) else seed
        )
    # While it records, a persistent tape grows under this very walk.
    backward(tuple(tape.recordings), cotangents, wanted, by_rule=tape.needs_rules)
    return {uid: cotangents[uid] for uid in wanted if uid in cotangents}


def _by_native(
    tape: GradientTape,
    backend: Backend,
    pairs: Sequence[tuple[Tensor, Tensor | None]],
    handles: list[Tensor],
) -> dict[int, Cotangent]:
    """Ask the backend's own autograd."""
    native = tape.natives[backend]
    assert native is not None
    outer = recorders.active()
    usable = [pair for pair in pairs if is_inexact(pair[0])]
    found = (
        native.gradient(
            [target for target, _ in usable],
            [cotangent for _, cotangent in usable],
            handles,
            keep=tape.persistent,
            differentiable=bool(outer),
        )
        if usable and handles
        else [None] * len(handles)
    )
    results: dict[int, Cotangent] = {}
    for handle, gradient in zip(handles, found, strict=True):
        if gradient is not None:
            result = wrap(backend, gradient)
            for one in outer:
                one.adopt(result)
            results[handle.uid] = result
        elif _leads_to(tape, [target.uid for target, _ in pairs], handle.uid):
            results[handle.uid] = ZERO
    return results


def _leads_to(tape: GradientTape, starts: Sequence[int], end: int) -> bool:
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
