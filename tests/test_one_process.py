"""torch and TensorFlow in one process, in either order, compiling on both.

Each order needs a process of its own: what goes wrong is an abort at load time.
"""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import numpy as np
import unigrad as ug

def train(backend, **options):
    with ug.use_backend(backend):
        weight = ug.Variable(np.ones((3, 2), np.float32))
        optimizer = ug.optimizers.Adam(0.1)

        @ug.jit(options=options)
        def step(x):
            with ug.GradientTape() as tape:
                loss = (ug.tanh(x @ weight)).sum()
            optimizer.apply_gradients([(tape.gradient(loss, weight), weight)])
            return loss

        x = ug.asarray(np.full((4, 3), 0.1, np.float32))
        return [float(step(x)) for _ in range(3)]

first, second = sys.argv[1:]
options = {"torch": {"compiler": "inductor"}, "tensorflow": {"jit_compile": True}}
a, b = train(first, **options), train(second, **options)
np.testing.assert_allclose(a, b, rtol=1e-5)
print("agreed", a[-1] < a[0])
"""


@pytest.mark.parametrize("order", [("torch", "tensorflow"), ("tensorflow", "torch")])
def test_inductor_and_xla_in_one_process(order: tuple[str, str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, *order], capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.strip().endswith("agreed True")


def test_the_front_end_imports_no_framework() -> None:
    program = (
        "import sys, unigrad; "
        "bad = {'torch', 'jax', 'tensorflow', 'triton', 'keras'} & set(sys.modules); "
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
