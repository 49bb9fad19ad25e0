"""Programs in files: the same numbers on every backend, and what is refused."""

import json
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad.io import files

VALUES = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], np.float32)


def step_of(count: ug.Variable, weight: ug.Variable) -> Any:
    """A step with a tape, a loop, a branch, random bits, a number, and a static argument."""
    key = ug.random.key(3)

    def step(batch: Any, rate: float, *, flag: bool) -> Any:
        x = batch["x"]
        with ug.GradientTape() as tape:
            loss = ug.sum(ug.tanh(x * weight) ** 2)
        gradient = tape.gradient(loss, weight)
        weight.assign_sub(gradient * rate)
        count.assign_add(1)
        carry, rows = ug.scan(lambda c, row: (c + row * rate, c[::2]), ug.zeros(3), x)
        branch = ug.cond(loss > 1.0, lambda y: y * 2.0, lambda y: y - 1.0, carry)
        noise = ug.random.normal(key, (3,)).astype("float16")
        return {"loss": loss, "rest": (branch, [rows, flag, None, "word"]), "noise": noise}

    return step


def run(step: Any, like: str) -> list[Any]:
    with ug.use_backend(like):
        found = []
        for rate in (0.5, 0.25):
            result = step({"x": ug.asarray(VALUES)}, rate, flag=True)
            assert result["rest"][1][1:] == [True, None, "word"]
            tensors = [one for one in ug.tree.leaves(result) if isinstance(one, ug.Tensor)]
            assert all(one.backend.name == like for one in tensors)
            found += [one.numpy().astype(np.float32) for one in tensors]
        return found


def test_a_saved_step_goes_on_on_any_backend(backend: str, tmp_path: Path) -> None:
    load_backend("torch")
    count, weight = ug.Variable(0, name="count"), ug.Variable([1.0, 2.0, -1.0], name="weight")
    step = ug.jit(step_of(count, weight))
    path = tmp_path / "step.safetensors"
    ug.io.save_program(path, step.lower({"x": ug.asarray(VALUES)}, 0.5, flag=True))
    assert (int(count), weight.tolist()) == (0, [1.0, 2.0, -1.0])
    expected = run(step, backend)
    for other in {backend, "numpy", "torch"}:
        with ug.use_backend(other):
            loaded = ug.io.load_program(path)
        for one, right in zip(run(loaded, other), expected):
            np.testing.assert_allclose(one, right, rtol=1e-5, atol=1e-6)
        held = {one.name: one for one in loaded.variables}
        assert int(held["count"]) == 2
        np.testing.assert_allclose(held["weight"].numpy(), weight.numpy(), rtol=1e-5)
    assert int(count) == 2


def test_a_loaded_program_is_differentiable_and_compiles(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    ug.io.save_program(path, ug.jit(lambda x: ug.sum(x**3)).lower(ug.ones(2)))
    loaded, x = ug.io.load_program(path), ug.asarray([1.0, 2.0])
    assert ug.grad(loaded)(x).tolist() == [3.0, 12.0]
    assert ug.jit(lambda x: loaded(x) * 2.0)(x).item() == 18.0


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "f.safetensors"
    f = ug.jit(lambda batch, n, s: batch[0] * n, static_argnums=2)
    with ug.use_backend("numpy"):
        ug.io.save_program(path, f.lower((ug.ones((2, 3)),), 2.0, "a"))
    return path


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        (((np.ones((2, 4), np.float32),), 2.0, "a"), ug.ShapeError, r"float32\[2, 3\].*\(2, 4\)"),
        (((np.ones((2, 3), np.int32),), 2.0, "a"), ug.DTypeError, "int32"),
        (((np.ones((2, 3), np.float32),), 2, "a"), ug.DTypeError, "a Python float, not a int"),
        (((np.ones((2, 3), np.float32),), 2.0, "b"), ug.SettingError, "static argument 'a'"),
        ((np.ones((2, 3), np.float32), 2.0, "a"), ug.SettingError, "saved for arguments like"),
    ],
)
def test_other_arguments_are_refused(
    saved: Path, arguments: Any, error: type[Exception], text: str
) -> None:
    with ug.use_backend("numpy"), pytest.raises(error, match=text):
        ug.io.load_program(saved)(*arguments)


Pair = namedtuple("Pair", "a b")


def _own(x: Any) -> Any:
    f = ug.custom_vjp(lambda x: x * 2.0)
    f.defvjp(lambda x: (f(x), None), lambda _, g: (g,))
    return f(x)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (_own, "Python function"),
        (lambda x: ug.native_call(lambda a: a + 1.0, x), "Python function"),
        (lambda x: Pair(x, x), "not in a Pair"),
        (lambda x: {1: x}, "not in a dict"),
        (lambda x: (x, object()), "a object is neither a tensor nor plain"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(tmp_path: Path, function: Any, text: str) -> None:
    path = tmp_path / "f.safetensors"
    with ug.use_backend("numpy"):
        lowered = ug.jit(function).lower(ug.ones(2))
        with pytest.raises(ug.io.CheckpointError, match=text):
            ug.io.save_program(path, lowered)
    assert not path.exists()


def test_files_that_hold_no_sound_program(saved: Path, tmp_path: Path) -> None:
    arrays, metadata = files.load(saved)
    [key] = metadata
    given = json.loads(metadata[key])
    path = tmp_path / "g.safetensors"
    [node] = [one for one in given["graph"]["nodes"] if one["op"] == "multiply"]
    broken: list[tuple[Any, str]] = [
        ("{", "no sound program"),
        (given | {"version": 2}, "of version 2"),
        ({"version": 1}, "no sound program"),
        (given | {"graph": given["graph"] | {"nodes": [node | {"op": "exec"}]}}, "no op 'exec'"),
        (given | {"graph": given["graph"] | {"outputs": [99]}}, "no sound program"),
        (given | {"results": {"set": []}}, "no sound program"),
    ]
    for one, text in broken:
        shown = one if isinstance(one, str) else json.dumps(one)
        files.save(path, arrays, {key: shown})
        with ug.use_backend("numpy"), pytest.raises(ug.io.CheckpointError, match=text):
            ug.io.load_program(path)
    files.save(path, arrays)
    with pytest.raises(ug.io.CheckpointError, match="holds no program"):
        ug.io.load_program(path)
