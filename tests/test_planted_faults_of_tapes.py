"""Each part of the tapes is needed: planted faults, and the checks that find them.

A row names a fault, the backend on which it is planted, how, and what must then fail: a scenario,
a lifetime, or one of the checks of unigrad's own names below.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.autodiff import backward, cotangents, differentiation, forward, jacobians, transforms
from unigrad.autodiff import tape as tapes
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.core import copying, op, recorders, variable
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.layers import module
from unigrad.ops import interop
from unigrad_conformance.lifetime import LIFETIMES
from unigrad_conformance.scenarios import every_scenario
from unigrad_conformance.scenarios.scenario import check_scenario, unigrad_api

Patch = pytest.MonkeyPatch

# Loaded in this order, which the frameworks ask for.
load_backend("torch")
load_backend("tensorflow")

from unigrad_tensorflow.tape import TensorflowTape  # noqa: E402
from unigrad_torch.tape import TorchTape  # noqa: E402
from unigrad_tensorflow import tape as tensorflow_tape  # noqa: E402
from unigrad_torch import tape as torch_tape  # noqa: E402

# -- checks in unigrad's own names


def reads_are_their_own() -> None:
    v = ug.Variable([1.0, 2.0])
    read = v.read()
    read[0] = 9.0
    assert v.tolist() == [1.0, 2.0]


def copies_are_their_own_on_a_tape() -> None:
    x = ug.asarray(3.0)
    with ug.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ug.copy(x)
        z = y * y
        both = x * y
    assert float(tape.gradient(z, y)) == 6.0
    assert float(tape.gradient(both, y)) == 3.0


def an_untracked_handle_carries_no_graph() -> None:
    x, v = ug.asarray(3.0), ug.Variable(2.0)
    with ug.GradientTape() as outer:
        outer.watch(x)
        with ug.GradientTape() as inner:
            inner.watch(x)
            y = x * x * v
        slope = inner.gradient(y, x)
        for one in (x, y, slope, v, ug.copy(y)):
            assert not getattr(one.native, "requires_grad", False)


def forward_over_reverse() -> None:
    x = ug.asarray([1.0, 2.0])
    with ug.ForwardAccumulator(x, ug.asarray([1.0, 1.0])) as accumulator:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = ug.sum(x * x * x)
        slope = tape.gradient(y, x)
    assert accumulator.jvp(slope).tolist() == [6.0, 12.0]


def reverse_over_forward() -> None:
    x = ug.asarray(2.0)
    with ug.GradientTape() as tape:
        tape.watch(x)
        with ug.ForwardAccumulator(x, ug.asarray(1.0)) as accumulator:
            y = x * x * x
        slope = accumulator.jvp(y)
    assert float(tape.gradient(slope, x)) == 12.0


def forward_over_forward() -> None:
    x = ug.asarray(2.0)
    with ug.ForwardAccumulator(x, ug.asarray(1.0)) as outer:
        with ug.ForwardAccumulator(x, ug.asarray(1.0)) as inner:
            y = x * x * x
        slope = inner.jvp(y)
        assert inner.jvp(slope) is None
    assert (float(slope), float(outer.jvp(slope))) == (12.0, 12.0)


def forward_by_a_variable() -> None:
    v = ug.Variable(3.0)
    with ug.ForwardAccumulator(v, ug.asarray(2.0)) as accumulator:
        y = v * v
    assert float(accumulator.jvp(y)) == 12.0


def forward_broadcasts() -> None:
    x = ug.asarray(2.0)
    with ug.ForwardAccumulator(x, ug.asarray(1.0)) as accumulator:
        y = x + ug.zeros(3)
    assert accumulator.jvp(y).shape == (3,)


def a_reference_tape_inside_another() -> None:
    x, w = ug.asarray(2.0), ug.asarray(3.0)
    with ug.GradientTape() as outer:
        outer.watch([x, w])
        with ug.GradientTape(reference=True) as inner:
            inner.watch(x)
            # The handle of w * w is gone when the inner tape walks back.
            y = ug.sin(x * (w * w))
        slope = inner.gradient(y, x)
    by_w = 6.0 * (np.cos(18.0) - 18.0 * np.sin(18.0))
    np.testing.assert_allclose(float(outer.gradient(slope, w)), by_w, rtol=1e-4)


def the_reference_tape_goes_by_the_rules() -> None:
    x = ug.asarray(2.0)
    with ug.GradientTape(reference=True) as tape:
        tape.watch(x)
        y = ug.sin(x)
    assert tape.recordings
    assert tape.gradient(y, x) is not None


def several_results_on_two_tapes() -> None:
    x = ug.asarray([3.0, 1.0, 2.0])
    with ug.GradientTape() as first, ug.GradientTape() as second:
        first.watch(x)
        second.watch(x)
        a, b, _ = ug.unstack(x)
        y = a * a * b
    for tape in (first, second):
        assert tape.gradient(y, x).tolist() == [6.0, 9.0, 0.0]


def a_librarys_function_is_seen() -> None:
    w = ug.Variable([0.5, 1.0])
    with ug.GradientTape() as tape:
        y = ug.asarray(_sine()(w))
    np.testing.assert_allclose(tape.gradient(y, w).numpy(), np.cos(w.numpy()), rtol=1e-6)


def a_librarys_result_of_an_earlier_tape_is_a_constant() -> None:
    import warnings

    w = ug.Variable([0.5, 1.0])
    with ug.GradientTape() as tape:
        kept = _sine()(w)
        y = w * 1.0
    tape.gradient(y, w)
    del tape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ug.GradientWarning)
        with ug.GradientTape() as tape:
            y = w * kept
        found = tape.gradient(y, w)
    np.testing.assert_allclose(found.numpy(), np.sin(w.numpy()), rtol=1e-6)


def _sine() -> Any:
    if ug.get_backend() == "torch":
        import torch

        return torch.sin
    import tensorflow as tf

    return tf.sin


def results_are_nobody_elses() -> None:
    x, c = ug.asarray([1.0, 2.0]), ug.asarray([3.0, 4.0])
    out, pullback = ug.vjp(lambda t: t, x)
    [found] = pullback(c)
    _, tangent = ug.jvp(lambda t: t, (x,), (c,))
    kept = ug.jit(lambda: x)()
    carry, _ = ug.scan(lambda carry, row: (carry, row), x, length=2)
    for one in (out, found, tangent, kept, carry):
        one[0] = 9.0
    assert (x.tolist(), c.tolist()) == ([1.0, 2.0], [3.0, 4.0])
    assert pullback(c)[0].tolist() == [3.0, 4.0]


def gradients_by_two_sources_are_two() -> None:
    x, y = ug.asarray(1.0), ug.asarray(2.0)
    with ug.GradientTape() as outer:
        outer.watch([x, y])
        with ug.GradientTape() as inner:
            inner.watch([x, y])
            z = x + y
        by_x, by_y = inner.gradient(z, [x, y])
    by_x[...] = 5.0
    assert float(by_y) == 1.0


CHECKS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        reads_are_their_own,
        copies_are_their_own_on_a_tape,
        an_untracked_handle_carries_no_graph,
        forward_over_reverse,
        reverse_over_forward,
        forward_over_forward,
        forward_by_a_variable,
        forward_broadcasts,
        a_reference_tape_inside_another,
        the_reference_tape_goes_by_the_rules,
        several_results_on_two_tapes,
        a_librarys_function_is_seen,
        a_librarys_result_of_an_earlier_tape_is_a_constant,
        results_are_nobody_elses,
        gradients_by_two_sources_are_two,
    )
}
#: These are about libraries with functions that a tape can see.
FOREIGN = {
    "a_librarys_function_is_seen",
    "a_librarys_result_of_an_earlier_tape_is_a_constant",
}


def check(name: str) -> None:
    """Run a check by name on the current backend."""
    if name in CHECKS:
        CHECKS[name]()
    elif name in LIFETIMES:
        LIFETIMES[name]()
    else:
        [one] = [one for one in every_scenario() if one.name == name]
        check_scenario(one, unigrad_api())


# -- faults


def replace(target: Any, name: str, value: Any) -> Callable[[Patch], None]:
    """Return the planting of a fault: something else under a name."""
    return lambda patch: patch.setattr(target, name, value)


def around(target: Any, name: str, make: Callable[[Any], Any]) -> Callable[[Patch], None]:
    """Return the planting of a fault made from the honest function."""
    return lambda patch: patch.setattr(target, name, make(getattr(target, name)))


def everywhere(name: str, value: Any) -> Callable[[Patch], None]:
    """Return the planting of a fault in a function that modules have taken by name."""
    places = (
        op, variable, copying, cotangents, differentiation, forward, interop, tapes, backward,
        transforms, module,
    )  # fmt: skip

    def plant(patch: Patch) -> None:
        for place in places:
            if hasattr(place, name):
                patch.setattr(place, name, value)

    return plant


class Lonely(dict[int, Any]):
    """Living tapes that always seem to be one."""

    def __len__(self) -> int:
        return 1


def _shared(x: Any) -> Any:
    return op.wrap(x.backend, x.native, x.uid)


def _first(tapes: Any, uid: int) -> Any:
    return next((one._natives[uid] for one in tapes if uid in one._natives), None)


def _last_is_popped(recorder: Any) -> None:
    recorders.thread.active.pop()
    recorders.thread.refresh()
    recorders.process.recording.discard(id(recorder))


def _never_told(honest: Any) -> Any:
    return lambda self, recording, outputs: None


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Fault:
    """What is planted, where, and what must fail."""

    name: str
    backend: str
    plant: Callable[[Patch], None]
    checks: tuple[str, ...] = ()


def _with_leaf_always(honest: Any) -> Any:
    def watch(self: Any, handle: Any, leaf: Any = None) -> Any:
        if leaf is None:
            return honest(self, handle)
        self._natives[handle.uid] = leaf[0] if isinstance(leaf, tuple) else leaf
        if isinstance(self, TensorflowTape):
            self._tape.watch(leaf)
        return leaf

    return watch


def _forgets_at_once(honest: Any) -> Any:
    def keep(self: Any, uid: int, result: Any, plain: Any = None) -> Any:
        out = honest(self, uid, result, plain)
        self._natives.pop(uid, None)
        return out

    return keep


def _unaliased(self: Any, kernel: Any, natives: Any, uids: Any, settings: Any, others: Any = ()):
    import torch

    with torch.enable_grad():
        return kernel(*self.seen(natives, uids, others), **settings)


def _tf_unaliased(self: Any, kernel: Any, natives: Any, uids: Any, settings: Any, others: Any = ()):
    return kernel(*self.seen(natives, uids, others), **settings)


def _uncut(self: Any, natives: Any, uids: Any, others: Any = ()) -> Any:
    return [
        next((one._natives[uid] for one in (self, *others) if uid in one._natives), native)
        for native, uid in zip(natives, uids, strict=True)
    ]


def _last_handle_only(honest: Any) -> Any:
    def read(self: Any, which: Any, value: Any, handle: Any = None) -> Any:
        out = honest(self, which, value, handle)
        if which.uid in self._handles:
            self._handles[which.uid] = self._handles[which.uid][-1:]
        return out

    return read


def _native_always(self: Any, backend: Any) -> Any:
    native = self.native_tapes[backend] = backend.open_tape()
    return native


def _only_asked_by_itself(self: Any, backend: Any) -> Any:
    native = self.native_tapes[backend] = None if self.needs_rules else backend.open_tape()
    return native


_OVER_TWO = lambda honest: lambda run: run  # noqa: E731

FAULTS = [
    # torch's tape
    Fault("no alias at watch", "torch", around(torch_tape, "_newest", lambda honest: _nothing)),
    Fault("no gates", "torch", replace(torch_tape, "_shut_for", lambda native, tapes: native)),
    Fault("never gated", "torch", replace(TorchTape, "resume", _nothing)),
    Fault("gates shut for everybody", "torch", replace(torch_tape._Gate, "backward", staticmethod(lambda ctx, *g: (None, None)))),
    Fault("retain only what is kept", "torch", lambda patch: patch.setattr(torch_tape, "_living", Lonely(torch_tape._living))),
    Fault("a leaf that went to torch's functions is used again", "torch", replace(TorchTape, "lend", lambda self, handle, others=(): self.seen([handle.native], [handle.uid], others)[0])),
    Fault("a leaf is used again beside another tape", "torch", around(TorchTape, "watch", _with_leaf_always)),
    Fault("handles carry the graph", "torch", around(TorchTape, "keep", lambda honest: lambda self, uid, result, plain=None: (honest(self, uid, result, plain), result)[1])),
    Fault("the oldest tensor stands for a value", "torch", replace(torch_tape, "_newest", _first)),
    Fault("results are forgotten at once", "torch", around(TorchTape, "keep", _forgets_at_once)),
    Fault("a kernel that returns its input", "torch", lambda patch: (patch.setattr(TorchTape, "run", _unaliased), patch.setitem(OPS["identity"].kernels, load_backend("torch"), lambda x: x))),
    # TensorFlow's tape
    Fault("a tensor for every tape", "tensorflow", around(tensorflow_tape, "_shared_by_all", lambda honest: lambda handle: tensorflow_tape.tf.stop_gradient(handle.native))),
    Fault("the handle's tensor is watched", "tensorflow", replace(tensorflow_tape, "_shared_by_all", lambda handle: handle.native)),
    Fault("what nobody tracks is not cut off", "tensorflow", replace(TensorflowTape, "seen", _uncut)),
    Fault("a kernel that returns its input", "tensorflow", lambda patch: (patch.setattr(TensorflowTape, "run", _tf_unaliased), patch.setitem(OPS["identity"].kernels, load_backend("tensorflow"), lambda x: x))),
    Fault("no pause", "tensorflow", lambda patch: (patch.setattr(TensorflowTape, "pause", _nothing), patch.setattr(TensorflowTape, "resume", _nothing))),
    Fault("a leaf is used again beside another tape", "tensorflow", around(TensorflowTape, "watch", _with_leaf_always)),
    # handles
    *[Fault("a copy of the same identity", name, everywhere("another_handle", _shared)) for name in ("numpy", "torch")],
    Fault("a variable's readers share a handle", "numpy", replace(ug.Variable, "read", lambda self: self.__unigrad_tensor__())),
    Fault("modules hand their arguments through", "numpy", replace(module, "_not_given", lambda result, inputs, settings: result)),
    Fault("results of functions are what they return", "numpy", lambda patch: [patch.setattr(place, "own_handles", lambda values: values) for place in (transforms, __import__("unigrad.control").control, __import__("unigrad.tracing.jit").tracing.jit)]),
    Fault("cotangents without their graph", "torch", replace(differentiation, "native_of", lambda x, lent=False: x.native)),
    Fault("functions of the library get no graph", "torch", replace(interop, "native_of", lambda x, lent=False: x.native)),
    Fault("one gradient for two sources", "numpy", replace(differentiation, "_distinct", lambda found: found)),
    # the tape
    Fault("needs_rules ignored", "torch", replace(GradientTape, "_open", _native_always)),
    Fault("needs_rules of those around ignored", "torch", replace(GradientTape, "_open", _only_asked_by_itself)),
    Fault("the second use does not raise", "numpy", replace(GradientTape, "_spend", _nothing)),
    Fault("a persistent tape is spent", "numpy", around(GradientTape, "_spend", lambda honest: lambda self: (setattr(self, "persistent", False), honest(self)))),
    Fault("a pause is none", "numpy", replace(GradientTape, "_pause", _nothing)),
    Fault("reset keeps what was watched", "numpy", around(GradientTape, "reset", lambda honest: _nothing)),
    Fault("only the last value of a variable counts", "numpy", around(GradientTape, "read", _last_handle_only)),
    Fault("gradients are not tracked", "torch", replace(GradientTape, "track", _nothing)),
    Fault("nothing leads anywhere", "torch", replace(differentiation, "_leads_to", lambda *_: False)),
    Fault("all leads everywhere", "torch", replace(differentiation, "_leads_to", lambda *_: True)),
    Fault("a source's handles are not added up", "numpy", replace(tapes, "summed", lambda found, sizes: found[: len(sizes)])),
    Fault("an unwatched source by itself", "numpy", replace(tapes, "by_itself", _nothing)),
    Fault("cotangents are ignored", "numpy", replace(tapes, "given_cotangents", lambda targets, structure, given: [None] * len(targets))),
    Fault("watching again starts anew", "numpy", around(GradientTape, "_watch", lambda honest: lambda self, tensor: (setattr(tensor, "uid", 0), honest(self, tensor))[1])),
    Fault("a spent tape keeps what it recorded", "numpy", replace(GradientTape, "_release", _nothing)),
    # the walk back
    Fault("broadcasting is not undone", "jax", replace(backward, "unbroadcast", lambda cotangent, shape: cotangent)),
    Fault("cotangents replace each other", "numpy", replace(backward, "_add", lambda found, uid, one: found.__setitem__(uid, one))),
    Fault("nobody sees the walk", "numpy", around(backward, "backward", lambda honest: honest)),
    Fault("wanted values are taken", "numpy", replace(backward, "_taken", lambda natives, uid, wanted: natives.pop(uid, None))),
    Fault("a first zero is one", "numpy", replace(backward, "_materialize", lambda recording, i: backward.ones_like(op.wrap(recording.backend, recording.outputs[i])))),
    Fault("the walk goes forward", "numpy", around(differentiation, "backward", lambda honest: lambda backend, recordings, *rest, **more: honest(backend, recordings[::-1], *rest, **more))),
    Fault("zeros are not connected", "numpy", lambda patch: patch.setattr(differentiation, "ZERO", None)),
    # recorders
    Fault("the innermost recorder is dropped", "numpy", lambda patch: (patch.setattr(recorders, "pop", _last_is_popped))),
    Fault("all recorders see the tangents", "numpy", replace(ForwardAccumulator, "_who_may_see", lambda self: [*recorders.active()])),
    Fault("nobody sees the tangents", "numpy", replace(ForwardAccumulator, "_who_may_see", lambda self: [])),
    Fault("variables have no tangents", "numpy", replace(ForwardAccumulator, "read", lambda self, which, value, handle=None: value if handle is None else handle)),
    Fault("an accumulator hears nothing", "numpy", around(ForwardAccumulator, "record", _never_told)),
    # Jacobians
    Fault("rows are columns", "numpy", around(jacobians, "_basis", lambda honest: lambda target: honest(target)[::-1])),
    Fault("a row for all", "numpy", around(jacobians, "_basis", lambda honest: lambda target: [honest(target)[0]] * target.size)),
]
