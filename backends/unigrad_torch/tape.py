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

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter, is_not
from operator import call as _call
from typing import Any

import torch

from unigrad.core import recorders
from unigrad.core.backend import Kernel, NativeTape
from unigrad.core.op import wrap
from unigrad.core.tensor import Tensor
from unigrad_torch.kernels import TABLE
from unigrad_torch.private import run_backward

_Tensor = torch.Tensor
_is_grad_enabled = torch.is_grad_enabled
_requires_grad = attrgetter("requires_grad")
_native = attrgetter("native")
_uid = attrgetter("uid")
_is_there: Any = partial(is_not, None)
#: Kernels of much used ops that always return one new tensor.
FRESH = frozenset(
    TABLE[name]
    for name in (
        "add", "subtract", "multiply", "divide", "negative", "exp", "log", "sigmoid", "tanh",
        "relu", "matmul", "linear", "mean", "sparse_softmax_crossentropy",
    )
)  # fmt: skip
#: A variable's value and the handle that stands for it in tapes.
_Leaf = tuple[Tensor, Tensor]
#: Identities of the tapes that are alive.
_living: set[int] = set()
#: The tapes whose gradients are being computed. Not by thread: torch walks back in threads of its
#: own on an accelerator.
_asking: list[TorchTape] = []


def _alive(references: Iterable[weakref.ref[Tensor]]) -> Iterator[Tensor]:
    """Return the handles that are still there."""
    return filter(_is_there, map(_call, references))


def _leaf_of(native: torch.Tensor) -> torch.Tensor:
    """Return a fresh leaf of an array's values."""
    try:
        return native.detach().requires_grad_()
    except RuntimeError:
        # Made in torch.inference_mode(), for ever out of torch's graph: a copy is not.
        return native.clone().requires_grad_()


class TorchTape(NativeTape):
    """The torch side of one tape."""

    #: How many tapes have been gated so far: most programs never have one.
    gates = 0
    #: Values older than this one may be in graphs that outlived their tape.
    entangled = 0

    def __init__(self) -> None:
        _living.add(id(self))
        #: The tensors with the graph, by value, of handles that carry others by now.
        self._natives: dict[int, torch.Tensor] = {}
        #: Watched handles, what they carried before, and the leaf (or alias) they carry since.
        self._watched: list[tuple[Tensor, torch.Tensor | None, torch.Tensor]] = []
        #: The handles of what was computed from them.
        self._noted: list[weakref.ref[Tensor]] = []
        self.note = self._noted.append
        #: True after a pause during which another tape recorded.
        self.gated = False
        self._paused_beside_another = False

    def __del__(self, discard: Callable[[int], None] = _living.discard) -> None:
        # Bound early: the module may be gone before the last tape.
        discard(id(self))

    def watch(self, handle: Tensor, tracked_elsewhere: bool) -> None:
        native = handle.native
        before: torch.Tensor | None = native
        if tracked_elsewhere and native.requires_grad:
            with torch.enable_grad():
                leaf = native.view_as(native)
            before = None
            # The others have uses of the value behind them, which do not lead to the alias.
            for recorder in recorders.watchers((handle.uid,)):
                other = recorder.native_tapes.get(handle.backend)
                if other is not None:
                    other._natives.setdefault(handle.uid, native)
        else:
            leaf = _leaf_of(native)
        handle.native = self._natives[handle.uid] = leaf
        self._watched.append((handle, before, leaf))

    def leaf_of(self, value: Tensor, before: _Leaf | None) -> _Leaf:
        if (
            before is None
            or before[0] is not value
            # What an earlier tape noted of its leaf died with that tape, unless another went on.
            or before[1].uid < TorchTape.entangled
            or len(_living) > 1
        ):
            leaf = _leaf_of(value.native)
            return value, wrap(value.backend, leaf, recorders.fresh_uid())
        return before

    def run(
        self,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
    ) -> Any:
        if TorchTape.gates:
            natives = gate_paused(natives, uids)
        if _is_grad_enabled():
            result = kernel(*natives, **settings) if settings else kernel(*natives)
            if kernel in FRESH:
                return result
        else:
            with torch.enable_grad():
                result = kernel(*natives, **settings)
        # A kernel that returns its input would give two values one place in the graph.
        for native in natives:
            if result is native:
                return result.view_as(result)
        if type(result) is not _Tensor and isinstance(result, (tuple, list)):
            return [_alias(one, natives) for one in result]
        return result

    def tracks(self, native: torch.Tensor) -> bool:
        return bool(native.requires_grad)

    def pause(self) -> None:
        alone = not recorders.active()
        self._paused_beside_another = not alone
        if not alone:
            TorchTape.entangled = recorders.fresh_uid()
        natives = self._natives
        for handle, before, leaf in self._watched:
            if handle.native is leaf and alone and before is not None:
                handle.native = before
            # An inner tape may have put an alias in the leaf's place; an assignment another value.
            elif self._stands_for(handle, leaf) and (
                alone or not recorders.watchers((handle.uid,))
            ):
                handle.native = leaf.detach() if before is None else before
        for noted in _alive(self._noted):
            native = noted.native
            if native.requires_grad:
                uid = noted.uid
                natives.setdefault(uid, native)
                if alone or not recorders.watchers((uid,)):
                    noted.native = native.detach()

    def _stands_for(self, handle: Tensor, leaf: torch.Tensor) -> bool:
        """Tell whether a handle still is of the value that a leaf was made of."""
        return self._natives.get(handle.uid) is leaf

    def resume(self) -> None:
        if self._paused_beside_another and not self.gated:
            self.gated = True
            TorchTape.gates += 1
        self._paused_beside_another = False
        handles = [*[handle for handle, _, _ in self._watched], *_alive(self._noted)]
        for handle in handles:
            if not handle.native.requires_grad:
                handle.native = self._natives.get(handle.uid, handle.native)

    def gradient(
        self,
        targets: Sequence[tuple[Tensor, Tensor | None]],
        sources: Sequence[Tensor],
        *,
        keep: bool,
        differentiable: bool,
    ) -> Sequence[torch.Tensor | None]:
        natives = self._natives
        outputs, seeds = [], []
        for target, cotangent in targets:
            native = natives.get(target.uid, target.native)
            if native.requires_grad:
                outputs.append(native)
                seeds.append(torch.ones_like(native) if cotangent is None else cotangent.native)
        inputs: list[torch.Tensor] = [*map(natives.get, map(_uid, sources), map(_native, sources))]
        usable = inputs if all(map(_requires_grad, inputs)) else [*filter(_requires_grad, inputs)]
        if not usable or not outputs:
            return [None] * len(sources)
        # Only a gate wants to know who asks.
        gates = TorchTape.gates
        if gates:
            _asking.append(self)
        try:
            gradients: tuple[torch.Tensor | None, ...] = run_backward(
                tuple(outputs),
                tuple(seeds),
                # Another living tape may share this graph and ask later.
                keep or differentiable or len(_living) > 1,
                differentiable,
                tuple(usable),
                allow_unreachable=True,
                accumulate_grad=False,
            )
        finally:
            if gates:
                _asking.remove(self)
        if usable is inputs:
            return gradients
        found = iter(gradients)
        return [next(found) if one.requires_grad else None for one in inputs]


class _Gate(torch.autograd.Function):
    """The identity, whose derivative is cut while a certain tape asks."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, tapes: tuple[Any, ...]) -> torch.Tensor:
        ctx.tapes = tapes
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        shut = any(tape() is asking for tape in ctx.tapes for asking in _asking)
        return (None if shut else gradients[0]), None


def gate_paused(natives: Sequence[Any], uids: tuple[int, ...]) -> list[Any]:
    """Put gates before the inputs that a once-paused tape does not track."""
    gated = []
    for watcher in recorders.watchers(uids):
        for native_tape in watcher.native_tapes.values():
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


def _alias(result: torch.Tensor, natives: Sequence[Any]) -> torch.Tensor:
    """Return a result as a tensor of its own if it is one of the inputs."""
    return result.view_as(result) if any(result is native for native in natives) else result
