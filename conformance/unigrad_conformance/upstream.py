"""What we found in the frameworks: a table of wrong values and derivatives, each with its program.

The report shows it, `docs/upstream.md` is written from it (``python -m unigrad_conformance.upstream
docs/upstream.md``), and `tests/test_upstream.py` runs each row: the framework's own answer, so that
a mended one is noticed, and ours.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

#: What the programs of a framework begin with.
HEADS = {
    "torch": "import math\nimport torch\nimport torch.nn.functional as F",
    "jax": 'import jax\nimport jax.numpy as jnp\njax.config.update("jax_enable_x64", True)',
    "tensorflow": "import tensorflow as tf",
    "numpy": "import numpy as np",
}


@dataclass(frozen=True)
class Row:
    """One wrong answer."""

    library: str
    title: str
    #: The framework's own program; it binds ``found``.
    code: str
    #: What it gives, and what is right, as Python.
    gives: str
    right: str
    why: str
    #: An expression in unigrad, run on this framework; empty where unigrad deviates as well.
    ours: str = ""
    #: What unigrad does, if it is no more than to give what is right.
    does: str = "what is right."
    #: Backends on which unigrad deviates as well.
    but: tuple[str, ...] = ()
    #: Features of a processor, as `torch.cpu.get_capabilities` names them: the answer is right
    #: without the first, or with the second.
    needs: str = ""
    lacks: str = ""

    @property
    def name(self) -> str:
        """The row's name in a list of tests."""
        return f"{self.library}: {self.title}"


def _torch(function: str, *inputs: str, dtype: str = "") -> str:
    """Return a program for the first derivatives of a function's sum on torch."""
    names = "xyz"[: len(inputs)]
    made = f", dtype=torch.{dtype}" if dtype else ""
    lines = [
        f"{n} = torch.tensor({i}{made}, requires_grad=True)"
        for n, i in zip(names, inputs, strict=True)
    ]
    lines += [
        f"{function}.sum().backward()",
        f"found = [{', '.join(f'{n}.grad.tolist()' for n in names)}]",
    ]
    return "\n".join(lines)


def _jax(function: str, *inputs: str) -> str:
    """Return a program for the first derivatives of a function's sum on JAX."""
    names = "xyz"[: len(inputs)]
    values = ", ".join(f"jnp.float32({i})" for i in inputs)
    return (
        f"f = lambda {', '.join(names)}: {function}.sum()\n"
        f"found = [g.tolist() for g in jax.grad(f, {tuple(range(len(names)))})({values})]"
    )


def _tf(function: str, *inputs: str) -> str:
    """Return a program for the first derivatives of a function's sum on TensorFlow."""
    names = list("xyz"[: len(inputs)])
    lines = [f"{n} = tf.constant({i})" for n, i in zip(names, inputs, strict=True)]
    sources = f"[{', '.join(names)}]"
    return "\n".join(
        [
            *lines,
            "with tf.GradientTape() as tape:",
            f"    tape.watch({sources})",
            f"    out = {function}",
            f"found = [g.numpy().tolist() for g in tape.gradient(out, {sources})]",
        ]
    )


def _ours(function: str, *inputs: str, dtype: str = "float32") -> str:
    """Return the same in unigrad."""
    names = "xyz"[: len(inputs)]
    values = ", ".join(f"ug.asarray({i}, dtype={dtype!r})" for i in inputs)
    return (
        f"[g.tolist() for g in ug.grad(lambda {', '.join(names)}: ug.sum({function}), "
        f"{tuple(range(len(names)))})({values})]"
    )


def _torch_twice(function: str, x: str) -> str:
    return (
        f"x = torch.tensor({x}, requires_grad=True)\n"
        f"g, = torch.autograd.grad({function}, x, create_graph=True)\n"
        "found = torch.autograd.grad(g, x)[0].item()"
    )


def _jax_twice(function: str, x: str) -> str:
    return f"found = jax.grad(jax.grad(lambda x: {function}))(jnp.float32({x})).item()"


def _tf_twice(function: str, x: str) -> str:
    return (
        f"x = tf.constant({x})\n"
        "with tf.GradientTape() as outer, tf.GradientTape() as inner:\n"
        "    outer.watch(x), inner.watch(x)\n"
        f"    out = {function}\n"
        "    slope = inner.gradient(out, x)\n"
        "found = outer.gradient(slope, x).numpy().item()"
    )


def _ours_twice(function: str, x: str) -> str:
    return f"ug.grad(ug.grad(lambda x: {function}))(ug.asarray({x}, dtype='float32')).item()"


_SCALED = (
    "The sum of squares leaves float32's range; dividing by the largest element first does not."
)
_TINY = "[1e-25, 1e-25]"
_NORM = _ours("ug.norm(x)", _TINY)
_ANGLE = "x² + y² underflows; y / (x² + y²) by two divisions by the distance does not."
_SINC = "cos(πx)/x − sin(πx)/(πx²) cancels near 0; there the derivative is −π²x/3."
_POWER = "d²/dx² of n·x^(n−1) multiplies 0 by ∞; x¹ is linear, so that its second derivative is 0."
_FLAT = "√ has slope ∞ at 0, times a derivative 0. The mean of the subgradients is 0, as torch's `norm` gives."
_BRANCH = (
    "The sign of a zero imaginary part says on which side of the branch cut a number is (C99, G.6)."
)

ROWS = [
    Row("torch", "gradient of the norm of small numbers", _torch("torch.linalg.norm(x)", _TINY),
        "[[0.0, 0.0]]", "[[0.7071, 0.7071]]", _SCALED, _NORM),
    Row("jax", "gradient of the norm of small numbers", _jax("jnp.linalg.norm(x)", _TINY),
        "[[inf, inf]]", "[[0.7071, 0.7071]]", _SCALED, _NORM),
    Row("tensorflow", "gradient of the norm of small numbers", _tf("tf.norm(x)", _TINY),
        "[[inf, inf]]", "[[0.7071, 0.7071]]", _SCALED, _NORM),
    Row("torch", "gradient of the norm of large numbers", _torch("torch.linalg.norm(x)", "[1e25, 1e25]"),
        "[[0.0, 0.0]]", "[[0.7071, 0.7071]]", _SCALED, _ours("ug.norm(x)", "[1e25, 1e25]")),
    Row("jax", "gradient of the norm at zero", _jax("jnp.linalg.norm(x)", "[0., 0.]"),
        "[[nan, nan]]", "[[0.0, 0.0]]", _FLAT, _ours("ug.norm(x)", "[0.0, 0.0]")),
    Row("tensorflow", "gradient of the norm at zero", _tf("tf.norm(x)", "[0., 0.]"),
        "[[nan, nan]]", "[[0.0, 0.0]]", _FLAT, _ours("ug.norm(x)", "[0.0, 0.0]")),
    Row("jax", "gradient of the deviation of equal numbers", _jax("jnp.std(x)", "[1., 1.]"),
        "[[nan, nan]]", "[[0.0, 0.0]]", _FLAT, _ours("ug.std(x)", "[1.0, 1.0]")),
    Row("tensorflow", "gradient of the deviation of equal numbers", _tf("tf.math.reduce_std(x)", "[1., 1.]"),
        "[[nan, nan]]", "[[0.0, 0.0]]", _FLAT, _ours("ug.std(x)", "[1.0, 1.0]")),
    Row("torch", "gradient of an angle of small numbers", _torch("torch.atan2(x, y)", "3e-30", "4e-30"),
        "[0.0, -0.0]", "[1.6e29, -1.2e29]", _ANGLE, _ours("ug.atan2(x, y)", "3e-30", "4e-30"),
        "what is right, but on JAX, where XLA makes one division of our two.", ("jax",)),
    Row("tensorflow", "gradient of an angle of small numbers", _tf("tf.atan2(x, y)", "3e-30", "4e-30"),
        "[inf, -inf]", "[1.6e29, -1.2e29]", _ANGLE, _ours("ug.atan2(x, y)", "3e-30", "4e-30"),
        "what is right, but on JAX, where XLA makes one division of our two.", ("jax",)),
    Row("jax", "gradient of an angle of small numbers", _jax("jnp.atan2(x, y)", "3e-30", "4e-30"),
        "[inf, -inf]", "[1.6e29, -1.2e29]", _ANGLE, does="the same: XLA makes one division of our two."),
    Row("jax", "gradient of a quotient of small numbers", _jax("(x / y)", "1e-25", "1e-25"),
        "[1e25, -inf]", "[1e25, -1e25]", "−x/y² squares the divisor; −(x/y)/y does not.",
        does="the same: it is the library's own derivative."),
    Row("tensorflow", "gradient of a cumulative product with a zero", _tf("tf.math.cumprod(x)", "[0., 2., 3.]"),
        "[[0.0, 0.0, 0.0]]", "[[9.0, 0.0, 0.0]]",
        "The derivative is computed by a division by x, guarded by a zero; the true one is 1 + 2 + 6.",
        _ours("ug.cumulative_prod(x)", "[0.0, 2.0, 3.0]")),
    Row("torch", "gradient of sinc near zero", _torch("torch.sinc(x)", "1e-5"),
        "[0.0]", "[-3.29e-5]", _SINC, _ours("ug.sinc(x)", "1e-5")),
    Row("jax", "gradient of sinc near zero", _jax("jnp.sinc(x)", "1e-5"),
        "[-0.00614]", "[-3.29e-5]", _SINC, _ours("ug.sinc(x)", "1e-5")),
    Row("torch", "second derivative of sinc at zero", _torch_twice("torch.sinc(x)", "0."),
        "nan", "-3.2899", "The branch at 0 is a constant to the second derivative's formula; it is −π²/3.",
        _ours_twice("ug.sinc(x)", "0.0")),
    Row("torch", "Bessel's J₀ from its ninth digit on",
        "x = torch.tensor(4.0, dtype=torch.float64)\n"
        "j0 = torch.special.bessel_j0(x).item()\n"
        "found = 1 + 1e9 * (j0 + 0.39714980986384737)",
        "0.2612", "1.0", "A rational approximation in double precision; mpmath has 30 digits.",
        "1 + 1e9 * (ug.special.j0(ug.asarray(4.0, dtype='float64')).item() + 0.39714980986384737)"),
    Row("torch", "gradient of hardsigmoid in double precision",
        "x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)\n"
        "F.hardsigmoid(x).backward()\n"
        "found = 1 + 1e9 * (6 * x.grad.item() - 1)",
        "30.8", "1.0", "The slope 1/6 is a constant of single precision.",
        "1 + 1e9 * (6 * ug.grad(ug.hard_sigmoid)(ug.asarray(0.0, dtype='float64')).item() - 1)"),
    Row("torch", "gradient of hypot at the origin", _torch("torch.hypot(x, y)", "0.", "0."),
        "[nan, nan]", "[0.0, 0.0]", "x / √(x² + y²) is taken as 0/0; the symmetric choice at the kink is 0.",
        _ours("ug.hypot(x, y)", "0.0", "0.0")),
    Row("torch", "gradient of copysign at infinity",
        _torch("torch.copysign(x, torch.tensor(1.))", "float('inf')"),
        "[nan]", "[1.0]", "The sign is taken as the quotient of result and argument, ∞/∞.",
        _ours("ug.copysign(x, ug.ones((), dtype='float32'))", "float('inf')")),
    Row("torch", "second derivative of 0**y", _torch_twice("torch.tensor(0.) ** x", "2."),
        "nan", "0.0", "0^y is 0 for all y > 0; log(0)² times it is taken as 0·∞.",
        _ours_twice("ug.zeros((), dtype='float32') ** x", "2.0")),
    Row("jax", "second derivative of x**1 at zero", _jax_twice("x ** jnp.float32(1)", "0."),
        "nan", "0.0", _POWER, _ours_twice("x ** ug.ones((), dtype='float32')", "0.0")),
    Row("tensorflow", "second derivative of x**1 at zero", _tf_twice("x ** 1.", "0."),
        "nan", "0.0", _POWER, _ours_twice("x ** ug.ones((), dtype='float32')", "0.0")),
    Row("jax", "gradient of x**0 at zero", _jax("(x ** y)", "0.", "0."),
        "[nan, 0.0]", "[0.0, 0.0]", "x⁰ is 1 everywhere; y·x^(y−1) is 0·∞.", _ours("x ** y", "0.0", "0.0")),
    Row("tensorflow", "gradient of x**0 at zero", _tf("x ** y", "0.", "0."),
        "[nan, 0.0]", "[0.0, 0.0]", "x⁰ is 1 everywhere; y·x^(y−1) is 0·∞.", _ours("x ** y", "0.0", "0.0")),
    Row("torch", "gradient of abs at NaN", _torch("torch.abs(x)", "float('nan')"),
        "[0.0]", "[nan]", "NaN must go through; `torch.sign` of NaN is 0.",
        does="the same: what keeps the NaN makes `abs` and its gradient 1.4 times as slow."),
    Row("torch", "gradient of celu in double precision",
        _torch("F.celu(x, 1.3)", "-1.", dtype="float64") + "\nfound = abs(found[0] / math.exp(-1 / 1.3) - 1) > 1e-9",
        "True", "False", "The slope is kept as a float32 in the kernel.",
        "abs(ug.grad(lambda x: ug.celu(x, alpha=1.3))(ug.asarray(-1.0, dtype='float64')).item() "
        "/ math.exp(-1 / 1.3) - 1) > 1e-9"),
    Row("torch", "hardswish of a large number", "found = F.hardswish(torch.tensor(3e38)).item()",
        "inf", "3e38", "x·min(x + 3, 6) overflows before the division by 6.",
        "ug.hard_silu(ug.asarray(3e38, dtype='float32')).item()"),
    Row("torch", "sign of NaN", "found = torch.sign(torch.tensor(float('nan'))).item()",
        "0.0", "nan", "NaN must go through (IEEE 754, Array API).",
        "ug.sign(ug.asarray(float('nan'), dtype='float32')).item()"),
    Row("torch", "fused Adam on a transposed weight",
        "w = torch.zeros(2, 3).t().contiguous().t().requires_grad_()\n"
        "w.grad = torch.tensor([[1., -1., 1.], [-1., 1., 1.]])\n"
        "torch.optim.Adam([w], lr=1., fused=True).step()\n"
        "found = w.tolist()",
        "[[-1.0, -1.0, -1.0], [1.0, 1.0, -1.0]]", "[[-1.0, 1.0, -1.0], [1.0, -1.0, -1.0]]",
        "The fused kernel walks weight, gradient and moments each in the order of its own memory.",
        "ours.adam(ug)", "what is right: tensors of different orders are copied into one."),
    Row("tensorflow", "softmax of NaN", "found = tf.nn.softmax([0., float('nan'), 1.]).numpy().tolist()",
        "[0.0, nan, 0.0]", "[nan, nan, nan]", "The sum is NaN, and so is each quotient by it. The "
        "kernels for AVX-512 alone are wrong.",
        "ug.softmax(ug.asarray([0.0, float('nan'), 1.0], dtype='float32')).tolist()",
        needs="avx512_f"),
    Row("tensorflow", "argmax of NaN", "found = tf.argmax([1., float('nan'), 2.]).numpy().item()",
        "2", "1", "NaN counts as the largest (NumPy, Array API).",
        "ug.argmax(ug.asarray([1.0, float('nan'), 2.0])).item()"),
    Row("tensorflow", "sort of NaN", "found = tf.sort([float('nan'), 1., 2.]).numpy().tolist()",
        "[nan, 1.0, 2.0]", "[1.0, 2.0, nan]", "NaN is sorted to the end (NumPy, Array API).",
        "ug.sort(ug.asarray([float('nan'), 1.0, 2.0])).tolist()"),
    Row("tensorflow", "mean in half precision",
        "found = tf.reduce_mean(tf.constant([6e4] * 8, tf.float16)).numpy().item()",
        "inf", "60000.0", "The sum is kept in float16, whose largest number is 65504.",
        "ug.mean(ug.asarray([6e4] * 8, dtype='float16')).item()"),
    Row("tensorflow", "scalar product in half precision",
        "one = tf.ones(4096, tf.float16)\nfound = tf.einsum('i,i->', one, one).numpy().item()",
        "2048.0", "4096.0", "The sum is kept in float16, where 2048 + 1 is 2048 "
        "(not on processors with arithmetic of float16).",
        "ug.vecdot(ug.ones(4096, dtype='float16'), ug.ones(4096, dtype='float16')).item()",
        "what is right in `vecdot`; `einsum` without an axis left is the same (see the list on Backends).",
        lacks="avx512_fp16"),
    Row("tensorflow", "floor of −1/∞", "found = tf.math.floordiv(-1., float('inf')).numpy().item()",
        "-0.0", "-1.0", "The quotient is a negative number, whose floor is −1 (NumPy, Array API).",
        "(ug.asarray(-1.0) // ug.asarray(float('inf'))).item()"),
    Row("tensorflow", "reciprocal of a complex infinity",
        "x = tf.constant([complex('inf')] * 2, tf.complex128)\n"
        "found = tf.math.reciprocal(x).numpy().tolist()",
        "[complex('nan+nanj')] * 2", "[0j, 0j]", "1/∞ is 0 (C99, G.5.1).",
        "ug.reciprocal(ug.asarray([complex('inf')] * 2, dtype='complex128')).tolist()"),
    Row("tensorflow", "logarithm of a small complex number",
        "x = tf.constant([1e-20 + 0j] * 4, tf.complex64)\nfound = tf.math.log(x)[0].numpy().item()",
        "complex('nan')", "-46.0517 + 0j", "|x|² leaves the dtype's range, and log |x|² / 2 with it.",
        "ug.log(ug.asarray([1e-20 + 0j] * 4, dtype='complex64'))[0].item()"),
    Row("jax", "log1p near −0.41 in double precision",
        "found = abs(jnp.log1p(jnp.float64(-0.41)).item() / -0.527632742082371929 - 1) > 1e-14",
        "True", "False", "log1p is off by 90 units in the last place there.",
        "abs(ug.log1p(ug.asarray(-0.41, dtype='float64')).item() / -0.527632742082371929 - 1) > 1e-14"),
    Row("jax", "square root beside its branch cut",
        "found = jnp.sqrt(jnp.complex128(complex(-1.0, -0.0))).item().imag",
        "1.0", "-1.0", _BRANCH,
        "ug.imag(ug.sqrt(ug.asarray(complex(-1.0, -0.0), dtype='complex128'))).item()"),
    Row("jax", "arc cosine beside its branch cut",
        "found = jnp.arccos(jnp.complex128(complex(-2.5, -0.0))).item().imag",
        "-1.5668", "1.5668", _BRANCH,
        "ug.imag(ug.acos(ug.asarray(complex(-2.5, -0.0), dtype='complex128'))).item()"),
    Row("jax", "hyperbolic sine of a small complex number",
        "found = jnp.sinh(jnp.complex128(1e-17)).item().real",
        "0.0", "1e-17", "(eˣ - e⁻ˣ) / 2 has lost all digits.",
        "ug.real(ug.sinh(ug.asarray(1e-17 + 0j, dtype='complex128'))).item()"),
    Row("jax", "power of two of a complex infinity",
        "found = jnp.exp2(jnp.complex128(complex('inf+1j'))).item()",
        "complex('nan+nanj')", "complex('inf+infj')", "∞ · 0 is taken where z is multiplied by log 2 + 0i.",
        "ug.exp2(ug.asarray(complex('inf+1j'), dtype='complex128')).item()"),
    Row("jax", "arc tangent on the left of its branch cut",
        "found = jnp.arctan(jnp.complex128(complex(-0.0, 1e200))).item().real",
        "1.5708", "-1.5708", _BRANCH,
        "ug.real(ug.atan(ug.asarray(complex(-0.0, 1e200), dtype='complex128'))).item()"),
    Row("jax", "exp of −∞ + ∞i", "found = jnp.exp(jnp.complex128(complex('-inf+infj'))).item()",
        "complex('nan+nanj')", "0j", "The magnitude is 0, whatever the angle (C99, G.6.3.1).",
        "ug.exp(ug.asarray(complex('-inf+infj'), dtype='complex128')).item()"),
    Row("jax", "square of a small number times a constant",
        "f = jax.jit(lambda x: (x * 2.0**80) * (x * 2.0**80))\nfound = f(jnp.float32(2.0**-70)).item()",
        "nan", "1048576.0", "XLA makes x² c² of (x c)²: c² is infinite, and x² is 0.",
        does="the same in a program of yours; norms and deviations scale no zeros."),
    Row("jax", "a subnormal number is positive", "found = bool(jnp.float32(1e-45) > 0)",
        "False", "True", "XLA sets the processor to take subnormal numbers for 0.",
        does="the same: it cannot be told not to."),
    Row("torch", "greatest common divisor of the least integer",
        "x, y = torch.tensor([-128, 127], dtype=torch.int8)\nfound = torch.gcd(x, y).item()",
        "-1", "1", "The absolute value of the least integer is itself, and negative.",
        "ug.gcd(ug.asarray(-128, dtype='int8'), ug.asarray(127, dtype='int8')).item()"),
    Row("torch", "square root of −∞ as a power", "found = torch.pow(torch.tensor(-math.inf), 0.5).item()",
        "nan", "inf", "The exponent ½ is taken for a square root (IEEE 754: pow(−∞, y) is +∞ for y > 0 that is no odd integer).",
        "(ug.asarray(-inf, dtype='float32') ** 0.5).item()"),
    Row("torch", "sum with a complex infinity",
        "found = (torch.tensor([1 + 2j]) + torch.tensor([complex('inf')]))[0].item()",
        "complex('inf+nanj')", "complex('inf+2j')", "The second one is multiplied by alpha, 1 + 0i, and ∞ · 0 is NaN.",
        "(ug.asarray([1 + 2j]) + ug.asarray([complex('inf')]))[0].item()",
        "what is right, but on torch: a look at the dtype would slow down every sum.", ("torch",)),
    Row("torch", "log1p of an upright complex infinity",
        "found = torch.log1p(torch.tensor(complex('0.001+infj'))).item().imag",
        "nan", "1.5708", "The angle of 1 + z is π/2 (Array API).",
        "ug.imag(ug.log1p(ug.asarray(complex('0.001+infj'), dtype='complex64'))).item()"),
    Row("torch", "reciprocal of a complex infinity",
        "found = torch.reciprocal(torch.tensor(complex('inf+infj'))).item()",
        "complex('nan+nanj')", "0j", "1/∞ is 0 (C99, G.5.1).",
        "ug.reciprocal(ug.asarray(complex('inf+infj'), dtype='complex128')).item()"),
    Row("tensorflow", "expm1 of a large complex number",
        "found = tf.math.expm1(tf.constant(1000 + 1j, tf.complex128)).numpy().item()",
        "complex('nan+infj')", "complex('inf+infj')", "The real part is a difference of infinities.",
        "ug.expm1(ug.asarray(1000 + 1j, dtype='complex128')).item()"),
    Row("tensorflow", "rsqrt below its branch cut",
        "found = tf.math.rsqrt(tf.constant(complex(-4.0, -0.0), tf.complex128)).numpy().item().imag",
        "-0.5", "0.5", _BRANCH,
        "ug.imag(ug.rsqrt(ug.asarray(complex(-4.0, -0.0), dtype='complex128'))).item()"),
    Row("tensorflow", "complex numbers over infinity",
        "x = tf.constant([1 + 2j] * 8, tf.complex128)\n"
        "found = (x / tf.constant([complex('inf')] * 8, tf.complex128))[0].numpy().item()",
        "complex('nan+nanj')", "0j", "The product with the conjugate is ∞ · 0 (C99, G.5.1).",
        "(ug.asarray([1 + 2j] * 8, dtype='complex128') / inf)[0].item()"),
    Row("numpy", "square root of −∞ as a power", "found = (np.array([-np.inf]) ** 0.5).tolist()",
        "[nan]", "[inf]", "The exponent ½ is taken for a square root; `np.power` gives ∞.",
        "(ug.asarray([-inf]) ** 0.5).tolist()"),
    Row("numpy", "reciprocal of a complex infinity",
        "found = np.reciprocal(np.asarray(complex('inf+infj'))).item()",
        "complex('nan+nanj')", "0j", "1/∞ is 0 (C99, G.5.1).",
        "ug.reciprocal(ug.asarray(complex('inf+infj'), dtype='complex128')).item()"),
    Row("numpy", "log1p of a small complex number", "found = np.log1p(1e-20 + 1e-20j).item()",
        "1e-20j", "1e-20 + 1e-20j", "log|1 + z| loses what is smaller than 1e-16.",
        "ug.log1p(ug.asarray(1e-20 + 1e-20j, dtype='complex128')).item()"),
    Row("numpy", "norm of large numbers",
        "found = np.linalg.norm(np.asarray([1e25, 1e25], 'float32')).item()",
        "inf", "1.41421e25", _SCALED, "ug.norm(ug.asarray([1e25, 1e25], dtype='float32')).item()"),
    Row("torch", "gradient of a matrix's exponential by a large cotangent",
        "x = torch.tensor([[3.0, 1.0], [1.0, 2.0]], requires_grad=True)\n"
        "(1e20 * torch.linalg.matrix_exp(x).sum()).backward()\nfound = x.grad[0].tolist()",
        "[2.7176e20, 2.7176e20]", "[4.52452e21, 3.43595e21]",
        "It is the corner of exp([[A, G], [0, A]]), which is inaccurate for a G so large.",
        "ug.grad(lambda x: 1e20 * ug.sum(ug.linalg.expm(x)))(ug.asarray([[3.0, 1.0], [1.0, 2.0]], dtype='float32'))[0].tolist()"),
    Row("jax", "eigenvalues of large matrices",
        "found = jnp.sort(jnp.linalg.eigvals(jnp.float32([[3e20, 1e20], [1e20, 2e20]])).real).tolist()",
        "[5.06496e11, 1.32602e12]", "[1.38197e20, 3.61803e20]", "LAPACK's scaling is not undone.",
        "ug.real(ug.linalg.eigvals(ug.asarray([[3e20, 1e20], [1e20, 2e20]], dtype='float32'))).tolist()"),
    Row("jax", "slogdet of a small matrix of two rows",
        "found = [x.item() for x in jnp.linalg.slogdet(jnp.float32([[3e-30, 1e-30], [1e-30, 2e-30]]))]",
        "[0.0, -inf]", "[1.0, -136.546]", "The determinant itself is computed first.",
        "[x.item() for x in ug.linalg.slogdet(ug.asarray([[3e-30, 1e-30], [1e-30, 2e-30]], dtype='float32'))]"),
    Row("tensorflow", "Q R of small matrices",
        "x = tf.constant([[3e-30, 1e-30], [4e-30, 2e-30]])\nfound = tf.abs(tf.linalg.qr(x).r).numpy().tolist()",
        "[[3e-30, 1e-30], [0.0, 2e-30]]", "[[5e-30, 2.2e-30], [0.0, 4e-31]]",
        "The squares of a column leave the range of float32.",
        "ug.linalg.qr(ug.asarray([[3e-30, 1e-30], [4e-30, 2e-30]], dtype='float32')).R.tolist()"),
]  # fmt: skip


def page() -> str:
    """Return the documentation's page."""
    lines = [
        "# What we found in the frameworks",
        "",
        f"{len(ROWS)} wrong values and derivatives that the conformance suite, its fuzzer, or a",
        "comparison by hand met, each with the framework's own program, what is right and why, and",
        "what unigrad does. `tests/test_upstream.py` runs every one, so that a framework's repair is",
        "noticed. Versions: those of `constraints.txt`, on the CPU.",
        "",
        "<!-- Written by unigrad_conformance/upstream.py. -->",
    ]
    for library, head in HEADS.items():
        rows = [one for one in ROWS if one.library == library]
        lines += ["", f"## {library}", "", "```text", *head.splitlines(), "```"]
        for row in rows:
            lines += [
                "", f"### {row.title[0].upper()}{row.title[1:]}", "",
                "```text", *row.code.splitlines(), "```", "",
                f"Gives `{row.gives}`; right is `{row.right}`. {row.why}", "",
                f"unigrad: {row.does}",
            ]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
