"""The derivative of a composite that a backend brings a kernel of: that of its body.

The value is the kernel's, recorded or not: what watches a computation must not change it. The body
runs when the derivative is wanted, and only to be differentiated. A composite that is used much has
a rule of its own, which is shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.autodiff.backward import Cotangent, add_cotangent, backward, zeros_like
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.rules.registry import Rule
from unigrad.autodiff.tape import GradientTape
from unigrad.core.op import OPS, Op, another_handle
from unigrad.core.tensor import Tensor


class BodyRule(Rule):
    """The derivative of a composite in both modes, by differentiating its body."""

    __slots__ = ("op",)
    of_body = True

    def __init__(self, op: Op) -> None:
        super().__init__(jvp=self._tangent)
        self.op = op

    def vjp(
        self, position: int, g: Any, out: Any, inputs: Sequence[Any], settings: Mapping[str, Any]
    ) -> Tensor:
        return self.cotangents([position], g, out, inputs, settings)[0]

    def cotangents(
        self,
        positions: Sequence[int],
        g: Any,
        out: Any,
        inputs: Sequence[Any],
        settings: Mapping[str, Any],
    ) -> Sequence[Tensor]:
        if not positions:
            # Of integers that are tracked nobody wants a cotangent.
            return []
        # Values of their own: one may stand in two places, and each place is meant by itself.
        given = list(inputs)
        for i in positions:
            given[i] = another_handle(inputs[i])
        sources = [given[i] for i in positions]
        with GradientTape(watch_accessed_variables=False, reference=True) as tape:
            tape.watch(sources)
            results = self._run(given, settings)
        carried: dict[int, Cotangent] = {}
        many = g if isinstance(g, (tuple, list)) else [g]
        for result, cotangent in zip(results, many, strict=True):
            if result.uid in tape.tracked:
                # A body may give one value back twice.
                add_cotangent(carried, result.uid, cotangent)
        uids = [source.uid for source in sources]
        backward(given[positions[0]].backend, tuple(tape.recordings), carried, set(uids))
        found = [carried.get(uid) for uid in uids]
        return [
            one if isinstance(one, Tensor) else zeros_like(source)
            for one, source in zip(found, sources, strict=True)
        ]

    def _tangent(self, tangents: Any, out: Any, *inputs: Any, **settings: Any) -> Any:
        given = list(inputs)
        moving = [i for i, tangent in enumerate(tangents) if tangent is not None]
        for i in moving:
            given[i] = another_handle(inputs[i])
        with ForwardAccumulator(
            [given[i] for i in moving], [tangents[i] for i in moving]
        ) as accumulator:
            results = self._run(given, settings)
        found = [accumulator.jvp(result, unconnected_gradients="zero") for result in results]
        return tuple(found) if isinstance(out, (tuple, list)) else found[0]

    def _run(self, inputs: Sequence[Any], settings: Mapping[str, Any]) -> list[Tensor]:
        """Return the body's results as a list."""
        body = self.op.body
        assert body is not None
        result = body(*inputs, **settings)
        return list(result) if isinstance(result, (tuple, list)) else [result]


def derive_rules() -> None:
    """Give every composite that has no rule the one of its body."""
    for op in OPS.values():
        if op.rule is None and op.body is not None:
            op.rule = BodyRule(op)
