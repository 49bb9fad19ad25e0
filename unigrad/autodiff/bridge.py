"""Native kernel, textbook derivative: what every backend's bridge stands on.

A bridge is a few lines per framework (`unigrad_torch.bridge`, `unigrad_tensorflow.bridge`,
`unigrad_jax.bridge`): they make, from a kernel and a rule, a native function whose derivative
is the rule's, in the framework's own manner of saying so. Here is what they have in common: running
a rule on native arrays.

A rule is made of ops, which run on native arrays that the framework itself follows. So the
derivative can be differentiated again, to any order, and traced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from unigrad.autodiff.backward import unbroadcast, zeros_like
from unigrad.autodiff.lending import lent
from unigrad.autodiff.rules.registry import Rule, has_no_tangent
from unigrad.core.backend import Backend
from unigrad.core.dispatch import native_of, wrap
from unigrad.core.native_tape import Native
from unigrad.core.op import OPS
from unigrad.core.registry import at_home, has_choice, load_backend
from unigrad.core.tensor import Tensor

#: Gives a rule when a derivative is wanted: an op's may be written after its kernel.
RuleSource: TypeAlias = Callable[[], Rule]
_SCALARS = (bool, int, float, complex)


def rule_of(name: str) -> RuleSource:
    """Return the source of an op's rule."""
    return lambda: OPS[name].rule


def vjp(
    backend: Backend,
    rule: Rule,
    inputs: Sequence[Native],
    outputs: Sequence[Native],
    cotangents: Sequence[Native | None],
    wanted: Sequence[bool],
    settings: Mapping[str, Any],
    *,
    multiple: bool = False,
) -> list[Native | None]:
    """Carry cotangents of a kernel's results back to its inputs.

    Args:
        inputs: native arrays and Python scalars, as the kernel got them.
        outputs: the results; ``multiple`` when the kernel returns a tuple.
        cotangents: one per result, ``None`` for zero.
        wanted: which inputs need a cotangent; those that are no floats get none.

    Returns:
        One cotangent per input, of its shape; ``None`` where it is not wanted or zero.
    """
    found: list[Native | None] = [None] * len(inputs)
    floats = backend.native_floats
    positions = [
        i
        for i, (x, one) in enumerate(zip(inputs, wanted, strict=True))
        if one and i not in rule.flat and type(x) not in _SCALARS and x.dtype in floats
    ]
    if rule.zero or not positions or all(one is None for one in cotangents):
        return found
    handles, results = _handles(backend, inputs), _handles(backend, outputs)
    given = [
        wrap(backend, one) if one is not None else None if rule.symbolic else zeros_like(result)
        for one, result in zip(cotangents, results, strict=True)
    ]
    g, out = (given, results) if multiple else (given[0], results[0])
    # The library may ask long after the call, when its caller's backend is no longer the current.
    with _at_home(backend, handles):
        cotangents_of = rule.cotangents(positions, g, out, handles, settings)
        for i, one in zip(positions, cotangents_of, strict=True):
            found[i] = native_of(unbroadcast(one, backend.shape(inputs[i])))
    return found


def jvp(
    backend: Backend,
    rule: Rule,
    inputs: Sequence[Native],
    outputs: Sequence[Native],
    tangents: Sequence[Native | None],
    settings: Mapping[str, Any],
    *,
    multiple: bool = False,
) -> list[Native]:
    """Carry tangents of a kernel's inputs (``None`` for zero) on to its results."""
    results = _handles(backend, outputs)
    if rule.zero or all(one is None for one in tangents):
        return [zeros_like(result)._native for result in results]
    if rule.jvp is None:
        raise has_no_tangent(getattr(rule, "name", "the function"))
    given = [None if one is None else wrap(backend, one) for one in tangents]
    handles = _handles(backend, inputs)
    with _at_home(backend, handles):
        found = rule.jvp(given, results if multiple else results[0], *handles, **settings)
        moved = [
            zeros_like(result) if one is None else one
            for one, result in zip(found if multiple else [found], results, strict=True)
        ]
        return [
            OPS["broadcast_to"](one, shape=result.shape)._native
            if one.shape != result.shape
            else one._native
            for one, result in zip(moved, results, strict=True)
        ]


def _at_home(backend: Backend, handles: Sequence[Any]) -> at_home:
    """Have a rule make its constants where the arrays are, as the call of the function did."""
    if not has_choice(backend):
        return at_home(backend, None)
    first = next((x for x in handles if type(x) is Tensor), None)
    return at_home(backend, None if first is None else first.backend.beside(first._native))


def body_of(backend: str, name: str) -> Callable[..., Native]:
    """Return the body of an op as a kernel: for a quicker kernel, where that one is not right."""

    def run(*natives: Native, **settings: Any) -> Native:
        home = load_backend(backend)
        handles = tuple(_handles(home, natives))
        found = home.composed(OPS[name], handles, natives, settings)
        return found._native if type(found) is Tensor else tuple([one._native for one in found])

    return run


def _handles(backend: Backend, natives: Sequence[Native]) -> list[Any]:
    """Return native arrays as Tensors that no recorder knows; Python scalars stay."""
    return [x if type(x) in _SCALARS else wrap(backend, x) for x in natives]


__all__ = ["RuleSource", "Tensor", "body_of", "jvp", "lent", "rule_of", "vjp"]
