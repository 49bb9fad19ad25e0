"""What all tests share."""

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
