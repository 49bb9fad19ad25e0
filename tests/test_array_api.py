"""What the Array API standard asks and the suite's oracles do not: names, signatures, ends, keys.

Source: Python array API standard 2025.12; `array_api_strict` for names and signatures.
"""

import inspect
import math
from typing import Any

import array_api_strict
import numpy as np
import pytest

import unigrad as ug

INF, NAN, PI = math.inf, math.nan, math.pi
#: Arguments, and the parts of results. Signs of zeros count; those of what has none do not.
SPECIAL: dict[str, list[tuple[complex, float, float]]] = {
    "abs": [(complex(INF, NAN), INF, 0.0), (complex(NAN, -INF), INF, 0.0)],
    "exp": [
        (complex(INF, 0.0), INF, 0.0), (complex(-INF, INF), 0.0, 0.0),
        (complex(-INF, NAN), 0.0, 0.0), (complex(INF, INF), INF, NAN),
        (complex(INF, NAN), INF, NAN), (complex(NAN, 0.0), NAN, 0.0),
        (complex(NAN, 1.0), NAN, NAN), (complex(-INF, 2.0), -0.0, 0.0),
    ],
    "expm1": [
        (complex(0.0, 0.0), 0.0, 0.0), (complex(1.0, INF), NAN, NAN),
        (complex(INF, 0.0), INF, 0.0), (complex(-INF, 2.0), -1.0, 0.0),
        (complex(INF, 2.0), -INF, INF), (complex(-INF, INF), -1.0, 0.0),
        (complex(INF, INF), INF, NAN), (complex(-INF, NAN), -1.0, 0.0),
        (complex(INF, NAN), INF, NAN), (complex(NAN, 0.0), NAN, 0.0),
        (complex(NAN, 1.0), NAN, NAN),
    ],
    "log": [
        (complex(-0.0, 0.0), -INF, PI), (complex(0.0, 0.0), -INF, 0.0),
        (complex(1.0, INF), INF, PI / 2), (complex(-INF, 1.0), INF, PI),
        (complex(INF, INF), INF, PI / 4), (complex(-INF, NAN), INF, NAN),
        (complex(NAN, INF), INF, NAN), (complex(NAN, 1.0), NAN, NAN),
    ],
    "log1p": [
        (complex(-1.0, 0.0), -INF, 0.0), (complex(1.0, INF), INF, PI / 2),
        (complex(-INF, 1.0), INF, PI), (complex(INF, 1.0), INF, 0.0),
        (complex(-INF, INF), INF, 3 * PI / 4), (complex(INF, NAN), INF, NAN),
        (complex(NAN, INF), INF, NAN), (complex(NAN, 1.0), NAN, NAN),
    ],
    "sqrt": [
        (complex(NAN, INF), INF, INF), (complex(-INF, 1.0), 0.0, INF),
        (complex(INF, 1.0), INF, 0.0), (complex(INF, NAN), INF, NAN),
        (complex(1.0, NAN), NAN, NAN),
    ],
    "sinh": [
        (complex(0.0, NAN), 0.0, NAN), (complex(INF, 0.0), INF, 0.0),
        (complex(INF, NAN), INF, NAN), (complex(NAN, 0.0), NAN, 0.0),
    ],
    "cosh": [
        (complex(0.0, NAN), NAN, 0.0), (complex(INF, 0.0), INF, 0.0),
        (complex(INF, NAN), INF, NAN), (complex(NAN, 1.0), NAN, NAN),
    ],
    "tanh": [
        (complex(0.0, NAN), 0.0, NAN), (complex(INF, 1.0), 1.0, 0.0),
        (complex(NAN, 0.0), NAN, 0.0), (complex(1.0, INF), NAN, NAN),
    ],
    "asinh": [(complex(NAN, 0.0), NAN, 0.0), (complex(INF, NAN), INF, NAN)],
    "atanh": [
        (complex(0.0, NAN), 0.0, NAN), (complex(1.0, NAN), NAN, NAN),
        (complex(INF, NAN), 0.0, NAN), (complex(NAN, 1.0), NAN, NAN),
    ],
    "acos": [(complex(0.0, NAN), PI / 2, NAN), (complex(INF, NAN), NAN, INF)],
}  # fmt: skip
#: Functions whose infinite or zero part has an open sign somewhere: magnitudes count there.
OPEN = {
    f"{name}({z})"
    for name, z in (
        ("acos", complex(INF, NAN)), ("cosh", complex(0.0, NAN)), ("sinh", complex(INF, NAN)),
        ("exp", complex(-INF, INF)), ("exp", complex(-INF, NAN)), ("expm1", complex(-INF, INF)),
        ("expm1", complex(-INF, NAN)),
    )
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", SPECIAL)
def test_ends_of_complex_functions(backend: str, name: str, dtype: str) -> None:
    arguments, real, imaginary = zip(*SPECIAL[name])
    with np.errstate(all="ignore"):
        found = np.asarray(getattr(ug, name)(ug.asarray(np.array(arguments, dtype))))
    for z, one, a, b in zip(arguments, found, real, imaginary):
        for part, expected in ((one.real, a), (one.imag, b)):
            where = f"{name}({z}) = {one}"
            unsigned = f"{name}({z})" in OPEN
            if unsigned:
                part, expected = abs(part), abs(expected)
            assert part == pytest.approx(expected, rel=1e-6, nan_ok=True), where
            if expected == 0 and not unsigned:
                assert np.signbit(part) == np.signbit(expected), where


def test_the_sign_of_zero_is_zero(backend: str) -> None:
    found = ug.sign(ug.asarray(np.array([-0.0, 0.0, NAN, -2.0]))).numpy()
    assert np.signbit(found).tolist()[:2] == [False, False]
    assert found[3] == -1.0
    assert np.isnan(found[2])


#: Single bools beside other entries, each an index of a new axis.
KEYS: list[Any] = [
    (True, 0), (False, 0), (..., True), (None, True), (0, True), (True, slice(1, 2)),
    (slice(None), True, 1), ([0, 1], True), (True, [0, 1], [1, 2]), (True, False),
    (np.True_, 0), (slice(None), np.array([True, False, True]), True), (0, slice(None), True, 0),
]  # fmt: skip
CUBE = np.arange(24.0).reshape(2, 3, 4)


def test_single_bools_beside_other_entries(backend: str) -> None:
    for key in KEYS if backend in ("numpy", "torch") else KEYS[:4]:
        picked = CUBE[key]
        x = ug.asarray(CUBE)
        np.testing.assert_array_equal(x[key].numpy(), picked)
        for values in (np.arange(picked.size, dtype=float).reshape(picked.shape), 7.0):
            written, y = CUBE.copy(), ug.asarray(CUBE)
            written[key] = values
            y[key] = values
            np.testing.assert_array_equal(y.numpy(), written)
        slopes = np.zeros_like(CUBE)
        slopes[key] += 2.0 * picked
        found = ug.grad(lambda x, key=key: ug.sum(x[key] ** 2))(x)
        np.testing.assert_array_equal(found.numpy(), slopes)
    assert ug.asarray(CUBE)[ug.asarray(True), 0].shape == (1, 3, 4)


def overwritten(x: Any) -> Any:
    x[0] = x[0] ** 2
    x[1] = 3.0
    return ug.sum(x * x * x)


def test_derivatives_are_by_what_an_argument_was(backend: str) -> None:
    """A function that writes to its argument: x₀⁶ + 27 + x₂³."""
    x, v = ug.asarray([1.0, 2.0, 5.0]), ug.asarray([1.0, 1.0, 1.0])
    expected = [6.0, 0.0, 75.0]
    assert ug.grad(overwritten)(x).tolist() == expected
    assert ug.vjp(overwritten, x)[1](ug.asarray(1.0))[0].tolist() == expected
    assert ug.jacobian(overwritten)(x).tolist() == expected
    assert ug.jacobian(overwritten, mode="forward")(x).tolist() == expected
    assert float(ug.jvp(overwritten, (x,), (v,))[1]) == 81.0
    assert float(ug.linearize(overwritten, x)[1](v)) == 81.0
    assert ug.grad(ug.checkpoint(overwritten))(x).tolist() == expected
    assert ug.hessian(overwritten)(x).tolist() == np.diag([30.0, 0.0, 30.0]).tolist()
    assert ug.jit(ug.grad(overwritten))(x).tolist() == expected
    assert ug.grad(ug.jit(overwritten))(x).tolist() == expected
    assert ug.vmap(ug.grad(overwritten))(ug.stack([x, x])).tolist() == [expected] * 2
    assert x.tolist() == [1.0, 2.0, 5.0]


def standard() -> list[tuple[str, Any, Any]]:
    """Return the standard's functions by name, with ours."""
    spaces = {"": ug, "linalg.": ug.linalg, "fft.": ug.fft}
    found = []
    with array_api_strict.ArrayAPIStrictFlags(api_version="2025.12"):
        for prefix, ours in spaces.items():
            theirs = getattr(array_api_strict, prefix[:-1]) if prefix else array_api_strict
            for name in sorted(theirs.__all__):
                function = getattr(theirs, name)
                own = name.startswith(("ArrayAPI", "get_array", "set_array", "reset_array"))
                if inspect.isfunction(function) and not own:
                    found.append((prefix + name, function, getattr(ours, name, None)))
    return found


def test_every_function_of_the_standard_is_there_with_its_signature() -> None:
    """Parameters that come by position, by both or by name do so, with the standard's defaults."""
    functions = standard()
    assert len(functions) > 165
    wrong = {}
    for name, theirs, ours in functions:
        if ours is None:
            wrong[name] = "missing"
            continue
        asked, given = inspect.signature(theirs).parameters, inspect.signature(ours).parameters
        firsts = [one for one in given.values() if one.kind is not one.KEYWORD_ONLY]
        for place, one in enumerate(asked.values()):
            if one.kind in (one.POSITIONAL_ONLY, one.VAR_POSITIONAL):
                same = place < len(firsts)
            else:
                mine = given.get(one.name)
                same = mine is not None and mine.kind in (one.kind, one.POSITIONAL_OR_KEYWORD)
                # What is no plain value is a sentinel of array_api_strict's own.
                plain = isinstance(one.default, (bool, int, float, str, tuple, type(None)))
                if mine is not None and plain:
                    same = same and mine.default == one.default
            if not same:
                wrong[name] = f"{one.name}: {inspect.signature(ours)}"
    assert wrong == {}


def test_an_axis_that_is_not_there_is_an_index_error(backend: str) -> None:
    x = ug.asarray(CUBE)
    for call in (
        lambda: ug.sum(x, axis=3), lambda: ug.expand_dims(x, axis=5), lambda: ug.flip(x, axis=-4),
        lambda: ug.stack([x, x], axis=-5), lambda: ug.concat([x], axis=3),
        lambda: ug.moveaxis(x, 3, 0), lambda: ug.sort(x, axis=3), lambda: ug.squeeze(x, axis=3),
        lambda: ug.unstack(x, axis=3), lambda: ug.take(x, ug.asarray([0]), axis=3),
    ):  # fmt: skip
        with pytest.raises(ug.AxisError, match="out of range for") as caught:
            call()
        assert isinstance(caught.value, ug.ShapeError)
        assert isinstance(caught.value, IndexError)


def test_tuples_where_the_standard_says_tuples(backend: str) -> None:
    x = ug.asarray(CUBE)
    several = [
        ug.broadcast_arrays(x, x), ug.meshgrid(x[0, 0], x[0, 0]), ug.unstack(x), ug.nonzero(x),
        x.shape, ug.broadcast_shapes((2, 1), (3,)),
    ]  # fmt: skip
    assert [type(one) for one in several] == [tuple] * 6


def test_dlpack_names_its_parameters(backend: str) -> None:
    parameters = inspect.signature(ug.Tensor.__dlpack__).parameters
    assert [*parameters][1:] == ["stream", "max_version", "dl_device", "copy"]
    assert all(one.default is None for name, one in parameters.items() if name != "self")
    x = ug.asarray([1.0, 2.0])
    assert np.from_dlpack(x).tolist() == [1.0, 2.0]
