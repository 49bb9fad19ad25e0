"""`ug.vmap` beside the libraries' own, where they have one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

torch: Any = pytest.importorskip("torch")
load_backend("torch")

_GENERATOR = np.random.default_rng(3)
X, Y = _GENERATOR.normal(size=(4, 3)), _GENERATOR.normal(size=(4, 3, 2))

#: A function of ``xp``'s names that all have, for one example of (3,) and (3, 2).
FUNCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "product": lambda xp, x, y: x @ y,
    "reduction": lambda xp, x, y: xp.sum(xp.exp(x)) * xp.tanh(y),
    "einsum": lambda xp, x, y: xp.einsum("i,ij->j", x, y),
    "broadcast": lambda xp, x, y: xp.where(y > 0, x[:, None], y),
    "join": lambda xp, x, y: xp.stack([x, y[:, 0]]),
    "indices": lambda xp, x, y: y[:, 1] * x[0],
}


@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0), (-1, 1)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values(name: str, axes: tuple[int | None, int | None], backend: str) -> None:
    function = FUNCTIONS[name]
    first = X[0] if axes[0] is None else np.moveaxis(X, 0, axes[0])
    second = Y[0] if axes[1] is None else np.moveaxis(Y, 0, axes[1])
    ours = ug.vmap(lambda x, y: function(ug, x, y), in_axes=axes, out_axes=-1)
    theirs = jax.vmap(lambda x, y: function(jnp, x, y), in_axes=axes, out_axes=-1)
    other = torch.func.vmap(lambda x, y: function(torch, x, y), in_dims=axes, out_dims=-1)
    found = ours(ug.asarray(first), ug.asarray(second)).numpy()
    with jax.enable_x64(True):
        expected = np.asarray(theirs(jnp.asarray(first), jnp.asarray(second)))
    np.testing.assert_allclose(found, expected, 1e-12)
    native = other(torch.asarray(first), torch.asarray(second)).numpy()
    np.testing.assert_allclose(found, native, 1e-12)


def test_gradients_of_examples(backend: str) -> None:
    w = _GENERATOR.normal(size=(3, 5))

    def loss(xp: Any, w: Any, x: Any) -> Any:
        return xp.sum(xp.tanh(x @ w) ** 2)

    found = ug.vmap(ug.grad(lambda w, x: loss(ug, w, x)), in_axes=(None, 0))(
        ug.asarray(w), ug.asarray(X)
    )
    other = torch.func.vmap(torch.func.grad(lambda w, x: loss(torch, w, x)), in_dims=(None, 0))
    native = other(torch.asarray(w), torch.asarray(X)).numpy()
    np.testing.assert_allclose(found.numpy(), native, 1e-12, 1e-14)
