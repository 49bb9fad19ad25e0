"""What a Tensor promises as an object: indexing, writing, and other libraries' functions."""

import sys

import numpy as np
import pytest

import unigrad as ug


@pytest.mark.parametrize("key", [3, (0, -5), [3], ([0], [0, -5]), (slice(None), [4])])
def test_an_index_out_of_bounds_is_one_error(backend, key):
    x = ug.asarray(np.ones((3, 4)))
    with pytest.raises(ug.OutOfBoundsError):
        x[key]
    with pytest.raises(ug.OutOfBoundsError):
        x.at[key].set(0.0)


def test_traced_reads_out_of_bounds_give_nan_and_writes_are_dropped():
    for name in ("jax", "tensorflow"):
        with ug.use_backend(name):
            x, index = ug.asarray([1.0, 2.0, 3.0]), ug.asarray([0, 3, -1, -4])
            read, wrote, added = ug.jit(lambda x, i: (x[i], x.at[i].set(9.0), x.at[i].add(1.0)))(
                x, index
            )
            np.testing.assert_array_equal(read.numpy(), [1.0, np.nan, 3.0, np.nan])
            assert wrote.tolist() == [9.0, 2.0, 9.0]
            assert added.tolist() == [2.0, 2.0, 4.0]
            assert ug.jit(lambda x, i: x[i])(ug.asarray([1, 2]), ug.asarray([5])).tolist() == [0]


def test_assignment_changes_one_handle(backend):
    x = ug.asarray([1.0, 2.0, 3.0])
    same, view, array = ug.copy(x), x[1:], x.numpy()
    x[1] = 7
    x[x > 5.0] = 8
    assert x.tolist() == [1.0, 8.0, 3.0]
    assert same.tolist() == array.tolist() == [1.0, 2.0, 3.0]
    assert view.tolist() == [2.0, 3.0]
    with pytest.raises(ug.DTypeError):
        ug.asarray([1, 2])[0] = 1.5


def test_assignment_differentiates_and_leaves_no_graph(backend):
    x = ug.asarray([1.0, 2.0, 3.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x * 2
        y[1] = x[0] * 10
        total = (y * y).sum()
    assert tape.gradient(total, x).tolist() == [208.0, 0.0, 24.0]
    assert not getattr(y.native, "requires_grad", False)


def test_a_variable_is_assigned_by_index(backend):
    v = ug.Variable([1.0, 2.0])
    v[0] = 5.0
    assert v.value.tolist() == [5.0, 2.0]
    assert [float(one) for one in v] == [5.0, 2.0]


@pytest.mark.parametrize("make", [ug.asarray, ug.Variable])
def test_numpys_functions_run_the_op(backend, make):
    x = make(np.array([1.0, 2.0]))
    for result in (np.sin(x), np.ones(2) + x, np.power(x, 1), np.add.reduce(x)):
        assert isinstance(result, ug.Tensor)
        assert result.backend.name == backend
    np.testing.assert_array_equal(np.asarray(x), [1.0, 2.0])
    np.testing.assert_array_equal((np.ones(2) + x).numpy(), [2.0, 3.0])
    with pytest.raises(ug.DTypeError):
        np.spacing(x)


@pytest.mark.parametrize("make", [ug.asarray, ug.Variable])
def test_frameworks_functions_give_their_own_arrays(backend, make):
    ug.get_backend()
    for name in ("torch", "jax", "tensorflow"):
        with ug.use_backend(name):
            pass
    torch, jax, tf = (sys.modules[name] for name in ("torch", "jax", "tensorflow"))
    x = make(np.array([0.0, 1.0], np.float32))
    for result, kind in (
        (torch.sin(x), torch.Tensor),
        (torch.stack([x, x])[0], torch.Tensor),
        (jax.numpy.sin(x), jax.Array),
        (tf.sin(x), tf.Tensor),
    ):
        assert isinstance(result, kind)
    np.testing.assert_allclose(np.asarray(torch.sin(x)), np.sin([0.0, 1.0]), rtol=1e-6)
    np.testing.assert_array_equal(np.from_dlpack(ug.asarray(x)), [0.0, 1.0])


def test_a_frameworks_gradient_flows_through_what_its_functions_get():
    with ug.use_backend("torch"):
        torch = sys.modules["torch"]
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape() as tape:
            tape.watch(x)
            in_graph = torch.positive(x)
            result = torch.square(x)
            (gradient,) = torch.autograd.grad(result.sum(), in_graph)
        assert gradient.tolist() == [2.0, 4.0]


def test_methods_and_views_of_axes(backend):
    x = ug.asarray(np.arange(24.0).reshape(2, 3, 4))
    assert x.T.shape == (4, 3, 2)
    assert x.mT.shape == (2, 4, 3)
    assert x.reshape(4, -1).shape == x.reshape((4, -1)).shape == (4, 6)
    assert x.transpose(1, 0, 2).shape == x.transpose((1, 0, 2)).shape == (3, 2, 4)
    assert x.ravel().shape == x.flatten().shape == (24,)
    assert x.at[0].get().shape == (3, 4)
    assert x.__array_namespace__() is ug


def test_numpys_reductions_call_the_methods(backend):
    x = ug.asarray(np.array([[1.0, 2.0], [3.0, 5.0]]))
    for name in ("sum", "prod", "mean", "max", "min", "std", "var", "any", "all", "argmax"):
        result = getattr(np, name)(x, axis=1)
        assert isinstance(result, ug.Tensor)
        np.testing.assert_allclose(result.numpy(), getattr(np, name)(x.numpy(), axis=1))
    assert float(np.std(x, ddof=1)) == pytest.approx(np.std(x.numpy(), ddof=1))
    assert np.sum(x, dtype="int64").dtype == x.sum(dtype="int64").dtype == ug.int64
    with pytest.raises(TypeError, match="out="):
        np.sum(x, out=np.zeros(()))
    with pytest.raises(TypeError, match="dtype"):
        x.max(dtype="float32")


def test_a_result_is_never_the_argument(backend):
    x, scalar = ug.asarray([1.0, 2.0]), ug.asarray(3.0)
    calls = {
        "sum": lambda: (ug.sum(scalar), scalar),
        "mean": lambda: (ug.mean(scalar), scalar),
        "max": lambda: (ug.max(x, axis=()), x),
        "any": lambda: (ug.any(x > 1.0, axis=()), x),
        "pad": lambda: (ug.pad(x, 0), x),
        "diff": lambda: (ug.diff(x, n=0), x),
        "broadcast_arrays": lambda: (ug.broadcast_arrays(x, x)[0], x),
        "slice": lambda: (ug.slice(x, [0], (2,)), x),
        "cumulative_prod": lambda: (ug.cumulative_prod(x[:1]), x),
    }
    for name, call in calls.items():
        result, source = call()
        assert result is not source, name
        with ug.GradientTape() as tape:
            tape.watch([x, scalar])
            y, _ = call()
            z = y * 2
        assert y.uid != source.uid, name
        if y.dtype != ug.bool:
            assert tape.gradient(z, y).tolist() == ug.full_like(y, 2.0).tolist(), name


def test_a_number_is_not_iterable(backend):
    with pytest.raises(TypeError, match="0-d"):
        iter(ug.asarray(1.0))
    assert [float(one) for one in ug.asarray([1.0, 2.0])] == [1.0, 2.0]


def test_integers_of_any_kind_count(backend):
    x = ug.asarray(np.arange(6))
    for two in (2, np.int64(2), ug.asarray(2)):
        assert ug.roll(x, two).tolist() == [4, 5, 0, 1, 2, 3]
        assert [one.tolist() for one in ug.split(x, two)] == [[0, 1, 2], [3, 4, 5]]
        assert ug.tensordot(ug.ones((3, 2)), ug.ones((3, 2)), axes=two).tolist() == 6.0
        assert ug.tile(x[:1], two).tolist() == [0, 0]
    assert ug.reshape(x, (2, 3), copy=True).shape == (2, 3)


def test_a_tensor_moves_to_a_device(backend):
    x = ug.asarray([1.0, 2.0])
    assert x.to_device(x.device).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="stream"):
        x.to_device(x.device, stream=1)


def test_the_namespace_answers_questions(backend):
    assert ug.__array_api_version__ == "2025.12"
    info = ug.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.default_device() in info.devices()
    assert ug.ones(2).device == info.default_device()
    kinds = {"real floating": 1.5, "complex floating": 1j, "integral": 1}
    for kind, value in kinds.items():
        assert ug.asarray(value).dtype == info.default_dtypes()[kind]
        assert info.default_dtypes()[kind] in info.dtypes(kind=kind).values()
    assert ug.argmax(ug.ones(2)).dtype == info.default_dtypes()["indexing"]
    assert set(info.dtypes(kind=("bool", "unsigned integer"))) == {
        "bool", "uint8", "uint16", "uint32", "uint64",
    }  # fmt: skip
    assert len(info.dtypes()) == 13
    most = info.capabilities()["max dimensions"]
    many = ug.ones([1 + i % 2 for i in range(most)]) + ug.ones([2 - i % 2 for i in range(most)])
    assert ug.sum(many, axis=(0, -1)).shape == (2,) * (most - 2)
    with pytest.raises(ug.DTypeError):
        info.dtypes(kind="nonesuch")


def test_a_scan_of_nothing_has_empty_results(backend):
    def step(carry, x):
        return carry + x["a"], (carry * 2, ug.sum(x["a"]) > 0)

    rows = {"a": ug.zeros((0, 3))}
    with ug.GradientTape() as tape:
        start = ug.ones((3,))
        tape.watch(start)
        carry, (doubled, truths) = ug.scan(step, start, rows)
        total = carry.sum() + doubled.sum()
    assert carry.tolist() == [1.0, 1.0, 1.0]
    assert (doubled.shape, doubled.dtype.name) == ((0, 3), "float32")
    assert (truths.shape, truths.dtype.name) == ((0,), "bool")
    assert tape.gradient(total, start).tolist() == [1.0, 1.0, 1.0]


def test_what_has_no_order_or_sum_is_not_updated_by_one(backend):
    flags, turns = ug.asarray([True, False]), ug.asarray([1j, 2.0])
    for call in (
        lambda: flags.at[0].add(True),
        lambda: flags.at[[0, 0]].multiply(True),
        lambda: flags.at[0].max(True),
        lambda: turns.at[[0]].min(1.0),
    ):
        with pytest.raises(ug.DTypeError):
            call()
    assert flags.at[1].set(True).tolist() == [True, True]
    assert turns.at[0].add(1.0).tolist() == [1 + 1j, 2]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("int64", [1.7]),
        ("int64", np.array([3.9])),
        ("int8", [300]),
        ("float32", [1j]),
        ("bool", [1]),
    ],
)
def test_a_variable_takes_no_values_of_a_wider_kind(backend, dtype, value):
    v = ug.Variable([1], dtype=dtype)
    with pytest.raises(ug.DTypeError):
        v.assign(value)
    assert v.tolist() == [1]


def test_a_variable_takes_values_of_a_narrower_kind(backend):
    v = ug.Variable([1.5])
    assert v.assign([2]).tolist() == [2.0]
    assert v.assign(np.array([0.25])).tolist() == [0.25]
    assert v.assign([True]).tolist() == [1.0]
    assert v.dtype.name == "float32"


def test_a_tape_reads_what_another_thread_has_assigned(backend):
    """A tape may be about to read a variable when another thread assigns it."""
    v = ug.Variable([1.0])
    old = v.current()
    with ug.GradientTape() as tape:
        v.assign([2.0])
        # As if the value had been fetched before the assignment.
        tape.read(v, old)
    with ug.GradientTape() as tape:
        y = v * v
    assert y.tolist() == [4.0]
    assert tape.gradient(y, v).tolist() == [4.0]


def test_fresh_kernels_return_new_tensors():
    import torch

    from unigrad_torch.kernels import TABLE
    from unigrad_torch.tape import FRESH

    names = {name for name, kernel in TABLE.items() if kernel in FRESH}
    others = {"mean", "linear", "matmul", "sparse_softmax_crossentropy"}
    binary = {"add", "subtract", "multiply", "divide"}
    calls = [
        ("mean", (one,), {"axis": axis, "keepdims": keep})
        for one, axis in [(torch.ones(()), ()), (torch.ones(1), (0,)), (torch.ones(1, 1), (1,))]
        for keep in (False, True)
    ]
    square, row = torch.eye(2), torch.zeros(2)
    calls += [("linear", (square, square, row), {}), ("linear", (square[None], square, row), {})]
    calls += [("matmul", (square, square), {}), ("matmul", (row, row), {})]
    calls += [("sparse_softmax_crossentropy", (square, torch.tensor([0, 1])), {})]
    for one in (torch.ones(()), torch.ones(0), square):
        calls += [(name, (one, 0), {}) for name in binary] + [
            (name, (one, 1), {}) for name in binary
        ]
        calls += [(name, (one,), {}) for name in names - others - binary]
    assert {name for name, _, _ in calls} == names
    for name, given, settings in calls:
        found = TABLE[name](*given, **settings)
        assert type(found) is torch.Tensor
        assert all(found is not one for one in given)
