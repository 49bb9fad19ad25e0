"""Samples of making tensors, and of what they are."""

from typing import Any

import numpy as np

from unigrad_conformance.sample import booleans, case, integers, real, samples, values


def _of(op: str, *cases: Any, dtype: str = "float32", **rest: Any) -> None:
    """Declare the samples of a function that makes a tensor of numbers."""
    samples(op, *cases, dtype=dtype, differentiable=False, **rest)


_of("zeros", case((2, 3)), case(4), case(()), case((0, 2)), oracle=np.zeros)
_of("zeros", case((2,), dtype="int32"), oracle=np.zeros, dtype="int32")
_of("ones", case((2, 3)), case(()), oracle=np.ones)
_of("ones", case((2,), dtype="bool"), oracle=np.ones, dtype="bool")
_of("empty", case((2, 0)), oracle=np.zeros)
_of("full", case((2, 3), 1.5), case((), -2.0), oracle=np.full)
_of("full", case((2, 3), 7), oracle=np.full, dtype="int64")
_of("full", case((2,), True), oracle=np.full, dtype="bool")
_of("full", case((2,), 3, dtype="float64"), oracle=np.full, dtype="float64")
_of("arange", case(5), case(1, 9, 3), case(5, 0, -2), case(3, 1), oracle=np.arange, dtype="int64")
_of("arange", case(0.0, 1.0, 0.3), case(2.5), oracle=np.arange)
_of("linspace", case(0, 1, 7), case(-1.0, 2.0, 4, endpoint=False), case(0, 1, 1),
    case(0, 1, 0), oracle=np.linspace)  # fmt: skip
_of("logspace", case(0, 2, 5), case(0, 3, 4, base=2.0), oracle=np.logspace)
_of("geomspace", case(1, 100, 5), case(-8, -1, 4), oracle=np.geomspace)
_of("eye", case(3), case(2, 3), case(3, 2, k=-1), case(3, k=1), oracle=np.eye)
_of("identity", case(2), oracle=np.identity)
_of("tri", case(3), case(2, 4, k=1), case(3, k=-1), oracle=np.tri)

samples(
    "full_like",
    case(real(2, 3), 1.5),
    case(integers(2), 7),
    case(real(), 0),
    oracle=np.full_like,
    differentiable=False,
)
samples("zeros_like", case(real(2, 3)), case(booleans(2)), oracle=np.zeros_like,
        differentiable=False)  # fmt: skip
samples("ones_like", case(real(2, 3)), case(integers(2)), oracle=np.ones_like,
        differentiable=False)  # fmt: skip
samples("empty_like", case(real(2, 0)), oracle=np.zeros_like, differentiable=False)
samples("asarray", case(real(2, 3)), case(integers(2)), oracle=np.asarray)
samples("copy", case(real(2, 3)), oracle=np.copy)
samples("from_dlpack", case(real(2, 3)), oracle=np.copy)
samples("to_device", case(real(2, 3), "cpu"), oracle=lambda x, device: x)
samples(
    "to_numpy",
    case(real(2, 3)),
    oracle=np.copy,
    call=lambda ug, x: ug.asarray(ug.to_numpy(x)),
    differentiable=False,
)
samples("astype", case(real(2, 3), "float64"), oracle=lambda x, dtype: x, dtype="float64")
samples("astype", case(values([1.5, -1.5, 0.0]), "int32"), oracle=np.ndarray.astype,
        dtype="int32", differentiable=False)  # fmt: skip
samples("astype", case(values([1.5, 0.0]), "bool"), oracle=np.ndarray.astype, dtype="bool",
        differentiable=False)  # fmt: skip


def _told(op: str, *cases: Any, oracle: Any, dtype: str = "int64") -> None:
    """Declare the samples of a function that tells something about a tensor or a dtype."""
    samples(
        op,
        *cases,
        oracle=oracle,
        call=lambda ug, *given: ug.asarray(_plain(getattr(ug, op)(*given))),
        dtype=dtype,
        differentiable=False,
    )


def _plain(answer: Any) -> Any:
    """Return an answer as numbers."""
    return (answer.bits, answer.min, answer.max) if hasattr(answer, "bits") else answer


_told("shape", case(real(2, 3)), oracle=lambda x: np.array(x.shape))
_told("ndim", case(real(2, 3)), case(real()), oracle=np.ndim)
_told("size", case(real(2, 3)), case(real()), oracle=np.size)
_told("is_tensor", case(real(2)), oracle=lambda x: True, dtype="bool")
_told("is_tensor", case(1.0), oracle=lambda x: False, dtype="bool")
_told("can_cast", case("int8", "int32"), case("float64", "float32"), case("int32", "float32"),
      case("uint64", "int64"), oracle=lambda one, other: {
          ("int8", "int32"): True, ("int32", "float32"): True}.get((one, other), False),
      dtype="bool")  # fmt: skip
_told("iinfo", case("int8"), case("int64"),
      oracle=lambda d: np.array([np.iinfo(d).bits, np.iinfo(d).min, np.iinfo(d).max]))  # fmt: skip
_told("finfo", case("float16"), case("float32"), dtype="float32",
      oracle=lambda d: np.array([float(np.finfo(d).bits), np.finfo(d).min,
                                 np.finfo(d).max]))  # fmt: skip
samples(
    "result_type",
    case(integers(2), 1.5),
    case(integers(2), 1),
    case(booleans(2), 1),
    oracle=lambda x, scalar: np.asarray(
        (x + scalar).dtype.itemsize * (0.5 if scalar == 1.5 else 1)
    ),
    call=lambda ug, *given: ug.asarray(float(ug.result_type(*given).itemsize)),
    dtype="float32",
    differentiable=False,
)
