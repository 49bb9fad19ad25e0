"""Ops with their settings bound run what the ops themselves run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.backend import Backend
from unigrad.core.dispatch import dispatch
from unigrad.core.op import OPS, Op
from unigrad.core.plans import MOST_PLANS, Planned, Plans, planned
from unigrad.core.registry import load_backend
from unigrad.core.tensor import Tensor

#: Ops that backends bind in ways of their own: settings, scalars behind the array, more inputs.
CASES: dict[str, tuple[dict[str, Any], tuple[int, ...], int]] = {
    "reshape": ({"shape": (2, 6)}, (), 1),
    "permute_dims": ({"axes": (1, 0)}, (), 1),
    "broadcast_to": ({"shape": (2, 3, 4)}, (), 1),
    "flip": ({"axis": (1,)}, (), 1),
    "flip all": ({"axis": (0, 1)}, (), 1),
    "roll": ({"shift": (1,), "axis": (1,)}, (), 1),
    "roll by nothing": ({"shift": (), "axis": ()}, (), 1),
    "pad": ({"widths": ((1, 0), (0, 2)), "value": 3}, (), 1),
    "tril": ({"k": -1}, (), 1),
    "triu": ({"k": 1}, (), 1),
    "tile": ({"repetitions": (1, 2)}, (), 1),
    "split": ({"axis": 1, "sizes": (1, 3)}, (), 1),
    "concat": ({"axis": 1}, (), 2),
    "stack": ({"axis": 1}, (), 3),
    "getitem": ({"spec": ("int", (2, -1))}, (1, 3), 1),
    "getitem of a new axis": ({"spec": (None, "all", "int")}, (2,), 1),
    "sum": ({"axis": (0,), "keepdims": False}, (), 1),
    "sum of all": ({"axis": None, "keepdims": False}, (), 1),
    "sum kept": ({"axis": None, "keepdims": True}, (), 1),
    "mean": ({"axis": (0, 1), "keepdims": True}, (), 1),
    "mean of all": ({"axis": None, "keepdims": False}, (), 1),
    "max": ({"axis": (1,), "keepdims": True}, (), 1),
    "min of all": ({"axis": None, "keepdims": False}, (), 1),
    "argmax": ({"axis": 1}, (), 1),
    "cumulative_sum": ({"axis": 1, "reverse": True}, (), 1),
    "sort": ({"axis": 0, "descending": True}, (), 1),
    "argsort": ({"axis": 1, "descending": False}, (), 1),
    "softmax": ({"axis": 0}, (), 1),
    "std": ({"axis": (1,), "correction": 1.0, "keepdims": False}, (), 1),
    "clip": ({"low": -0.5, "high": 1}, (), 1),
    "astype": ({"dtype": np.dtype(np.int32)}, (), 1),
    "full_like": ({"value": -0.0}, (), 1),
    "einsum": ({"equation": "ij,ij->j"}, (), 2),
    "tensordot": ({"axes": ((0,), (0,))}, (), 2),
}


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_zeros_of_both_signs_have_plans_of_their_own(backend: str, sign: float) -> None:
    x = ug.asarray([float("nan"), -2.0])
    assert np.signbit(ug.nan_to_num(x, nan=sign * 0.0).numpy()).tolist() == [sign < 0.0, True]
    found = ug.leaky_relu(x, sign * 0.0).numpy()[1]
    assert found == 0.0
    assert np.signbit(found) == (sign > 0.0)


NUMBERS: dict[str, tuple[Callable[..., Any], float, Any]] = {
    "isclose": (lambda x, r: ug.isclose(x, x + 0.05, rtol=r, atol=r), 0.03, [[0, 1], [1, 1]]),
    "nan_to_num": (lambda x, r: ug.nan_to_num(x - np.nan, nan=r), 0.1, np.full((2, 2), 0.1)),
    "var": (lambda x, r: ug.var(x, correction=r), 0.1, 5.0 / 3.9),
    "std": (lambda x, r: ug.std(x, axis=0, correction=r), 0.1, np.sqrt([2.0 / 1.9] * 2)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_vary(backend: str, name: str) -> None:
    x = ug.asarray([[0.0, 1.0], [2.0, 3.0]])
    run, number, expected = NUMBERS[name]
    run(x, 0.2)
    for function in (run, ug.jit(run, static_argnums=1)):
        np.testing.assert_allclose(function(x, number).numpy(), expected, 1e-6)


def _arrays(count: int) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, 4)).astype(np.float32) for _ in range(count)]


def _same_bits(first: Any, second: Any) -> None:
    pairs = zip(first, second, strict=True) if isinstance(first, tuple) else [(first, second)]
    for one, other in pairs:
        assert one.dtype == other.dtype
        assert one.numpy().tobytes() == other.numpy().tobytes()
        assert one.shape == other.shape


@pytest.mark.parametrize("name", CASES)
def test_bound_is_as_unbound(backend: str, name: str) -> None:
    settings, scalars, count = CASES[name]
    op = OPS[name.partition(" ")[0]]
    inputs = tuple([ug.asarray(array) for array in _arrays(count)])
    place: Backend = inputs[0].backend
    natives = tuple([x.native for x in inputs])
    bound = dispatch(Planned(op, settings, scalars), place, inputs, natives)
    _same_bits(bound, op(*inputs, *scalars, **settings))


def test_an_exchanged_kernel_is_bound_anew() -> None:
    backend = load_backend("numpy")
    run = planned(OPS["reshape"], lambda shape: {"shape": (-1,)})
    with ug.use_backend("numpy"):
        x = ug.asarray([[1.0, 2.0]])
    assert run(x).tolist() == [1.0, 2.0]
    kernels = OPS["reshape"].kernels
    honest = kernels[backend]
    try:
        kernels[backend] = lambda x, shape: x.reshape(shape) * 3
        assert run(x).tolist() == [3.0, 6.0]
    finally:
        kernels[backend] = honest
    assert run(x).tolist() == [1.0, 2.0]


def test_a_composite_without_a_kernel_is_its_body() -> None:
    def body(x: Tensor, *, times: float) -> Tensor:
        return x * times

    op = Op("scaled by the settings bound to it", body)
    with ug.use_backend("numpy"):
        x = ug.asarray([1.0, 2.0])
    run: Callable[..., Tensor] = planned(op, lambda shape, times: {"times": times})
    assert run(x, 2.0).tolist() == [2.0, 4.0]
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = run(x, 3.0)
    assert tape.gradient(y, x).tolist() == [3.0, 3.0]


def test_plans_are_bounded() -> None:
    plans = Plans()
    for i in range(MOST_PLANS + 1):
        plans.keep(i, i)
    assert len(plans) == 1


@pytest.mark.parametrize("name", ["abs", "exp", "isnan", "logical_not", "softplus"])
def test_an_op_of_one_runs_alike_by_the_short_way_and_by_dispatch(backend: str, name: str) -> None:
    x = ug.asarray([-2.0, 0.5, float("nan")])
    function = getattr(ug, name)
    _alike(lambda: function(x))


@pytest.mark.parametrize("name", ["add", "atan2", "less", "maximum", "logical_and", "hypot"])
def test_an_op_of_two_runs_alike_by_the_short_way_and_by_dispatch(backend: str, name: str) -> None:
    x, y = ug.asarray([-2.0, 0.5, float("nan")]), ug.asarray([[1.5], [0.5], [-0.0]])
    function = getattr(ug, name)
    _alike(lambda: function(x, y))
    _alike(lambda: function(x, 0.5))
    with pytest.raises(ug.ShapeError):
        function(x, ug.asarray([1.0, 2.0]))


def _alike(run: Callable[[], Tensor]) -> None:
    """Compare with what is run while a tape records, of which the op is none of its business."""
    with np.errstate(all="ignore"):
        short = run()
        with ug.GradientTape():
            long = run()
    assert (type(short), short.dtype, short.uid) == (type(long), long.dtype, long.uid)
    np.testing.assert_array_equal(short.numpy(), long.numpy())
