"""The random kernels of every backend against `jax.random`, bit for bit.

The modules are loaded by path: this file needs the frameworks, all of them, but no unigrad.
"""

import contextlib
import importlib
import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import ml_dtypes
import numpy as np
import pytest

with contextlib.suppress(ImportError):
    import triton  # noqa: F401  # before TensorFlow: the other order aborts the process

BACKENDS = Path(__file__).resolve().parents[1] / "backends"
INTEGER_SEEDS = (0, 1, 42, 2**32 + 5, 2**63 - 1, -1, -7)
SHAPES = ((), (0,), (3, 0, 2), (1,), (2,), (8,), (9,), (3, 5), (2**16,), (2**16 + 1,), (7, 11, 997))
WIDTHS = (8, 16, 32, 64)
FLOATS = tuple(np.dtype(d) for d in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64))
COUNTS = (0, 1, 2, 3, 8, 9, 1000, 2**16 + 1)
FOLDED = (0, 1, 5, 2**31, 2**32 - 1)


class Kernels(NamedTuple):
    """One backend's table, with the ways into its arrays and back."""

    table: dict[str, Callable[..., Any]]
    array: Callable[[Any], Any]
    numpy: Callable[[Any], Any]


def load(backend: str) -> dict[str, Callable[..., Any]]:
    """Import the random module of a backend by its path and return its table."""
    path = BACKENDS / f"unigrad_{backend}" / "kernels" / "random.py"
    spec = importlib.util.spec_from_file_location(f"random_kernels_of_{backend}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TABLE


def kernels_of(backend: str) -> Kernels:
    """The kernels of one backend."""
    if backend == "numpy":
        return Kernels(load(backend), np.asarray, np.asarray)
    framework = importlib.import_module(backend)
    if backend == "torch":
        return Kernels(load(backend), framework.from_numpy, torch_to_numpy)
    if backend == "jax":
        return Kernels(load(backend), jax.numpy.asarray, np.asarray)
    # np.asarray fails on a bfloat16 scalar of TensorFlow's, whose `.numpy()` is no ndarray.
    return Kernels(load(backend), framework.constant, lambda tensor: np.asarray(tensor.numpy()))


def torch_to_numpy(tensor: Any) -> Any:
    """torch refuses to hand a bfloat16 tensor to NumPy."""
    if str(tensor.dtype) == "torch.bfloat16":
        return tensor.view(importlib.import_module("torch").uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


@pytest.fixture(scope="module", autouse=True)
def sixty_four_bits() -> Any:
    """The oracle needs 64-bit JAX; other test modules get their setting back."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(scope="module", params=["numpy", "torch", "jax", "tensorflow"])
def kernels(request: pytest.FixtureRequest) -> Kernels:
    return kernels_of(request.param)


def oracle_key(seed: int) -> Any:
    return jax.random.key(seed, impl="threefry2x32")


def key_data(seed: int) -> Any:
    """The front end's formula for a seed: the two words of the 64-bit two's complement."""
    return np.array([seed >> 32 & 0xFFFFFFFF, seed & 0xFFFFFFFF], dtype=np.uint32)


def assert_same_bits(got: Any, expected: Any) -> None:
    """Same dtype, shape and bytes."""
    expected = np.asarray(expected)
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    unsigned = f"uint{8 * expected.dtype.itemsize}"
    np.testing.assert_array_equal(
        got.reshape(-1).view(unsigned), expected.reshape(-1).view(unsigned)
    )


@pytest.mark.parametrize("seed", INTEGER_SEEDS)
def test_seed_formula(seed: int) -> None:
    assert_same_bits(key_data(seed), jax.random.key_data(oracle_key(seed)))


def test_known_answers(kernels: Kernels) -> None:
    # Counter (0, 0) under the key (0, 0), as in the known answers of the authors' Random123
    # (threefry2x32, 20 rounds): a fixed number, so that the oracle is not alone.
    words = kernels.table["random_split"](kernels.array(key_data(0)), num=1)
    assert kernels.numpy(words).tolist() == [[0x6B200159, 0x99BA4EFE]]


@pytest.mark.parametrize("seed", INTEGER_SEEDS)
@pytest.mark.parametrize("bit_width", WIDTHS)
def test_bits(kernels: Kernels, seed: int, bit_width: int) -> None:
    key = kernels.array(key_data(seed))
    for shape in SHAPES if seed == 42 else SHAPES[:9]:
        got = kernels.table["random_bits"](key, shape=shape, bit_width=bit_width)
        expected = jax.random.bits(oracle_key(seed), shape, np.dtype(f"uint{bit_width}"))
        assert_same_bits(kernels.numpy(got), expected)


@pytest.mark.parametrize("seed", INTEGER_SEEDS)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_uniform(kernels: Kernels, seed: int, dtype: Any) -> None:
    key = kernels.array(key_data(seed))
    for shape in SHAPES if seed == 42 else SHAPES[:9]:
        got = kernels.table["random_uniform"](key, shape=shape, dtype=dtype)
        assert_same_bits(kernels.numpy(got), jax.random.uniform(oracle_key(seed), shape, dtype))


@pytest.mark.parametrize("seed", INTEGER_SEEDS)
def test_split(kernels: Kernels, seed: int) -> None:
    for num in COUNTS:
        got = kernels.table["random_split"](kernels.array(key_data(seed)), num=num)
        expected = jax.random.key_data(jax.random.split(oracle_key(seed), num))
        assert_same_bits(kernels.numpy(got), expected)


@pytest.mark.parametrize("seed", INTEGER_SEEDS)
def test_fold_in(kernels: Kernels, seed: int) -> None:
    key, fold_in = kernels.array(key_data(seed)), kernels.table["random_fold_in"]
    for data in FOLDED:
        expected = jax.random.key_data(jax.random.fold_in(oracle_key(seed), data))
        for dtype in (None, np.uint32, np.int64):
            value = data if dtype is None else kernels.array(np.array(data, dtype))
            assert_same_bits(kernels.numpy(fold_in(key, value)), expected)


def test_fold_in_counts_modulo_two_to_the_32(kernels: Kernels) -> None:
    key, fold_in = kernels.array(key_data(3)), kernels.table["random_fold_in"]
    for data in (-1, 2**32 + 9):
        expected = kernels.numpy(fold_in(key, data % 2**32))
        for value in (data, kernels.array(np.array(data, np.int64))):
            assert_same_bits(kernels.numpy(fold_in(key, value)), expected)


def every_kernel(table: dict[str, Callable[..., Any]], key: Any, data: Any) -> list[Any]:
    """One call of each kernel and width: what the compiled programs below consist of."""
    shape = (3, 41)
    return [
        *(table["random_bits"](key, shape=shape, bit_width=width) for width in WIDTHS),
        *(table["random_uniform"](key, shape=shape, dtype=dtype) for dtype in FLOATS),
        table["random_uniform"](key, shape=(), dtype=FLOATS[2]),
        table["random_bits"](key, shape=(0, 2), bit_width=32),
        table["random_split"](key, num=2),
        table["random_fold_in"](key, data),
        table["random_fold_in"](key, 12),
    ]


def check_program(program: Callable[[Any, Any], list[Any]], kernels: Kernels) -> None:
    """Run a compiled `every_kernel` under two keys, so that a key baked in would be seen."""
    reference = load("numpy")
    for seed in (42, -7):
        key, data = key_data(seed), np.array(5, np.int64)
        got = program(kernels.array(key), kernels.array(data))
        for value, expected in zip(got, every_kernel(reference, key, data), strict=True):
            assert_same_bits(kernels.numpy(value), expected)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_tf_function(jit_compile: bool) -> None:
    kernels = kernels_of("tensorflow")
    function = importlib.import_module("tensorflow").function(jit_compile=jit_compile)
    check_program(function(lambda key, data: every_kernel(kernels.table, key, data)), kernels)


def test_in_jax_jit() -> None:
    kernels = kernels_of("jax")
    check_program(jax.jit(lambda key, data: every_kernel(kernels.table, key, data)), kernels)


def test_jax_ignores_the_users_generator_settings() -> None:
    kernels, expected = kernels_of("jax"), every_kernel(load("numpy"), key_data(1), 5)
    with jax.threefry_partitionable(False), jax.default_prng_impl("rbg"):
        got = every_kernel(kernels.table, kernels.array(key_data(1)), 5)
    for value, reference in zip(got, expected, strict=True):
        assert_same_bits(kernels.numpy(value), reference)


@pytest.mark.parametrize("mode", ["real", "fake", "symbolic"])
def test_in_make_fx(mode: str) -> None:
    kernels = kernels_of("torch")
    proxy_tensor = importlib.import_module("torch.fx.experimental.proxy_tensor")
    trace = proxy_tensor.make_fx(
        lambda key, data: every_kernel(kernels.table, key, data), tracing_mode=mode
    )
    arrays = kernels.array(key_data(0)), kernels.array(np.array(0, np.int64))
    check_program(trace(*arrays), kernels)


def test_in_torch_vmap() -> None:
    torch, kernels = importlib.import_module("torch"), kernels_of("torch")
    keys = np.stack([key_data(seed) for seed in (0, 42, -7)])
    for name, settings in (
        ("random_bits", {"shape": (50,), "bit_width": 64}),
        ("random_uniform", {"shape": (2, 3), "dtype": FLOATS[2]}),
        ("random_split", {"num": 2}),
    ):
        kernel = kernels.table[name]
        got = torch.func.vmap(lambda key, f=kernel, s=settings: f(key, **s))(kernels.array(keys))
        expected = np.stack([load("numpy")[name](key, **settings) for key in keys])
        assert_same_bits(kernels.numpy(got), expected)


def test_torch_counters_beyond_32_bits() -> None:
    # No test can hold so many numbers; the words of the counters are checked on their own.
    kernels, torch = kernels_of("torch"), importlib.import_module("torch")
    counters = kernels.table["random_bits"].__globals__["_counters"]
    for start, stop in itertools.pairwise((2**31 - 2, 2**31 + 2, 2**31 + 4)):
        high, low = counters(start, stop, torch.device("cpu"))
        assert (low.to(torch.int64) & 0xFFFFFFFF).tolist() == list(range(start, stop))
        assert high.tolist() == [0] * (stop - start)
    high, low = counters(2**32 - 1, 2**32 + 1, torch.device("cpu"))
    assert high.tolist() == [0, 1]
    assert low.tolist() == [-1, 0]


def test_numpy_counters_beyond_32_bits() -> None:
    internals = vars(importlib.import_module("unigrad.core.threefry"))
    schedule = internals["_schedule"](key_data(42))
    first, second, scratch = np.empty((3, 4), np.uint32)
    block = internals["_Block"](schedule)
    for start in (2**32 - 2**16, 2**32, 5 * 2**32 + 2**16):
        block.fill(start, first, second, scratch)
        for offset in range(4):
            counter = divmod(start + offset, 2**32)
            expected = internals["_hash_integers"](schedule, *counter)
            assert (int(first[offset]), int(second[offset])) == expected
