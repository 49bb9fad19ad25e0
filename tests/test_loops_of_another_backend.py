"""Loops and branches over tensors that are not of the current backend: their numbers join them."""

import numpy as np
import pytest

import unigrad as ug
from unigrad.core import tree

LOOPS = {
    "fori": lambda t: ug.fori_loop(0, 4, lambda i, z: z * 0.5 + i, t),
    "fori, bounds": lambda t: ug.fori_loop(0, ug.sum(t > 0), lambda i, z: z * 0.5 + i, t),
    "scan": lambda t: ug.scan(lambda c, _: (c * 0.5, c), t, None, length=4)[1],
    "scan of a number": lambda t: ug.scan(lambda c, x: (c + x, c), 0.0, t)[1],
    "while": lambda t: ug.while_loop(lambda c: c[0] < 5, lambda c: (c[0] + 1, c[1] * 0.5), (0, t)),
    "cond": lambda t: ug.cond(ug.sum(t) > 0, lambda a: (a * 2, 1), lambda a: (a, 2), t),
    "switch": lambda t: ug.switch(1, [lambda a: (a, 1.0), lambda a: (a * 2, 2.0)], t),
}


@pytest.mark.parametrize("name", LOOPS)
def test_numbers_join_the_tensors(backend, name):
    loop, t = LOOPS[name], ug.asarray(np.array([1.0, 2.0, 3.0]))
    expected = [one.numpy() for one in tree.leaves(loop(t))]
    with ug.use_backend("torch" if backend == "numpy" else "numpy"):
        for found in (loop(t), ug.jit(loop)(t)):
            leaves = tree.leaves(found)
            assert {one.backend.root.name for one in leaves} == {backend}
            for one, wanted in zip(leaves, expected, strict=True):
                np.testing.assert_allclose(one.numpy(), wanted, rtol=1e-12)
        if name != "fori, bounds":
            many = tree.leaves(ug.vmap(loop)(ug.stack([t, 2.0 * t])))
            assert {one.backend.root.name for one in many} == {backend}
