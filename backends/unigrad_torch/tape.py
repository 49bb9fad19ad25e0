"""torch autograd behind one front-end tape.

torch has one graph for everything; the front end decides which values a tape counts. What is left
to do here is to keep the two in step:

* A tape keeps the tensors that are in the graph in a map of its own, by the value's identity. The
  handles have the same values without the graph, so nothing runs into the graph outside of a tape,
  and the graph dies with the map.
* Watching makes a leaf; if another living tape knows the value, a differentiable alias of what that
  one has, so that earlier uses do not count here while the other tape sees through it. Of several
  tensors for one value the newest therefore leads to all others.
* After a pause in which another tape went on recording, the graph holds paths that this tape must
  not see. Inputs that it does not track then pass through a gate that is shut while this tape
  asks for its gradients.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import attrgetter, is_not
from typing import Any

import torch

from unigrad.core import recorders
from unigrad.core.native_tape import Kernel, NativeTape
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad_torch.kernels import TABLE
from unigrad_torch.private import run_backward

_Tensor = torch.Tensor
_is_grad_enabled = torch.is_grad_enabled
_ones_like = torch.ones_like
_is_there: Any = partial(is_not, None)
_uid_of = attrgetter("uid")
#: Kernels of much used ops that always return one new tensor, the sums of all elements too.
FRESH = frozenset(
    TABLE[name]
    for name in (
        "add", "subtract", "multiply", "divide", "negative", "exp", "log", "sigmoid", "tanh",
        "relu", "matmul", "linear", "mean", "sparse_softmax_crossentropy",
    )
) | {torch.Tensor.mean, torch.Tensor.sum}  # fmt: skip
#: The tapes that are alive.
_living: dict[int, weakref.ref[TorchTape]] = {}
#: The tapes whose gradients are being computed, for the gates. Not by thread: torch walks back in
#: threads of its own on an accelerator. So one thread asks at a time once there are gates.
_asking: list[TorchTape] = []
_one_asks = threading.RLock()


class TorchTape(NativeTape):
    """The torch side of one tape."""

    #: How many tapes have been gated so far: most programs never have one.
    gates = 0
    #: How often a tape began to record.
    starts = 0
    #: How often a tensor in the graph was given to functions of torch's.
    lent = 0

    def __init__(self) -> None:
        TorchTape.starts += 1
        #: The tensors in the graph, by value.
        self._natives: dict[int, torch.Tensor] = {}
        #: For each watched value when it was watched: an identity that was fresh then.
        self._since: dict[int, int] = {}
        #: True after a pause during which another tape recorded.
        self.gated = False
        #: At the last pause: whether another recorder went on, and how many starts there had been.
        self._paused = False, 0
        # Last: other threads look at the tapes that are there.
        key = id(self)
        _living[key] = weakref.ref(self, partial(_living.pop, key))

    def read(self, uid: int, variable: Variable, value: Tensor) -> None:
        of, leaf, lent = variable.leaf
        # What the tape before this one knew of the leaf has gone with it.
        if of is not value or lent != TorchTape.lent or len(_living) > 1:
            leaf = _leaf_of(value._native)
            variable.leaf = value, leaf, TorchTape.lent
        self._natives[uid] = leaf

    def watch(self, handle: Tensor) -> None:
        uid = handle.uid
        known = _newest(_alive(), uid)
        if known is None:
            leaf = _leaf_of(handle._native)
        else:
            with torch.enable_grad():
                leaf = known.view_as(known)
                if self.gated:
                    leaf = _shut_for(leaf, [self])
            # The others have uses of the value behind them, which do not lead to the alias.
            self._since[uid] = recorders.fresh_uid()
        self._natives[uid] = leaf

    def run(
        self,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: tuple[int, ...],
        settings: Mapping[str, Any],
        others: Sequence[Any] = (),
        uid: int = 0,
    ) -> Any:
        if not _is_grad_enabled():
            # A tape records within the caller's `torch.no_grad` as well.
            with torch.enable_grad():
                return self.run(kernel, natives, uids, settings, others, uid)
        if uid and kernel in FRESH and not settings:
            # The commonest case, without a list of the arrays and a look for them in the result.
            result = kernel(*map(self._natives.get, uids, natives))
            if result.requires_grad:
                self._natives[uid] = result
                return result.detach()
            return self.keep(uid, result)
        if others:
            natives = self.seen(natives, uids, others)
        else:
            natives = [*map(self._natives.get, uids, natives)]
        result = kernel(*natives, **settings) if settings else kernel(*natives)
        # A kernel that returns its input would give two values one place in the graph.
        for native in natives:
            if result is native:
                result = result.view_as(result)
                break
        if type(result) is _Tensor:
            return self.keep(uid, result) if uid else result
        if isinstance(result, (tuple, list)):
            return [_alias(one, natives) for one in result]
        return result

    def keep(
        self, uid: int, result: torch.Tensor, plain: torch.Tensor | None = None
    ) -> torch.Tensor:
        if not result.requires_grad:
            # Computed through a bool or an integer, of which torch's graph knows nothing: what
            # follows depends on the result all the same. One leaf for all tapes that record it.
            if result.is_floating_point() or result.is_complex():
                known = _newest(_alive(), uid)
                self._natives[uid] = _leaf_of(result) if known is None else known
            return result
        self._natives[uid] = result
        return result.detach() if plain is None else plain

    def seen(
        self, natives: Sequence[Any], uids: Sequence[int], others: Sequence[Any] = ()
    ) -> list[Any]:
        tapes: list[TorchTape] = [self, *others]
        found = []
        for native, uid in zip(natives, uids, strict=True):
            known = _newest(tapes, uid) if uid else None
            if known is not None:
                native = known
                if TorchTape.gates:
                    blind = [one for one in tapes if one.gated and uid not in one._natives]
                    if blind:
                        native = _shut_for(native, blind)
            found.append(native)
        return found

    def lend(self, handle: Tensor, others: Sequence[Any] = ()) -> torch.Tensor:
        TorchTape.lent += 1
        native: torch.Tensor
        [native] = self.seen([handle._native], [handle.uid], others)
        return native

    def tracks(self, native: torch.Tensor) -> bool:
        return bool(native.requires_grad)

    def holds(self, native: torch.Tensor) -> bool:
        # They share their memory with the tensors in the graph.
        if type(native) is not _Tensor or not native.numel():
            return False
        address, shape = native.data_ptr(), native.shape
        return any(
            type(one) is _Tensor and one.data_ptr() == address and one.shape == shape
            for one in self._natives.values()
        )

    def pause(self) -> None:
        self._paused = bool(recorders.active()), TorchTape.starts

    def resume(self) -> None:
        if self._paused != (False, TorchTape.starts) and not self.gated:
            self.gated = True
            TorchTape.gates += 1
        TorchTape.starts += 1

    def gradient(
        self,
        targets: Sequence[tuple[Tensor, torch.Tensor | None]],
        sources: Sequence[Tensor],
        *,
        keep: bool,
        differentiable: bool,
    ) -> Sequence[torch.Tensor | None]:
        if not _is_grad_enabled():
            with torch.enable_grad():
                return self.gradient(targets, sources, keep=keep, differentiable=differentiable)
        natives = self._natives
        outputs, seeds = [], []
        for target, cotangent in targets:
            native = natives.get(target.uid)
            if native is not None:
                outputs.append(native)
                seeds.append(_ones_like(native) if cotangent is None else cotangent)
        inputs = [*map(natives.get, map(_uid_of, sources))]
        usable = (*filter(_is_there, inputs),)
        if not usable or not outputs:
            return [None] * len(inputs)
        # Another living tape may share this graph and ask later.
        keep = keep or differentiable or len(_living) > 1
        # Only a gate wants to know who asks.
        walk = run_backward if not TorchTape.gates else partial(_asked_by, self)
        gradients: tuple[torch.Tensor | None, ...] = walk(
            (*outputs,),
            (*seeds,),
            keep,
            differentiable,
            usable,
            allow_unreachable=True,
            accumulate_grad=False,
        )
        if differentiable:
            gradients = _distinct(gradients, seeds)
        if len(usable) == len(inputs):
            return gradients
        found = iter(gradients)
        return [None if one is None else next(found) for one in inputs]


def _alive() -> list[TorchTape]:
    """Return the tapes that are alive."""
    return [tape for one in list(_living.values()) if (tape := one()) is not None]


def _newest(tapes: Iterable[TorchTape], uid: int) -> torch.Tensor | None:
    """Return, of the tensors that tapes have for a value, the one that leads to all others."""
    found, latest = None, -1
    for tape in tapes:
        native = tape._natives.get(uid)
        if native is not None and (since := tape._since.get(uid, 0)) > latest:
            found, latest = native, since
    return found


def _leaf_of(native: torch.Tensor) -> torch.Tensor:
    """Return a fresh leaf of an array's values."""
    try:
        return native.detach().requires_grad_()
    except RuntimeError:
        # Made in torch.inference_mode(), for ever out of torch's graph: a copy is not.
        return native.clone().requires_grad_()


def _asked_by(tape: TorchTape, *given: Any, **settings: Any) -> Any:
    """Walk back with a tape's gates shut."""
    with _one_asks:
        _asking.append(tape)
        try:
            return run_backward(*given, **settings)
        finally:
            _asking.remove(tape)


class _Gate(torch.autograd.Function):
    """The identity, whose derivative is cut while certain tapes ask."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, tapes: tuple[Any, ...]) -> torch.Tensor:
        ctx.tapes = tapes
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        shut = any(tape() is asking for tape in ctx.tapes for asking in _asking)
        return (None if shut else gradients[0]), None


def _shut_for(native: torch.Tensor, tapes: Sequence[TorchTape]) -> torch.Tensor:
    """Put a gate before a tensor that is shut while one of the tapes asks."""
    with torch.enable_grad():
        out: torch.Tensor = _Gate.apply(native, tuple(map(weakref.ref, tapes)))
    return out


def _alias(result: torch.Tensor, natives: Sequence[Any]) -> torch.Tensor:
    """Return a result as a tensor of its own if it is one of the inputs."""
    return result.view_as(result) if any(result is native for native in natives) else result


def _distinct(
    gradients: tuple[torch.Tensor | None, ...], cotangents: Sequence[torch.Tensor]
) -> tuple[torch.Tensor | None, ...]:
    """Return each gradient as a tensor of its own in the graph.

    One that was handed through is its cotangent, and may have gone to several sources.
    """
    times = Counter(map(id, chain(cotangents, gradients)))
    with torch.enable_grad():
        return tuple(
            [one if one is None or times[id(one)] == 1 else one.view_as(one) for one in gradients]
        )
