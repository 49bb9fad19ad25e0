"""einops on Tensors: values as NumPy's, Tensors of the same backend, gradients, programs."""

from typing import Any

import einops
import numpy as np
import pytest

import unigrad as ug

CALLS: dict[str, Any] = {
    "rearrange": lambda x: einops.rearrange(x, "a b c -> (a c) b"),
    "rearrange a list": lambda x: einops.rearrange([x, x], "k a b c -> a (k b) c"),
    "split an axis": lambda x: einops.rearrange(x, "a b (c d) -> d a b c", d=2),
    "mean": lambda x: einops.reduce(x, "a b c -> b", "mean"),
    "sum": lambda x: einops.reduce(x, "a b c -> 1 b c", "sum"),
    "max": lambda x: einops.reduce(x, "a b c -> a", "max"),
    "min": lambda x: einops.reduce(x, "a b c -> ()", "min"),
    "prod": lambda x: einops.reduce(x, "a (b k) c -> b c", "prod", k=3),
    "repeat": lambda x: einops.repeat(x, "a b c -> a (b k) c 2", k=2),
    "einsum": lambda x: einops.einsum(x, x, "a b c, a d c -> b d"),
    "pack": lambda x: einops.pack([x, x[0]], "* c")[0],
    "unpack": lambda x: einops.unpack(x, [(2,), ()], "a * c")[0],
    "an ellipsis": lambda x: einops.rearrange(x, "a ... -> ... a"),
}
#: Each call on two backends; these on all: what differs between backends is the ops, which the
#: suite checks, and not what leads to them.
PAIRS = [(backend, name) for backend in ("numpy", "torch") for name in CALLS] + [
    (backend, name)
    for backend in ("jax", "tensorflow")
    for name in ("rearrange", "mean", "repeat", "einsum", "pack")
]
X = np.arange(24.0).reshape(2, 3, 4) / 8.0


@pytest.mark.parametrize(("backend", "name"), PAIRS, indirect=["backend"])
def test_calls(backend: str, name: str) -> None:
    call = CALLS[name]
    x = ug.asarray(X)
    found = call(x)
    assert isinstance(found, ug.Tensor)
    assert found.backend.name == backend
    np.testing.assert_allclose(found.numpy(), call(X), rtol=1e-14)
    np.testing.assert_allclose(ug.jit(call)(x).numpy(), call(X), rtol=1e-14)
    # Along a direction, beside the difference of NumPy's values.
    direction, step = np.cos(X), 1e-6
    [slope] = [ug.sum(ug.grad(lambda x: ug.sum(call(x) ** 2))(x) * direction)]
    change = (call(X + step * direction) ** 2).sum() - (call(X - step * direction) ** 2).sum()
    assert float(slope) == pytest.approx(change / (2 * step), rel=1e-6)


def test_variables_and_what_else_einops_does(backend: str) -> None:
    variable = ug.Variable(X)
    with ug.GradientTape() as tape:
        total = einops.reduce(variable, "a b c ->", "sum")
    assert tape.gradient(total, variable).shape == (2, 3, 4)
    assert einops.parse_shape(ug.asarray(X), "a _ c") == {"a": 2, "c": 4}
    assert isinstance(einops.asnumpy(ug.asarray(X)), np.ndarray)
    logs = einops.reduce(ug.asarray(X), "a b c -> a", lambda x, axes: ug.logsumexp(x, axis=axes))
    assert logs.shape == (2,)


def test_errors(backend: str) -> None:
    with pytest.raises(einops.EinopsError, match=r"\(2, 3, 4\)"):
        einops.rearrange(ug.asarray(X), "a b -> b a")
    with pytest.raises(NotImplementedError, match="non-floating"):
        einops.reduce(ug.asarray(X.astype("int64")), "a b c -> b", "mean")
