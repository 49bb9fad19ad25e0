"""What a newcomer writes first: it means what it looks like, or an error says what to write."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import unigrad as ug

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("make", [ug.asarray, ug.Variable])
def test_none_is_no_tensor(backend, make):
    x = make([1.0, 2.0])
    nothing = None
    assert (x == nothing, nothing == x) == (False, False)
    assert (x != nothing, nothing != x) == (True, True)
    assert [None, x].index(None) == 0
    assert x not in [None]
    for bad in (lambda: x + None, lambda: x < None, lambda: ug.exp(None)):
        with pytest.raises(ug.DTypeError, match="None is no number"):
            bad()


IN_PLACE = {
    "+=": 3.0, "-=": 1.0, "*=": 2.0, "/=": 2.0, "//=": 2.0, "%=": 1.5, "**=": 2.0,
}  # fmt: skip


@pytest.mark.parametrize("symbol", IN_PLACE)
def test_a_variable_is_assigned_to_in_place(backend, symbol):
    v = alias = ug.Variable([4.0, 6.0])
    expected = v.numpy()
    names = {"v": v, "x": expected, "y": IN_PLACE[symbol]}
    exec(f"v {symbol} ug.asarray(y)\nx {symbol} y", {"ug": ug}, names)
    assert names["v"] is alias
    assert alias.tolist() == names["x"].tolist()


def test_in_place_of_other_kinds(backend):
    v = ug.Variable([6, 5])
    v &= 4
    v |= 1
    v ^= 1
    v <<= 2
    v >>= 1
    assert isinstance(v, ug.Variable)
    assert (v.tolist(), v.dtype) == ([8, 8], ug.int64)
    with pytest.raises(ug.DTypeError):
        v += 0.5
    assert v.tolist() == [8, 8]
    w = ug.Variable([[1.0, 2.0], [3.0, 4.0]])
    w @= [[0.0, 1.0], [1.0, 0.0]]
    assert w.tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_a_step_by_hand(backend):
    w = ug.Variable([1.0, 2.0])

    def step(x):
        nonlocal w
        with ug.GradientTape() as tape:
            loss = ug.sum(w * w * x)
        gradient = tape.gradient(loss, w)
        w -= 0.25 * gradient
        return loss

    for run in (step, ug.jit(step)):
        variable = w
        run(ug.asarray([1.0, 2.0]))
        assert w is variable
    assert w.tolist() == [0.25, 0.0]


def test_a_tape_is_not_misled(backend):
    w = ug.Variable([1.0, 2.0])
    with ug.GradientTape(), pytest.raises(ug.TapeError, match="Variable is assigned to in place"):
        w *= 2.0
    assert w.tolist() == [1.0, 2.0]


def test_pairs_the_other_way_round(backend):
    v, optimizer = ug.Variable([1.0]), ug.optimizers.SGD(0.1)
    g = ug.asarray([1.0])
    for pairs, said in (
        ([(v, g)], r"not \(Variable, Tensor\)"),
        ([g], "not Tensor"),
        ([(g, g)], r"not \(Tensor, Tensor\)"),
        ([(g, v, v)], r"not \(Tensor, Variable, Variable\)"),
        (zip([v], [g]), r"not \(Variable, Tensor\)"),
    ):
        with pytest.raises(ug.SettingError, match=rf"pairs \(gradient, variable\).*{said}"):
            optimizer.apply_gradients(pairs)
    assert v.tolist() == [1.0]
    assert optimizer.iterations.item() == 0


def test_a_derivative_by_a_module(backend):
    model = ug.layers.Dense(1)
    x = ug.asarray([[1.0, 2.0]])
    value = ug.sum(model(x))
    for found in (
        ug.grad(lambda m: ug.sum(m(x)))(model),
        ug.value_and_grad(lambda m: ug.sum(m(x)))(model)[1],
    ):
        assert [one.tolist() for one in ug.tree.leaves(found)] == [[[1.0], [2.0]], [1.0]]
    assert ug.value_and_grad(lambda m: ug.sum(m(x)))(model)[0].tolist() == value.tolist()


def test_a_static_argument_that_is_not_hashable(backend):
    x = ug.asarray([1.0, 2.0])

    def scaled(x, factors):
        return x * factors[0]

    for run in (ug.jit(scaled, static_argnums=1), ug.jit(scaled, static_argnames="factors")):
        assert run(x, (2.0,)).tolist() == [2.0, 4.0]
        if backend != "numpy":  # which compiles nothing
            with pytest.raises(ug.SettingError, match="must be hashable, which a list is not"):
                run(x, [2.0])


MAKERS = {
    "zeros": lambda **where: ug.zeros((2,), **where),
    "ones": lambda **where: ug.ones(2, **where),
    "full": lambda **where: ug.full(2, 7, **where),
    "empty": lambda **where: ug.empty(2, **where),
    "arange": lambda **where: ug.arange(2, **where),
    "linspace": lambda **where: ug.linspace(0.0, 1.0, 2, **where),
    "eye": lambda **where: ug.eye(2, **where),
    "identity": lambda **where: ug.identity(2, **where),
    "tri": lambda **where: ug.tri(2, **where),
    "logspace": lambda **where: ug.logspace(0.0, 1.0, 2, **where),
    "geomspace": lambda **where: ug.geomspace(1.0, 2.0, 2, **where),
    "asarray": lambda **where: ug.asarray([1.0, 2.0], **where),
    "asarray of an array": lambda **where: ug.asarray(np.ones(2), **where),
    "random.key": lambda **where: ug.astype(ug.random.key(0, **where), "int64"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_made_beside_another(backend, name):
    make = MAKERS[name]
    x = ug.asarray([1.0, 2.0], dtype="float64")
    expected = make()
    with ug.use_backend("numpy"):
        for where in ({"like": x}, {"like": ug.Variable(x)}, {"backend": backend}):
            made = make(**where)
            assert (made.backend.name, made.device) == (backend, x.device)
            assert (made.dtype, made.tolist()) == (expected.dtype, expected.tolist())
        assert make(like=x, device="cpu").device == "cpu"
        if backend != "numpy":
            assert make(like=x.native).backend.name == backend
            with pytest.raises(ug.BackendMismatchError, match=re.escape("like=x")):
                x + make()
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sum(x * ug.ones(2, like=x, dtype=x.dtype))
    assert tape.gradient(y, x).tolist() == [1.0, 1.0]
    assert ug.jit(lambda x: x + ug.ones(2, like=x, dtype=x.dtype))(x).tolist() == [2.0, 3.0]


def test_places_that_are_none():
    x = ug.asarray(1.0)
    with pytest.raises(ug.SettingError, match="give one of them"):
        ug.zeros(2, like=x, backend="numpy")
    with pytest.raises(ug.DTypeError, match="like= is a tensor"):
        ug.zeros(2, like=[1.0])
    with pytest.raises(ug.BackendNotInstalledError, match="nonesuch"):
        ug.zeros(2, backend="nonesuch")
    with pytest.raises(ug.UnigradError, match="gpu:987"):
        ug.zeros(2, like=x, device="gpu:987")


def test_numpy_scalars_are_strong(backend):
    # NEP 50: a NumPy scalar has its dtype, a Python scalar none.
    x = ug.asarray([1.0], dtype="float32")
    for scalar in (np.float64(2.0), np.sqrt(8), np.array(2.0)):
        expected = (x.numpy() / scalar).dtype
        assert (x / scalar).dtype == (scalar / x).dtype == expected == np.float64
    assert (x / float(np.sqrt(8))).dtype == np.float32
    assert (x * np.float32(2)).dtype == np.float32
    half = ug.asarray([1.0], dtype="float16")
    assert (half * np.float32(2)).dtype == np.float32
    assert (ug.asarray([1], dtype="int8") + np.int64(1)).dtype == np.int64


@pytest.mark.parametrize(("page", "blocks"), [("docs/index.md", 1), ("README.md", 2)])
def test_the_first_examples_run_with_numpy_alone(page, blocks, tmp_path):
    text = (ROOT / page).read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[:blocks])
    absent = "import sys; sys.modules |= dict.fromkeys(('torch', 'jax', 'tensorflow'))\n"
    run = subprocess.run([sys.executable, "-c", absent + code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
