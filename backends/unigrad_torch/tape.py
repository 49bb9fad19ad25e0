"""torch autograd behind one front-end tape.

torch has one graph for everything; the front end decides which values a tape counts. What is left
to do here is to keep the two in step:

* A handle carries a tensor that requires grad only while some tape tracks its value *and*
  records. When the last such tape pauses or ends, its live handles get detached tensors back and
  the tape keeps the ones with the graph. So nothing runs into the graph outside of a tape, and
  the graph dies with the tape.
* Watching makes a leaf; if another recording tape already tracks the value, a differentiable
  alias, so that earlier uses do not count here while the other tape sees through it.
* After a pause in which another tape went on recording, the graph holds paths that this tape must
  not see. Inputs that it does not track then pass through a gate that is shut while this tape
  asks for its gradients.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd.graph import _engine_run_backward

from unigrad.core import recorders
from unigrad.core.backend import NativeTape
from unigrad.core.tensor import Tensor

_living: weakref.WeakSet[TorchTape] = weakref.WeakSet()


class TorchTape(NativeTape):
    """The torch side of one tape."""

    #: How many tapes have been gated so far: most programs never have one.
    gates = 0

    def __init__(self) -> None:
        _living.add(self)
        #: The tensors with the graph, by value, of handles that carry others by now.
        self._natives: dict[int, torch.Tensor] = {}
        #: What watched handles carried before.
        self._before: dict[int, torch.Tensor] = {}
        self._handles: list[weakref.ref[Tensor]] = []
        #: True after a pause during which another tape recorded.
        self.gated = False
        self._paused_beside_another = False

    def watch(self, handle: Tensor, tracked_elsewhere: bool) -> None:
        native = handle.native
        if tracked_elsewhere and native.requires_grad:
            with torch.enable_grad():
                handle.native = native.view_as(native)
        else:
            handle.native = native.detach().requires_grad_()
            self._before[handle.uid] = native
        self._natives[handle.uid] = handle.native
        self._handles.append(weakref.ref(handle))

    def note(self, output: Tensor) -> None:
        self._handles.append(weakref.ref(output))

    def pause(self, still_tracked: Callable[[int], bool]) -> None:
        alone = not recorders.active()
        self._paused_beside_another = not alone
        for reference in self._handles:
            handle = reference()
            if handle is None or not handle.native.requires_grad:
                continue
            uid = handle.uid
            native = self._natives.setdefault(uid, handle.native)
            if alone or not still_tracked(uid):
                before = self._before.get(uid)
                handle.native = native.detach() if before is None else before

    def resume(self) -> None:
        if self._paused_beside_another and not self.gated:
            self.gated = True
            TorchTape.gates += 1
        self._paused_beside_another = False
        for reference in self._handles:
            handle = reference()
            if handle is not None and not handle.native.requires_grad:
                handle.native = self._natives.get(handle.uid, handle.native)

    def native_of(self, handle: Tensor) -> torch.Tensor:
        """Return the tensor that stands for a handle's value in this tape's graph."""
        native: torch.Tensor = self._natives.get(handle.uid, handle.native)
        return native

    def gradient(
        self,
        targets: Sequence[Tensor],
        cotangents: Sequence[Tensor | None],
        sources: Sequence[Tensor],
        *,
        keep: bool,
        differentiable: bool,
    ) -> list[torch.Tensor | None]:
        outputs, seeds = [], []
        for target, cotangent in zip(targets, cotangents, strict=True):
            native = self.native_of(target)
            if native.requires_grad:
                outputs.append(native)
                seeds.append(torch.ones_like(native) if cotangent is None else cotangent.native)
        found: list[torch.Tensor | None] = [None] * len(sources)
        natives = self._natives
        inputs = [natives.get(source.uid, source.native) for source in sources]
        usable = [i for i, one in enumerate(inputs) if one.requires_grad]
        if not usable or not outputs:
            return found
        _asking.tapes.append(self)
        try:
            # What torch.autograd.grad does after some 15 µs of checks that the tape has made.
            gradients = _engine_run_backward(
                tuple(outputs),
                tuple(seeds),
                # Another living tape may share this graph and ask later.
                keep or differentiable or len(_living) > 1,
                differentiable,
                tuple([inputs[i] for i in usable]),
                allow_unreachable=True,
                accumulate_grad=False,
            )
        finally:
            _asking.tapes.pop()
        for i, gradient in zip(usable, gradients, strict=True):
            found[i] = gradient
        return found


class _Asking(threading.local):
    def __init__(self) -> None:
        #: The tapes whose gradients are being computed in this thread.
        self.tapes: list[TorchTape] = []


_asking = _Asking()


class _Gate(torch.autograd.Function):
    """The identity, whose derivative is cut while a certain tape asks."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, tapes: tuple[Any, ...]) -> torch.Tensor:
        ctx.tapes = tapes
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        shut = any(tape() is asking for tape in ctx.tapes for asking in _asking.tapes)
        return (None if shut else gradients[0]), None


def gate_paused(natives: Sequence[Any], uids: Sequence[int], watchers: Sequence[Any]) -> list[Any]:
    """Put gates before the inputs that a once-paused tape does not track."""
    gated = []
    for watcher in watchers:
        for native_tape in getattr(watcher, "native_tapes", list)():
            if isinstance(native_tape, TorchTape) and native_tape.gated:
                gated.append((watcher, native_tape))
    if not gated:
        return list(natives)
    out = []
    for native, uid in zip(natives, uids, strict=True):
        shut = tuple(weakref.ref(tape) for watcher, tape in gated if uid not in watcher.tracked)
        if shut and isinstance(native, torch.Tensor) and native.requires_grad:
            with torch.enable_grad():
                native = _Gate.apply(native, shut)
        out.append(native)
    return out
