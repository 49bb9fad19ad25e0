"""What a tape costs: growth linear in what it recorded, and nothing kept when it is gone."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import unigrad as ug
from unigrad_conformance.levels import Level
from unigrad_conformance.subject import Deviation

#: The length of the long chain, that of a brief run, and how much shorter the chain is that it is
#: compared with.
CHAIN = 100_000
BRIEF_CHAIN = 32_000
SHORTER = 8
#: How much longer than in proportion the long chain may take.
SLACK = 3.0


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let reference counts alone free what is no longer used."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _require_dead(what: str, references: list[weakref.ref[Any]]) -> None:
    living = sum(one() is not None for one in references)
    if living:
        raise Deviation(f"{what}: {living} of {len(references)} intermediate values live on")


def _references(*tensors: ug.Tensor) -> list[weakref.ref[Any]]:
    """Refer weakly to tensors and, where the library allows it, to their native arrays."""
    references: list[weakref.ref[Any]] = [weakref.ref(one) for one in tensors]
    for one in tensors:
        try:
            references.append(weakref.ref(one._native))
        except TypeError:
            continue
    return references


def nothing_is_kept_without_a_tape() -> None:
    """Outside of a tape an intermediate dies with its handle."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        y = ug.sin(x)
        references = _references(y)
        z = y * y
        del y
        _require_dead("without a tape", references)
        del z


def nothing_is_kept_of_an_untracked_computation() -> None:
    """A tape keeps nothing of what it does not track."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape():
            y = ug.sin(x)
            references = _references(y)
            z = y * y
            del y
            _require_dead("untracked under a tape", references)
        del z


def spent_tape_lets_go() -> None:
    """After its gradient a tape that is no longer usable holds no intermediate."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = ug.sin(x)
            references = _references(y)
            z = y * y
            del y
        gradient = tape.gradient(z, x)
        del z
        _require_dead("after the gradient", references)
        del gradient


def dropped_tape_lets_go() -> None:
    """A tape that nobody asked takes everything with it."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = ug.sin(x)
            references = _references(y)
            z = y * y
        del y, z, tape
        _require_dead("after the tape", references)


def nested_tapes_let_go() -> None:
    """Second order leaves nothing behind either."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape() as outer:
            outer.watch(x)
            with ug.GradientTape() as inner:
                inner.watch(x)
                y = ug.sin(x)
                references = _references(y)
                z = y * y
                del y
            first = inner.gradient(z, x)
        second = outer.gradient(first, x)
        del z, first, inner, outer
        _require_dead("after two tapes", references)
        del second


def reset_tape_lets_go() -> None:
    """`reset` forgets the values too."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = ug.sin(x)
            references = _references(y)
            z = y * y
            del y
            tape.reset()
            del z
        _require_dead("after reset", references)


def exception_lets_go() -> None:
    """A block left by an exception keeps nothing once its tape is gone."""
    with _without_collector():
        x = ug.asarray([1.0, 2.0])
        references: list[weakref.ref[Any]] = []

        def work() -> None:
            with ug.GradientTape() as tape:
                tape.watch(x)
                y = ug.sin(x)
                references.extend(_references(y))
                raise KeyError(y.shape)

        with suppress(KeyError):
            work()
        _require_dead("after an exception", references)


def result_carries_no_graph() -> None:
    """What a tape's block leaves behind is a plain value of the library."""
    x = ug.asarray([1.0, 2.0])
    v = ug.Variable([1.0, 2.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        product = ug.sin(x) * v
        loss = ug.sum(product)
    found = {"product": product, "loss": loss, "gradient": tape.gradient(loss, x)}
    for what, one in {**found, "source": x, "variable": v}.items():
        require_no_graph(f"the {what}", one)


def require_no_graph(what: str, tensor: ug.Tensor | ug.Variable) -> None:
    """Raise a `Deviation` when a value still hangs on a library's graph after its tape's block."""
    # Only torch's arrays have the attribute: the others never carry a graph.
    if getattr(tensor.native, "requires_grad", False):
        raise Deviation(f"{what} still requires grad after the block")


def long_chain(length: int = CHAIN) -> None:
    """Gradients through 10⁵ ops, in linear time, without running out of stack."""
    _chain(1000)
    short = min(_chain(length // SHORTER) for _ in range(2))
    long = _chain(length)
    if long > SLACK * SHORTER * short:
        raise Deviation(
            f"{length} ops took {long:.2f} s, {length // SHORTER} ops {short:.2f} s: "
            "more than in proportion"
        )


def _chain(length: int) -> float:
    """Differentiate a chain of ops; return the seconds it took, freeing it included."""
    x = ug.asarray(1.0, dtype="float64")
    start = time.process_time()
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in range(length // 2):
            y = -y
            y = y * -1.0
    found = tape.gradient(y, x)
    del tape, y
    elapsed = time.process_time() - start
    if float(found) != 1.0:
        raise Deviation(f"the chain's derivative is {float(found)}, not 1")
    return elapsed


def variables_keep_what_a_caller_writes_over() -> None:
    """In a call of `ug.interop` a variable takes a value, not the memory of the caller's array."""
    v = ug.Variable([0.0, 0.0])
    made: list[ug.Variable] = []

    @ug.interop
    def run(x: ug.Tensor) -> ug.Tensor:
        v.assign(x)
        made.extend([ug.Variable(x), ug.Variable(ug.reshape(x, (2, 1)))])
        return x * 2.0

    array = ug.asarray([1.0, 2.0]).native
    run(array)
    try:
        array[0] = 9.0
    except (TypeError, ValueError):
        # Its arrays never change.
        return
    for one in (v, *made):
        found = one.numpy().ravel().tolist()
        if found != [1.0, 2.0]:
            raise Deviation(f"a variable became {found} when its caller wrote to an array")


#: By name; the order is that of reports.
LIFETIMES: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        nothing_is_kept_without_a_tape,
        nothing_is_kept_of_an_untracked_computation,
        spent_tape_lets_go,
        dropped_tape_lets_go,
        nested_tapes_let_go,
        reset_tape_lets_go,
        exception_lets_go,
        result_carries_no_graph,
        long_chain,
        variables_keep_what_a_caller_writes_over,
    )
}


def lifetimes(level: Level = Level.FULL) -> dict[str, Callable[[], None]]:
    """Return the checks by name, in a brief run with a shorter chain."""
    if not level.brief:
        return LIFETIMES
    return {**LIFETIMES, "long_chain": partial(long_chain, BRIEF_CHAIN)}
