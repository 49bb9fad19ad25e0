"""What samples of linear algebra are drawn from, and how they are declared.

Matrices are made well conditioned by what is added to their diagonal, and symmetric by the call, so
that differences of the oracle move within symmetric matrices. Vectors, whose signs an oracle is
free to choose, get unigrad's there; those that have no derivative of their own (a basis of what is
left) are shown by their projector.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.sample import Case, Draw, case, complexes, real, samples


def strong(*shape: int, imaginary: bool = False) -> Draw:
    """Square matrices with a strong diagonal."""
    draw = (complexes if imaginary else real)(*shape)
    return Draw(lambda generator: draw.make(generator) + 4 * np.eye(shape[-1]))


def spread(*shape: int, imaginary: bool = False) -> Draw:
    """Matrices whose singular values are well apart: 1, 2, 3 … between random unitary ones."""
    draw = complexes if imaginary else real

    def make(generator: np.random.Generator) -> Any:
        *stack, m, n = shape
        u, v = [np.linalg.qr(draw(*stack, k, k).make(generator))[0] for k in (m, n)]
        s = np.zeros((m, n))
        np.fill_diagonal(s, np.arange(min(m, n), 0, -1) * 0.7 + 0.2)
        return np.asarray(u @ s @ v)

    return Draw(make)


def adjoint(x: Any) -> Any:
    """Return the conjugate transpose."""
    return np.conj(np.swapaxes(x, -1, -2))


#: Ops whose first sample is tried in full: the others' costly checks are left to thorough runs.
_IN_FULL = ("linalg.solve",)
#: Composed of the others: a compiler sees nothing new.
_COMPOSED = (
    "banded_solve", "block_diag", "cholesky_solve", "cond_number", "cross", "lstsq", "lu",
    "lu_solve", "matrix_norm", "matrix_power", "multi_dot", "norm", "toeplitz", "vector_norm",
)  # fmt: skip
_declared = {f"linalg.{name}" for name in _COMPOSED}


def declare(op: str, *cases: Case, **rest: Any) -> None:
    """Declare samples, all but an op's first one as further ones."""
    for one in cases:
        first = op not in _declared
        _declared.add(op)
        samples(op, one, brief=not (first and op in _IN_FULL), further=not first, **rest)


#: Of full rank, with values apart.
RECTANGLES = [case(spread(*shape)) for shape in ((3, 3), (4, 2), (2, 3))]
COMPLEX_RECTANGLES = [case(spread(3, 2, imaginary=True))]
