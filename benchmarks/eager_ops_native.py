"""Eager operations on tiny arrays in each framework: the floor under a front end's call overhead.

What: for NumPy, torch, JAX and TensorFlow, a dict from an operation's name to a callable without
arguments that runs it on (2, 2) float32 arrays. Why: on arrays this small nearly all the time is
dispatch, so the difference to the same operation through unigrad is unigrad's own cost.

Callables are ``functools.partial`` objects, the cheapest way to bind arguments. JAX's are not
waited for: a wait per call would measure the wait. Compare them with an equally unwaited call.
The operations are elementary; there is no formula to cite.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Operation = Callable[[], object]
Operations = dict[str, Operation]


def operands() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The two arrays that every framework gets."""
    left = np.array([[0.5, -1.0], [1.5, 2.0]], np.float32)
    right = np.array([[1.0, 0.25], [-0.5, 3.0]], np.float32)
    return left, right


def numpy_operations() -> Operations:
    """NumPy's own functions."""
    a, b = operands()
    return {
        "add": partial(np.add, a, b),
        "multiply": partial(np.multiply, a, b),
        "exp": partial(np.exp, a),
        "matmul": partial(np.matmul, a, b),
        "sum": partial(np.sum, a),
    }


def torch_operations() -> Operations:
    """torch's functions on tensors that need no gradient."""
    import torch

    a, b = (torch.tensor(array) for array in operands())
    return {
        "add": partial(torch.add, a, b),
        "multiply": partial(torch.multiply, a, b),
        "exp": partial(torch.exp, a),
        "matmul": partial(torch.matmul, a, b),
        "sum": partial(torch.sum, a),
    }


def jax_operations() -> Operations:
    """jax.numpy's functions, dispatched but not waited for."""
    import jax.numpy as jnp

    a, b = (jnp.asarray(array) for array in operands())
    return {
        "add": partial(jnp.add, a, b),
        "multiply": partial(jnp.multiply, a, b),
        "exp": partial(jnp.exp, a),
        "matmul": partial(jnp.matmul, a, b),
        "sum": partial(jnp.sum, a),
    }


def tensorflow_operations() -> Operations:
    """TensorFlow's functions, eager. Triton is imported first: after TensorFlow it aborts."""
    with contextlib.suppress(ImportError):
        import triton  # noqa: F401
    import tensorflow as tf

    a, b = (tf.constant(array) for array in operands())
    return {
        "add": partial(tf.add, a, b),
        "multiply": partial(tf.multiply, a, b),
        "exp": partial(tf.exp, a),
        "matmul": partial(tf.matmul, a, b),
        "sum": partial(tf.reduce_sum, a),
    }


FRAMEWORKS: dict[str, Callable[[], Operations]] = {
    "numpy": numpy_operations,
    "torch": torch_operations,
    "jax": jax_operations,
    "tensorflow": tensorflow_operations,
}


def native_operations() -> dict[str, Operations]:
    """All frameworks' operations: framework name -> operation name -> callable."""
    return {name: build() for name, build in FRAMEWORKS.items()}


def main() -> None:
    """Time every operation in every framework, one table per operation."""
    from benchmarks.timing import compare

    everything = native_operations()
    for operation in everything["numpy"]:
        print(f"\n### {operation}, (2, 2) float32\n")
        compare({name: ops[operation] for name, ops in everything.items()}, rounds=20, warmup=50)


if __name__ == "__main__":
    main()
