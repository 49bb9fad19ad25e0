"""Bad calls: the same class of error on every backend, with a message that says what came.

One line per bad call: what is called, the class it must raise, and words that its message must
have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core.dispatch import wrap
from unigrad.core.errors import UnsupportedError
from unigrad.core.registry import load_backend
from unigrad_conformance.backends import beside
from unigrad_conformance.subject import Deviation


@dataclass(frozen=True)
class BadCall:
    """One line of the table."""

    name: str
    call: Callable[[], Any]
    error: type[Exception]
    words: tuple[str, ...]
    #: True when values make it bad: nobody looks at those on an accelerator, so it is not made
    #: there, where some libraries would abort.
    looks: bool = False


BAD_CALLS: list[BadCall] = []


def bad(
    name: str, error: type[Exception], *words: str, looks: bool = False
) -> Callable[[Callable[[], Any]], Any]:
    """Write down a bad call."""

    def declare(call: Callable[[], Any]) -> Callable[[], Any]:
        BAD_CALLS.append(BadCall(name, call, error, words, looks))
        return call

    return declare


def _elsewhere() -> ug.Tensor:
    """Return a tensor of another backend: NumPy's, or of one like it by another name."""
    if ug.get_backend() != "numpy":
        with beside("numpy"):
            return ug.asarray([1.0])
    another = type("Another", (type(load_backend("numpy")),), {"name": "another"})
    return wrap(another(), np.ones(1, np.float32))


bad("unknown backend", ug.BackendNotInstalledError, "nonesuch", "numpy")(
    lambda: ug.set_backend("nonesuch")
)


@bad("two backends in one op", ug.BackendMismatchError, "add", "numpy")
def _two_backends() -> Any:
    return ug.add(ug.asarray([1.0]), _elsewhere())


@bad("assigning a value of another backend", ug.BackendMismatchError, "assign")
def _assign_other_backend() -> Any:
    return ug.Variable([1.0]).assign(_elsewhere())


def _ones(*shape: int, dtype: str = "float32") -> ug.Tensor:
    return ug.broadcast_to(ug.asarray(1.0, dtype=dtype), shape)


bad("shapes that do not broadcast", ug.ShapeError, "add", "[2, 3]", "[4]", "float32")(
    lambda: ug.add(_ones(2, 3), _ones(4))
)
bad("shapes that do not broadcast, by an operator", ug.ShapeError, "multiply", "[2, 3]", "[2]")(
    lambda: _ones(2, 3) * _ones(2)
)
bad("inner lengths that differ", ug.ShapeError, "matmul", "(2, 3)", "(2, 3)")(
    lambda: ug.matmul(_ones(2, 3), _ones(2, 3))
)
bad("product with a scalar", ug.ShapeError, "matmul")(lambda: ug.matmul(_ones(2, 3), 2.0))
bad("reshaping to another size", ug.ShapeError, "reshape", "(2, 3)", "(4,)")(
    lambda: ug.reshape(_ones(2, 3), (4,))
)
bad("two lengths left open", ug.ShapeError, "reshape")(lambda: ug.reshape(_ones(2, 3), (-1, -1)))
bad("broadcasting to a smaller shape", ug.ShapeError, "broadcast_to", "(2, 3)")(
    lambda: ug.broadcast_to(_ones(2, 3), (3,))
)
bad("axis out of range", ug.AxisError, "sum", "axis 2", "2 dimensions")(
    lambda: ug.sum(_ones(2, 3), axis=2)
)
bad("axis out of range below", ug.AxisError, "sum", "-3")(lambda: ug.sum(_ones(2, 3), axis=-3))
bad("axis given twice", ug.ShapeError, "sum", "twice")(lambda: ug.sum(_ones(2, 3), axis=(0, -2)))
bad("a truth for an axis", ug.DTypeError, "sum", "True")(lambda: ug.sum(_ones(2, 3), axis=True))
bad("a matrix of negative size", ug.ShapeError, "eye", "-1")(lambda: ug.eye(-1))
bad("axis that is no integer", ug.DTypeError, "sum", "1.5")(lambda: ug.sum(_ones(2, 3), axis=1.5))  # type: ignore[arg-type]


def _reduce(name: str, *shape: int, **settings: Any) -> Any:
    return getattr(ug, name)(_ones(*shape), **settings)


for _reduction in ("sum", "mean", "prod", "max", "min"):
    for _axis in (0, -1):
        bad(f"{_reduction} of a 0-d tensor along axis {_axis}", ug.AxisError, _reduction)(
            partial(_reduce, _reduction, axis=_axis)
        )
    for _axis in (1, -2, 3):
        bad(f"{_reduction} of a vector along axis {_axis}", ug.AxisError, _reduction)(
            partial(_reduce, _reduction, 2, axis=_axis)
        )
for _reduction in ("sum", "prod", "cumulative_sum", "cumulative_prod"):
    bad(f"{_reduction} in bools", ug.DTypeError, _reduction, "bools")(
        partial(_reduce, _reduction, 2, dtype="bool")
    )
bad("padding in an unknown mode", ug.SettingError, "pad", "reflect", "'foo'")(
    lambda: ug.pad(_ones(2), 1, "foo")  # type: ignore[arg-type]
)
bad("padding by nothing in an unknown mode", ug.SettingError, "pad", "'foo'")(
    lambda: ug.pad(_ones(2), 0, "foo")  # type: ignore[arg-type]
)
bad("rolling by a fraction", ug.DTypeError, "roll", "1.5")(
    lambda: ug.roll(_ones(2), 1.5)  # type: ignore[arg-type]
)
bad("splitting at descending bounds", ug.ShapeError, "split", "(5, 2)")(
    lambda: ug.split(_ones(7), [5, 2])
)
bad("a length that follows from nothing", ug.ShapeError, "reshape", "(0, -1)")(
    lambda: ug.reshape(_ones(0, 3), (0, -1))
)
bad("dots that are no ellipsis", ug.ShapeError, "einsum", "i.j")(
    lambda: ug.einsum("i.j->ij", _ones(2, 2, 2))
)
bad("an ellipsis lost on the way", ug.ShapeError, "einsum", "...")(
    lambda: ug.einsum("...ij->ij", _ones(2, 2, 2))
)
bad("iterating over a number", TypeError, "0-d")(lambda: iter(_ones()))
bad("a side that there is not", ug.SettingError, "searchsorted", "'middle'")(
    lambda: ug.searchsorted([1.0, 2.0], 1.5, side="middle")
)
bad("an approximation that there is not", ug.SettingError, "gelu", "'sigmoid'")(
    lambda: ug.gelu([1.0], approximate="sigmoid")  # type: ignore[arg-type]
)
bad("an indexing that there is not", ug.SettingError, "meshgrid", "'yx'")(
    lambda: ug.meshgrid([1.0], indexing="yx")  # type: ignore[arg-type]
)
bad("a norm of no order", ug.SettingError, "norm", "'fro'")(
    lambda: ug.norm(_ones(2, 2), ord="fro")  # type: ignore[arg-type]
)
bad("axes that are no permutation", ug.ShapeError, "permute_dims")(
    lambda: ug.permute_dims(_ones(2, 3), (0, 0))
)
bad("stacking different shapes", ug.ShapeError, "stack", "(2,)", "(3,)")(
    lambda: ug.stack([_ones(2), _ones(3)])
)
bad("stacking nothing", ug.ShapeError, "stack")(lambda: ug.stack([]))
bad("ragged lists", ug.ShapeError, "uneven")(lambda: ug.asarray([[1.0], [1.0, 2.0]]))
bad("no numbers", ug.DTypeError, "str")(lambda: ug.asarray("word"))
_MASKED = np.ma.masked_array([1.0, 2.0], mask=[False, True])
bad("a masked array", ug.DTypeError, "lose its mask")(lambda: ug.asarray(_MASKED))
bad("a masked array beside a tensor", ug.DTypeError, "mask")(lambda: _ones(2) * _MASKED)
bad("a masked array in a list", ug.DTypeError, "mask")(lambda: ug.stack([_ones(2), _MASKED]))
bad("a masked array to a variable", ug.DTypeError, "mask")(
    lambda: ug.Variable([1.0, 2.0]).assign(_MASKED)
)
bad("a masked array in a dataset", ug.DTypeError, "mask")(lambda: list(ug.data.batches(_MASKED, 1)))
bad("a masked array from a callback", ug.DTypeError, "mask")(
    lambda: ug.pure_callback(lambda _: _MASKED, _ones(2, dtype="float64"), _ones(2))
)
bad("masked counts", ug.DTypeError, "mask")(
    lambda: ug.repeat(_ones(2), np.ma.masked_array([1, 2], mask=[False, True]))
)
bad("integers that no dtype holds together", ug.DTypeError, "out of bounds")(
    lambda: ug.asarray([2**63, -1])
)
bad("unknown dtype", ug.DTypeError, "float13", "float32")(lambda: ug.astype(_ones(2), "float13"))
bad("dtypes without a common one", ug.DTypeError, "add", "uint64", "int64")(
    lambda: ug.add(_ones(2, dtype="uint64"), _ones(2, dtype="int64"))
)
bad("index out of range", ug.OutOfBoundsError, "3")(lambda: _ones(3)[3])
bad("index out of range below", ug.OutOfBoundsError, "-4")(lambda: _ones(3)[-4])
bad(
    "index array out of range",
    ug.OutOfBoundsError,
    "getitem(float32[3], int64[2]): index 7",
    looks=True,
)(lambda: _ones(3)[ug.asarray([0, 7])])
bad(
    "taking beyond the axis", ug.OutOfBoundsError, "take(float32[3], int64[2]): index 5", looks=True
)(lambda: ug.take(_ones(3), ug.asarray([0, 5]), axis=0))
bad(
    "gathering beyond an axis",
    ug.OutOfBoundsError,
    "gather_nd(float32[3, 2], int64[1, 2])",
    "-3",
    looks=True,
)(lambda: ug.gather_nd(_ones(3, 2), ug.asarray([[0, -3]])))
bad(
    "a factor beyond the axis",
    ug.OutOfBoundsError,
    "at_multiply(float32[3], int64[1])",
    "-4",
    looks=True,
)(lambda: _ones(3).at[ug.asarray([-4])].multiply(2.0))
bad("integer division by zero", ZeroDivisionError, looks=True)(
    lambda: ug.floor_divide(ug.asarray([1, 2]), ug.asarray([1, 0]))
)
bad("integer remainder by zero", ZeroDivisionError, looks=True)(
    lambda: ug.remainder(ug.asarray([1, 2]), ug.asarray([1, 0]))
)
bad("negative power of an integer", ug.DTypeError, "pow", "float", looks=True)(
    lambda: ug.pow(ug.asarray([2]), ug.asarray([-1]))
)
bad("bits of floats", ug.DTypeError, "bitwise_and", "float32")(
    lambda: ug.bitwise_and(_ones(2), _ones(2))
)


def _of(name: str, dtype: str, count: int) -> Callable[[], Any]:
    return lambda: getattr(ug, name)(*[_ones(2, dtype=dtype)] * count)


_ORDERED = ("less", "greater_equal", "maximum", "minimum", "fmax", "fmin", "atan2", "hypot")
for _name in (*_ORDERED, "logaddexp", "heaviside", "copysign", "floor_divide", "remainder"):
    bad(f"{_name} of complex numbers", ug.DTypeError, _name)(_of(_name, "complex64", 2))
_REAL = (
    "floor",
    "round",
    "relu",
    "erf",
    "erfc",
    "erfinv",
    "sinc",
    "softmax",
    "log_softmax",
    "logsumexp",
)
for _name in (*_REAL, "clip", "nan_to_num", "sort", "argmax", "max"):
    bad(f"{_name} of complex numbers", ug.DTypeError, _name)(_of(_name, "complex64", 1))
bad("cross-entropy of complex numbers", ug.DTypeError, "sparse_softmax_crossentropy", "complex64")(
    lambda: ug.sparse_softmax_crossentropy(_ones(2, 3, dtype="complex64"), ug.asarray([0, 1]))
)
bad("cross-entropy of no class", ug.ShapeError, "sparse_softmax_crossentropy", "no class")(
    lambda: ug.sparse_softmax_crossentropy(_ones(2, 0), ug.asarray([0, 1]))
)
_NUMERIC = ("subtract", "pow", "floor_divide", "remainder")
for _name in (*_NUMERIC, "bitwise_left_shift", "bitwise_right_shift"):
    bad(f"{_name} of bools", ug.DTypeError, _name)(_of(_name, "bool", 2))
for _name in ("negative", "sign", "square", "relu"):
    bad(f"{_name} of a bool", ug.DTypeError, _name)(_of(_name, "bool", 1))

bad("truth of several elements", ug.ShapeError, "(2,)")(lambda: bool(_ones(2)))
bad("assigning another shape", ug.ShapeError, "assign", "(2,)", "(3,)")(
    lambda: ug.Variable(_ones(2)).assign(_ones(3))
)
bad("assigning another dtype", ug.DTypeError, "assign", "float32", "float64")(
    lambda: ug.Variable(_ones(2)).assign(_ones(2, dtype="float64"))
)


@bad("second use of a tape", ug.TapeError, "persistent=True")
def _second_use() -> Any:
    x = _ones(2)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    return tape.gradient(y, x)


bad("watching outside the block", ug.TapeError, "watch")(lambda: ug.GradientTape().watch(_ones(2)))


@bad("watching what is no tensor", ug.DTypeError, "watch", "float")
def _watch_number() -> Any:
    with ug.GradientTape() as tape:
        tape.watch(3.0)


bad("tangent of another shape", ug.ShapeError, "tangent", "(3,)", "(2,)")(
    lambda: ug.ForwardAccumulator(_ones(2), _ones(3))
)
bad("tangents of another structure", ug.ShapeError, "primals", "tangents", "structure")(
    lambda: ug.ForwardAccumulator([_ones(2)], {"a": _ones(2)})
)
bad("a primal that is no tensor", ug.DTypeError, "primal", "float")(
    lambda: ug.ForwardAccumulator(3.0, _ones(2))
)
bad("a primal that is an integer", ug.DTypeError, "primal", "int32", "tangent")(
    lambda: ug.ForwardAccumulator(ug.ones(2, dtype="int32"), ug.ones(2, dtype="int32"))
)


@bad("cotangent of another shape", ug.ShapeError, "output_gradients", "(3,)", "(2,)")
def _cotangent() -> Any:
    x = _ones(2)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, x, output_gradients=_ones(3))


bad("ug.grad by an integer", ug.DTypeError, "int64")(
    lambda: ug.grad(lambda n: ug.sum(n * 1.0))(ug.asarray([1, 2]))
)
bad("ug.grad of a function that is no scalar", ug.ShapeError, "(2,)")(
    lambda: ug.grad(lambda x: x * x)(_ones(2))
)


def check_bad_call(one: BadCall) -> None:
    """Make the call; check what it raises."""
    if one.looks and not ug.zeros(()).device.startswith("cpu"):
        return
    try:
        result = one.call()
    except (Deviation, UnsupportedError):
        raise
    except Exception as error:
        if type(error) is not one.error:
            raise Deviation(
                f"raised {type(error).__name__}, not {one.error.__name__}: {error}"
            ) from error
        missing = [word for word in one.words if word not in str(error)]
        if missing:
            raise Deviation(f"the message lacks {missing}: {error}") from error
    else:
        raise Deviation(f"returned {result!r} instead of raising {one.error.__name__}")
