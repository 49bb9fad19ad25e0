"""The 784-100-100-10 perceptron in each framework by itself: what unigrad is measured against.

What: for one batch of 100, the mean softmax cross-entropy from integer labels and its gradient
with respect to the six weight arrays (`GRADIENTS`), and whole training steps with Adam
(`STEPS`). Each builder takes weights, images and labels as NumPy arrays, hands them over to its
framework once, and returns a callable without arguments for `benchmarks.timing.compare`. Why:
a front end's overhead can only be told from a native program that is written well, so each one
is what an experienced user of its framework would write.

A gradient callable returns (loss, six gradients) of the framework's own types; a step callable
returns the loss before the update and keeps its own copy of the weights. All of them return only
when the work is done. Formulas: reverse accumulation through relu and softmax by hand for NumPy;
Adam from Kingma & Ba 2015 (epsilon outside the root, after bias correction).

Run from the repository's root (on threads see `benchmarks.timing`)::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.native_mlp
"""

from __future__ import annotations

from benchmarks.native_mlp.by_jax import jax_gradient, jax_jit_gradient, jax_jit_step
from benchmarks.native_mlp.by_numpy import autograd_gradient, numpy_gradient, numpy_step
from benchmarks.native_mlp.by_tensorflow import (
    tensorflow_function_gradient,
    tensorflow_function_step,
    tensorflow_gradient,
)
from benchmarks.native_mlp.by_torch import torch_compiled_step, torch_gradient, torch_step
from benchmarks.native_mlp.setup import (
    BATCH,
    SIZES,
    Array,
    Builder,
    Candidate,
    Labels,
    Weights,
    initial_weights,
    random_batch,
)

__all__ = [
    "BATCH",
    "GRADIENTS",
    "SIZES",
    "STEPS",
    "Array",
    "Builder",
    "Candidate",
    "Labels",
    "Weights",
    "initial_weights",
    "random_batch",
]

GRADIENTS: dict[str, Builder] = {
    "numpy by hand": numpy_gradient,
    "autograd": autograd_gradient,
    "torch eager": torch_gradient,
    "jax": jax_gradient,
    "jax.jit": jax_jit_gradient,
    "tf eager": tensorflow_gradient,
    "tf.function": tensorflow_function_gradient,
}
STEPS: dict[str, Builder] = {
    "numpy by hand, Adam in place": numpy_step,
    "torch fused Adam": torch_step,
    "torch.compile + fused Adam": torch_compiled_step,
    "jax.jit step": jax_jit_step,
    "tf.function step": tensorflow_function_step,
}
