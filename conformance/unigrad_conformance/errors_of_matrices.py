"""Bad calls of linear algebra and Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import unigrad as ug
from unigrad_conformance.errors import bad

_SINGULAR = [[1.0, 2.0], [2.0, 4.0]]
_INDEFINITE = [[1.0, 2.0], [2.0, 1.0]]
_LOOKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "inv": ("singular", lambda x: ug.linalg.inv(x)),
    "solve": ("singular", lambda x: ug.linalg.solve(x, [1.0, 1.0])),
    "matrix_power": ("singular", lambda x: ug.linalg.matrix_power(x, -2)),
    "cholesky": ("definite", lambda x: ug.linalg.cholesky(_INDEFINITE)),
    "solve_triangular": ("singular", lambda x: ug.linalg.solve_triangular([[0.0]], [1.0])),
    "lu_solve": ("singular", lambda x: ug.linalg.lu_solve(ug.linalg.lu_factor(x), [1.0, 1.0])),
}
for _name, (_word, _call) in _LOOKS.items():
    bad(f"{_name} without an answer", ug.LinAlgError, _word, looks=True)(partial(_call, _SINGULAR))
for _dtype in ("complex64", "complex128"):
    bad(f"cholesky of {_dtype} that is not definite", ug.LinAlgError, "definite", looks=True)(
        partial(lambda dtype: ug.linalg.cholesky(ug.asarray(_INDEFINITE, dtype=dtype)), _dtype)
    )
bad("inv of a stack, one of which is singular", ug.LinAlgError, "inv", "[1]", looks=True)(
    lambda: ug.linalg.inv([[[1.0, 0.0], [0.0, 1.0]], _SINGULAR])
)


@bad("inv of a singular matrix on a tape", ug.LinAlgError, "inv", looks=True)
def _on_a_tape() -> Any:
    x = ug.asarray(_SINGULAR)
    with ug.GradientTape() as tape:
        tape.watch(x)
        return ug.linalg.inv(x)


def _call_of(name: str, *shape: int) -> Any:
    return getattr(ug.linalg, name)(ug.ones(shape))


for _name in ("cholesky", "det", "slogdet", "inv", "eigh", "eigvalsh", "eig", "eigvals", "expm"):
    bad(f"{_name} of a matrix that is not square", ug.ShapeError, _name, "(2, 3)")(
        partial(_call_of, _name, 2, 3)
    )
for _name in ("inv", "qr", "svd", "svdvals", "pinv", "lu", "matrix_norm", "matrix_rank"):
    bad(f"{_name} of a vector", ug.ShapeError, _name, "(3,)")(partial(_call_of, _name, 3))
bad("solve with sides that do not fit", ug.ShapeError, "solve", "(2, 2)", "(3,)")(
    lambda: ug.linalg.solve(ug.ones((2, 2)), ug.ones(3))
)
bad("solve with stacks that do not broadcast", ug.ShapeError, "solve", "broadcast")(
    lambda: ug.linalg.solve(ug.ones((2, 2, 2)), ug.ones((3, 2, 1)))
)
bad("mode of qr", ug.SettingError, "qr", "raw")(
    lambda: ug.linalg.qr(ug.ones((2, 2)), mode="raw")  # type: ignore[arg-type]
)
bad("order of matrix_norm", ug.SettingError, "matrix_norm", "3")(
    lambda: ug.linalg.matrix_norm(ug.ones((2, 2)), ord=3)
)
bad("multi_dot of one", ug.ShapeError, "multi_dot")(lambda: ug.linalg.multi_dot([ug.ones((2, 2))]))
bad("block_diag of nothing", ug.ShapeError, "block_diag")(lambda: ug.linalg.block_diag())
bad("cross of two components", ug.ShapeError, "cross", "(2,)")(
    lambda: ug.linalg.cross([1.0, 2.0], [3.0, 4.0])
)
bad("lu_solve with floats for a permutation", ug.DTypeError, "lu_solve", "float32")(
    lambda: ug.linalg.lu_solve((ug.ones((2, 2)), ug.ones(2)), ug.ones(2))
)

# -- Fourier transforms
bad("rfft of complex numbers", ug.DTypeError, "rfft", "complex64")(lambda: ug.fft.rfft([1j, 2.0]))
bad("transform of no element", ug.ShapeError, "fft", "0")(lambda: ug.fft.fft(ug.ones(0)))
bad("transform to no element", ug.ShapeError, "ifft", "0")(lambda: ug.fft.ifft(ug.ones(2), n=0))
bad("inverse of one element", ug.ShapeError, "irfft", "0")(lambda: ug.fft.irfft(ug.ones(1)))
bad("norm of a transform", ug.SettingError, "fft", "unitary")(
    lambda: ug.fft.fft(ug.ones(2), norm="unitary")  # type: ignore[arg-type]
)
bad("axis of a transform", ug.AxisError, "fft", "axis 1")(lambda: ug.fft.fft(ug.ones(2), axis=1))
bad("lengths and axes of a transform", ug.ShapeError, "fftn", "2 lengths", "1 axes")(
    lambda: ug.fft.fftn(ug.ones((2, 2)), s=(2, 2), axes=(0,))
)
bad("frequencies of a transform of nothing", ug.ShapeError, "fftfreq", "0")(
    lambda: ug.fft.fftfreq(0)
)
