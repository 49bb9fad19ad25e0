"""Programs in files: what `ug.io.save_program` wrote does what the compiled function does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation, quiet, require_close


def _reloaded(function: Any, *args: Any) -> Any:
    """Return a compiled function from a file that holds it for arguments like these."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "program.safetensors"
        ug.io.save_program(path, ug.jit(function).lower(*args))
        return ug.io.load_program(path)


def _same(what: str, got: ug.Tensor, want: ug.Tensor) -> None:
    if got.dtype != want.dtype:
        raise Deviation(f"{what}: {got.dtype.name}, not {want.dtype.name}")
    wanted = want.numpy()
    # A product may be added up in another order than in eager mode: some units in the last place.
    require_close(what, got.numpy(), wanted, 1e-6 * np.maximum(np.abs(wanted), 1.0))


def variables_go_along() -> None:
    """A program reads and writes Variables of its own, with the values and kinds of the first."""
    weight = ug.Variable([1.0, -2.0], name="weight")
    count = ug.Variable(3, trainable=False, name="count")

    def step(x: ug.Tensor) -> ug.Tensor:
        count.assign(count + 2)
        weight.assign(weight * x)
        return ug.sum(weight * x) * count

    x = ug.asarray([0.5, 3.0])
    program = _reloaded(step, x)
    kinds = {one.name: one.trainable for one in program.variables}
    if kinds != {"weight": True, "count": False}:
        raise Deviation(f"the variables of a program are {kinds}")
    for call in range(2):
        _same(f"result {call}", program(x), step(x))
    for one in program.variables:
        _same(one.name, one.value, {"weight": weight, "count": count}[one.name].value)


def settings_go_along() -> None:
    """Numbers, dtypes, keys, constants, branches and loops of a program are those of the first."""
    table = ug.asarray(np.arange(12.0).reshape(3, 4), dtype="float32")

    def mixed(x: ug.Tensor, n: int) -> dict[str, Any]:
        y = ug.linspace(0.0, 1.0, 2) + x[1:, ::-2]
        z = ug.astype(ug.where(y > 0.1, y, -0.0), ug.complex64)
        z = z * ug.full_like(z, 1.0 + 2.0j)
        picked = ug.cond(ug.sum(x) > 0.0, lambda a: a @ table.T, lambda a: a @ table.T - 1.0, x)
        carried, rows = ug.scan(lambda c, row: (c + row, c * row), ug.zeros(4), x)
        return {
            "complex": z,
            "integers": (ug.astype(x * 10.0, "int16"), [ug.argmax(x, axis=-1), n]),
            "branch": picked,
            "loop": (carried, rows),
        }

    x = ug.asarray(np.linspace(-1.0, 2.0, 12).reshape(3, 4), dtype="float32")
    program = _reloaded(mixed, x, 3)
    for given in (x, -x):
        got, structure = ug.tree.flatten(program(given, 3))
        want, wanted = ug.tree.flatten(mixed(given, 3))
        if structure != wanted:
            raise Deviation(f"results are {structure}, not {wanted}")
        for i, (one, other) in enumerate(zip(got, want, strict=True)):
            _same(f"result {i}", ug.asarray(one), ug.asarray(other))


_BESIDE_FLOATS = (
    "add", "atan2", "copysign", "divide", "floor_divide", "fmax", "fmin", "heaviside", "hypot",
    "less", "logaddexp", "maximum", "multiply", "nextafter", "pow", "remainder",
)  # fmt: skip
_BESIDE_INTEGERS = ("add", "bitwise_left_shift", "bitwise_xor", "gcd", "less", "pow")
#: Ops by the dtype, with a number beside a tensor of it.
_NUMBERS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("float32", 2.0, _BESIDE_FLOATS),
    ("bfloat16", 3, _BESIDE_FLOATS),
    ("float32", -0.0, ("copysign", "multiply")),
    ("int32", 2, _BESIDE_INTEGERS),
    ("bool", True, ("logical_and", "logical_xor", "equal")),
)


def numbers_fit_another_backend() -> None:
    """A number in a program is one to every backend: some libraries take it, others an array."""
    here = ug.get_backend()
    for dtype, number, names in _NUMBERS:

        def beside(x: ug.Tensor, number: Any = number, names: Any = names) -> list[ug.Tensor]:
            found = [getattr(ug, name)(x, number) for name in names]
            found += [getattr(ug, name)(number, x) for name in names]
            return [*found, ug.where(x == x, number, x)]

        values = np.asarray([1, 0, 3])
        for one, other in (("numpy", here), (here, "numpy")):
            with TemporaryDirectory() as folder:
                path = Path(folder) / "program.safetensors"
                with ug.use_backend(one):
                    x = ug.asarray(values, dtype=dtype)
                    ug.io.save_program(path, ug.jit(beside).lower(x))
                with ug.use_backend(other), quiet():
                    x = ug.asarray(values, dtype=dtype)
                    got, want = ug.io.load_program(path)(x), beside(x)
            for i, (a, b) in enumerate(zip(got, want, strict=True)):
                name = [*names, *names, "where"][i]
                what = f"{name} of {dtype} and {number!r}, from {one} to {other}"
                if b.dtype.kind in "bi":
                    if a.tolist() != b.tolist() or a.dtype != b.dtype:
                        raise Deviation(f"{what}: {a}, not {b}")
                    continue
                if a.dtype != b.dtype:
                    raise Deviation(f"{what}: {a.dtype.name}, not {b.dtype.name}")
                _same(what, ug.astype(a, ug.float64), ug.astype(b, ug.float64))


#: Checks by name.
PROGRAM_FILES: dict[str, Callable[[], None]] = {
    f"programs in files: {one.__name__.replace('_', ' ')}": one
    for one in (variables_go_along, settings_go_along, numbers_fit_another_backend)
}
