"""Inside of a JAX program that leaves its 64-bit mode off, that setting holds, call by call.

In a process of its own: the setting, and whether a backend was chosen, are the process's.
"""

import os
import subprocess
import sys
import textwrap

PROGRAM = """
import warnings
warnings.simplefilter("error")
import jax, jax.numpy as jnp, numpy as np
import unigrad as ug

@ug.interop
def f(x, labels):
    loss = ug.losses.sparse_categorical_crossentropy(labels, x, from_logits=True)
    order = ug.argsort(x, axis=-1)
    return {
        "argmax": ug.argmax(x, axis=-1), "arange": ug.arange(3), "sum": ug.sum(labels),
        "order": order, "count": ug.count_nonzero(x), "full": ug.full((2,), 3),
        "search": ug.searchsorted(ug.asarray([0.0, 1.0]), x), "loss": ug.mean(loss),
        "sorted": ug.take_along_axis(x, order, axis=-1), "one_hot": ug.one_hot(labels, 3),
        "taken": x[ug.asarray([0]), ug.asarray([1])], "written": x.at[0, 1].add(1.0),
        "zeros": ug.zeros(2), "listed": ug.asarray([1.0, 2.0]) * x[:, :2],
        "random": ug.random.normal(ug.random.key(1), (2,)),
    }

x = jnp.asarray([[0.1, 0.7, -0.3], [1.0, 0.0, 2.0]])
labels = jnp.asarray([0, 2])
for run in (f, jax.jit(f)):
    for name, found in run(x, labels).items():
        assert found.dtype == (jnp.int32 if found.dtype.kind == "i" else jnp.float32), name
assert f(x, labels)["argmax"].tolist() == [1, 2]
np.testing.assert_allclose(jax.grad(lambda x: f(x, labels)["loss"])(x).sum(), 0.0, atol=1e-6)
for asked in (
    lambda x: x.astype("float64"), lambda x: ug.zeros(2, dtype="float64"),
    lambda x: ug.asarray([2**40]), lambda x: ug.asarray(np.ones(2)),
):
    try:
        ug.interop(asked)(x)
    except ug.DTypeError as error:
        assert "jax_enable_x64" in str(error)
    else:
        raise AssertionError("64 bits were given")
assert not jax.config.jax_enable_x64
with ug.use_backend("jax"):
    assert jax.config.jax_enable_x64
    assert ug.arange(3).dtype == ug.int64
"""

TURNED = """
import jax, numpy as np
import unigrad as ug

ug.set_backend("jax")
x = ug.asarray(np.arange(49.0).reshape(7, 7), dtype="float32")
CALLS = {
    "a row": lambda x: x[0], "a column": lambda x: x[..., 1], "rows": lambda x: x[1:3],
    "an element": lambda x: x[-1, 2], "a block backwards": lambda x: x[5:2:-2, 1:],
    "an integer": lambda x: ug.argmax(x, axis=0)[2], "written": lambda x: x.at[0, 1:3].set(1.0),
    "interp": lambda x: ug.interp(x, [0.0, 9.0], [0.0, 1.0]),
    "meshgrid": lambda x: ug.meshgrid(x[0], x[:, 1])[0], "roll": lambda x: ug.roll(x, 2),
    "tril": lambda x: ug.tril(x, k=1), "full_like": lambda x: ug.full_like(x, 3),
    "clip": lambda x: ug.clip(x, 2, 7), "in a program": ug.jit(lambda x: x[2] * 2),
    "in rows": ug.vmap(lambda row: row[3]),
    "gradient": ug.grad(lambda x: ug.sum(x[0] * x[1:3])),
}
for first in (False, True):
    # The programs of each mode are made anew.
    x = ug.concat([x, x[:1]])
    for mode in (first, not first, first):
        for name, call in CALLS.items():
            with jax.enable_x64(mode):
                found = call(x)
            want = call(ug.asarray(x.numpy(), dtype="float64"))
            np.testing.assert_allclose(found.numpy(), want.numpy(), 1e-6, err_msg=name)
            if found.dtype.kind == "i":
                assert found.dtype == (np.int64 if mode else np.int32), name
    with jax.enable_x64(first), ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.sum(x[1] * x[2:4])
    with jax.enable_x64(not first):
        assert tape.gradient(y, x).numpy()[1, 0] == float(x[2, 0]) + float(x[3, 0])
"""


def test_the_callers_setting_holds() -> None:
    _run(PROGRAM)


def test_the_setting_of_each_call_holds() -> None:
    # What a call of one mode leaves behind is nothing to those of the other.
    _run(TURNED)


def _run(program: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
