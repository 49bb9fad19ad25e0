"""Another device than the first CPU, which JAX makes on request; the suite passes there."""

import os
import subprocess
import sys

import pytest

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad_conformance.errors import BAD_CALLS, check_bad_call

SUITE = [sys.executable, "-m", "unigrad", "conformance", "--backend", "jax", "--device", "cpu:1"]
PYTEST = [
    sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs",
    "unigrad_conformance", "--unigrad-backend", "jax", "--unigrad-device", "cpu:1",
    "--unigrad-level", "full", "-k",
    "devices/ or elementwise/sign or edges/sign or by-zero or (device and zeros)",
]  # fmt: skip


def on_two_devices(command: list[str]) -> subprocess.CompletedProcess[str]:
    there = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    there.pop("UNIGRAD_DEVICE", None)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=there)


def test_bad_values_on_an_accelerator_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = load_backend("numpy")
    monkeypatch.delenv("UNIGRAD_DEVICE", raising=False)
    monkeypatch.setattr(type(backend), "device", lambda self, native: "gpu:0")
    monkeypatch.setattr(type(backend), "devices", lambda self: ["gpu:0"])
    monkeypatch.setattr(backend, "_places", {})
    with ug.use_backend("numpy"):
        for one in BAD_CALLS:
            check_bad_call(one)


@pytest.mark.parametrize("op", ["tanh", "two backends in one op"])
def test_the_suite_on_a_second_device(op: str) -> None:
    found = on_two_devices([*SUITE, "--op", op])
    assert found.returncode == 0, found.stdout + found.stderr
    assert "\n0 deviations" in found.stdout


def test_the_plug_in_on_a_second_device() -> None:
    found = on_two_devices(PYTEST)
    assert found.returncode == 0, found.stdout + found.stderr
    assert " passed" in found.stdout
    assert "skipped" not in found.stdout
