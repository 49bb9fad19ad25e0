"""A backend that brings its primitives and nothing else: composites run as their bodies.

NumPy stands in for it, without its kernels of composites and its own derivatives.
"""

from collections.abc import Iterator

import pytest

import unigrad as ug
from unigrad.autodiff.rules.composites import BodyRule
from unigrad.core.op import OPS, Op
from unigrad.core.registry import load_backend
from unigrad_conformance.edge import Edge, check_edge, every_edge
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import try_op
from unigrad_conformance.samples import ops
from unigrad_numpy.pullbacks import SAVING

COMPOSITES = [
    name
    for name in ops()
    if name in OPS and OPS[name].body is not None and name in load_backend("numpy").kernels
]


@pytest.fixture(autouse=True)
def primitives_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take from NumPy what a stranger need not bring."""
    backend = load_backend("numpy")
    monkeypatch.setattr(backend, "pullbacks", {})
    for name in list(SAVING):
        monkeypatch.delitem(SAVING, name)
    for op in OPS.values():
        if op.body is not None:
            monkeypatch.setitem(op.kernels, backend, None)
    with ug.use_backend("numpy"):
        yield


@pytest.mark.parametrize("edge", every_edge(), ids=lambda edge: edge.name)
def test_edges(edge: Edge) -> None:
    check_edge(edge)


@pytest.mark.parametrize("name", COMPOSITES)
def test_bodies(name: str) -> None:
    ledger = Ledger("numpy")
    try_op(name, ledger)
    assert not ledger.findings
    assert sum(ledger.passed.values())


def test_body_that_gives_one_value_twice() -> None:
    def body(x: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
        square = x * x
        return square, square

    x = ug.asarray([1.0, -2.0])
    rule = BodyRule(Op("twice", body))
    cotangents = ug.asarray([1.0, 10.0]), ug.asarray([100.0, 1000.0])
    [gradient] = rule.cotangents([0], cotangents, None, [x], {})
    assert gradient.tolist() == [202.0, -4040.0]
