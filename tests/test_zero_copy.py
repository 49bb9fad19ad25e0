"""Memory is shared where it can be, checked by pointer: native arrays in and out, and DLPack."""

import importlib
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

load_backend("torch")
torch = importlib.import_module("torch")
jnp = importlib.import_module("jax.numpy")
tf = importlib.import_module("tensorflow")

#: An array of each library, large enough for each to hold it in memory of its own.
MAKERS = {
    "numpy": lambda: np.arange(4096.0),
    "torch": lambda: torch.arange(4096.0, dtype=torch.float64),
    "jax": lambda: jnp.asarray(np.arange(4096.0, dtype="float32")),
    "tensorflow": lambda: tf.constant(np.arange(4096.0)),
}


def address(array: Any) -> int:
    """Return where an array's elements are."""
    if isinstance(array, ug.Tensor):
        array = array.native
    if hasattr(array, "data_ptr"):
        return int(array.data_ptr())
    if hasattr(array, "unsafe_buffer_pointer"):
        return int(array.unsafe_buffer_pointer())
    return int(np.from_dlpack(array).ctypes.data)


@pytest.mark.parametrize("library", MAKERS)
def test_a_handle_is_on_the_array_itself(library: str) -> None:
    array = MAKERS[library]()
    seen = []
    found = ug.interop(lambda x: seen.append(x.native) or x)(array)
    assert seen[0] is array
    assert found is array
    with ug.use_backend(library):
        if library == "numpy":
            # An ndarray may be changed by its owner at any time: a Tensor that stays has a copy.
            assert address(ug.asarray(array)) != address(array)
            with pytest.raises(ug.SettingError, match="takes a copy"):
                ug.asarray(array, copy=False)
        else:
            assert address(ug.asarray(array)) == address(array)
            assert address(ug.asarray(array, copy=False)) == address(array)
        assert address(ug.asarray(array, copy=True)) != address(array)


@pytest.mark.parametrize("library", MAKERS)
def test_views_are_of_the_same_memory(library: str) -> None:
    if library in ("jax", "tensorflow"):
        pytest.skip("its arrays have no views")
    array = MAKERS[library]()
    found = ug.interop(lambda x: ug.reshape(x, (64, 64)))(array)
    assert address(found) == address(array)


@pytest.mark.parametrize("library", MAKERS)
def test_dlpack_out(library: str) -> None:
    """Others read a Tensor's memory in place."""
    array = MAKERS[library]()
    with ug.use_backend(library):
        tensor = ug.asarray(array)
    assert np.from_dlpack(tensor).ctypes.data == address(tensor)
    assert address(torch.from_dlpack(tensor)) == address(tensor)


@pytest.mark.parametrize("target", MAKERS)
@pytest.mark.parametrize("source", MAKERS)
def test_dlpack_in(source: str, target: str) -> None:
    """A Tensor goes to another backend by DLPack, in place where that backend can."""
    array = MAKERS[source]()
    with ug.use_backend(source):
        tensor = ug.asarray(array)
    with ug.use_backend(target):
        found = ug.from_dlpack(tensor, backend=target)
    assert found.backend.name == target
    assert found.dtype == tensor.dtype
    np.testing.assert_array_equal(found.numpy(), tensor.numpy())
    # XLA copies memory that begins at no multiple of 64 bytes, which NumPy's need not.
    if target != "jax" or address(tensor) % 64 == 0:
        assert address(found) == address(tensor)


#: Tensors of torch whose memory does not hold their values as they are, or that others cannot read.
ODD = {
    "negated": (lambda: torch._neg_view(torch.tensor([1.0, -2.0])), [-1.0, 2.0], True),
    "imaginary part": (lambda: torch.tensor([1 + 2j]).conj().imag, [-2.0], True),
    "conjugated": (lambda: torch.tensor([1 + 2j]).conj(), [1 - 2j], True),
    "bfloat16": (lambda: torch.ones(2, dtype=torch.bfloat16), [1.0, 1.0], False),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("home", ["numpy", "jax", "tensorflow"])
def test_odd_tensors_by_dlpack(home: str, name: str) -> None:
    make, values, copies = ODD[name]
    assert ug.from_dlpack(make(), backend=home).tolist() == values
    assert np.asarray(ug.from_dlpack(ug.asarray(make()), backend=home)).tolist() == values
    if copies:
        with pytest.raises(ug.SettingError, match="from_dlpack"):
            ug.from_dlpack(make(), backend=home, copy=False)


@pytest.mark.parametrize("home", ["numpy", "jax", "tensorflow"])
def test_a_graph_ends_at_dlpack(home: str) -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(ug.GradientWarning, match="graph ends"):
        assert ug.from_dlpack(x, backend=home).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("home", ["torch", "jax", "tensorflow"])
def test_another_byte_order_by_dlpack(home: str) -> None:
    assert ug.from_dlpack(np.ones(2, ">f4"), backend=home).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torch.ones(2).to(torch.float8_e4m3fn), "float8_e4m3fn"),
        (lambda: torch.eye(2).to_sparse(), "sparse_coo"),
        (lambda: torch.ones(2, device="meta"), "without values"),
    ],
)
def test_tensors_that_unigrad_lacks(make: Any, words: str) -> None:
    for call in (ug.asarray, lambda x: ug.from_dlpack(x, backend="numpy"), ug.exp):
        with pytest.raises(ug.DTypeError, match=words):
            call(make())


def test_tensors_of_several_lengths() -> None:
    nested = torch.nested.as_nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)
    for call in (ug.asarray, ug.exp, ug.Variable):
        with pytest.raises(ug.DTypeError, match="nested"):
            call(nested)
