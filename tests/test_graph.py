"""`ug.graph`: the lecture's figures, on every backend, and pictures of larger graphs."""

import math
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import unigrad as ug
from unigrad.cli import app
from unigrad.graph.folding import READABLE, picture


def lecture(a: ug.Tensor, b: ug.Tensor) -> ug.Tensor:
    return (a + b) * (b + 1)


def test_the_figure_of_the_lecture(backend: str) -> None:
    g = ug.graph.capture(lecture)(2.0, 1.0)
    assert [g.names[one] for one in g.inputs] == ["a", "b"]
    assert {name: float(g.value(name)) for name in "abcde"} == {
        "a": 2.0, "b": 1.0, "c": 3.0, "d": 2.0, "e": 6.0,
    }  # fmt: skip
    local = {(g.names[edge.source], g.names[edge.target]): g.derivative(edge) for edge in g.edges}
    assert local == {
        ("a", "c"): 1.0, ("b", "c"): 1.0, ("b", "d"): 1.0, ("c", "e"): 2.0, ("d", "e"): 3.0,
    }  # fmt: skip


def test_the_derivative_is_the_sum_over_paths(backend: str) -> None:
    g = ug.graph.capture(lecture)(2.0, 1.0)
    paths = g.paths("b", "e")
    assert [(path.names, path.derivatives, path.product) for path in paths] == [
        (("b", "c", "e"), (1.0, 2.0), 2.0),
        (("b", "d", "e"), (1.0, 3.0), 3.0),
    ]
    assert sum(path.product for path in paths) == 5.0
    assert [path.product for path in g.paths("a", "e")] == [2.0]


def test_both_modes_step_by_step(backend: str) -> None:
    g = ug.graph.capture(lecture)(2.0, 1.0)
    assert {one.name: one.derivative for one in g.forward("b")} == {
        "a": 0.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 5.0,
    }  # fmt: skip
    assert [(one.name, one.derivative, one.sum) for one in g.reverse("e")] == [
        ("e", 1.0, ""), ("d", 3.0, "3 · 1"), ("c", 2.0, "2 · 1"), ("b", 5.0, "1 · 2 + 1 · 3"),
        ("a", 2.0, "1 · 2"),
    ]  # fmt: skip


def three_ways(x: ug.Tensor) -> ug.Tensor:
    return 2.0 * x + 3.0 * x + 5.0 * x


def test_nine_paths_in_six_products(backend: str) -> None:
    g = ug.graph.capture(lambda x: three_ways(three_ways(x)))(1.0)
    assert (g.path_count(), g.factored_cost()) == (9, 6)
    assert sum(path.product for path in g.paths("x", g.outputs[0])) == 100.0


def test_a_billion_paths_take_linear_time() -> None:
    def deep(x: ug.Tensor) -> ug.Tensor:
        for _ in range(40):
            x = 0.5 * x + 0.5 * ug.sin(x)
        return x

    g = ug.graph.capture(deep)(1.0)
    assert g.path_count() == 2**40 > 10**9
    assert g.factored_cost() == 80
    start = time.perf_counter()
    assert g.reverse()[-1].derivative == pytest.approx(float(ug.grad(deep)(1.0)), rel=1e-5)
    assert time.perf_counter() - start < 60.0
    with pytest.raises(ug.SettingError, match="1099511627776 paths"):
        g.paths("x", g.outputs[0])


def random_program(seed: int) -> tuple[object, list[float]]:
    """Return a function of a few scalars, made of steps that are smooth everywhere."""
    chosen = random.Random(seed)
    count = chosen.randint(1, 3)
    steps = [
        (chosen.randrange(6), chosen.random(), chosen.random()) for _ in range(chosen.randint(2, 9))
    ]

    def run(*inputs: ug.Tensor) -> ug.Tensor:
        values = list(inputs)
        for kind, first, second in steps:
            x = values[int(first * len(values))]
            y = values[int(second * len(values))]
            values.append(
                [x + y, x * y, x - 0.5 * y, ug.sin(x), ug.tanh(x) * y, ug.exp(-x * x) + y][kind]
            )
        return values[-1] + 0.1 * values[0]

    return run, [chosen.uniform(-1.0, 1.0) for _ in range(count)]


@pytest.mark.parametrize("seeds", [range(i, i + 25) for i in range(0, 200, 25)])
def test_paths_tape_forward_and_reverse_agree(seeds: range) -> None:
    for seed in seeds:
        f, point = random_program(seed)
        x = [ug.asarray(one, dtype=ug.float64) for one in point]
        g = ug.graph.capture(f)(*x)
        [out] = g.outputs
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = f(*x)
        reverse = {one.name: one.derivative for one in g.reverse()}
        for value, expected in zip(g.inputs, tape.gradient(y, x, unconnected_gradients="zero")):
            name = g.names[value]
            expected = float(expected)
            assert sum(one.product for one in g.paths(name, out)) == pytest.approx(expected)
            assert g.forward(name)[-1].derivative == pytest.approx(expected)
            assert reverse[name] == pytest.approx(expected)


def test_matrices_go_along_paths(backend: str) -> None:
    w = ug.asarray([[1.0, 2.0], [3.0, 4.0]])
    g = ug.graph.capture(lambda x: ug.sum(ug.tanh(w @ x) * x))(ug.asarray([0.1, 0.2]))
    [out] = g.outputs
    total = sum(path.product for path in g.paths("x", out))
    expected = ug.grad(lambda x: ug.sum(ug.tanh(w @ x) * x))(ug.asarray([0.1, 0.2])).numpy()
    np.testing.assert_allclose(total.reshape(2), expected, rtol=1e-5)


def test_a_training_step_is_captured_and_runs_again(backend: str) -> None:
    w = ug.Variable([1.0, 2.0])

    def step(x: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            loss = ug.sum((w * x) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        return loss

    g = ug.graph.capture(step)([1.0, 1.0])
    assert w.numpy().tolist() == [1.0, 2.0]
    assert float(g.run([1.0, 1.0])) == 5.0
    np.testing.assert_allclose(w.numpy(), [0.8, 1.6], rtol=1e-6)
    assert float(g.run([1.0, 1.0])) == pytest.approx(0.8**2 + 1.6**2)
    assert "variable 'Variable' =" in str(g)


def test_other_arguments_are_refused(backend: str) -> None:
    g = ug.graph.capture(lambda x, k: x * k)(ug.ones((2,)), 3.0)
    with pytest.raises(ug.ShapeError, match=r"float32\[2\]"):
        g.run(ug.ones((3,)), 3.0)
    with pytest.raises(ug.SettingError, match="captured with arguments"):
        g.run(ug.ones((2,)))
    with pytest.raises(ug.SettingError, match="no value is called 'q'"):
        g.paths("q", "x")
    with pytest.raises(ug.TracingError, match="was asked for"):
        ug.graph.capture(lambda x: x if float(x) > 0 else -x)(1.0)


def model() -> ug.layers.Sequential:
    return ug.layers.Sequential(
        *[ug.layers.Dense(4, "tanh", key=i, name=f"hidden{i}") for i in range(3)]
    )


def test_modules_fold_into_boxes_and_open_again() -> None:
    net = model()
    net(ug.ones((2, 3)))
    g = ug.graph.capture(lambda x: ug.mean(net(x) ** 2))(ug.ones((2, 3)))
    texts = {depth: [box.lines[0] for box in picture(g, depth, None).boxes] for depth in (0, 1)}
    assert [one for one in texts[0] if "Sequential" in one] == ["Sequential"]
    assert [one for one in texts[1] if "Sequential" in one] == [
        f"Sequential / hidden{i}" for i in range(3)
    ]
    whole = picture(g, 9, None)
    assert sum(box.kind in ("op", "output") for box in whole.boxes) == len(g.nodes)


def test_ten_thousand_nodes_stay_readable(tmp_path: Path) -> None:
    def long(x: ug.Tensor) -> ug.Tensor:
        for _ in range(5000):
            x = ug.sin(x) + 1.0
        return x

    g = ug.graph.capture(long)(1.0)
    assert len(g.nodes) == 10_000
    assert len(picture(g, None, None).boxes) <= READABLE + 1
    g.draw(tmp_path / "long.svg")
    assert (tmp_path / "long.svg").read_text().startswith("<?xml")


def test_pictures(tmp_path: Path, backend: str) -> None:
    from PIL import Image

    g = ug.graph.capture(lecture)(2.0, 1.0)
    g.draw(tmp_path / "graph.png")
    with Image.open(tmp_path / "graph.png") as image:
        assert image.size[0] > 100
    g.draw(tmp_path / "graph.dot")
    assert '[label="e = c * d\\n6"' in (tmp_path / "graph.dot").read_text()
    for mode, steps in (("reverse", 5), ("forward", 5)):
        g.animate(tmp_path / f"{mode}.gif", mode)
        with Image.open(tmp_path / f"{mode}.gif") as image:
            assert image.n_frames == steps + 1
    assert "</svg>" in g._repr_svg_()
    with pytest.raises(ug.SettingError, match=r"\.svg, \.png or \.dot"):
        g.draw(tmp_path / "graph.pdf")


def test_expressions() -> None:
    g = ug.graph.expression("exp(-x ** 2) * 2", x=0.5)
    assert float(g.value(g.outputs[0])) == pytest.approx(2 * math.exp(-0.25))
    for text, message in (
        ("a +", "is no expression"), ("a * q", "q has no value"), ("nothing(a)", "no op 'nothing'"),
        ("[a]", "List is not understood"), ("a.real", "Attribute is not understood"),
    ):  # fmt: skip
        with pytest.raises(ug.SettingError, match=message):
            ug.graph.expression(text, a=1.0)


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "graph.svg"
    run = CliRunner().invoke(
        app, ["graph", "(a + b) * (b + 1)", "--at", "a=2", "b=1", "--wrt", "b", "--out", str(out)]
    )
    assert run.exit_code == 0, run.output
    assert "b → c → e: 1 · 2 = 2" in run.output
    assert "∂e/∂b = 5" in run.output
    assert out.exists()
    program = tmp_path / "program.py"
    program.write_text("import unigrad as ug\ndef loss():\n    return ug.sum(ug.ones(3) ** 2)\n")
    run = CliRunner().invoke(app, ["graph", f"{program}:loss"])
    assert run.exit_code == 0, run.output
    assert CliRunner().invoke(app, ["graph", "a + b", "--at", "a=1"]).exit_code == 2


def test_the_command_on_a_terminal_of_few_letters() -> None:
    command = [sys.executable, "-m", "unigrad", "graph", "a * a", "--at", "a=3", "--wrt", "a"]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    run = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert "?b/?a = 6" in run.stdout.decode("cp1252")
