"""What a program lets a framework do for itself changes nothing of what unigrad computes."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from unigrad.core.registry import load_backend
from unigrad_conformance.levels import Level
from unigrad_conformance.running import Trial, every_trial

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")
jax = importlib.import_module("jax")


@contextmanager
def _double_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def _nowhere_by_default() -> Iterator[None]:
    """Without a device of its own an array has no values here."""
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


def _every_ninth(trial: Trial, number: int) -> bool:
    return number % 9 == 0


def _few(trial: Trial, number: int) -> bool:
    """JAX compiles each anew."""
    return trial.name in ("layers_of_one_example", "bounds_in_batches", "random.gamma")


@pytest.mark.parametrize(
    ("backend", "mode", "chosen"),
    [
        ("torch", torch.no_grad, _every_ninth),
        ("torch", _double_by_default, _every_ninth),
        ("torch", _nowhere_by_default, _every_ninth),
        ("jax", lambda: jax.numpy_rank_promotion("raise"), _few),
        ("jax", lambda: jax.numpy_dtype_promotion("strict"), _few),
    ],
    ids=[
        "torch-no_grad", "torch-default_dtype", "torch-default_device", "jax-rank_promotion",
        "jax-dtype_promotion",
    ],
)  # fmt: skip
def test_modes(
    backend: str,
    mode: Callable[[], AbstractContextManager[None]],
    chosen: Callable[[Trial, int], bool],
) -> None:
    trials = [one for i, one in enumerate(every_trial(Level.QUICK)) if chosen(one, i)]
    assert trials
    with mode():
        ledgers = [one.on(backend) for one in trials]
    assert [finding for ledger in ledgers for finding in ledger.findings] == []


CHECKING = """
import tensorflow as tf
import unigrad as ug
ug.set_backend("tensorflow")
tf.debugging.enable_check_numerics()
x = ug.asarray([-1.0, 4.0])
for call in (lambda: ug.sqrt(x), lambda: ug.jit(ug.sqrt)(x), lambda: x / 0.0):
    try:
        call()
    except Exception as error:
        print(type(error).__name__)
"""


def test_numbers_that_tensorflow_checks_raise_its_own_error() -> None:
    # In a process of its own: TensorFlow keeps what it has compiled so.
    run = subprocess.run([sys.executable, "-c", CHECKING], capture_output=True, text=True)
    assert run.stdout.split() == ["InvalidArgumentError"] * 3, run.stderr
