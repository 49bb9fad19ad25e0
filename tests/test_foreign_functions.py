"""Other libraries' own functions and graphs beside a tape: seen through, or said so."""

import importlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

import unigrad as ug
from unigrad.core import arrivals

_SINES = {
    "torch": ("torch", "sin"),
    "jax": ("jax.numpy", "sin"),
    "tensorflow": ("tensorflow", "sin"),
}


def _sine_of(backend):
    module, name = _SINES[backend]
    ug.asarray(0.0)  # The backend loads its framework, in the right order.
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
def test_a_tape_sees_through_the_librarys_own_function(name):
    with ug.use_backend(name):
        sin = _sine_of(name)
        w = ug.Variable([0.5, 1.0])
        expected = 2 * w.numpy() + np.cos(w.numpy())
        with ug.GradientTape() as tape:
            y = ug.sum(w * w + sin(w))
        np.testing.assert_allclose(tape.gradient(y, w).numpy(), expected, rtol=1e-6)
        with ug.GradientTape() as tape:
            y = ug.asarray(sin(w))
        np.testing.assert_allclose(tape.gradient(y, w).numpy(), np.cos(w.numpy()), rtol=1e-6)
        with ug.GradientTape() as outer:
            with ug.GradientTape() as inner:
                y = ug.sum(ug.asarray(sin(w)) * 2.0)
            slope = inner.gradient(y, w)
        np.testing.assert_allclose(
            outer.gradient(slope, w).numpy(), -2 * np.sin(w.numpy()), rtol=1e-6
        )
        assert not getattr(y.native, "requires_grad", False)


def test_a_function_that_the_tape_cannot_see_is_warned_of():
    for name in ("jax", "torch", "tensorflow"):
        with ug.use_backend(name):
            sin = _sine_of(name)
            x = ug.asarray([0.5, 1.0])
            with ug.GradientTape(reference=True) as tape:
                tape.watch(x)
                with pytest.warns(ug.GradientWarning, match="cannot see"):
                    sin(x)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                sin(x)


def test_a_graph_of_torch_ends_at_unigrads_ops_with_a_warning():
    with ug.use_backend("torch"):
        import torch

        t = torch.tensor([0.5, 1.0], requires_grad=True)
        with pytest.warns(ug.GradientWarning, match="torch"):
            y = ug.sin(t)
        assert not y.native.requires_grad


def test_tensorflows_own_tape_goes_through_unigrads_ops():
    with ug.use_backend("tensorflow"):
        import tensorflow as tf

        x = tf.constant([0.5, 1.0])
        with warnings.catch_warnings(), tf.GradientTape() as tape:
            warnings.simplefilter("error")
            tape.watch(x)
            y = ug.sum(ug.sin(x)).native
        np.testing.assert_allclose(tape.gradient(y, x), np.cos([0.5, 1.0]), rtol=1e-6)


def test_torchs_inference_mode_is_no_silent_zero():
    with ug.use_backend("torch"):
        import torch

        x = ug.asarray([0.5, 1.0])
        with torch.inference_mode():
            made = ug.asarray([2.0]) * 1.0
            with pytest.raises(ug.TapeError, match="inference_mode"):
                ug.grad(lambda t: ug.sum(t * t))(x)
        with torch.no_grad():
            assert ug.grad(lambda t: ug.sum(t * t))(x).tolist() == [1.0, 2.0]
        assert ug.grad(lambda t: ug.sum(t * t))(made).tolist() == [4.0]


def test_jaxs_trees_leave_a_tensor_where_it_is():
    with ug.use_backend("jax"):
        import jax
    for name in ("numpy", "torch", "tensorflow", "jax"):
        with ug.use_backend(name):
            x = ug.asarray([1.0, 2.0])
            again = jax.tree_util.tree_map(lambda leaf: leaf, {"x": x})["x"]
            assert again.backend is x.backend
            assert again.tolist() == [1.0, 2.0]
            assert jax.jit(lambda t: t * 2.0)(x).backend.name == "jax"


def test_a_library_whose_backend_nobody_loaded():
    program = (
        "import unigrad as ug, sys; x = ug.asarray([0.0, 1.0]); assert 'torch' not in sys.modules; "
        "import torch; assert torch.cos(x)[0] == 1.0; assert ug.core.registry._loaded.keys() == "
        "{'numpy'}; v = ug.Variable([0.0]); assert torch.cos(v)[0] == 1.0"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize("imports", ["import unigrad as ug, jax", "import jax, unigrad as ug"])
def test_jax_imported_before_and_after(imports):
    """The 64-bit mode stays the caller's, and the backend is loaded by the first call."""
    program = (
        f"{imports}; import jax.numpy as jnp; x = ug.asarray([0.0, 1.0]); "
        "assert not ug.core.registry._loaded.keys() - {'numpy'}; "
        "assert jnp.cos(x)[0] == jnp.add(x, 1.0)[0] == 1.0; v = ug.Variable([0.0]); "
        "assert jnp.cos(v)[0] == 1.0; assert jax.jit(lambda t: t * 2.0)(x).tolist() == [0.0, 2.0]; "
        "assert jax.grad(lambda t: ug.sum(t * t).native)(x).tolist() == [0.0, 2.0]; "
        "assert not jax.config.jax_enable_x64"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_failed_import_is_tried_again(tmp_path, monkeypatch):
    told = []
    arrivals.when_imported("comes_late", lambda: told.append("there"))
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "comes_late.py"
    path.write_text("raise KeyError('broken')")
    with pytest.raises(KeyError, match="broken"):
        importlib.import_module("comes_late")
    assert told == []
    path.write_text("value = 1.0 + 2.0")
    importlib.invalidate_caches()
    assert importlib.import_module("comes_late").value == 3.0
    assert told == ["there"]
    assert not [one for one in sys.meta_path if getattr(one, "name", "") == "comes_late"]
    del sys.modules["comes_late"]
