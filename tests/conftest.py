"""What all tests share."""

import gc
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

# What JAX compiles is kept on disk while the tests run: their processes, and what comes after
# caches are cleared, need not compile it again.
_programs: str | None = None
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _programs = tempfile.mkdtemp(prefix="programs-of-jax-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _programs
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

#: A package called autograd, which takes the place of the real one and computes in float64.
collect_ignore = ["hips"]

# torch before TensorFlow: see unigrad_torch.triton_first.
BACKENDS = ("numpy", "torch", "jax", "tensorflow")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a test once on every backend, as the current one."""
    load_backend("torch")
    with ug.use_backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def nothing_left_on() -> Iterator[None]:
    """See that no test leaves a framework recording, or not recording, for those behind it."""
    yield
    tensorflow = sys.modules.get("unigrad_tensorflow.private")
    torch = sys.modules.get("torch")
    assert tensorflow is None or not tensorflow.could_possibly_record()
    assert torch is None or (torch.is_grad_enabled() and not torch.is_inference_mode_enabled())


_tests_done = itertools.count(1)
#: The frameworks that were there when objects were last frozen.
_frozen = set[str]()


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """Let JAX forget its compiled programs now and then: thousands of small ones fill gigabytes.

    What the frameworks hold for good is put out of the garbage collector's sight: a collection
    takes a third of a second otherwise, and some tests ask for many.
    """
    yield
    again = next(_tests_done) % 150 == 0
    loaded = {name for name in BACKENDS if name in sys.modules}
    if again and "jax" in loaded:
        load_backend("jax").clear_caches()
    if again or loaded != _frozen:
        _frozen.update(loaded)
        gc.collect()
        gc.freeze()


def pytest_unconfigure() -> None:
    """Let the libraries' own search for leaks at exit see what was frozen; remove what is ours."""
    gc.unfreeze()
    if _programs is not None:
        shutil.rmtree(_programs, ignore_errors=True)
