"""Another device than the first CPU, which JAX makes on request; the suite passes there."""

import json
import os
import subprocess
import sys

import pytest
import torch

import unigrad as ug
from unigrad.core.dispatch import wrap
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


MADE = """
import unigrad as ug
ug.set_backend("jax")
there = {"device": "cpu:1"}
made = [
    ug.zeros(2, **there), ug.ones(2, **there), ug.full(2, 3.0, **there), ug.empty(2, **there),
    ug.arange(2.0, **there), ug.eye(2, **there), ug.linspace(0, 1, 2, **there),
    ug.asarray([1.0, 2.0], **there), ug.zeros_like(ug.ones(2), **there),
]
print(json.dumps([[x.device, (x + 1.0).device, (x * ug.ones(2)).device] for x in made]))
"""


def test_what_is_made_on_a_device_stays_there() -> None:
    run = on_two_devices([sys.executable, "-c", "import json\n" + MADE])
    assert json.loads(run.stdout) == [["cpu:1"] * 3] * 9, run.stderr


FAULT = """
import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad.ops import filling
from unigrad_conformance import devices
from unigrad_conformance.subject import Deviation
backend, place_of = type(load_backend("jax")), filling.place_of
def bound(device, like=None, name=None):
    return place_of(getattr(like, "device", None) if device is None else device, like, name)
{fault}
with ug.use_backend("jax"):
    try:
        devices.{check}()
    except Deviation as deviation:
        print(deviation)
"""


@pytest.mark.parametrize(
    ("fault", "check", "seen"),
    [
        (
            "backend.beside = lambda self, native: self.device(native)",
            "made_where_asked",
            "and a sum of it is on 'cpu', not on 'cpu:1'",
        ),
        (
            "filling.place_of = bound",
            "free_as_what_it_meets",
            "a loss is for device 'cpu', what it meets for None",
        ),
    ],
    ids=["it moves at the next op", "bound among free ones"],
)
def test_the_suite_sees_arrays_that_are_placed_wrongly(fault: str, check: str, seen: str) -> None:
    run = on_two_devices([sys.executable, "-c", FAULT.format(fault=fault, check=check)])
    assert seen in run.stdout, run.stderr


STEPS = """
import jax
import unigrad as ug
import unigrad_jax.compiler as compiler
ug.set_backend("jax")
puts = []
put = jax.device_put
def counted(x, place):
    puts.append(x)
    return put(x, place)
compiler.jax.device_put = counted
found = []
for device in (None, "cpu:1"):
    v = ug.Variable(ug.asarray([1.0, 2.0], device=device))
    optimizer = ug.optimizers.Adam(1e-3)
    @ug.jit
    def step(x):
        with ug.GradientTape() as tape:
            loss = ug.sum((x * v) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, v), v)])
        return loss
    counts = []
    for _ in range(3):
        step(ug.ones(2))
        counts.append(len(puts))
        puts.clear()
    found.append(counts)
print(json.dumps(found))
"""


def test_a_training_step_on_jax_moves_nothing_but_the_batch() -> None:
    # Beside weights that were put somewhere the first step puts the optimizer's two slots, its
    # count and its four numbers there as well.
    run = on_two_devices([sys.executable, "-c", "import json\n" + STEPS])
    assert json.loads(run.stdout) == [[0, 0, 0], [8, 1, 1]], run.stderr


SHARDED = """
import jax
import numpy as np
import unigrad as ug
from jax.sharding import Mesh, NamedSharding, PartitionSpec
ug.set_backend("jax")
mesh = Mesh(np.array(jax.devices()), ("rows",))
rows, whole = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("rows", None), ()))
values, weights = np.arange(8.0).reshape(4, 2) / 8, np.ones((2, 3))
ones = np.ones(2)
def train(x, w, compiled):
    v, optimizer = ug.Variable(w), ug.optimizers.Adam(0.1)
    def step(x):
        with ug.GradientTape() as tape:
            loss = ug.sum((x @ v) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, v), v)])
        return loss
    run = ug.jit(step) if compiled else step
    return ug.stack([run(x), run(x), ug.sum(v)])
calls = [
    lambda x, w: x + ones, lambda x, w: x * 1e39, lambda x, w: x + ug.zeros((4, 2), like=x),
    lambda x, w: ug.copy(x) + x, lambda x, w: x.at[0].set(1.0), lambda x, w: ug.softmax(x),
    lambda x, w: ug.grad(lambda a: ug.sum(a * a * ones))(x),
    lambda x, w: ug.vmap(lambda a: a * ones)(x), lambda x, w: ug.jit(lambda a: a * 2 + ones)(x),
    lambda x, w: ug.scan(lambda c, a: (c + a, c), ug.zeros(2, dtype="float64"), x)[1],
    lambda x, w: ug.linalg.svdvals(x), lambda x, w: ug.jacobian(lambda a: ug.sum(a**2, axis=0))(x),
    lambda x, w: train(x, w, False), lambda x, w: train(x, w, True),
]
spread = [ug.asarray(jax.device_put(a, s)) for a, s in ((values, rows), (weights, whole))]
assert spread[0].device == "cpu"
alone = [ug.asarray(values), ug.asarray(weights)]
for i, call in enumerate(calls):
    np.testing.assert_allclose(call(*spread).numpy(), call(*alone).numpy(), 1e-12, err_msg=str(i))
assert len((spread[0] + ones).native.sharding.device_set) == 2
print("all", len(calls))
"""


def test_arrays_that_are_spread_over_devices() -> None:
    run = on_two_devices([sys.executable, "-c", SHARDED])
    assert run.stdout == "all 14\n", run.stderr


MISMATCH = """
import unigrad as ug
ug.set_backend("jax")
# What was put nowhere in particular goes along.
assert (ug.ones((3, 3)) + ug.ones((3, 3), device="cpu:1")).device == "cpu:1"
here, there = ug.ones((3, 3), device="cpu"), ug.ones((3, 3), device="cpu:1")
row = there[0]
found = []
for call in (
    lambda: here + there, lambda: here @ there, lambda: ug.linear(here, there, row),
    lambda: ug.concat([here, there]), lambda: ug.jit(lambda x, y: x + y)(here, there),
):
    try:
        call()
    except Exception as error:
        found.append([type(error).__name__, str(error)])
print(json.dumps(found))
"""


def test_tensors_on_two_devices_do_not_meet() -> None:
    run = on_two_devices([sys.executable, "-c", "import json\n" + MISMATCH])
    found = json.loads(run.stdout)
    assert [name for name, _ in found] == ["DeviceMismatchError"] * 5, found
    for _, text in found[:4]:
        assert "they are on cpu, cpu:1; x.to_device(name)" in text


def test_tensors_on_two_devices_of_torch() -> None:
    with ug.use_backend("torch"):
        here = torch.ones(3)
        there = wrap(load_backend("torch"), torch.ones(3, device="meta"))
        with pytest.raises(ug.DeviceMismatchError, match=r"add.*they are on cpu, gpu:0"):
            ug.asarray(here) + there
