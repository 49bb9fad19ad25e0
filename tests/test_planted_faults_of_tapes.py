"""Each part of the tapes is needed: planted faults, and the checks that find them.

A row names a fault, the backend on which it is planted, how, and what must then fail: a scenario,
a lifetime, or one of `tape_checks`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tape_checks import CHECKS, FOREIGN, check

import unigrad as ug
from unigrad import control
from unigrad.autodiff import backward, cotangents, differentiation, forward, jacobians, transforms
from unigrad.autodiff import tape as tapes
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.core import copying, foreign, op, recorders, variable
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.layers import module
from unigrad.ops import creation, interop
from unigrad.tracing import jit

Patch = pytest.MonkeyPatch

# Loaded in this order, which the frameworks ask for.
load_backend("torch")
load_backend("tensorflow")

from unigrad_tensorflow import tape as tensorflow_tape  # noqa: E402
from unigrad_tensorflow.tape import TensorflowTape  # noqa: E402
from unigrad_torch import tape as torch_tape  # noqa: E402
from unigrad_torch.tape import TorchTape  # noqa: E402

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
        creation, op, variable, copying, cotangents, differentiation, forward, interop, tapes,
        backward, transforms, module, control, jit,
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
    checks: tuple[str, ...]


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


def _unseen(honest: Any) -> Any:
    def walk(*arguments: Any) -> None:
        with recorders.only([]):
            honest(*arguments)

    return walk


FAULTS = [
    # torch's tape
    Fault(
        "no alias at watch",
        "torch",
        around(torch_tape, "_newest", lambda honest: _nothing),
        (
            "a_value_used_before_and_after_it_is_watched_again",
            "second_order",
        ),
    ),
    Fault(
        "no gates",
        "torch",
        replace(torch_tape, "_shut_for", lambda native, tapes: native),
        ("what_another_computed_in_a_pause_and_this_one_watches",),
    ),
    Fault(
        "never gated",
        "torch",
        replace(TorchTape, "resume", _nothing),
        ("what_another_computed_in_a_pause_and_this_one_watches",),
    ),
    Fault(
        "gates shut for everybody",
        "torch",
        replace(torch_tape._Gate, "backward", staticmethod(lambda ctx, *g: (None, None))),
        ("inner_pauses_while_outer_records",),
    ),
    Fault(
        "retain only what is kept",
        "torch",
        lambda patch: patch.setattr(torch_tape, "_living", Lonely(torch_tape._living)),
        ("a_value_used_before_and_after_it_is_watched_again",),
    ),
    Fault(
        "a leaf that went to torch's functions is used again",
        "torch",
        replace(
            TorchTape,
            "lend",
            lambda self, handle, others=(): self.seen([handle.native], [handle.uid], others)[0],
        ),
        ("a_librarys_result_of_an_earlier_tape_is_a_constant",),
    ),
    Fault(
        "a leaf is used again beside another tape",
        "torch",
        around(TorchTape, "watch", _with_leaf_always),
        ("a_tape_entered_again_inside_another",),
    ),
    Fault(
        "handles carry the graph",
        "torch",
        around(
            TorchTape,
            "keep",
            lambda honest: (
                lambda self, uid, result, plain=None: (honest(self, uid, result, plain), result)[1]
            ),
        ),
        (
            "an_untracked_handle_carries_no_graph",
            "result_carries_no_graph",
        ),
    ),
    Fault(
        "the oldest tensor stands for a value",
        "torch",
        replace(torch_tape, "_newest", _first),
        ("second_order",),
    ),
    Fault(
        "results are forgotten at once",
        "torch",
        around(TorchTape, "keep", _forgets_at_once),
        (
            "square_of_a_watched_tensor",
            "a_reference_tape_inside_another",
        ),
    ),
    Fault(
        "a kernel that returns its input",
        "torch",
        lambda patch: (
            patch.setattr(TorchTape, "run", _unaliased),
            patch.setitem(OPS["identity"].kernels, load_backend("torch"), lambda x: x),
        ),
        ("copies_are_their_own_on_a_tape",),
    ),
    # TensorFlow's tape
    Fault(
        "a tensor for every tape",
        "tensorflow",
        around(
            tensorflow_tape,
            "_shared_by_all",
            lambda honest: lambda handle: tensorflow_tape.tf.stop_gradient(handle.native),
        ),
        (
            "second_order",
            "an_intermediate_watched_by_another_between_two_blocks",
        ),
    ),
    Fault(
        "the handle's tensor is watched",
        "tensorflow",
        replace(tensorflow_tape, "_shared_by_all", lambda handle: handle.native),
        ("assignment_is_not_differentiated",),
    ),
    Fault(
        "what nobody tracks is not cut off",
        "tensorflow",
        replace(TensorflowTape, "seen", _uncut),
        ("an_assigned_result_is_a_constant",),
    ),
    Fault(
        "a kernel that returns its input",
        "tensorflow",
        lambda patch: (
            patch.setattr(TensorflowTape, "run", _tf_unaliased),
            patch.setitem(OPS["identity"].kernels, load_backend("tensorflow"), lambda x: x),
        ),
        ("copies_are_their_own_on_a_tape",),
    ),
    Fault(
        "no pause",
        "tensorflow",
        lambda patch: (
            patch.setattr(TensorflowTape, "pause", _nothing),
            patch.setattr(TensorflowTape, "resume", _nothing),
        ),
        ("inner_pauses_while_outer_records",),
    ),
    Fault(
        "a leaf is used again beside another tape",
        "tensorflow",
        around(TensorflowTape, "watch", _with_leaf_always),
        ("a_tape_entered_again_inside_another",),
    ),
    # handles
    *[
        Fault(
            "a copy of the same identity",
            name,
            everywhere("another_handle", _shared),
            ("copies_are_their_own_on_a_tape",),
        )
        for name in ("numpy", "torch")
    ],
    Fault(
        "a variable's readers share a handle",
        "numpy",
        replace(ug.Variable, "read", lambda self: self.__unigrad_tensor__()),
        ("reads_are_their_own",),
    ),
    Fault(
        "modules hand their arguments through",
        "numpy",
        replace(module, "_not_given", lambda result, inputs, settings: result),
        ("writing_to_what_a_layer_handed_through",),
    ),
    Fault(
        "results of functions are what they return",
        "numpy",
        everywhere("own_handles", lambda values: values),
        ("results_are_nobody_elses",),
    ),
    Fault(
        "cotangents without their graph",
        "torch",
        replace(differentiation, "native_of", lambda x, lent=False: x.native),
        ("a_cotangent_that_is_watched",),
    ),
    Fault(
        "functions of the library get no graph",
        "torch",
        replace(foreign, "native_of", lambda x, lent=False: x.native),
        ("a_librarys_function_is_seen",),
    ),
    Fault(
        "one gradient for two sources",
        "numpy",
        replace(differentiation, "_distinct", lambda found: found),
        ("gradients_by_two_sources_are_two",),
    ),
    # the tape
    Fault(
        "needs_rules ignored",
        "torch",
        replace(GradientTape, "_open", _native_always),
        (
            "forward_over_reverse",
            "the_reference_tape_goes_by_the_rules",
        ),
    ),
    Fault(
        "needs_rules of those around ignored",
        "torch",
        replace(GradientTape, "_open", _only_asked_by_itself),
        ("forward_over_reverse",),
    ),
    Fault(
        "the second use does not raise",
        "numpy",
        replace(GradientTape, "_spend", _nothing),
        ("second_use_raises",),
    ),
    Fault(
        "a persistent tape is spent",
        "numpy",
        around(
            GradientTape,
            "_spend",
            lambda honest: lambda self: (setattr(self, "persistent", False), honest(self)),
        ),
        ("persistent_tape_is_asked_twice",),
    ),
    Fault(
        "a pause is none",
        "numpy",
        replace(GradientTape, "_pause", _nothing),
        (
            "computed_after_the_tape",
            "exception_lets_go",
        ),
    ),
    Fault(
        "reset keeps what was watched",
        "numpy",
        around(GradientTape, "reset", lambda honest: _nothing),
        ("reset_forgets_what_was_watched",),
    ),
    Fault(
        "only the last value of a variable counts",
        "numpy",
        around(GradientTape, "read", _last_handle_only),
        ("variable_assigned_between_reads",),
    ),
    Fault(
        "gradients are not tracked",
        "torch",
        replace(GradientTape, "track", _nothing),
        ("second_order",),
    ),
    Fault(
        "nothing leads anywhere",
        "torch",
        replace(differentiation, "_leads_to", lambda *_: False),
        ("a_zero_derivative_is_connected",),
    ),
    Fault(
        "all leads everywhere",
        "torch",
        replace(differentiation, "_leads_to", lambda *_: True),
        ("unconnected_source",),
    ),
    Fault(
        "a source's handles are not added up",
        "numpy",
        replace(tapes, "summed", lambda found, sizes: found[: len(sizes)]),
        ("one_watched_one_not",),
    ),
    Fault(
        "an unwatched source by itself",
        "numpy",
        replace(tapes, "by_itself", _nothing),
        ("unwatched_source_is_also_the_target",),
    ),
    Fault(
        "cotangents are ignored",
        "numpy",
        replace(tapes, "given_cotangents", lambda targets, structure, given: [None] * len(targets)),
        ("cotangent_of_the_target",),
    ),
    Fault(
        "watching again starts anew",
        "numpy",
        around(
            GradientTape,
            "_watch",
            lambda honest: (
                lambda self, tensor: (setattr(tensor, "uid", 0), honest(self, tensor))[1]
            ),
        ),
        ("second_order",),
    ),
    Fault(
        "a spent tape keeps what it recorded",
        "numpy",
        replace(GradientTape, "_release", _nothing),
        ("spent_tape_lets_go",),
    ),
    # the walk back
    Fault(
        "broadcasting is not undone",
        "numpy",
        replace(backward, "unbroadcast", lambda cotangent, shape: cotangent),
        ("the_reference_tape_undoes_broadcasting",),
    ),
    Fault(
        "cotangents replace each other",
        "numpy",
        replace(backward, "_add", lambda found, uid, one: found.__setitem__(uid, one)),
        ("second_order",),
    ),
    Fault("nobody sees the walk", "numpy", around(backward, "_walk", _unseen), ("second_order",)),
    Fault(
        "wanted values are taken",
        "numpy",
        replace(backward, "_taken", lambda natives, uid, wanted: natives.pop(uid, None)),
        ("a_result_among_several_is_a_source",),
    ),
    Fault(
        "a first zero is one",
        "numpy",
        replace(
            backward,
            "_materialize",
            lambda recording, i: backward.ones_like(
                op.wrap(recording.backend, recording.outputs[i])
            ),
        ),
        ("several_results_on_two_tapes",),
    ),
    Fault(
        "the walk goes forward",
        "numpy",
        around(
            differentiation,
            "backward",
            lambda honest: (
                lambda backend, recordings, *rest, **more: honest(
                    backend, recordings[::-1], *rest, **more
                )
            ),
        ),
        ("up_to_fourth_order",),
    ),
    # recorders
    Fault(
        "the innermost recorder is dropped",
        "numpy",
        lambda patch: patch.setattr(recorders, "pop", _last_is_popped),
        ("interleaved_tapes",),
    ),
    Fault(
        "nobody sees the tangents",
        "numpy",
        replace(ForwardAccumulator, "_who_may_see", lambda self: []),
        (
            "reverse_over_forward",
            "forward_over_forward",
        ),
    ),
    Fault(
        "variables have no tangents",
        "numpy",
        replace(
            ForwardAccumulator,
            "read",
            lambda self, which, value, handle=None: value if handle is None else handle,
        ),
        ("forward_by_a_variable",),
    ),
    Fault(
        "an accumulator hears nothing",
        "numpy",
        around(ForwardAccumulator, "record", _never_told),
        ("forward_broadcasts",),
    ),
    # Jacobians
    Fault(
        "rows are columns",
        "numpy",
        around(jacobians, "_basis", lambda honest: lambda target: honest(target)[::-1]),
        ("jacobian_of_a_square",),
    ),
    Fault(
        "a row for all",
        "numpy",
        around(
            jacobians, "_basis", lambda honest: lambda target: [honest(target)[0]] * target.size
        ),
        ("jacobian_of_a_square",),
    ),
]


@pytest.fixture(autouse=True)
def nobody_records() -> Iterator[None]:
    """A faulty tape may not have stopped recording: the next test is to start without."""
    yield
    recorders.thread.active = []
    recorders.thread.refresh()
    recorders.process.recording.clear()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.name} ({fault.backend})")
@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
def test_a_planted_fault_is_caught(fault: Fault, monkeypatch: Patch) -> None:
    with ug.use_backend(fault.backend):
        for name in fault.checks:
            with monkeypatch.context() as patch:
                fault.plant(patch)
                caught = False
                try:
                    check(name)
                except Exception:
                    # A wrong number, or an error that comes of it.
                    caught = True
            assert caught, f"{name} does not notice"


@pytest.mark.parametrize("name", sorted(CHECKS))
@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
def test_nothing_is_found_without_a_fault(backend: str, name: str) -> None:
    if name in FOREIGN and backend not in ("torch", "tensorflow"):
        return
    check(name)
