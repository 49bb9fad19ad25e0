"""Inside of a JAX program that leaves its 64-bit mode off, that setting holds.

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


def test_the_callers_setting_holds() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_ENABLE_X64"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
