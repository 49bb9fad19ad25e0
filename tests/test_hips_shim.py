"""The count of autograd's own tests stands on a check that finds wrong derivatives."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

PROGRAM = """
import autograd.numpy as np
from autograd import grad, make_jvp
from autograd.extend import defvjp, primitive
from autograd.numpy.names import Missing
from autograd.test_util import check_grads, combo_check

check_grads(lambda x: np.sin(x) * x)(1.5)
check_grads(lambda x, y: np.dot(x, y), (0, 1))(np.ones((2, 3)), np.array([1.0, 2.0, 3.0]))
check_grads(lambda x: np.abs(x) ** 2)(1.0 + 2.0j)
combo_check(np.hypot, (0, 1))([0.5, np.ones(2)], [2.0])
assert abs(float(grad(np.tanh)(0.0)) - 1.0) < 1e-12

@primitive
def wrong(x):
    return 2.0 * x

def fails(f, *xs, **settings):
    try:
        check_grads(f, **settings)(*xs)
    except AssertionError as error:
        return str(error)
    raise SystemExit(f"{f} was not found to be wrong")

defvjp(wrong, lambda ans, x: lambda g: 2.001 * g)
assert "(VJP) check of wrong" in fails(wrong, 1.0, modes=["rev"])
fails(lambda x: np.sin(np.stop_gradient(x)) * x, 1.0)
try:
    np.no_such_function
except Missing:
    print("done")
"""


def test_the_shims_checks_find_what_is_wrong() -> None:
    path = f"import sys; sys.path[:0] = [{str(HERE / 'hips')!r}]\n"
    run = subprocess.run(
        [sys.executable, "-c", path + PROGRAM], capture_output=True, text=True, check=False
    )
    assert run.stdout == "done\n", run.stderr
