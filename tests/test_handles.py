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


def test_a_frameworks_gradient_flows_through_the_native_array():
    with ug.use_backend("torch"):
        torch = sys.modules["torch"]
        x = ug.asarray([1.0, 2.0])
        with ug.GradientTape() as tape:
            tape.watch(x)
            result = torch.square(x)
            (gradient,) = torch.autograd.grad(result.sum(), x.native)
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
