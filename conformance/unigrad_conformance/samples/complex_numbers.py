"""Samples of complex numbers, of every op that takes them.

Ops that move, add and multiply elements are run on what their samples of reals have, with
imaginary parts. The others, which have poles and cuts, get numbers of all four quadrants. Where the
derivative is that of reals continued, the costly checks are left to the samples of reals.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance.sample import (
    SAMPLES,
    Case,
    Draw,
    Sample,
    booleans,
    case,
    complexes,
    positive,
    real,
    samples,
    values,
)

# Imported for their order: an op's samples of reals come first.
from unigrad_conformance.samples import (
    activations,
    control,
    creation,
    elementwise,
    indexing,
    linear,
    recurrent,
    reductions,
    shaping,
)

__all__ = [
    "activations",
    "control",
    "creation",
    "elementwise",
    "indexing",
    "linear",
    "recurrent",
    "reductions",
    "shaping",
]

_name: str
_function: Any


def _with_imaginary_parts(one: Any) -> Any:
    """Give the floats that an input is drawn from imaginary parts."""
    if isinstance(one, Draw):

        def make(generator: np.random.Generator) -> Any:
            drawn = np.asarray(one.make(generator))
            if drawn.dtype.kind != "f":
                return drawn
            return drawn + 1j * generator.uniform(-2.0, 2.0, drawn.shape)

        return Draw(make)
    if isinstance(one, (list, tuple)):
        return type(one)(_with_imaginary_parts(part) for part in one)
    return one


def _smooth(op: str) -> Iterator[Sample]:
    """Return an op's samples of finite reals that have a derivative."""
    for one in SAMPLES:
        if one.op == op and one.differentiable and not one.zero_gradient and not one.dtype:
            drawn = [x for x in one.draw() if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
            lists = [x for x in one.draw() if isinstance(x, list)]
            if (drawn or lists) and all(x.size and np.isfinite(x).all() for x in drawn):
                yield one


def _as_of_reals(*ops: str, most: int = 1, brief: bool = False) -> None:
    """Declare samples like the first ones of reals."""
    for op in ops:
        for one in list(_smooth(op))[:most]:
            inputs = tuple(_with_imaginary_parts(x) for x in one.case.inputs)
            samples(
                op,
                Case(inputs, one.case.settings),
                oracle=one.oracle,
                call=one.call,
                ulps=max(one.ulps, 4.0),
                brief=brief,
            )


_as_of_reals("square", "multiply", "prod", "cumulative_prod")
_as_of_reals("matmul", "einsum", most=8)
_LINEAR = (
    "conj add subtract sum mean cumulative_sum linear dot tensordot inner outer kron trace diff "
    "at_multiply identity positive negative asarray copy from_dlpack to_device getitem at_set "
    "at_add At take index_select take_along_axis put_along_axis gather_nd scatter_update "
    "scatter_add scatter boolean_mask slice dynamic_slice slice_update reshape ravel broadcast_to "
    "broadcast_arrays permute_dims transpose swapaxes moveaxis expand_dims squeeze flip roll stack "
    "concat split unstack tile repeat pad tril triu diag diagonal matrix_transpose meshgrid"
)
_as_of_reals(*_LINEAR.split(), brief=True)

# -- a real tensor met a complex one
for _name, _function in {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
}.items():  # fmt: skip
    samples(
        _name,
        case(real(3, 4), complexes(3, 4)),
        case(complexes(3, 1), real(4, low=0.5)),
        oracle=_function,
    )
samples("matmul", case(real(2, 3), complexes(3, 2)), case(complexes(3), real(3, 2)),
        oracle=np.matmul, ulps=8)  # fmt: skip
samples("einsum", case("ij,kj->ik", real(2, 3), complexes(2, 3)), oracle=np.einsum, ulps=16)
for _name in ("real", "imag"):
    samples(_name, case(complexes(3, 4)), case(complexes()), oracle=getattr(np, _name))
samples("angle", case(complexes(3, 4)), oracle=np.angle, ulps=4)
samples("stack", case([real(2), complexes(2)]), oracle=np.stack)
samples("concat", case([real(2), complexes(3)]), oracle=np.concatenate)
samples(
    "where",
    case(booleans(3, 4), complexes(3, 4), complexes(3, 4)),
    case(booleans(3, 1), real(4), complexes()),
    case(booleans(4), complexes(4), 0.5),
    oracle=np.where,
)
samples("astype", case(real(2, 3), "complex128"), case(complexes(3), "complex128"),
        oracle=np.ndarray.astype, dtype="complex128")  # fmt: skip
samples("astype", case(complexes(2, 3), "float64"), oracle=lambda x, dtype: x.real,
        dtype="float64")  # fmt: skip
samples("astype", case(values([1j, 0j, 2 + 0j]), "bool"), oracle=np.ndarray.astype, dtype="bool",
        differentiable=False)  # fmt: skip
samples("astype", case(values([1.5 + 1j, -2.5j]), "int32"), dtype="int32", differentiable=False,
        oracle=lambda x, dtype: np.array([1, 0]))  # fmt: skip


# -- not holomorphic
def _unit(x: Any) -> Any:
    return x / np.abs(x)


samples("abs", case(complexes(3, 4)), case(complexes()), oracle=np.abs)
samples("sign", case(complexes(3, 4)), case(complexes()), oracle=_unit)
samples("sign", case(values([0j, 2j, -3 + 0j])), oracle=lambda x: np.array([0, 1j, -1]),
        differentiable=False)  # fmt: skip
samples(
    "gru_step",
    case(*[complexes(*shape, high=0.6) for shape in ((2, 9), (2, 3), (3, 9), (9,))]),
    oracle=recurrent._gru,
    ulps=16,
    call=lambda ug, *inputs: OPS["gru_step"](*inputs),
    brief=True,
)
samples(
    "gru_step_reset_before",
    case(*[complexes(*shape, high=0.6) for shape in ((2, 9), (2, 3), (3, 9))]),
    oracle=recurrent._gru_reset_before,
    ulps=16,
    call=lambda ug, *inputs: OPS["gru_step_reset_before"](*inputs),
    brief=True,
)
samples("softsign", case(complexes(3, 4)), oracle=lambda x: x / (1 + np.abs(x)))
samples(
    "vecdot",
    case(complexes(4), complexes(4)),
    case(complexes(3, 4), complexes(4)),
    case(complexes(2, 4, 3), complexes(4, 3), axis=-2),
    case(real(4), complexes(4)),
    case(complexes(4), real(4)),
    oracle=lambda x1, x2, axis=-1: np.sum(np.conj(x1) * x2, axis=axis),
    ulps=8,
)
samples(
    "norm",
    *[case(complexes(2, 3), ord=ord, axis=1) for ord in (2, 1, np.inf, -np.inf, 3, 0.5)],
    case(complexes(2, 3)),
    oracle=reductions._norm,
    ulps=8,
)

# -- holomorphic
samples("divide", case(complexes(3, 4), complexes(4)), case(2.0, complexes(3)), oracle=np.divide)
samples("reciprocal", case(complexes(3, 4)), oracle=lambda x: 1 / x)
samples(
    "pow",
    case(complexes(3, 4), complexes(3, 4)),
    case(complexes(3), 2),
    case(complexes(3), -1.5),
    case(complexes(3), 0.5 + 1j),
    case(positive(3), complexes(3)),
    case(complexes(3), real(3)),
    case(1.5 - 1j, complexes(3)),
    case(2.0, complexes(3)),
    oracle=np.power,
    ulps=16,
)
for _name, _function in {
    "exp": np.exp,
    "exp2": lambda x: np.exp(x * np.log(2)),
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": lambda x: np.log(x) / np.log(2),
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh_shrink": lambda x: x - np.tanh(x),
}.items():
    samples(_name, case(complexes(3, 4)), oracle=_function, ulps=8, brief=True)

# -- derivative zero, and none
for _name, _function in {"equal": np.equal, "not_equal": np.not_equal}.items():
    samples(_name, case(complexes(3), complexes(3)), case(values([1j, 2.0]), values([1j, 2.5])),
            oracle=_function, zero_gradient=True, dtype="bool")  # fmt: skip
for _name, _function in {
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan,
}.items():  # fmt: skip
    samples(_name, case(complexes(3)), oracle=_function, zero_gradient=True, dtype="bool")
samples("isclose", case(values([1j, 2.0]), values([1j + 1e-9, 2.5])), oracle=np.isclose,
        zero_gradient=True, dtype="bool")  # fmt: skip
samples("stop_gradient", case(complexes(3)), oracle=np.copy, ulps=0, differentiable=False)
samples("full_like", case(complexes(2), 1.5j), oracle=np.full_like, differentiable=False)
