"""What compiled functions compute: as uncompiled ones, where a compiler could cut a corner.

Each check is a function that raises `Deviation`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import compiles_for_every_shape
from unigrad_conformance.fuzz.program import make_program
from unigrad_conformance.subject import Deviation, quiet

#: How many random programs are compiled, with their gradients, and how many where their ops are
#: compiled one by one as well.
_RANDOM, _FEW = 4, 2


def _require(what: str, found: Any, expected: Any, rtol: float = 0.0) -> None:
    """Compare values and signs, NaN equal to NaN."""
    found = np.asarray(found.numpy() if isinstance(found, ug.Tensor) else found, np.float64)
    expected = np.asarray(expected, np.float64)
    same = np.allclose(found, expected, rtol, rtol, equal_nan=True)
    if not same or not (rtol or np.array_equal(np.signbit(found), np.signbit(expected))):
        raise Deviation(f"{what}: {found.tolist()} where {expected.tolist()} is right")


def _refused(what: str, function: Callable[..., Any], *args: Any) -> None:
    try:
        ug.jit(function)(*args)
    except ug.TracingError:
        return
    raise Deviation(f"{what}: no TracingError")


# -- there are no values while a function is traced


def values_are_not_there() -> None:
    """Whatever asks a traced tensor for its value raises TracingError."""
    x, v = ug.asarray(1.0), ug.Variable(2.0)
    _refused("if x", lambda x: x * 2.0 if x > 0.0 else x, x)
    _refused("float(x)", lambda x: x * float(x), x)
    _refused("int(x)", lambda x: x * int(x), x)
    _refused("x.numpy()", lambda x: x.numpy(), x)
    _refused("float of a number", lambda x, n: x * float(n), x, 2.0)
    _refused("float of a Variable", lambda x: x * float(v), x)
    _refused("the value of a gradient", lambda x: float(ug.grad(lambda x: x * x)(x)), x)
    _refused("x[mask]", lambda x: x[x > 1.0], ug.asarray([1.0, 2.0]))
    _refused("nonzero", lambda x: ug.nonzero(x), ug.asarray([1.0, 0.0]))


def reads_out_of_bounds_are_nan() -> None:
    """A read there gives NaN, or 0 of integers; its gradient is 0; a write is dropped."""
    index = ug.asarray([0, 5, -7, -1])
    x, n = ug.asarray([1.0, 2.0, 3.0]), ug.asarray([4, 5, 6])
    nan = math.nan
    for name, read in {
        "x[i]": lambda x, i: x[i],
        "take": lambda x, i: ug.take(x, i, axis=0),
        "take_along_axis": lambda x, i: ug.take_along_axis(x, i, axis=0),
        "x[i, i]": lambda x, i: ug.reshape(x, (3, 1))[i, ug.zeros_like(i)],
        "gather_nd": lambda x, i: ug.gather_nd(x, i[:, None]),
        "choose": lambda x, i: ug.choose(i, (x[0], x[1], x[2])),
    }.items():
        _require(name, ug.jit(read)(x, index), [1.0, nan, nan, 3.0])
        _require(f"{name} of integers", ug.jit(read)(n, index), [4, 0, 0, 6])
        slope = ug.jit(ug.grad(lambda x, i, read=read: ug.sum(read(x, i)[0::3])))
        _require(f"gradient of {name}", slope(x, index), [1.0, 0.0, 1.0])
    weights = ug.asarray([1.0, 2.0, 3.0])
    for name, number, expected, by_x, by_v in (
        ("set", 9.0, [9.0, 2.0, 9.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0, 3.0]),
        ("add", 9.0, [10.0, 2.0, 12.0], [1.0, 2.0, 3.0], [1.0, 0.0, 0.0, 3.0]),
        ("multiply", 9.0, [9.0, 2.0, 27.0], [9.0, 2.0, 27.0], [1.0, 0.0, 0.0, 9.0]),
        ("min", -9.0, [-9.0, 2.0, -9.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0, 3.0]),
        ("max", 9.0, [9.0, 2.0, 9.0], [0.0, 2.0, 0.0], [1.0, 0.0, 0.0, 3.0]),
    ):

        def write(x: ug.Tensor, v: Any, i: ug.Tensor, name: str = name) -> Any:
            return getattr(x.at[i], name)(v)

        def weighed(x: ug.Tensor, v: ug.Tensor, i: ug.Tensor, write: Any = write) -> Any:
            return ug.sum(write(x, v, i) * weights)

        what, v = f"x.at[i].{name}", ug.full(4, number)
        _require(what, ug.jit(write)(x, v, index), expected)
        found = ug.jit(ug.grad(weighed, argnums=(0, 1)))(x, v, index)
        for by, gradient, right in zip("xv", found, (by_x, by_v), strict=True):
            _require(f"gradient of {what} by {by}", gradient, right)
    for name, change in {
        "put_along_axis": lambda x, v, i: ug.put_along_axis(x, i, v),
        "put_along_axis of one shape": lambda x, v, i: ug.put_along_axis(x, i[1:], v[1:]),
        "scatter_update": lambda x, v, i: ug.scatter_update(x, i[:, None], v),
    }.items():
        first = 1.0 if "shape" in name else 9.0
        _require(name, ug.jit(change)(x, ug.full(4, 9.0), index), [first, 2.0, 9.0])


def integers_have_one_answer() -> None:
    """By zero it is 0; to a negative power 1 / x, cut off; a negative literal is refused."""
    n, zeros = ug.asarray([4, -5, 6]), ug.asarray([0, 2, 0])
    _require("n // 0", ug.jit(lambda n, m: n // m)(n, zeros), [0, -3, 0])
    _require("n % 0", ug.jit(lambda n, m: n % m)(n, zeros), [0, 1, 0])
    _require("n // number", ug.jit(lambda n, m: n // m)(n, 0), [0, 0, 0])
    base, power = ug.asarray([2, -1, 1, 0, -1, 3]), ug.asarray([-1, -3, -2, -1, -2, 2])
    _require("n ** m", ug.jit(lambda n, m: n**m)(base, power), [0, -1, 1, 0, 1, 9])
    try:
        ug.jit(lambda n: n**-1)(n)
    except ug.DTypeError:
        return
    raise Deviation("n ** -1: no DTypeError")


# -- numbers


def numbers_are_weak() -> None:
    """A number among the arguments takes the dtype that it meets, from all of its digits."""
    f = ug.jit(lambda x, s: (x * s, x + (1 - s) * 2, ug.where(x > s, x, s), s * 1.0))
    for dtype in ("bfloat16", "float16", "float32", "float64"):
        x = ug.asarray([1.0, -2.0], dtype=dtype)
        for s in (0.1, 3.7):
            eager = x * s, x + (1 - s) * 2, ug.where(x > s, x, s)
            for got, want in zip(f(x, s), eager, strict=False):
                if got.dtype != want.dtype:
                    raise Deviation(f"{dtype} and {s}: {got.dtype} where {want.dtype} is right")
                _require(f"{dtype} and {s}", got.astype("float64"), want.astype("float64"))
    if f.programs != 4:
        raise Deviation(f"{f.programs} programs for 4 dtypes")


# -- what passes over a program must leave alone


def signs_of_zeros_stay() -> None:
    """0.0 and -0.0, and an op with other settings, are not taken for the same."""
    x = ug.asarray([1.0, -1.0])
    f = ug.jit(lambda x: (ug.copysign(x, 0.0), ug.copysign(x, -0.0), x * 0.0, x * -0.0))
    for got, want in zip(f(x), ([1, 1], [-1, -1], [0.0, -0.0], [-0.0, 0.0]), strict=True):
        _require("zeros", got, want)
    for size in (2, 300_000):
        y = ug.ones((size,))
        zeros = ug.jit(lambda x: (ug.full_like(x, 0.0), ug.full_like(x, -0.0)))(y)
        _require("0.0", zeros[0][:2], [0.0, 0.0])
        _require("-0.0", zeros[1][:2], [-0.0, -0.0])


def settings_are_told_apart() -> None:
    """The same op of the same input with other settings is another value."""
    x = ug.asarray(np.arange(6.0).reshape(2, 3))
    f = ug.jit(lambda x: (x.sum(0), x.sum(1), ug.sum(x, axis=0, keepdims=True), x[0], x[1]))
    for got, want in zip(
        f(x), ([3, 5, 7], [3, 12], [[3, 5, 7]], [0, 1, 2], [3, 4, 5]), strict=True
    ):
        _require("of two settings", got, want)
    y = ug.asarray(np.arange(24.0).reshape(2, 3, 4))
    axes = (1, 2, 0), (2, 0, 1), (1, 0, 2)
    moved = ug.jit(
        lambda y: [ug.permute_dims(ug.permute_dims(y, a), b) for a in axes for b in axes]
    )
    expected = [y.numpy().transpose(a).transpose(b) for a in axes for b in axes]
    for got, array in zip(moved(y), expected, strict=True):
        _require("two transpositions", got, array)


def variables_are_no_constants() -> None:
    """What is computed from a variable alone is computed at every call."""
    v, c = ug.Variable([2.0, 3.0]), ug.asarray([1.0, 2.0])
    f = ug.jit(lambda: ug.exp(v * 0.0) + ug.sum(v) + ug.sum(c))
    _require("first", f(), [9.0, 9.0])
    v.assign([0.0, 1.0])
    _require("assigned", f(), [5.0, 5.0])


# -- memory


def results_stay() -> None:
    """What a call returned, or a variable held, is not changed by later calls."""
    v, size = ug.Variable(np.ones((40, 40), np.float32)), (40, 40)
    constant = ug.asarray(np.full(size, 3.0, np.float32))

    @ug.jit
    def f(x: ug.Tensor) -> tuple[ug.Tensor, ...]:
        y = ug.exp(x * 0.0) * x
        z = (y + 1.0) * 2.0
        v.assign(v * 0.5 + y)
        return y, z, ug.reshape(z, (1600,)), ug.flip(y, axis=0), constant, v.read()

    kept: list[tuple[float, tuple[ug.Tensor, ...], ug.Tensor, Any]] = []
    state = 1.0
    for k in range(6):
        x = ug.asarray(np.full(size, float(k), np.float32))
        before = v.read() if k % 2 else ug.asarray(0.0)
        native = v.native if k % 3 == 0 else None
        found = f(x)
        state = state * 0.5 + k
        kept.append((state, found, before, native))
        _require("the argument", x, np.full(size, float(k)))
    state = 1.0
    for k, (after, found, before, native) in enumerate(kept):
        wanted = (k, 2.0 * (k + 1), 2.0 * (k + 1), k, 3.0, after)
        for place, (got, number) in enumerate(zip(found, wanted, strict=True)):
            _require(f"result {place} of call {k}", got, np.full(got.shape, number))
        if k % 2:
            _require("a value read before", before, np.full(size, state))
        if native is not None:
            _require("a native array read before", ug.asarray(native), np.full(size, state))
        state = after


def a_value_used_twice_stays() -> None:
    """An op writes into no array that is still needed, by itself or by a view."""
    x = ug.asarray(np.linspace(-1.0, 1.0, 1600).reshape(40, 40))

    def f(x: ug.Tensor) -> tuple[ug.Tensor, ...]:
        y = x * 2.0
        view = ug.permute_dims(y, (1, 0))
        z = y + 1.0
        w = ug.exp(y) + view
        y2 = z * z
        part = y2[3:5]
        return ug.sum(w), y2 - z, part + 1.0, ug.square(y2) + ug.sum(part), view * 1.0

    for got, want in zip(ug.jit(f)(x), f(x), strict=True):
        _require("compiled", got, want.numpy(), 1e-12)


def random_programs_agree() -> None:
    """Random programs and their gradients, compiled, give what they do uncompiled."""
    for seed in range(_FEW if compiles_for_every_shape(ug.get_backend()) else _RANDOM):
        generator = np.random.default_rng(seed)
        program = make_program(lambda n, g=generator: int(g.integers(n)))  # type: ignore[misc]
        inputs = [ug.asarray(one) for one in program.inputs]

        def total(*xs: ug.Tensor, program: Any = program) -> ug.Tensor:
            return sum((ug.sum(ug.sin(y)) for y in program.run(*xs)), ug.asarray(0.0))

        places = tuple(range(len(inputs)))
        with quiet():
            for what, f in (("values", program.run), ("gradient", ug.grad(total, argnums=places))):
                for got, want in zip(ug.jit(f)(*inputs), f(*inputs), strict=True):
                    scale = max(1.0, float(np.max(np.abs(want.numpy()), initial=0.0)))
                    _require(
                        f"{what} of program {seed}\n{program}\n",
                        got / scale,
                        (want / scale).numpy(),
                        1e-11,
                    )


def rewritten_programs_agree() -> None:
    """What passes may merge, cancel, or put into memory that is in use is what it was."""
    whole, real = ug.asarray([0, 0], dtype="int32"), ug.asarray([0.0, 0.0], dtype="float32")
    held = ug.Variable(np.zeros((40, 40)))

    def held_to_the_end(x: ug.Tensor) -> ug.Tensor:
        held.assign(ug.exp(x) + 1.0)
        y = ug.sin(x) + ug.cos(x)
        return ug.sum(ug.exp(y) + 2.0 * y)

    def over_its_own_view(x: ug.Tensor) -> ug.Tensor:
        y = ug.sigmoid(x + 2.0 * x)
        return ug.sigmoid(y + ug.permute_dims(y, (1, 0))) * 1.0

    programs: dict[str, Callable[[ug.Tensor], Any]] = {
        "constants of the same bytes": lambda x: (
            ug.astype(x[0, :2], "int32") + whole,
            ug.astype(x[0, :2], "float32") + real,
        ),
        "a sum along what is not repeated": lambda x: ug.sum(
            ug.broadcast_to(x[0], (40, 40)), axis=1
        ),
        "a sum along what is": lambda x: ug.sum(ug.broadcast_to(x[:1], (40, 40)), axis=0),
        "a sum into a view of what it adds": over_its_own_view,
        "a complement of a comparison with NaN": lambda x: ug.logical_not(x * math.nan > 0.0),
        "twice a complement of another dtype": lambda x: ug.logical_not(ug.logical_not(x)),
        "a value that a variable keeps": held_to_the_end,
    }
    x = ug.asarray(np.linspace(-1.0, 1.0, 1600).reshape(40, 40))
    for name, program in programs.items():
        compiled = ug.jit(program)
        for _ in range(2):
            got, want = [
                one if isinstance(one, tuple) else (one,) for one in (compiled(x), program(x))
            ]
            for one, other in zip(got, want, strict=True):
                if one.dtype != other.dtype:
                    raise Deviation(f"{name}: {one.dtype.name}, not {other.dtype.name}")
                _require(name, one, other.numpy(), 1e-12)
    compiled(x)  # the last of them
    _require("what the variable keeps", held, np.exp(x.numpy()) + 1.0, 1e-12)


def singular_matrices_are_nan() -> None:
    """What is a LinAlgError where values are seen is NaN in a program, for that matrix alone."""
    singular, one = [[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]
    indefinite, odd = [[1.0, 2.0], [2.0, 1.0]], [[math.nan, 1.0], [1.0, 1.0]]
    nan = [[math.nan, math.nan], [math.nan, math.nan]]
    odd_factors = [[2.0, 1.0], [0.5, math.nan]]
    for dtype in ("float64", "complex128"):
        some, other, odd_corner = [
            ug.asarray(x, dtype=dtype)
            for x in ([singular, odd, one], [indefinite, odd, one], [[2.0, 1.0], [1.0, math.nan]])
        ]
        for name, function, x, expected in (
            ("inv", ug.linalg.inv, some, [nan, nan, one]),
            ("solve", lambda x: ug.linalg.solve(x, one), some, [nan, nan, one]),
            ("cholesky", ug.linalg.cholesky, other, [nan, nan, one]),
            ("lu_factor", lambda x: ug.linalg.lu_factor(x).lu, odd_corner, odd_factors),
        ):
            found = ug.jit(lambda x, f=function: ug.real(f(x)))(x)
            _require(f"{name} of {dtype}", found, expected, 1e-12)
    both = ug.asarray([singular, one])
    slope = ug.jit(ug.grad(lambda x: ug.sum(ug.linalg.det(x))))
    _require("gradient of det", slope(both), [[[4.0, -2.0], [-2.0, 1.0]], one], 1e-6)


#: Functions that scale what would leave the range when it is squared.
_SCALING: dict[str, Callable[[ug.Tensor], ug.Tensor]] = {
    "norm": lambda x: ug.norm(x, axis=-1),
    "std": lambda x: ug.std(x, axis=-1),
    "nanstd": lambda x: ug.nanstd(x, axis=-1),
    "segment_std": lambda x: ug.segment_std(x, [0, 0], 1),
    "l2_normalize": ug.nn.l2_normalize,
    "triplet": lambda x: ug.losses.triplet(x, x, x),
}


def constants_of_zeros_stay() -> None:
    """Zeros that a compiler sees give what zeros from outside give, to first order."""

    def values_and_slopes(x: ug.Tensor) -> list[ug.Tensor]:
        rows = []
        for function in _SCALING.values():
            rows += [function(x), ug.grad(lambda x, f=function: ug.sum(f(x)))(x)]
        return rows

    x = ug.asarray(np.zeros((2, 3)))
    expected = ug.jit(values_and_slopes)(x)
    found = ug.jit(lambda x: values_and_slopes(ug.zeros_like(x)))(x)
    names = [what for name in _SCALING for what in (name, f"gradient of {name}")]
    for name, one, other in zip(names, found, expected, strict=True):
        _require(name, one, other.numpy(), 1e-14)


#: By name.
PROGRAM_VALUES: dict[str, Callable[[], None]] = {
    one.__name__.replace("_", " "): one
    for one in (
        values_are_not_there,
        reads_out_of_bounds_are_nan,
        integers_have_one_answer,
        numbers_are_weak,
        signs_of_zeros_stay,
        settings_are_told_apart,
        singular_matrices_are_nan,
        variables_are_no_constants,
        results_stay,
        a_value_used_twice_stays,
        constants_of_zeros_stay,
        random_programs_agree,
        rewritten_programs_agree,
    )
}
