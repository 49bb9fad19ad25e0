"""Bad calls with bools: as numbers of products, and as lengths, counts and offsets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import unigrad as ug
from unigrad_conformance.errors import bad


def _bools(*shape: int) -> ug.Tensor:
    return ug.ones(shape, dtype="bool")


def _after_one(call: Callable[[Any], Any]) -> None:
    """Call with 1, which leaves its plan behind, and with True, which is 1 to a dictionary."""
    call(1)
    call(True)


def _product(equation: str, ranks: list[int]) -> ug.Tensor:
    return ug.einsum(equation, *[_bools(*[2] * rank) for rank in ranks])


_LENGTHS: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda n: ug.zeros(n),
    "ones": lambda n: ug.ones((2, n)),
    "full": lambda n: ug.full(n, 1.0),
    "empty": lambda n: ug.empty((n,)),
    "eye": lambda n: ug.eye(n),
    "tri": lambda n: ug.tri(2, k=n),
    "linspace": lambda n: ug.linspace(0.0, 1.0, n),
    "reshape": lambda n: ug.reshape(ug.ones(1), (n,)),
    "broadcast_to": lambda n: ug.broadcast_to(ug.ones(1), (n,)),
    "tile": lambda n: ug.tile(ug.ones(1), (n,)),
    "repeat": lambda n: ug.repeat(ug.ones(2), n),
    "roll": lambda n: ug.roll(ug.ones(2), n),
    "one_hot": lambda n: ug.one_hot([0], n),
    "top_k": lambda n: ug.top_k(ug.ones(2), n),
    "split": lambda n: ug.split(ug.ones(2), n),
    "diff": lambda n: ug.diff(ug.ones(3), n=n),
    "tril": lambda n: ug.tril(ug.ones((2, 2)), k=n),
    "diag": lambda n: ug.diag(ug.ones(2), k=n),
    "diagonal": lambda n: ug.diagonal(ug.ones((2, 2)), offset=n),
    "dynamic_slice": lambda n: ug.dynamic_slice(ug.ones(3), [0], [n]),
}
for _name, _call in _LENGTHS.items():
    bad(f"{_name} with a bool for a number", ug.DTypeError, _name, "True")(
        partial(_after_one, _call)
    )

for _equation in ("ij,jk->ik", "i,i->", "ij->i", "i,j->ij"):
    _ranks = [len(term) for term in _equation.partition("->")[0].split(",")]
    bad(f"einsum of bools, {_equation}", ug.DTypeError, "einsum", "bools")(
        partial(_product, _equation, _ranks)
    )
bad("linear of bools", ug.DTypeError, "bool")(
    lambda: ug.linear(_bools(2, 2), _bools(2, 2), _bools(2))
)
