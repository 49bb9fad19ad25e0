"""What all tests share."""

import itertools
import sys
from collections.abc import Iterator

import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
BACKENDS = ("numpy", "torch", "jax", "tensorflow")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test once on every backend, as the current one."""
    load_backend("torch")
    with ug.use_backend(request.param):
        yield request.param


_tests_done = itertools.count(1)


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """Let JAX forget its compiled programs now and then: thousands of small ones fill gigabytes."""
    yield
    if next(_tests_done) % 150 == 0 and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
